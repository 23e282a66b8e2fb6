"""Other people's tools against a running server: Triton's client, and schemathesis with two
descriptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests import drawing
from tests.external.open_inference import descriptions, served
from tests.runtime.made import COLUMNS, ROWS, make_bundle, make_predictor
from tests.runtime.serving.http.test_server import serving
from workbench.runtime.bundle.bundle import open_bundle

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is missing: the API is not fuzzed")
tritonhttp = pytest.importorskip("tritonclient.http", reason="tritonclient is missing: it is not tried")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("external") / "bundle", make_predictor())


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with serving(folder, "--log", "off") as server:
        yield server.url
        assert server.stop() == 0


def tensors(binary: bool) -> list[Any]:
    out = []
    for column in COLUMNS:
        values = [row[column.name] for row in ROWS[:1]]
        if column.name == "tenure":
            content, datatype = np.asarray(values, dtype=np.float64), "FP64"
        elif column.kind == "boolean":
            content, datatype = np.asarray(values, dtype=bool), "BOOL"
        else:
            content, datatype = np.asarray([str(value) for value in values], dtype=object), "BYTES"
        tensor = tritonhttp.InferInput(column.name, [1], datatype)
        tensor.set_data_from_numpy(content, binary_data=binary)
        out.append(tensor)
    return out


@pytest.mark.parametrize("binary", [True, False])
def test_tritons_client_talks_to_it(url: str, folder: Path, binary: bool) -> None:
    client = tritonhttp.InferenceServerClient(url=url.removeprefix("http://"))
    try:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("churn", "3")
        metadata = client.get_model_metadata("churn")
        assert [entry["name"] for entry in metadata["inputs"]] == [column.name for column in COLUMNS]
        outputs = [
            tritonhttp.InferRequestedOutput(name, binary_data=binary) for name in ("predict", "predict_proba")
        ]
        for asked in (None, outputs):
            result = client.infer("churn", tensors(binary), outputs=asked, request_id="7")
            assert result.get_response()["id"] == "7"
            (label,) = result.as_numpy("predict").tolist()
            expected = open_bundle(folder)
            assert (label.decode() if isinstance(label, bytes) else label) == expected.predict(ROWS[0])[0]
            np.testing.assert_allclose(result.as_numpy("predict_proba"), expected.predict_proba(ROWS[0]))
        with pytest.raises(Exception, match="is missing"):
            client.infer("churn", tensors(binary)[1:])
    finally:
        client.close()


CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


def fuzz(description: Any, count: int) -> set[tuple[str, int]]:
    """Send requests made from a description; their answers have to be what it says. Returns paths
    and statuses.
    """
    checks = schemathesis.checks.CHECKS.get_by_names(CHECKS)
    answered: set[tuple[str, int]] = set()
    for found in description.get_all_operations():
        operation = found.ok()

        @settings(max_examples=drawing.examples(count), suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            answer = case.call()
            case.validate_response(answer, checks=checks)
            answered.add((case.path, answer.status_code))

        ask()
    return answered


@pytest.mark.fuzz
def test_it_does_what_its_description_says(url: str) -> None:
    """Requests made from the description, good and bad, get answers that it names: never a 500."""
    answered = fuzz(schemathesis.openapi.from_url(f"{url}/openapi.json"), 8)
    assert {("/predict", 200), ("/metrics", 200), ("/v2/models/churn/infer", 400)} <= answered


@pytest.mark.fuzz
@pytest.mark.parametrize("which", descriptions())
def test_it_does_what_the_protocol_says(url: str, which: str) -> None:
    """The same with the protocol's own description, which knows nothing of this model: its paths,
    keys and types.
    """
    description = served(descriptions()[which], "churn", "3")
    loaded = schemathesis.openapi.from_dict(description)
    loaded.config.update(base_url=url)
    answered = fuzz(loaded, 25)
    model = "/v2/models/churn/versions/3"
    good = {"/v2/health/live", "/v2/health/ready", "/v2/", model, f"{model}/ready"}
    assert {(path, 200) for path in good} | {(f"{model}/infer", 400)} == answered
    inputs = [tensor._get_tensor() for tensor in tensors(binary=False)]
    request = {"id": "42", "inputs": inputs, "outputs": [{"name": "predict_proba", "parameters": {}}]}
    for body in (request, {"inputs": inputs}, {**request, "outputs": [], "parameters": {"any": 1}}):
        infer = loaded[f"{model}/infer"]["POST"]
        case = infer.Case(body=body, media_type="application/json")
        answer = case.call()
        assert answer.status_code == 200, answer.text
        case.validate_response(answer, checks=schemathesis.checks.CHECKS.get_by_names(CHECKS))


@pytest.mark.parametrize("packing", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_tritons_client_sends_nan_and_packs_bodies(
    url: str, folder: Path, binary: bool, packing: Any
) -> None:
    """Its JSON holds a bare NaN: a missing value, as the bytes of one are."""
    row = {**ROWS[0], "Monthly Charges": None}
    sent = []
    for column in COLUMNS:
        value = row[column.name]
        content = np.asarray([str(value)], dtype=object)
        datatype = "BYTES"
        if column.kind == "number":
            content, datatype = np.asarray([np.nan if value is None else value], dtype=np.float64), "FP64"
        tensor = tritonhttp.InferInput(column.name, [1], datatype)
        tensor.set_data_from_numpy(content, binary_data=binary)
        sent.append(tensor)
    client = tritonhttp.InferenceServerClient(url=url.removeprefix("http://"))
    try:
        answer = client.infer("churn", sent, request_compression_algorithm=packing)
    finally:
        client.close()
    expected = open_bundle(folder).predict_proba(row)
    np.testing.assert_allclose(answer.as_numpy("predict_proba"), expected, atol=1e-6)
