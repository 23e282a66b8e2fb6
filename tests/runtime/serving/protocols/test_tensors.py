from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime.made import COLUMNS, ROWS
from tests.runtime.serving.http.test_asgi import GOOD, Answer, call
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.errors import InputError
from workbench.runtime.serving.http.asgi import App
from workbench.runtime.serving.protocols.json_protocol import DATATYPES
from workbench.runtime.serving.protocols.tensors import read_tensor

INFER = "/v2/models/churn/infer"


def binary_request(**more: Any) -> tuple[bytes, dict[str, str]]:
    inputs, tail = [], b""
    for column in COLUMNS:
        values = [row[column.name] for row in ROWS[:1]]
        if column.name == "tenure":
            datatype, content = "FP32", np.asarray(values, np.float32).tobytes()
        else:
            datatype = "BYTES"
            texts = [str(value).encode() for value in values]
            content = b"".join(struct.pack("<I", len(text)) + text for text in texts)
        parameters = {"binary_data_size": len(content)}
        inputs.append({"name": column.name, "shape": [1], "datatype": datatype, "parameters": parameters})
        tail += content
    head = json.dumps({"inputs": inputs, **more}).encode()
    return head + tail, {"inference-header-content-length": str(len(head))}


def ask(bundle: Bundle, body: bytes, headers: dict[str, str]) -> Answer:
    return call(App(bundle, GOOD), "POST", INFER, body, headers)


def test_tensors_may_follow_the_json(bundle: Bundle) -> None:
    plain = ask(bundle, *binary_request()).json()
    assert plain["outputs"][0]["data"] == bundle.predict(ROWS[0]).tolist()
    answer = ask(bundle, *binary_request(parameters={"binary_data_output": True}))
    length = int(answer.headers["inference-header-content-length"])
    outputs = json.loads(answer.body[:length])["outputs"]
    sizes = [output["parameters"]["binary_data_size"] for output in outputs]
    label, probabilities = answer.body[length : length + sizes[0]], answer.body[length + sizes[0] :]
    assert read_tensor("", "BYTES", memoryview(label)) == plain["outputs"][0]["data"]
    np.testing.assert_array_equal(np.frombuffer(probabilities), plain["outputs"][1]["data"])
    one = {"outputs": [{"name": "predict"}, {"name": "predict_proba", "parameters": {"binary_data": True}}]}
    answer = ask(bundle, *binary_request(**one))
    head = json.loads(answer.body[: int(answer.headers["inference-header-content-length"])])
    assert ["data" in output for output in head["outputs"]] == [True, False]


@pytest.mark.parametrize("length", ["", "-1", "x", "999999", "1"])
def test_a_wrong_length_is_the_callers_fault(bundle: Bundle, length: str) -> None:
    body, _ = binary_request()
    assert ask(bundle, body, {"inference-header-content-length": length}).status == 400


def test_bytes_left_over_or_cut_off_are_the_callers_fault(bundle: Bundle) -> None:
    body, headers = binary_request()
    for spoilt in (body + b"\0", body[:-1], body[: int(headers["inference-header-content-length"])]):
        assert ask(bundle, spoilt, headers).status == 400


@given(datatype=st.sampled_from(sorted(DATATYPES)), content=st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(datatype: str, content: bytes) -> None:
    try:
        assert isinstance(read_tensor("input 'a'", datatype, memoryview(content)), list)
    except InputError as error:
        assert "input 'a'" in str(error)
