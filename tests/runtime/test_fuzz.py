"""Random HTTP requests: the response is never missing and never a 500."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.runtime.made import ROWS, make_predictor
from tests.runtime.serving.http.test_asgi import GOOD, call
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.serving.http.asgi import App

PREDICTOR = make_predictor()
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
INPUTS = [
    {"name": name, "shape": [1], "datatype": "BYTES", "data": [None if value is None else str(value)]}
    for name, value in ROWS[0].items()
]
VALID: dict[str, list[Any]] = {
    "/predict": [{"rows": ROWS}, ROWS[0]],
    "/v2/models/churn/infer": [
        {"id": "1", "inputs": INPUTS, "outputs": [{"name": "predict"}], "parameters": {}}
    ],
    "/invocations": [
        {"dataframe_split": {"columns": list(ROWS[0]), "data": [list(row.values()) for row in ROWS]}},
        {"dataframe_records": ROWS, "params": {"method": "predict"}},
        {"inputs": {name: [value] for name, value in ROWS[0].items()}},
    ],
}
FEW = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a document."""
    items = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    return [path, *(place for key, value in items for place in places(value, (*path, key)))]


def put(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Return a document with one value replaced."""
    if not place:
        return value
    changed = copy.deepcopy(document)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


@FEW
@given(data=st.data())
def test_any_change_of_a_good_request(bundle: Bundle, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(VALID)))
    document = data.draw(st.sampled_from(VALID[path]))
    changed = put(document, data.draw(st.sampled_from(places(document))), data.draw(ANYTHING))
    body = json.dumps(changed).encode("utf-8", "surrogatepass")
    answer = call(App(bundle, GOOD), "POST", path, body, {"content-type": "application/json"})
    assert answer.status in (200, 400, 422), answer.body
    assert answer.status == 200 or answer.json()["error"]


@FEW
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "BREW", ""]),
    path=st.sampled_from(["/predict", "/invocations", "/v2/models/churn/infer", "/docs", "/v2/models/", "//"])
    | st.text(max_size=20).map(lambda text: f"/{text}"),
    body=st.binary(max_size=60),
    headers=st.dictionaries(
        st.sampled_from(
            ["content-type", "content-length", "inference-header-content-length", "x-request-id"]
        ),
        st.text(alphabet=st.characters(max_codepoint=255), max_size=20) | st.just("text/csv"),
    ),
)
def test_anything_at_all(
    bundle: Bundle, method: str, path: str, body: bytes, headers: dict[str, str]
) -> None:
    plain = {key: value.encode("latin-1").decode("latin-1") for key, value in headers.items()}
    answer = call(App(bundle, GOOD), method, path, body, plain)
    assert answer.status in (200, 400, 404, 405, 413, 415, 422), answer.body
