"""The documentation site: it builds without a warning, and what its code blocks show exists."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from workbench.cli.entry import COMMANDS, parser

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if "_build" not in page.parts]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def code_blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", text, flags=re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    for page in ("index", "tutorial", "cli", "reference/python", "project/benchmarks", "project/changelog"):
        assert (tmp_path / f"{page}.html").is_file()
    api = (tmp_path / "reference" / "python.html").read_text(encoding="utf-8")
    for name in ("workbench.search", "workbench.Run.export", "workbench.WorkbenchClassifier"):
        assert f'id="{name}"' in api


def test_every_page_is_in_a_table_of_contents() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = {
        line for block in code_blocks(ROOT / "docs" / "index.md", "{toctree}") for line in block.split()
    }
    for page in PAGES:
        if page.is_relative_to(ROOT / "docs") and page.stem != "index":
            assert page.relative_to(ROOT / "docs").with_suffix("").as_posix() in listed, index


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_code_blocks_can_be_read(page: Path) -> None:
    for block in code_blocks(page, "python"):
        ast.parse(block)
    for block in code_blocks(page, "toml"):
        tomllib.loads(block)
    for block in code_blocks(page, "json"):
        json.loads(block)


def commands(block: str) -> list[list[str]]:
    """Return the words of each `workbench` command of a block of shell."""
    lines = block.replace("\\\n", " ").splitlines()
    parts = [part for line in lines for part in re.split(r"&&|\||;|(?<=\s)#", line)]
    found = [shlex.split(part.split(">")[0]) for part in parts if re.match(r"\s*(\S*/)?workbench\s", part)]
    return [words[1:] for words in found if "…" not in words]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_shown_are_commands(page: Path) -> None:
    """Every command parses: its verb, its options and its arguments exist."""
    verbs = {each.name for each in COMMANDS}
    for block in code_blocks(page, "bash"):
        for words in commands(block):
            if words[0].startswith("-"):
                continue
            assert words[0] in verbs, words
            said = io.StringIO()
            try:
                with contextlib.redirect_stderr(said):
                    parser().parse_args(words)
            except SystemExit:
                pytest.fail(f"workbench {shlex.join(words)}: {said.getvalue()}")
