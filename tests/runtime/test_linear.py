"""The generated function answers what the session answers, and hands over what it cannot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.made import COLUMNS, ROWS, make_encoder, make_onnx
from workbench.families.forms import Linear, Link
from workbench.families.onnx import to_onnx
from workbench.runtime.errors import BadValueError, MissingColumnError, WorkbenchError
from workbench.runtime.linear import read_linear
from workbench.runtime.predictor import Predictor
from workbench.runtime.schema import Output, Schema
from workbench.runtime.scorer import Scorer

ENCODER = make_encoder()
OUTPUTS: dict[str, Output] = {
    "identity": Output("y", "regression"),
    "sigmoid": Output("y", "binary", ("no", "yes")),
    "probability": Output("y", "binary", ("no", "yes")),
}


def make(link: Link) -> Predictor:
    random = np.random.default_rng(3)
    weights = random.normal(size=(ENCODER.width, 1)) / 1000.0
    content = to_onnx(Linear(weights, np.array([0.25]), link), ENCODER.width)
    predictor = Predictor(Schema(COLUMNS, OUTPUTS[link]), ENCODER, content)
    assert predictor._linear is not None
    return predictor


PREDICTORS = [make(link) for link in ("identity", "sigmoid", "probability")]  # type: ignore[arg-type]
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


@pytest.mark.parametrize("predictor", PREDICTORS, ids=["identity", "sigmoid", "probability"])
@settings(max_examples=80, deadline=None)
@given(row=st.fixed_dictionaries(VALUES))
def test_a_row_is_answered_as_by_the_session(predictor: Predictor, row: dict[str, Any]) -> None:
    found = predictor.predict_row(row)
    expected = predictor.predict_rows([row])[0]
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("predictor", PREDICTORS, ids=["identity", "sigmoid", "probability"])
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
    if (
        found is not None
    ):  # else a score that only the session can make a number of, such as one of an infinity
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
    assert read_linear(make_onnx(3, 2)) is None
    three = to_onnx(Linear(np.ones((3, 3)), np.ones(3), "softmax"), 3)
    assert read_linear(three) is None
    for content in (b"", b"\x3a", b"\xff" * 20, three[:40]):
        assert read_linear(content) is None
