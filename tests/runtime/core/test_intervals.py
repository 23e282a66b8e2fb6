from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.runtime import made
from workbench.runtime.bundle.bundle import open_bundle
from workbench.runtime.core.intervals import Intervals
from workbench.runtime.core.schema import Output, Schema
from workbench.runtime.errors import BundleError, InputError

INTERVALS = Intervals(
    edges=(0.0, 1.5),
    levels=(0.5, 0.9),
    low=((-1.0, -2.0, -3.0), (-4.0, -5.0, -6.0)),
    high=((1.0, 2.0, 3.0), (7.0, 8.0, 9.0)),
    coverage=(0.49, 0.91),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A regression bundle with intervals."""
    predictor = made.make_predictor("regression")
    output = replace(predictor.schema.output, intervals=INTERVALS)
    predictor.schema = replace(predictor.schema, output=output)
    return made.make_bundle(tmp_path_factory.mktemp("intervals") / "bundle", predictor)


def test_offsets_go_by_bin_and_level() -> None:
    around = INTERVALS.around(np.array([-1.0, 0.0, 1.0, 1.5]), 0.9)
    assert around.tolist() == [[-5.0, 6.0], [-5.0, 8.0], [-4.0, 9.0], [-4.5, 10.5]]
    assert INTERVALS.around(np.empty(0), 0.5).shape == (0, 2)


def test_a_bundle_predicts_intervals(folder: Path) -> None:
    bundle = open_bundle(folder)
    assert bundle.schema.output.intervals == INTERVALS
    predicted = bundle.predict(made.ROWS)
    for level in (0.5, 0.9):
        ends = bundle.predict_interval(made.ROWS, level=level)
        assert ends.shape == (3, 2) and ends.dtype == np.float64
        assert ends == pytest.approx(INTERVALS.around(predicted, level))
    assert bundle.predict_interval(made.ROWS[0]).tolist() == bundle.predict_interval(made.ROWS)[:1].tolist()


def test_what_cannot_be_answered_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"level: found 0.99; expected one of 0.5, 0.9"):
        open_bundle(folder).predict_interval(made.ROWS, level=0.99)
    with pytest.raises(InputError, match="level: found '90%'"):
        open_bundle(folder).predict_interval(made.ROWS, level="90%")  # type: ignore[arg-type]
    classifier = open_bundle(made.make_bundle(tmp_path / "classes", made.make_predictor("binary")))
    with pytest.raises(InputError, match=r"a classifier.*Use predict_proba"):
        classifier.predict_interval(made.ROWS)
    plain = open_bundle(made.make_bundle(tmp_path / "plain", made.make_predictor("regression")))
    with pytest.raises(InputError, match="without intervals"):
        plain.predict_interval(made.ROWS)


def test_schemas_without_intervals_are_written_and_read_as_before() -> None:
    plain = Schema(made.COLUMNS, Output("y", "regression"))
    document = json.loads(json.dumps(plain.to_json()))
    assert set(document["output"]) == {"target", "task", "classes", "threshold"}
    assert Schema.from_json(document) == plain
    learned = replace(plain, output=replace(plain.output, intervals=INTERVALS))
    assert Schema.from_json(json.loads(json.dumps(learned.to_json()))) == learned


@pytest.mark.parametrize(
    "change",
    [
        {"levels": [0.5]},
        {"edges": [1.0, 0.0]},
        {"low": [[0.0] * 3, [float("nan")] * 3]},
        {"high": [[0.0] * 3, [0.0] * 2]},
        {"edges": None},
        {"levels": ["many", "few"]},
        {"levels": [], "low": [], "high": []},
    ],
)
def test_intervals_that_are_none_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(BundleError, match="intervals"):
        Intervals.from_json({**INTERVALS.to_json(), **change})


def test_a_classifier_cannot_have_intervals() -> None:
    with pytest.raises(BundleError, match="intervals of a binary task"):
        output = {"target": "y", "task": "binary", "classes": ["a", "b"], "intervals": INTERVALS.to_json()}
        Schema.from_json({"columns": [], "output": output})
