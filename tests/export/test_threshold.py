from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from workbench.errors import SettingsError
from workbench.export.diff import diff_bundles
from workbench.export.threshold import score_at
from workbench.export.verify import verify_bundle
from workbench.export.write import export_bundle
from workbench.runtime.bundle import open_bundle
from workbench.search.run import RunFolder

from .conftest import choose


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
    assert decision["threshold"] == {"value": 0.9, "learned": 0.5, "label": 1}
    assert decision["by"] == "Ada"
    assert "Answers 1 from a probability of 0.9 on" in (path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert verify_bundle(path, isolation=False, run=run).ok
    changed = {(each.part, each.what): each.after for each in diff_bundles(bundles["binary"], path).changes}
    assert changed["model", "threshold"] == 0.9
    assert changed["answers", "rows with another label"] > 0
    assert json.loads((bundles["binary"] / "decision.json").read_text())["threshold"] is None


@pytest.mark.parametrize(("task", "value"), [("binary", 1.2), ("binary", float("nan")), ("regression", 0.3)])
def test_a_threshold_that_cannot_be_is_refused_before_any_work(
    runs: dict[str, RunFolder], tmp_path: Path, task: str, value: float
) -> None:
    with pytest.raises(SettingsError, match="--threshold: found"):
        export_bundle(runs[task], choose(runs[task]), tmp_path / "b", threshold=value)
    assert list(tmp_path.iterdir()) == []


def test_a_score_of_decisions_is_that_at_the_threshold(runs: dict[str, RunFolder]) -> None:
    run = runs["binary"]
    candidate = run.candidate("c0002")
    assert score_at(run, candidate, 0.9) is None  # roc_auc does not decide
    deciding = RunFolder(run.path, {**run.info, "metric": "f1"})
    score = score_at(deciding, candidate, 0.9)
    assert score is not None
    p, y = run.out_of_fold("c0002")[:, 1], run.dataset().y[run.dev_rows]
    assert score.value == pytest.approx(f1_score(y, p >= 0.9))
    assert score.low < score.value < score.high
    assert "at a threshold of 0.9 set by whoever decided" in score.data
