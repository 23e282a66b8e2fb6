from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tests.export.conftest import choose
from workbench.api import Run
from workbench.automl.records.run_folder import RunFolder
from workbench.errors import SettingsError
from workbench.export.checks.verify import verify_bundle
from workbench.export.decided_threshold import score_at
from workbench.export.diff import diff_bundles
from workbench.export.write import export_bundle
from workbench.runtime.bundle.bundle import open_bundle
from workbench.tradeoff.decision import ServedThreshold


def test_a_threshold_set_by_hand_decides_wherever_the_bundle_answers(
    runs: dict[str, RunFolder], bundles: dict[str, Path], tmp_path: Path
) -> None:
    run = runs["binary"]
    path = export_bundle(
        run, choose(run), tmp_path / "b", name="made", threshold=0.9, by="Ada", code=["python"]
    )
    bundle, plain = open_bundle(path), open_bundle(bundles["binary"])
    output = bundle.predictor.predict_columns(run.dataset().columns)
    at_half = plain.predictor.predict_columns(run.dataset().columns)
    assert np.array_equal(output, at_half)
    assert ((output[:, 1] >= 0.5) & (output[:, 1] < 0.9)).any()  # else this test would say nothing
    assert (bundle.predictor.decide(output) == (output[:, 1] >= 0.9)).all()
    golden = [json.loads(line) for line in (path / "golden.jsonl").read_text(encoding="utf-8").splitlines()]
    for entry in golden:
        assert entry["output"]["label"] == int(entry["output"]["probabilities"][1] >= 0.9)
    assert "0.9" in (path / "source" / "scorer.py").read_text()
    decision = json.loads((path / "decision.json").read_text())
    said = {"value": 0.9, "learned": 0.5, "label": 1, "how": "set", "source": "now"}
    assert decision["threshold"] == said
    assert decision["by"] == "Ada"
    assert "Predicts 1 from a probability of 0.9" in (path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert verify_bundle(path, isolation=False, run=run).ok
    changed = {(each.part, each.what): each.after for each in diff_bundles(bundles["binary"], path).changes}
    assert changed["model", "threshold"] == 0.9
    assert changed["answers", "rows with another label"] > 0
    own = json.loads((bundles["binary"] / "decision.json").read_text())["threshold"]
    assert own == {"value": 0.5, "learned": 0.5, "label": 1, "how": "model", "source": "default"}


def test_costs_and_the_stored_decision_set_the_threshold_of_the_bundle(
    runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    copied = tmp_path / "run"
    shutil.copytree(runs["binary"].path, copied)
    run = Run(RunFolder.open(copied))
    run.decide(pick="c0002", costs=(5, 40), by="Ada", note="costs of May")

    def served(name: str, **options: Any) -> tuple[float, dict[str, Any]]:
        choice = run.pick(**options)
        path = run.export(choice, tmp_path / name, name="made")
        return open_bundle(path).schema.output.threshold, json.loads((path / "decision.json").read_text())

    threshold, decision = served("decided")
    assert threshold == pytest.approx(5 / 45)
    assert decision["threshold"]["how"] == "payoff"
    assert decision["threshold"]["source"] == decision["sources"]["payoff"] == "decision"
    assert decision["payoff"] == {"TP": 0.0, "FP": -5.0, "FN": -40.0, "TN": 0.0}
    assert decision["revision"] == 1
    assert (decision["by"], decision["note"]) == ("Ada", "costs of May")
    card = (tmp_path / "decided" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "from a probability of 0.111111, which follows from the costs of mistakes" in card
    threshold, decision = served("now", costs=(1, 3))
    assert threshold == 0.25, "costs given now come before the decision"
    assert decision["threshold"]["source"] == "now"
    assert decision["note"] == "", "the words of the stored decision are of other costs"
    run.decide(threshold=0.3)
    assert served("set")[0] == 0.3
    bare = choose(RunFolder.open(copied), "c0002")
    assert bare.terms is None
    path = export_bundle(RunFolder.open(copied), bare, tmp_path / "bare", name="made")
    assert open_bundle(path).schema.output.threshold == 0.3, (
        "the stored decision counts for a bare choice too"
    )


@pytest.mark.parametrize(("task", "value"), [("binary", 1.2), ("binary", float("nan")), ("regression", 0.3)])
def test_a_threshold_that_cannot_be_is_refused_before_any_work(
    runs: dict[str, RunFolder], tmp_path: Path, task: str, value: float
) -> None:
    with pytest.raises(SettingsError, match="threshold: found"):
        export_bundle(runs[task], choose(runs[task]), tmp_path / "b", threshold=value)
    assert list(tmp_path.iterdir()) == []


def test_a_score_of_decisions_is_that_at_the_threshold(runs: dict[str, RunFolder]) -> None:
    run = runs["binary"]
    candidate = run.candidate("c0002")
    own = ServedThreshold(0.9, 0.5, 1)
    assert score_at(run, candidate, own) is None  # roc_auc does not decide
    deciding = RunFolder(run.path, {**run.info, "metric": "f1"})
    score = score_at(deciding, candidate, own)
    assert score is not None
    p, y = run.out_of_fold("c0002")[:, 1], run.dataset().y[run.dev_rows]
    assert score.value == pytest.approx(f1_score(y, p >= 0.9))
    assert score.low < score.value < score.high
    assert "at a threshold of 0.9 set in the decision" in score.data
