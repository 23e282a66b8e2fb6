from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime.made import ROWS, make_predictor
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.errors import InputError, MissingColumnError
from workbench.runtime.serving.protocols import json_protocol
from workbench.runtime.serving.scorer import Scorer

PREDICTOR = make_predictor()
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
DATATYPES = {"number": "FP64", "boolean": "BOOL"}


def infer_request(rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    inputs = []
    for column in PREDICTOR.schema.columns:
        data = [row[column.name] for row in rows]
        numeric = all(value is None or isinstance(value, int | float) for value in data)
        datatype = DATATYPES.get(column.kind, "BYTES") if numeric else "BYTES"
        inputs.append({"name": column.name, "shape": [len(rows)], "datatype": datatype, "data": data})
    return {"inputs": inputs, **more}


def answer(bundle: Bundle, document: dict[str, Any]) -> dict[str, Any]:
    request = json_protocol.parse_infer(document, bundle.predictor)
    return json_protocol.infer_response(
        bundle.manifest, request, json_protocol.score(Scorer(bundle.predictor), request)
    )


# ---------------------------------------------------------------- plain rows


@pytest.mark.parametrize("document", [{"rows": [ROWS[0]]}, [ROWS[0]], ROWS[0], {"rows": [ROWS[0]], "id": 1}])
def test_plain_rows_come_in_three_shapes(document: Any) -> None:
    assert json_protocol.parse_rows(document) == [ROWS[0]]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (5, "the request: found 5"),
        ("rows", "the request: found 'rows'"),
        (None, "the request: found None"),
        ([1], "row 0: found 1"),
        ({"rows": [{}, []]}, r"row 1: found \[\]"),
    ],
)
def test_what_holds_no_rows_is_said(document: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        json_protocol.parse_rows(document)


def test_plain_answers_name_classes_and_probabilities(any_bundle: Bundle) -> None:
    scored = Scorer(any_bundle.predictor).rows(ROWS)
    names = [str(label) for label in any_bundle.manifest.classes]
    document = json_protocol.rows_response(any_bundle.manifest, names, scored)
    assert (document["model"], document["version"]) == ("churn", "3")
    assert [each["prediction"] for each in document["predictions"]] == any_bundle.predict(ROWS).tolist()
    if names:
        assert [list(each["probabilities"]) for each in document["predictions"]] == [names] * 3
        found = [list(each["probabilities"].values()) for each in document["predictions"]]
        assert found == any_bundle.predict_proba(ROWS).tolist()
    else:
        assert all(set(each) == {"prediction"} for each in document["predictions"])
    json.dumps(document, allow_nan=False)


# ---------------------------------------------------------------- v2


def test_v2_answers_what_plain_rows_answer(any_bundle: Bundle) -> None:
    document = answer(any_bundle, infer_request(ROWS, id="42"))
    assert (document["model_name"], document["model_version"], document["id"]) == ("churn", "3", "42")
    outputs = {output["name"]: output for output in document["outputs"]}
    datatype = {"binary": "BYTES", "multiclass": "INT64", "regression": "FP64"}[any_bundle.manifest.task]
    assert outputs["predict"] == {
        "name": "predict",
        "shape": [3],
        "datatype": datatype,
        "data": any_bundle.predict(ROWS).tolist(),
    }
    if any_bundle.manifest.classes:
        expected = any_bundle.predict_proba(ROWS)
        assert outputs["predict_proba"]["shape"] == list(expected.shape)
        assert outputs["predict_proba"]["data"] == expected.ravel().tolist()
    else:
        assert set(outputs) == {"predict"}


def test_v2_takes_columns_of_shape_n_and_n_1(bundle: Bundle) -> None:
    request = infer_request(ROWS, parameters={"content_type": "pd"})
    expected = answer(bundle, request)
    nested, flat = infer_request(ROWS), infer_request(ROWS)
    for entry in nested["inputs"]:
        entry.update(
            shape=[3, 1], data=[[value] for value in entry["data"]], parameters={"content_type": "str"}
        )
    for entry in flat["inputs"]:
        entry.update(shape=[3, 1])
    assert answer(bundle, nested) == answer(bundle, flat) == expected


def test_v2_gives_the_outputs_asked_for(bundle: Bundle) -> None:
    asked = [{"name": "predict_proba", "parameters": {}}]
    assert [output["name"] for output in answer(bundle, infer_request(ROWS, outputs=asked))["outputs"]] == [
        "predict_proba"
    ]
    assert "id" not in answer(bundle, infer_request(ROWS))
    assert answer(bundle, infer_request([]))["outputs"][1] == {
        "name": "predict_proba",
        "shape": [0, 2],
        "datatype": "FP64",
        "data": [],
    }


def spoilt(position: int = 0, **change: Any) -> dict[str, Any]:
    request = infer_request(ROWS)
    request["inputs"][position].update(change)
    return request


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], 'the request: found .* expected an object with "inputs"'),
        ({}, 'key "inputs": found None'),
        ({"inputs": {}}, 'key "inputs"'),
        ({"inputs": [5]}, "input 0: found 5"),
        (infer_request(ROWS, id=7), 'key "id": found 7'),
        (spoilt(datatype="DOUBLE"), "input 'tenure', datatype: found 'DOUBLE'; expected BOOL, BYTES"),
        (spoilt(datatype=["FP64"]), "input 'tenure', datatype"),
        (spoilt(shape=[2]), "input 'tenure', data: found 3 values; expected 2"),
        (spoilt(shape=[3, 2]), r"input 'tenure', shape: found \[3, 2\]; expected \[n\] or \[n, 1\]"),
        (spoilt(shape=3), "input 'tenure', shape"),
        (spoilt(shape=[True]), "input 'tenure', shape"),
        (spoilt(shape=[-1]), "input 'tenure', shape"),
        (spoilt(data=None), "input 'tenure', data: found None"),
        (spoilt(data=[1, 2, "x"]), "input 'tenure', data: found 'x'; expected FP64 values or null"),
        (spoilt(data=[1, 2, [3]]), r"input 'tenure', data: found \[3\]"),
        (spoilt(1, data=[1], shape=[1]), "the inputs have different lengths"),
        (spoilt(1, name="tenure"), "input 'tenure': found two inputs of this name"),
        (
            infer_request(ROWS, outputs=[{"name": "predict_prob"}]),
            "output: found 'predict_prob'.*Did you mean",
        ),
        (infer_request(ROWS, outputs="predict"), 'key "outputs"'),
    ],
)
def test_what_does_not_follow_v2_is_said(document: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        json_protocol.parse_infer(document, PREDICTOR)


@pytest.mark.parametrize("inputs", [[], infer_request(ROWS)["inputs"][1:]])
def test_a_missing_input_is_named(inputs: list[Any]) -> None:
    with pytest.raises(MissingColumnError, match="column 'tenure' is missing"):
        json_protocol.parse_infer({"inputs": inputs}, PREDICTOR)


def test_a_wrong_value_names_column_row_and_expectation(bundle: Bundle) -> None:
    request = spoilt(datatype="BYTES", data=["1", "2", "x"])
    with pytest.raises(InputError, match=r"^row 2, column 'tenure': found 'x'; expected a number$"):
        answer(bundle, request)


@given(JSON)
def test_any_document_is_answered_or_refused(document: Any) -> None:
    for parse in (json_protocol.parse_rows, lambda each: json_protocol.parse_infer(each, PREDICTOR)):
        try:
            parse(document)
        except InputError as error:
            assert "\n" not in str(error)


@given(st.integers(0, 7), st.sampled_from(["shape", "datatype", "data", "name"]), JSON)
def test_any_input_is_answered_or_refused(position: int, key: str, value: Any) -> None:
    try:
        json_protocol.score(
            Scorer(PREDICTOR), json_protocol.parse_infer(spoilt(position, **{key: value}), PREDICTOR)
        )
    except InputError as error:
        assert "\n" not in str(error)


def test_the_metadata_says_what_to_send(any_bundle: Bundle) -> None:
    document = json_protocol.model_metadata(any_bundle)
    assert [entry["name"] for entry in document["inputs"]] == any_bundle.schema.names
    assert {entry["datatype"] for entry in document["inputs"]} == {"FP64", "BOOL", "BYTES"}
    request = infer_request(ROWS[1:2])
    for entry, told in zip(request["inputs"], document["inputs"], strict=True):
        entry["datatype"] = told["datatype"]
    outputs = answer(any_bundle, request)["outputs"]
    assert [(each["name"], each["datatype"]) for each in outputs] == [
        (each["name"], each["datatype"]) for each in document["outputs"]
    ]


@pytest.mark.parametrize(
    ("classes", "datatype"),
    [
        (("a", "b"), "BYTES"),
        ((1, 2), "INT64"),
        ((False, True), "BOOL"),
        ((0.5, 1.5), "FP64"),
        ((1, "a"), "BYTES"),
    ],
)
def test_labels_have_a_datatype(classes: tuple[Any, ...], datatype: str) -> None:
    assert json_protocol.label_datatype(classes) == datatype
