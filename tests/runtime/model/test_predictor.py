from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.made import COLUMNS, ROWS, make_encoder, make_onnx, make_predictor
from workbench.runtime.core.json_documents import dump_json
from workbench.runtime.core.schema import Output, Schema
from workbench.runtime.errors import (
    BadValueError,
    BundleError,
    InputError,
    MissingColumnError,
    ModelError,
    TamperedBundleError,
)
from workbench.runtime.model.onnx_model import OnnxModel
from workbench.runtime.model.output_decoder import label_array
from workbench.runtime.model.predictor import Predictor

PREDICTOR = make_predictor()
WILD_ROWS = st.fixed_dictionaries(
    {
        "tenure": st.floats(allow_nan=False) | st.integers(-(2**60), 2**60),
        "Monthly Charges": st.none() | st.floats() | st.sampled_from(["$1,200.5", " 7 ", "NA", "1e400"]),
        "senior": st.none() | st.booleans() | st.sampled_from(["yes", "No", "0"]),
        "plan": st.none() | st.text(max_size=5) | st.sampled_from(["basic", "max"]),
        "city": st.none() | st.text(max_size=5) | st.sampled_from(["Oslo", "Zürich"]) | st.floats(),
        "signed": st.none() | st.dates().map(str) | st.datetimes() | st.just("31/12/1999"),
        "last": st.none() | st.datetimes() | st.floats(-1e10, 1e10),
        "note": st.none() | st.text(max_size=20) | st.just("bad service"),
    }
)


@settings(max_examples=100, deadline=None)
@given(st.lists(WILD_ROWS, min_size=1, max_size=4))
def test_a_row_predicts_alike_however_it_comes(rows: list[dict[str, Any]]) -> None:
    columns = {name: [row[name] for row in rows] for name in PREDICTOR.names}
    alone = np.concatenate([PREDICTOR.encode_row(row) for row in rows])
    together = PREDICTOR.encode_columns(columns)
    assert np.array_equal(alone, together, equal_nan=True)
    assert np.array_equal(alone, PREDICTOR.encode_rows(rows), equal_nan=True)
    assert np.array_equal(np.tile(alone, (20, 1)), PREDICTOR.encode_rows(rows * 20), equal_nan=True)
    predicted = np.stack([PREDICTOR.predict_row(row) for row in rows])
    np.testing.assert_allclose(predicted, PREDICTOR.predict_columns(columns), atol=1e-6)


@pytest.mark.parametrize("repeat", [1, 20], ids=["few", "many"])
def test_what_is_wrong_names_its_row(repeat: int) -> None:
    rows = [dict(row) for row in ROWS * repeat]
    rows[2]["tenure"] = "long"
    with pytest.raises(BadValueError, match=r"^row 2, column 'tenure': found 'long'; expected a number$"):
        PREDICTOR.predict_rows(rows)
    del rows[2]["tenure"]
    with pytest.raises(MissingColumnError, match=r"^row 2, column 'tenure' is missing"):
        PREDICTOR.predict_rows(rows)


@pytest.mark.parametrize("repeat", [1, 20], ids=["few", "many"])
def test_untidy_keys_are_understood(repeat: int) -> None:
    rows = [{f" {name} ": value for name, value in row.items()} for row in ROWS]
    expected = np.tile(PREDICTOR.predict_rows(ROWS), (repeat, 1))
    np.testing.assert_allclose(PREDICTOR.predict_rows(rows * repeat), expected, atol=1e-6)


def test_columns_of_different_lengths_are_refused() -> None:
    columns = {name: [row[name] for row in ROWS] for name in PREDICTOR.names}
    with pytest.raises(InputError, match="different lengths"):
        PREDICTOR.predict_columns({**columns, "note": [None]})


def test_no_rows_give_no_predictions() -> None:
    assert PREDICTOR.predict_rows([]).shape == (0, 2)
    assert make_predictor("regression").predict_rows([]).shape == (0, 1)
    assert PREDICTOR.decide(PREDICTOR.predict_rows([])).shape == (0,)


def test_the_threshold_decides() -> None:
    encoder = make_encoder()
    schema = Schema(COLUMNS, Output("y", "binary", ("no", "yes"), threshold=0.9))
    strict = Predictor(schema, encoder, make_onnx(encoder.width, 2))
    output = np.array([[0.2, 0.8], [0.05, 0.95], [0.1, 0.9]], dtype=np.float32)
    assert strict.decide(output).tolist() == ["no", "yes", "yes"]
    assert PREDICTOR.decide(output).tolist() == ["yes", "yes", "yes"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_model_that_answers_no_number_is_at_fault(value: float) -> None:
    with pytest.raises(ModelError, match="NaN or infinity"):
        PREDICTOR.decide(np.array([[0.5, value]], dtype=np.float32))


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    PREDICTOR.save(tmp_path)
    again = Predictor.load(tmp_path)
    assert (again.schema, again.encoder) == (PREDICTOR.schema, PREDICTOR.encoder)
    np.testing.assert_array_equal(again.predict_rows(ROWS), PREDICTOR.predict_rows(ROWS))


def test_parts_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(TamperedBundleError, match="do not belong together"):
        Predictor(PREDICTOR.schema, PREDICTOR.encoder, make_onnx(3, 2))


@pytest.mark.parametrize("content", [b"", b"not a model", PREDICTOR.content[:200]])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(BundleError, match=r"model\.onnx (cannot be loaded|is not a bundle's model)"):
        OnnxModel(content)


def test_a_failing_model_is_a_model_error() -> None:
    with pytest.raises(ModelError, match="the model failed"):
        OnnxModel(make_onnx(3, 2)).run(np.zeros((1, 4), dtype=np.float32))


@pytest.mark.parametrize(
    ("classes", "kind"),
    [(("no", "yes"), "U"), ((0, 1), "i"), ((False, True), "b"), ((0.5, 1.5), "f"), (("a", 1), "O")],
)
def test_labels_keep_their_type(classes: tuple[Any, ...], kind: str) -> None:
    array = label_array(classes)
    assert array.dtype.kind == kind
    assert array.tolist() == list(classes)


def test_json_on_disk_holds_no_nan() -> None:
    assert dump_json({"a": np.float32(0.5)}) == '{\n "a": 0.5\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        dump_json({"a": float("nan")})
