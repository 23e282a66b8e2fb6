"""Every string that the app, the report and the charts define is shown somewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import workbench

PACKAGE = Path(workbench.__file__).parent
STRINGS = [
    *sorted((PACKAGE / "ui" / "texts").glob("[!_]*.py")),
    PACKAGE / "display" / "words.py",
    PACKAGE / "report" / "words.py",
]


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def constants(path: Path) -> set[str]:
    """Return the public names that a module assigns at its top level."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        names = (each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name))
        found.update(name for name in names if not name.startswith("_"))
    return found


def uses(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each name of another module that a file reads, as the module and the name."""
    package = dotted(path).split(".")[:-1]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) + 1 - node.level]] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for each in node.names:
                aliases[each.asname or each.name] = f"{module}.{each.name}"
                yield module, each.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield dotted(path), node.id
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            yield aliases[node.value.id], node.attr


@cache
def used() -> frozenset[tuple[str, str]]:
    return frozenset(use for path in PACKAGE.rglob("*.py") for use in uses(path))


@pytest.mark.parametrize("path", STRINGS, ids=dotted)
def test_every_string_is_shown(path: Path) -> None:
    names = constants(path)
    assert names
    unused = sorted(name for name in names if (dotted(path), name) not in used())
    assert not unused, f"{dotted(path)} defines strings that nothing shows: {unused}"


def test_an_unused_string_is_found(tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text('TITLE, _HIDDEN = "a", "b"\nHELP: str = "c"\n', encoding="utf-8")
    assert constants(path) == {"TITLE", "HELP"}
    assert ("workbench.ui.texts.choose", "NO_SUCH_STRING") not in used()
