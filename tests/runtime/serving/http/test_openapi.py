from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from tests.runtime.made import ROWS
from tests.runtime.serving.http.test_asgi import GOOD, call
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.model.predictor import Predictor
from workbench.runtime.serving.http.asgi import App
from workbench.runtime.serving.http.auth import Keys
from workbench.runtime.serving.http.openapi import column_schema
from workbench.runtime.serving.serving_settings import ServeSettings


def test_every_example_is_answered(any_bundle: Bundle) -> None:
    app = App(any_bundle, GOOD)
    document = call(app, "GET", "/openapi.json").json()
    assert document["info"]["title"] == "churn"
    posts = 0
    for path, verbs in document["paths"].items():
        if "get" in verbs:
            assert call(app, "GET", path).status == 200, path
        for kind, content in verbs.get("post", {}).get("requestBody", {}).get("content", {}).items():
            example = content["example"]
            body = example if isinstance(example, str) else json.dumps(example)
            answer = call(app, "POST", path, body.encode(), {"content-type": kind})
            assert answer.status == 200, (path, answer.body)
            posts += 1
    assert posts == 6


def test_the_columns_are_the_models_own(bundle: Bundle) -> None:
    document = call(App(bundle, GOOD), "GET", "/openapi.json").json()
    row = document["components"]["schemas"]["Row"]
    assert list(row["properties"]) == bundle.predictor.names == row["required"]
    assert "null" not in row["properties"]["tenure"]["type"]
    assert "training levels basic, plus, max" in row["properties"]["plan"]["description"]
    assert "security" not in document


def test_the_page_needs_nothing_from_elsewhere(bundle: Bundle) -> None:
    answer = call(App(bundle, GOOD, keys=Keys({"a": b"x" * 32})), "GET", "/docs")
    assert answer.status == 401
    answer = call(App(bundle, GOOD), "GET", "/docs")
    page = answer.body.decode()
    assert "connect-src 'self'" in answer.headers["content-security-policy"]
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    inline = re.search(r'<script type="application/json" id="openapi">(.*?)</script>', page, flags=re.DOTALL)
    assert inline
    assert json.loads(inline[1]) == call(App(bundle, GOOD), "GET", "/openapi.json").json()


@pytest.mark.parametrize("strict", [False, True])
def test_null_where_training_saw_none_is_as_described(bundle: Bundle, strict: bool) -> None:
    """On every route a category reads it as an unseen level, and a number refuses it."""
    columns = tuple(
        replace(each, nullable=False) if each.name in ("plan", "tenure") else each
        for each in bundle.schema.columns
    )
    predictor = bundle.predictor
    changed = Predictor(replace(bundle.schema, columns=columns), predictor.encoder, predictor.content)
    types = {each.name: column_schema(each)["type"] for each in columns}
    assert "null" in types["plan"]
    assert "null" not in types["tenure"]
    app = App(Bundle(bundle.path, bundle.manifest, changed), GOOD, ServeSettings(strict=strict))
    for count in (1, 40):
        rows = [dict(ROWS[0], plan=None)] * count
        for path, document in (("/predict", rows), ("/invocations", {"instances": rows})):
            answer = call(app, "POST", path, json.dumps(document).encode())
            if strict:
                assert answer.json()["code"] == "unseen_category"
            else:
                assert answer.status == 200
                assert f"unseen_category={count}" in answer.headers["workbench-warnings"]
        answer = call(app, "POST", "/predict", json.dumps([dict(ROWS[0], tenure=None)] * count).encode())
        assert (answer.status, answer.json()["code"]) in [(422, "bad_value"), (422, "forgotten_feature")]
