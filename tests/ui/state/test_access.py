from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import SettingsError
from workbench.ui.state.access import may, read_roles, role_of


def test_roles_are_read_and_the_nearest_rule_counts(tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    path.write_text('[roles]\n"Ada@Example.com" = "deployer"\n"@example.com" = "analyst"\n"*" = "viewer"\n')
    roles = read_roles(path)
    assert role_of("ada@example.com", roles) == "deployer"
    assert role_of("bob@example.com", roles) == "analyst"
    assert role_of("eve@evil-example.com", roles) == "viewer"
    assert role_of(None, {"@example.com": "analyst"}) == "nobody"
    assert role_of("*", {"@example.com": "analyst"}) == "nobody"


@pytest.mark.parametrize(
    ("text", "said"),
    [("[roles", "TOML"), ("a = 1", r"no table \[roles\]"), ('[roles]\n"a" = "king"', "king")],
)
def test_a_roles_file_that_makes_no_sense_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "roles.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said):
        read_roles(path)


def test_nobody_may_do_nothing() -> None:
    assert not any(may("nobody", act) for act in ("look", "search", "export"))
    assert may("analyst", "search")
    assert not may("analyst", "export")
