from __future__ import annotations

from importlib.metadata import version

import pytest

from workbench.errors import ExportError
from workbench.export.documents import requirements
from workbench.export.documents.requirements import ROOTS, TRAINING_STACK, pins, requirement_names


def test_pins_are_exact_and_closed_and_train_nothing() -> None:
    lines = [pin.line() for pin in pins()]
    names = requirement_names("\n".join(lines))
    assert set(ROOTS) <= set(names)
    assert {"click", "h11", "protobuf", "flatbuffers"} <= set(names)  # what they need in turn
    assert not set(names) & TRAINING_STACK
    assert f"numpy=={version('numpy')}" in lines
    assert lines == sorted(lines)
    assert all("==" in line for line in lines)


def test_uvloop_is_left_out_where_it_cannot_be_installed() -> None:
    (line,) = [line for line in (pin.line() for pin in pins()) if line.startswith("uvloop")]
    assert line.endswith('; sys_platform != "win32"')


def test_a_package_that_serving_needs_but_is_not_here() -> None:
    with pytest.raises(ExportError, match="no-such-package is not installed"):
        pins(("no-such-package",))


def test_names_are_read_from_every_form_of_a_requirement() -> None:
    text = "# comment\n\nA_b.C==1\nd>=2 ; python_version<'4'\ne[extra]~=1.0  # why\nf @ https://example.org/f.whl\n"
    assert requirement_names(text) == ["a-b-c", "d", "e", "f"]


def test_a_root_not_made_for_this_system_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_of_it(name: str) -> str:
        if name == "uvloop":
            raise requirements.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(requirements, "version", none_of_it)
    assert not any(line.startswith("uvloop") for line in (pin.line() for pin in pins()))
