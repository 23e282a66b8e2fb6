"""``pipeline.onnx`` gives the very matrix that the runtime's encoder gives, whatever the raw
columns hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from tests.runtime.made import COLUMNS, ROWS, make_encoder, make_predictor
from workbench.data.dataset import Dataset
from workbench.errors import ExportError
from workbench.export.pipeline import PipelineModel, build_pipeline, check_pipeline
from workbench.export.pipeline.graph import FLOAT, STRING, Graph
from workbench.export.pipeline.ort_session import tensors
from workbench.export.pipeline.steps import encode
from workbench.export.pipeline.text import TextColumn
from workbench.families.forms.forms import Linear
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.core.encoder import Code, Encoder
from workbench.runtime.core.schema import Column, Column1d, Levels, Output, Schema, Task
from workbench.runtime.core.text_steps import words
from workbench.runtime.model.predictor import Predictor

SCHEMA = Schema(COLUMNS, Output("y", "regression"))
ENCODER = make_encoder()


def session(content: bytes) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def encoder_alone() -> onnxruntime.InferenceSession:
    graph = Graph()
    matrix = encode(graph, SCHEMA, ENCODER)
    inputs = [
        helper.make_tensor_value_info(column.name, 11 if column.is_numeric else STRING, ["n", 1])
        for column in COLUMNS
    ]
    outputs = [helper.make_tensor_value_info(matrix, FLOAT, ["n", ENCODER.width])]
    body = helper.make_graph(
        graph.nodes, "encoder", inputs, outputs, graph.constants, value_info=graph.declared
    )
    opsets = [
        helper.make_opsetid(name, number)
        for name, number in (("", 21), ("ai.onnx.ml", 5), ("com.microsoft", 1))
    ]
    model = helper.make_model(body, opset_imports=opsets, ir_version=10)
    onnx.checker.check_model(model)
    onnx.shape_inference.infer_shapes(model, strict_mode=False)  # other tools look at models this way
    return session(model.SerializeToString())


ALONE = encoder_alone()
NUMBER = st.floats(width=64) | st.sampled_from([0.0, -0.0, 18.25, 35.5, 1e30, np.nan, np.inf, -np.inf])
MOMENT = st.floats(-1e11, 1e11).map(lambda value: round(value, 3)) | st.sampled_from(
    [np.nan, np.inf, 3e38, -1.0, 951782400.0]
)
CITY = st.none() | st.sampled_from(["Oslo", "Rome", "Zürich", "oslo", "x"])
PIECE = st.sampled_from(
    ["Good", "BAD", "service", " ", "\u00a0", "\n", "_", "é", "Straße", "3.5", "ÄÖ", "東京", "🙂", "\u2028"]
)
NOTE = st.none() | st.lists(PIECE, max_size=8).map("".join).map(str.strip).filter(bool)


def columns_of(rows: list[tuple[Any, ...]]) -> dict[str, Column1d]:
    out: dict[str, Column1d] = {}
    for column, values in zip(COLUMNS, zip(*rows, strict=True), strict=True):
        out[column.name] = np.array(values, dtype=np.float64) if column.is_numeric else Levels.of(values)
    return out


def matrix_of(columns: Mapping[str, Column1d]) -> np.ndarray:
    (result,) = ALONE.run(None, tensors(SCHEMA, columns))
    return np.asarray(result)


ROW = st.tuples(NUMBER, NUMBER, NUMBER, CITY, CITY, MOMENT, MOMENT, NOTE)


@settings(max_examples=150, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=6))
def test_the_matrix_is_equal_bit_for_bit(rows: list[tuple[Any, ...]]) -> None:
    columns = columns_of(rows)
    expected, found = ENCODER.encode_columns(columns), matrix_of(columns)
    differing = ~((expected == found) | (np.isnan(expected) & np.isnan(found)))
    names = np.asarray(ENCODER.feature_names())
    assert not differing.any(), (names[differing.any(axis=0)], expected[differing], found[differing])


def test_texts_that_mean_missing_and_whole_numbers_are_understood() -> None:
    schema = Schema((Column("size", "category", missing=("n.a.",)),), Output("y", "regression"))
    encoder = Encoder((), (Code("size", ("3", "x", "001")),))
    predictor = Predictor(schema, encoder, to_onnx(Linear(np.ones((1, 1)), np.zeros(1), "identity"), 1))
    model = session(build_pipeline(predictor))
    texts = ["3", "3.0", "x", "001", "001.0", "", "NA", "null", "?", "n.a."]
    (found,) = model.run(["value"], {"size": np.array(texts, dtype=object)[:, None]})
    expected = [predictor.encode_row({"size": text})[0, 0] for text in texts]
    np.testing.assert_array_equal(found[:, 0], expected)


def test_words_are_those_of_the_runtime_for_every_character() -> None:
    """Every character of every plane between two letters, and alone; what differs is what the
    documents name.
    """
    graph = Graph()
    text = TextColumn(graph, "text")
    tokens = text._words(1)
    inputs = [helper.make_tensor_value_info("text", STRING, ["n", 1])]
    body = helper.make_graph(
        graph.nodes, "words", inputs, [helper.make_tensor_value_info(tokens, STRING, None)], graph.constants,
        value_info=graph.declared,
    )  # fmt: skip
    opsets = [
        helper.make_opsetid(name, number)
        for name, number in (("", 21), ("ai.onnx.ml", 5), ("com.microsoft", 1))
    ]
    model = session(helper.make_model(body, opset_imports=opsets, ir_version=10).SerializeToString())
    import unicodedata

    every = [chr(code) for code in range(1, 0x30000) if not 0xD800 <= code < 0xE000]
    known = [
        each for each in every if unicodedata.category(each) != "Cn"
    ]  # Cn: not in this Python's Unicode yet
    differing = []
    for at in range(0, len(known), 20_000):
        texts = [f"a{each}b" for each in known[at : at + 20_000]]
        (found,) = model.run(None, {"text": np.array(texts, dtype=object)[:, None]})
        differing += [
            each
            for each, own, row in zip(known[at : at + 20_000], texts, found.tolist(), strict=True)
            if [word for word in row if word] != words(own)
        ]
    younger = [each for each in differing if each != "\u0130"]
    assert len(differing) - len(younger) == 1
    assert all(
        ord(each) > 0x1000 and unicodedata.category(each)[0] == "M" for each in younger
    )  # re-classed since
    assert len(younger) <= 20


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_any_graph_of_one_matrix_is_taken(task: Task) -> None:
    """A model of another operator set (17), of several nodes, behind every kind of step."""
    predictor = make_predictor(task)
    content = build_pipeline(predictor, {"name": "churn"})
    onnx.checker.check_model(onnx.load_model_from_string(content))
    columns = predictor.read_columns({name: [row[name] for row in ROWS] for name in predictor.names})
    gate = check_pipeline(predictor, content, Dataset(predictor.schema, columns, np.zeros(len(ROWS))))
    assert gate.rows > 1_200
    assert gate.largest <= 1e-6
    labels, numbers = PipelineModel(content, predictor.schema).run(columns)
    assert labels is None or labels.tolist() == predictor.decide(numbers).tolist()
    props = session(content).get_modelmeta().custom_metadata_map
    assert props["name"] == "churn"
    assert "U+0130" in props["known_differences"]


def test_names_of_columns_may_be_those_of_outputs() -> None:
    columns = (
        Column("label", "number"),
        Column("probabilities", "number"),
        Column("encode/Cast_1", "number"),
    )
    from workbench.runtime.core.encoder import Number

    encoder = Encoder((), tuple(Number(column.name, fill=0.0) for column in columns))
    schema = Schema(columns, Output("y", "binary", (False, True)))
    predictor = Predictor(schema, encoder, to_onnx(Linear(np.ones((3, 1)), np.zeros(1), "sigmoid"), 3))
    content = build_pipeline(predictor)
    values = {column.name: np.array([1.0, np.nan]) for column in columns}
    labels, numbers = PipelineModel(content, schema).run(values)
    assert labels is not None
    assert labels.tolist() == [True, True]
    np.testing.assert_allclose(numbers[:, 1], [1 / (1 + np.exp(-3)), 0.5], rtol=1e-6)


def test_a_pipeline_that_answers_otherwise_is_refused() -> None:
    predictor = make_predictor()
    spoilt = [
        replace(step, missing=2.0) if isinstance(step, Code) and step.missing is not None else step
        for step in ENCODER.steps
    ]
    other = Encoder(ENCODER.derived, tuple(spoilt))
    content = build_pipeline(Predictor(predictor.schema, other, predictor.content))
    columns = predictor.read_columns({name: [row[name] for row in ROWS] for name in predictor.names})
    with pytest.raises(ExportError, match=r"does not predict what the bundle predicts: found \d+ of"):
        check_pipeline(predictor, content, Dataset(predictor.schema, columns, np.zeros(len(ROWS))))


def test_a_step_without_a_form_is_named() -> None:
    class Wave:
        op = "wave"
        column = "tenure"
        reads_numbers = True

        def names(self) -> list[str]:
            return ["tenure wave"]

    with pytest.raises(ExportError, match=r"step 'wave' of column 'tenure' has no ONNX form"):
        encode(Graph(), SCHEMA, Encoder((), (Wave(),)))
