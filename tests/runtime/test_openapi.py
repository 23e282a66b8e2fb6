from __future__ import annotations

import json
import re

from tests.runtime.test_asgi import GOOD, call
from workbench.runtime.asgi import App
from workbench.runtime.auth import Keys
from workbench.runtime.bundle import Bundle


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
    assert "training saw basic, plus, max" in row["properties"]["plan"]["description"]
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
