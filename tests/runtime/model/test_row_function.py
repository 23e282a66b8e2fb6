"""The generated function predicts what the session predicts, and returns None if it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.families.small_trees import scattered
from tests.runtime.made import COLUMNS, ROWS, make_encoder, make_onnx
from workbench.families.base import Problem, Sample
from workbench.families.forms.additive_tables import collapse
from workbench.families.forms.forms import Form, Linear
from workbench.families.forms.links import Link
from workbench.families.lightgbm import LightGBM
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.core.schema import Output, Schema
from workbench.runtime.errors import BadValueError, MissingColumnError, WorkbenchError
from workbench.runtime.model.additive_model import read_additive_model, rounded_bounds
from workbench.runtime.model.predictor import Predictor
from workbench.runtime.serving.scorer import Scorer

ENCODER = make_encoder()
NUMBER, CLASSES = Output("y", "regression"), Output("y", "binary", ("no", "yes"))
LINKS: dict[Link, Output] = {"identity": NUMBER, "expm1": NUMBER, "sigmoid": CLASSES, "probability": CLASSES}


def make(kind: str, link: Link) -> Predictor:
    form: Form
    if kind == "linear":
        weights = np.random.default_rng(3).normal(size=(ENCODER.width, 1)) / 1000.0
        form = Linear(weights, np.array([0.25]), link)
    else:
        form = collapse(scattered(ENCODER.width, 30, link))
    predictor = Predictor(Schema(COLUMNS, LINKS[link]), ENCODER, to_onnx(form, ENCODER.width))
    assert predictor._direct is not None
    return predictor


KINDS: list[tuple[str, Link]] = [
    ("linear", "identity"),
    ("linear", "sigmoid"),
    ("linear", "probability"),
    ("additive", "identity"),
    ("additive", "sigmoid"),
    ("additive", "expm1"),
]
PREDICTORS = [make(*kind) for kind in KINDS]
VALUES: dict[str, Any] = {
    "tenure": st.floats(0, 100) | st.integers(0, 99) | st.sampled_from(["12", "1e3", True]),
    "Monthly Charges": st.none()
    | st.floats(-1e5, 1e5)
    | st.sampled_from(["$1,118.75", "inf", float("nan"), 10**400]),
    "senior": st.sampled_from([None, True, False, 0, 1, 1.0, "yes", "no", float("nan")]),
    "plan": st.sampled_from([None, "basic", " plus", "max", "ultra", "NA", 3, 3.0]),
    "city": st.sampled_from([None, "Oslo", "Rome", "Zürich", "", "001"]) | st.text(max_size=3),
    "signed": st.sampled_from([None, "2020-01-31", "31/12/1999", 1583065800]),
    "last": st.sampled_from([None, "2020-03-01T12:30:00", 1583065800, "1583065800"]),
    "note": st.none() | st.sampled_from(["good service", "bad bad service"]) | st.text(max_size=8),
}


@pytest.mark.parametrize("predictor", PREDICTORS, ids=map(" ".join, KINDS))
@settings(max_examples=80, deadline=None)
@given(row=st.fixed_dictionaries(VALUES))
def test_a_row_is_answered_as_by_the_session(predictor: Predictor, row: dict[str, Any]) -> None:
    found = predictor.predict_row(row)
    expected = predictor.predict_rows([row])[0]
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("predictor", PREDICTORS, ids=map(" ".join, KINDS))
@settings(max_examples=40, deadline=None)
@given(row=st.fixed_dictionaries(VALUES))
def test_every_door_gives_one_answer(predictor: Predictor, row: dict[str, Any]) -> None:
    output = predictor.predict_row(row)[None]
    found = predictor.decide_row(row)
    values = predictor.predict_values(predictor.read_rows([row]))
    assert (found is None) == (values is None)
    if not np.isfinite(output).all():
        assert found is None
        return
    expected = predictor.decide(output)
    if found is not None:  # else a score that only the session handles, such as infinity
        assert (found.dtype, found.tolist()) == (expected.dtype, expected.tolist())
        np.testing.assert_array_equal(values, output)
    scored = Scorer(predictor).rows([row])
    assert scored.labels == expected.tolist()
    assert scored.probabilities == (output.astype(np.float64).tolist() if predictor.classes else None)


def test_a_row_that_may_be_columns_is_left_to_the_usual_way() -> None:
    one = {name: [value] for name, value in ROWS[0].items()}
    for row in (one, {**ROWS[0], "more": [1, 2]}, {**ROWS[0], "tenure": np.array([12.0])}):
        assert PREDICTORS[1].decide_row(row) is None
    assert PREDICTORS[1].decide_row({**ROWS[0], "tenure": np.float32(12.0)}) is not None


@pytest.mark.parametrize(
    "change", [{"tenure": None}, {"tenure": "long"}, {"plan": ["a"]}, {"senior": "perhaps"}]
)
def test_errors_are_those_of_the_usual_way(change: dict[str, Any]) -> None:
    row = {**ROWS[0], **change}
    with pytest.raises(BadValueError) as found:
        PREDICTORS[1].predict_row(row)
    with pytest.raises(WorkbenchError) as expected:
        PREDICTORS[1].encode_row(row)
    assert str(found.value) == str(expected.value)


def test_names_need_not_be_the_very_same() -> None:
    row = {f" {name} ": value for name, value in ROWS[0].items()}
    np.testing.assert_array_equal(PREDICTORS[0].predict_row(row), PREDICTORS[0].predict_rows([ROWS[0]])[0])
    with pytest.raises(MissingColumnError):
        PREDICTORS[0].predict_row({})


def test_other_models_are_left_to_the_session() -> None:
    assert read_additive_model(make_onnx(3, 2), 3) is None
    three = to_onnx(Linear(np.ones((3, 3)), np.ones(3), "softmax"), 3)
    assert read_additive_model(three, 3) is None
    X = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
    problem, sample = Problem("regression", 0, 300, 3), Sample(X, (X[:, 0] * X[:, 1]).astype(np.float64))
    deep = LightGBM().fit({}, sample, problem, rounds=3).form()
    additive = scattered(3, 4, "identity")
    one = collapse(additive)
    for form in (deep, additive, replace(one, strict=True), replace(one, threshold=-one.threshold)):
        assert read_additive_model(to_onnx(form, 3), 3) is None
    good = to_onnx(one, 3)
    assert read_additive_model(good, 3) is not None
    assert read_additive_model(good, 2) is None
    for content in (b"", b"\x3a", b"\xff" * 20, three[:40], good[:-40], good[:90]):
        assert read_additive_model(content, 3) is None


def test_a_bound_is_where_rounding_to_float32_ends() -> None:
    """A float64 midway between two float32 rounds to the even one, so some bounds are inclusive."""
    thresholds = np.sort(np.random.default_rng(0).normal(size=200).astype(np.float32))
    bounds = rounded_bounds(thresholds)
    assert (bounds.astype(np.float32) <= thresholds).all()
    assert (np.nextafter(bounds, np.inf).astype(np.float32) > thresholds).all()
    assert rounded_bounds(np.array([np.finfo(np.float32).max], np.float32)) > 1e38
