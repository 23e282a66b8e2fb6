"""The decision about a run, stored, shown and served through the commands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Searched
from workbench.runtime.bundle.bundle import open_bundle


@pytest.fixture
def folder(searched: Searched, tmp_path: Path) -> Path:
    copied = tmp_path / "run"
    shutil.copytree(searched.path, copied)
    return copied


def test_nobody_has_decided_and_the_goal_sets_the_rule(folder: Path, run: Run) -> None:
    shown = run("decide", folder)
    assert shown.code == 0
    assert "Decision: none stored" in shown.out
    document = run("decide", folder, "--json").json
    assert document["decision"] is None
    assert document["terms"]["pick"] == "best", "no limits and no costs: the most accurate"
    assert not (folder / "decision.json").exists(), "looking stores nothing"
    assert run("front", folder, "--max-latency", "1s", "--json").code == 0
    leaderboard = run("leaderboard", folder, "--json").json
    assert all(row["expected_cost_per_1000"] is None for row in leaderboard)


def test_what_is_decided_is_shown_and_served_by_every_command(folder: Path, run: Run, tmp_path: Path) -> None:
    stored = run(
        "decide",
        folder,
        "--costs",
        "5,40",
        "--traffic",
        "100000/1d",
        "--by",
        "ada",
        "--note",
        "costs of May",
        "--json",
    ).json
    assert stored["decision"]["who"] == "ada"
    assert stored["decision"]["payoff"] == {"TP": 0.0, "FP": -5.0, "FN": -40.0, "TN": 0.0}
    assert stored["terms"]["pick"] == "lowest-cost"
    assert stored["terms"]["sources"]["threshold"] == "decision"
    chosen = stored["chosen"]
    rows = run("leaderboard", folder, "--json").json
    assert chosen["id"] == min(rows, key=lambda row: row["total_cost_per_month_usd"])["id"]
    assert "mistakes/1000 [95 %]" in run("leaderboard", folder).out
    assert run("report", folder, "--out", tmp_path / "r.html").code == 0
    report = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "revision 1 by ada" in report
    assert "Cost of mistakes" in report
    assert run("export", folder, "--out", tmp_path / "b").code == 0
    assert open_bundle(tmp_path / "b").schema.output.threshold == pytest.approx(5 / 45)
    decision = json.loads((tmp_path / "b" / "decision.json").read_text())
    assert (decision["by"], decision["note"], decision["chosen"]["id"]) == (
        "ada",
        "costs of May",
        chosen["id"],
    )
    card = (tmp_path / "b" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "Payoff of outcomes: TP $0.00, FP -$5.00, FN -$40.00, TN $0.00 (decided in the run)" in card
    now = run("export", folder, "--threshold", "0.3", "--pick", "best", "--out", tmp_path / "b2", "--json")
    assert now.json["threshold"] == 0.3, "a flag comes before the decision"
    assert open_bundle(tmp_path / "b2").schema.output.threshold == 0.3
    assert open_bundle(tmp_path / "b2").manifest.version == "2"


def test_two_who_decide_at_once(folder: Path, run: Run) -> None:
    assert run("decide", folder, "--pick", "best", "--by", "ada", "--if-revision", 0).code == 0
    late = run("decide", folder, "--pick", "fastest", "--by", "bob", "--if-revision", 0)
    assert late.code == 1
    assert "found revision 1 by ada" in late.error
    after = run("decide", folder, "--threshold", "0.4", "--by", "bob", "--history")
    assert "Before: revision 1 by ada" in after.out
    document = run("decide", folder, "--reset", "pick", "--history", "--json").json
    assert [each["revision"] for each in document["history"]] == [1, 2, 3]
    assert document["decision"]["pick"] is None
    assert document["decision"]["threshold"] == 0.4


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--costs", "5"), "--costs: found '5'"),
        (("--costs", "1,2", "--payoff", "FP=-1"), "--costs and --payoff: found both"),
        (("--payoff", "FP=5,FN=40"), "write a cost as a negative number"),
        (("--pick", "c0999"), "--pick: found 'c0999'"),
        (("--pick", "lowest-cost"), "expected costs or a payoff"),
        (("--threshold", "1.5"), "--threshold: found 1.5"),
        (("--max-latency", "1ns"), "--max-latency"),
        (("--reset", "much"), "--reset: found 'much'"),
        (("--note", "why"), "nothing to decide"),
    ],
)
def test_a_decision_that_makes_no_sense_is_not_stored(
    folder: Path, run: Run, arguments: tuple[str, ...], says: str
) -> None:
    answer = run("decide", folder, *arguments)
    assert answer.code == 2
    assert says in answer.error
    assert not (folder / "decision.json").exists()
