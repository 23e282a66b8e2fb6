from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import workbench.ui
from tests.ui.made import write_run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("script", [ROOT / "app.py", Path(workbench.ui.__file__).parent / "entry" / "app.py"])
def test_both_entries_show_the_runs_of_the_folder_given(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "runs" / "churn")
    monkeypatch.setattr("sys.argv", ["app.py", str(tmp_path / "runs")])
    app = AppTest.from_file(str(script), default_timeout=600).run()
    assert not app.exception
    assert app.title[0].value == "Pick the right model for your table"
    assert any("churn" in each.value for each in app.markdown)


def test_a_roles_file_asks_for_a_log_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path / "runs" / "churn")
    roles = tmp_path / "roles.toml"
    roles.write_text('[roles]\n"*" = "viewer"\n')
    monkeypatch.setattr("sys.argv", ["app.py", str(tmp_path / "runs"), f"--roles={roles}"])
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=600).run()
    assert not app.exception
    assert "no log-in is configured" in app.error[0].value
    assert not any("churn" in each.value for each in app.markdown)

    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=600)
    app.secrets["auth"] = {"client_id": "x"}
    app.run()
    assert not app.exception
    assert app.title[0].value == "Please log in"
    assert [button.key for button in app.button] == ["login"]
    assert not any("churn" in each.value for each in app.markdown)

    roles.write_text("broken")
    app.run()
    assert "TOML" in app.error[0].value


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"email": "ada@example.com"}, "deployer"),
        ({"email": "eve@other.org"}, "nobody"),
        ({"email": "ada@example.com", "email_verified": False}, "nobody"),
        ({}, "nobody"),
    ],
)
def test_whoever_is_logged_in_gets_their_role(
    user: dict[str, object], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = tmp_path / "roles.toml"
    roles.write_text('[roles]\n"ada@example.com" = "deployer"\n')
    monkeypatch.setattr("workbench.ui.page_frame.st.user", {"is_logged_in": True, **user})
    monkeypatch.setattr("sys.argv", ["app.py", str(tmp_path / "runs"), f"--roles={roles}"])
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=600)
    app.secrets["auth"] = {"client_id": "x"}
    app.run()
    assert not app.exception
    assert app.session_state["role"] == expected
    assert bool(app.error) == (expected == "nobody")
