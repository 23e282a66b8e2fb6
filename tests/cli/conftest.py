"""One small run and its bundle, made through the commands, for all tests of this folder."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The error line, after making sure that it is the only one and no traceback."""
        assert "Traceback" not in self.err + self.out
        lines = [line for line in self.err.splitlines() if line.startswith("workbench: error: ")]
        assert len(lines) == 1, self.err
        assert self.err.rstrip().endswith(lines[0])
        assert len(lines[0]) < 700, lines[0]
        return lines[0].removeprefix("workbench: error: ")


Run = Callable[..., Answer]


def command(*arguments: object) -> Answer:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(each) for each in arguments])
    return Answer(code, out.getvalue(), err.getvalue())


def write_table(path: Path, rows: int = 240) -> Path:
    """Write a small table of customers: numbers with gaps, a category, an inscrutable name, a
    yes-or-no target.
    """
    random = np.random.default_rng(7)
    tenure = random.integers(0, 72, rows)
    charge = random.normal(60, 20, rows).round(2)
    plan = random.choice(["monthly", "yearly", "<b>trial</b>"], rows)
    chance = 1 / (1 + np.exp(-(1.5 - 0.06 * tenure + 0.8 * (plan == "monthly"))))
    churned = np.where(random.random(rows) < chance, "yes", "no")
    lines = ["tenure,charge,plan,churned"]
    for number in range(rows):
        money = "" if number % 17 == 0 else str(charge[number])
        lines.append(f"{tenure[number]},{money},{plan[number]},{churned[number]}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def run() -> Run:
    """The command line, in this process."""
    return command


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("data") / "customers.csv")


@dataclass(frozen=True)
class Searched:
    """A finished run, and what the command that made it said."""

    path: Path
    answer: Answer


@pytest.fixture(scope="session")
def searched(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Searched:
    path = tmp_path_factory.mktemp("runs") / "customers"
    arguments = ("--target", "churned", "--trials", 3, "--families", "linear,lightgbm", "--workers", 1)
    return Searched(path, command("search", table, *arguments, "--out", path, "--json"))


@pytest.fixture(scope="session")
def bundle(searched: Searched, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "customers"
    answer = command("export", searched.path, "--pick", "best", "--out", path, "--note", "for the tests")
    assert answer.code == 0, answer.err
    return path
