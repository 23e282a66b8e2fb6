"""Runs of 0.1.0, and runs made as the app makes them, are moved and read from elsewhere by every
command.

``runs/0.1.0.zip`` holds runs that version 0.1.0 wrote: two as its app started them (``left``, two
classes, and ``kwh``, numbers; their price sheets are named relative to the app's folder), and one
with costs (``costs``).
"""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Run, write_table
from workbench.api import open_run
from workbench.errors import WorkbenchWarning
from workbench.export.catalog import list_bundles
from workbench.runtime.bundle.bundle import open_bundle
from workbench.ui.files.folders import list_runs, newest_bundles
from workbench.ui.jobs.goals import Goal, SearchRequest, sheet_of, write_prices

STORED = Path(__file__).parent / "runs" / "0.1.0.zip"
RUNS = ("left", "kwh", "costs")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    with zipfile.ZipFile(STORED) as archive:
        archive.extractall(tmp_path / "app")
    return tmp_path / "app" / "runs"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in that holds nothing of the runs."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "elsewhere"


@pytest.mark.parametrize("name", RUNS)
def test_every_command_reads_a_run_of_0_1_0_from_elsewhere(
    old: Path, elsewhere: Path, run: Run, name: str
) -> None:
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    every_command_reads(old / name, elsewhere, run)
    kept = {path: path.read_bytes() for path in before}
    assert kept == before, "reading a run never changes what is in it"
    listed = {entry.name: entry.state for entry in list_runs(old)}
    assert listed == dict.fromkeys(RUNS, "done")


def test_the_costs_of_a_run_of_0_1_0_decide_its_bundle(old: Path, elsewhere: Path, run: Run) -> None:
    answer = run("export", old / "costs", "--out", elsewhere / "b", "--json")
    assert answer.code == 0, answer.err
    assert open_bundle(elsewhere / "b").schema.output.threshold == pytest.approx(0.15)
    decision = json.loads((elsewhere / "b" / "decision.json").read_text())
    assert decision["threshold"]["value"] == pytest.approx(0.15)
    assert (decision["threshold"]["how"], decision["sources"]["payoff"]) == ("payoff", "search")
    assert decision["how"] == "lowest-cost"


def test_a_sheet_that_moved_with_its_runs_is_found(old: Path, elsewhere: Path) -> None:
    found = open_run(old / "left").prices()
    sheet = json.loads((old / ".app" / "left.prices.json").read_text())
    assert found.traffic.calls_per_month == sheet["traffic"]["calls_per_month"]
    assert not found.traffic.example


def test_a_sheet_that_is_gone_is_one_warning_and_no_error(old: Path, elsewhere: Path, run: Run) -> None:
    shutil.copytree(old / "left", elsewhere / "left")
    answer = run("front", elsewhere / "left")
    assert answer.code == 0
    warned = [line for line in answer.err.splitlines() if line.startswith("warning: ")]
    assert len(warned) == 1
    assert "the price sheet runs/.app/left.prices.json of the search is missing" in warned[0]
    with pytest.warns(WorkbenchWarning, match="is missing"):
        assert open_run(elsewhere / "left").prices().traffic.example
    stored = run("decide", elsewhere / "left", "--prices", old / ".app" / "left.prices.json", "--by", "ada")
    assert stored.code == 0, stored.err
    again = run("front", elsewhere / "left")
    assert "warning" not in again.err


def test_a_run_made_as_the_app_makes_it_can_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    app = tmp_path / "app"
    app.mkdir()
    monkeypatch.chdir(app)
    write_table(app / "customers.csv", 120)
    own = Path("runs", ".app")
    goal = Goal(quiet_calls=100, busy_calls=5000)
    sheet = sheet_of(goal)
    assert sheet is not None
    prices = write_prices(own, "customers", sheet)
    options = (("--prices", str(prices)), ("--costs", "5,40"), ("--workers", "1"), ("--families", "linear"))
    request = SearchRequest("customers.csv", "churned", "runs/customers", "1m", (*options, ("--trials", "1")))
    arguments = [each for each in request.arguments() if not each.startswith("--time")]
    assert run(*arguments).code == 0
    shutil.rmtree(own)
    (tmp_path / "moved").mkdir()
    (app / "runs" / "customers").rename(tmp_path / "moved" / "any name")
    shutil.rmtree(app, ignore_errors=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    moved = tmp_path / "moved" / "any name"
    for path in moved.rglob("*"):
        if path.suffix in {".json", ".jsonl", ".journal"}:
            text = path.read_text(encoding="utf-8")
            assert str(tmp_path) not in text, f"{path.name} names a folder that is gone"
            assert "runs/.app" not in text, path.name
    every_command_reads(moved, tmp_path / "elsewhere", run)
    terms = open_run(moved).terms()
    assert terms.sheet.traffic == goal.traffic
    assert (terms.pick, terms.sources["payoff"], terms.sources["traffic"]) == (
        "lowest-cost",
        "search",
        "search",
    )
    assert open_bundle(tmp_path / "elsewhere" / "bundles" / "b").schema.output.threshold == pytest.approx(
        5 / 45
    )
    assert run("resume", moved, "--trials", 1).code == 0


def every_command_reads(folder: Path, elsewhere: Path, run: Run) -> None:
    """Read a run with every command that takes one, and use the bundle of it."""
    bundles = elsewhere / "bundles"
    table = [
        ("leaderboard", folder, "--json"),
        ("front", folder),
        ("decide", folder, "--json"),
        ("report", folder, "--out", elsewhere / "report.html"),
        ("export", folder, "--out", bundles / "b"),
    ]
    for command in table:
        answer = run(*command)
        assert answer.code == 0, (command, answer.err)
        assert "warning" not in answer.err.replace("requirements.txt", ""), (command, answer.err)
    rows = run("leaderboard", folder, "--json").json
    chosen = run("decide", folder, "--json").json["chosen"]["id"]
    assert chosen in {row["id"] for row in rows}
    bundle = open_bundle(bundles / "b")
    assert bundle.manifest.lineage.candidate == chosen
    assert bundle.replay_golden().ok
    assert run("reproduce", folder, chosen).code == 0
    assert newest_bundles(bundles) == list_bundles(bundles)  # there is one
