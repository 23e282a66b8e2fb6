"""Explanations of candidates that were really trained."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.api import open_run
from workbench.automl.features.encoder_fitting import learn
from workbench.automl.phases.plan import describe_problem
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.scoring.metrics import Metric
from workbench.data.intake import load_dataset
from workbench.errors import InputError, RunError, SettingsError
from workbench.explain import (
    contributions,
    coverage,
    dependence,
    evidence_of,
    fields,
    importance,
    predict_timed,
    residual_summary,
    worst_segments,
)
from workbench.explain.whatif import example_row
from workbench.families import all_families
from workbench.families.base import Sample
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.core.schema import Levels
from workbench.runtime.model.predictor import Predictor


@pytest.fixture(scope="module")
def run(searched: Path) -> RunFolder:
    return open_run(searched / "runs" / "small").folder


@pytest.fixture(scope="module")
def best(run: RunFolder) -> str:
    return open_run(run.path).pick("best").id


@pytest.fixture
def columns(run: RunFolder):
    return dict(run.dataset().columns)


def test_evidence_gives_the_score_of_the_leaderboard(run: RunFolder, best: str) -> None:
    candidate = run.candidate(best)
    known = evidence_of(run, best)
    assert candidate.score is not None and run.compared is not None
    fold = run.compared[np.searchsorted(run.dev_rows, known.rows)]
    again = Metric("roc_auc", "binary", 2).score(known.y, known.output, None, "dev", fold=fold)
    assert again.value == pytest.approx(candidate.score.value, abs=1e-6)
    assert known.n == candidate.score.rows


def test_missing_hold_out_predictions_are_made_by_the_served_model(
    run: RunFolder, best: str, tmp_path: Path
) -> None:
    shutil.copytree(run.path, tmp_path / "run")
    (tmp_path / "run" / "candidates" / best / "holdout.npy").unlink(missing_ok=True)
    rows = run.dev_rows[-40:]
    np.savez(tmp_path / "run" / "data" / "split.npz", dev=run.dev_rows, holdout=rows)
    made = evidence_of(open_run(tmp_path / "run").folder, best, "holdout")
    served = run.predictor(best).predict_columns(run.dataset().take(rows).columns)
    assert np.allclose(made.output, served)


def test_predictions_that_are_lacking_or_of_another_run_are_named(run: RunFolder, best: str) -> None:
    path = run.path / "candidates" / best / "oof.npy"
    kept = path.read_bytes()
    try:
        np.save(path, np.zeros((3, 2)))
        with pytest.raises(RunError, match="found 3 rows"):
            evidence_of(run, best)
        path.unlink()
        with pytest.raises(RunError, match="is missing"):
            evidence_of(run, best)
    finally:
        path.write_bytes(kept)


def test_what_drives_the_answer_matters_and_noise_does_not(run: RunFolder, best: str) -> None:
    heard: list[float] = []
    found = importance(run, best, progress=heard.append)
    assert {each.column for each in found} == {"age", "plan", "use"}
    assert found[0].drop > 0.05
    assert found[0].low < found[0].drop < found[0].high
    assert heard[-1] == 1.0
    assert importance(run, best) == found  # the same seed, the same shuffles


def test_dependence_follows_the_data(run: RunFolder, best: str, columns) -> None:
    predictor = run.predictor(best)
    age = dependence(predictor, columns, "age")
    assert age["mean"][-1] > age["mean"][0]  # the older, the likelier
    assert all(
        low <= mean <= high for low, mean, high in zip(age["low"], age["mean"], age["high"], strict=True)
    )
    plan = dependence(predictor, columns, "plan")
    means = dict(zip(plan["values"], plan["mean"], strict=True))
    assert means["pro"] == max(means.values())
    with pytest.raises(SettingsError, match="gone"):
        dependence(predictor, columns, "gone")


def test_contributions_add_up_to_the_prediction(run: RunFolder, best: str, columns) -> None:
    predictor = run.predictor(best)
    row = {"age": 70.0, "plan": "pro", "use": 0.1}
    found, usual, prediction = contributions(predictor, row, columns)
    assert prediction == pytest.approx(float(predictor.predict_row(row)[1]), abs=1e-6)
    assert sum(each.amount for each in found) == pytest.approx(prediction - usual, abs=1e-6)
    assert {each.column for each in found if each.amount > 0} >= {"age", "plan"}


@pytest.mark.parametrize("family", ["linear", "additive"])
def test_contributions_to_a_sum_are_exact(family: str) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"size": random.normal(size=300), "kind": random.choice(["a", "b", "c"], 300)})
    frame["price"] = 3.0 * frame["size"] + 5.0 * (frame["kind"] == "b")
    data = load_dataset(frame, target="price")
    problem = describe_problem(data, data.n_rows)
    params = {"numbers": "scaled"} if family == "linear" else {"n_estimators": 200}
    model = all_families()[family]
    learned = learn(model.encoding(params, problem), data)
    fitted = model.fit(params, Sample(learned.matrix, data.y), problem)
    content = to_onnx(fitted.form(), learned.encoder.width)
    predictor = Predictor(data.schema, learned.encoder, content)
    row = {"size": 1.5, "kind": "b"}
    found, usual, prediction = contributions(predictor, row, data.columns)
    amounts = {each.column: each.amount for each in found}
    assert all(each.error == 0.0 for each in found)
    assert prediction == pytest.approx(float(predictor.predict_row(row)[0]), abs=1e-4)
    assert sum(amounts.values()) == pytest.approx(prediction - usual, abs=1e-4)
    assert amounts["size"] == pytest.approx(3.0 * (1.5 - frame["size"].mean()), abs=1.0)
    assert amounts["kind"] == pytest.approx(5.0 * (1.0 - (frame["kind"] == "b").mean()), abs=1.0)


def test_values_that_no_row_had_can_be_explained(run: RunFolder, best: str, columns) -> None:
    found, _, _ = contributions(run.predictor(best), {"age": 40.0, "plan": "never seen", "use": 1.0}, columns)
    assert len(found) == 3


def test_segments_name_where_it_is_worse(run: RunFolder, best: str) -> None:
    data, known = run.dataset(), evidence_of(run, best)
    plan = data.columns["plan"]
    assert isinstance(plan, Levels)
    bad = plan.take(known.rows).codes == plan.values.index("pro")
    output = known.output.copy()
    output[bad] = 0.5  # nothing known about these
    output[~bad] = np.where(known.y[~bad, None] == [0, 1], 0.95, 0.05)
    from dataclasses import replace

    found = worst_segments(replace(known, output=output), data)
    assert (found[0].column, found[0].condition) == ("plan", "is pro")
    assert found[0].loss == pytest.approx(0.5)
    assert found[0].low > 0
    assert worst_segments(replace(known, output=np.full_like(output, 0.5)), data) == []


def test_a_form_is_filled_and_answered(run: RunFolder, best: str) -> None:
    predictor, row = run.predictor(best), example_row(run.dataset(), 0)
    asked = {field.name: field for field in fields(predictor, row)}
    assert set(asked["plan"].options) == {"basic", "plus", "pro"}
    assert {name: field.value for name, field in asked.items()} == row
    made = predict_timed(predictor, row, calls=20)
    assert made.prediction in ("no", "yes")
    assert sum(made.probabilities.values()) == pytest.approx(1.0, abs=1e-6)
    assert 0 < made.latency_p50_us < 1e6
    with pytest.raises(InputError, match="age"):
        predict_timed(predictor, {**row, "age": "old"})


def test_without_a_hold_out_it_says_what_the_model_relies_on(
    run: RunFolder, best: str, tmp_path: Path
) -> None:
    shutil.copytree(run.path, tmp_path / "run")
    np.savez(tmp_path / "run" / "data" / "split.npz", dev=run.dev_rows, holdout=np.array([], dtype=np.int64))
    bare = open_run(tmp_path / "run").folder
    found = importance(bare, best)
    assert not found[0].unseen
    assert found[0].drop > 0
    with pytest.raises(RunError, match="held-out set"):
        evidence_of(bare, best, "holdout")


def test_numbers_and_classes(searched_numbers: Path, searched_classes: Path) -> None:
    numbers = open_run(searched_numbers / "runs" / "numbers")
    best = numbers.pick("best").id
    known = evidence_of(numbers.folder, best)
    assert residual_summary(known)["unexplained"] < 0.05
    assert coverage(known)[0]["rows"] == known.n // 2
    assert importance(numbers.folder, best)[0].column == "size"
    classes = open_run(searched_classes / "runs" / "classes")
    best = classes.pick("best").id
    known = evidence_of(classes.folder, best)
    assert known.against(0).y.sum() == (known.y == 0).sum()
    curve = dependence(classes.folder.predictor(best), dict(classes.folder.dataset().columns), "x", output=2)
    assert curve["mean"][-1] > curve["mean"][0]
