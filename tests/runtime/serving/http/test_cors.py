"""Calls from pages of other origins, and the public URL of the server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.runtime.made import ROWS
from tests.runtime.serving.http.test_asgi import GOOD, call, post
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.errors import InputError
from workbench.runtime.serving.http.asgi import App
from workbench.runtime.serving.http.auth import Keys
from workbench.runtime.serving.serving_settings import ServeSettings, default_drain_s, settings_from

PAGE = "https://app.example.com"
ASKS = {"origin": PAGE, "access-control-request-method": "POST"}


@pytest.mark.parametrize(
    ("origins", "said"), [((PAGE,), PAGE), (("*",), "*"), (("https://b.example",), None)]
)
def test_a_page_may_call_where_its_origin_is_allowed(
    bundle: Bundle, origins: tuple[str, ...], said: str | None
) -> None:
    app = App(bundle, GOOD, ServeSettings(cors=origins), keys=Keys({"a": b"0" * 32}))
    asked = call(app, "OPTIONS", "/predict", headers=ASKS)  # a browser sends no key with it
    assert asked.status == 200
    assert asked.headers.get("access-control-allow-origin") == said
    assert "authorization" in asked.headers["access-control-allow-headers"]
    answer = call(app, "POST", "/predict", b"{}", headers={"origin": PAGE})
    assert answer.status == 401
    assert answer.headers.get("access-control-allow-origin") == said  # so that the page can read the error


def test_without_the_option_no_page_may(bundle: Bundle) -> None:
    app = App(bundle, GOOD)
    assert call(app, "OPTIONS", "/predict", headers=ASKS).status == 405
    assert "access-control-allow-origin" not in post(app, "/predict", ROWS[0]).headers


@pytest.mark.parametrize(
    ("url", "said"), [(None, "/"), ("https://api.example.com/churn/", "https://api.example.com/churn")]
)
def test_the_description_says_where_the_server_is(bundle: Bundle, url: str | None, said: str) -> None:
    app = App(bundle, GOOD, ServeSettings(public_url=url))
    assert call(app, "GET", "/openapi.json").json()["servers"] == [{"url": said}]


@pytest.mark.parametrize(
    "table", [{"cors": "app.example.com"}, {"cors": [f"{PAGE}/"]}, {"cors": 3}, {"public_url": "/here"}]
)
def test_what_is_no_origin_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="expected"):
        settings_from(table, "[http]")


def test_an_image_sets_defaults_by_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_HOST", "0.0.0.0")
    monkeypatch.setenv("WORKBENCH_DRAIN", "5")
    assert (ServeSettings().host, ServeSettings().drain_s) == ("0.0.0.0", 5.0)
    assert settings_from({"host": "127.0.0.1", "drain": 0}, "[http]").drain_s == 0.0
    monkeypatch.setenv("WORKBENCH_HOST", "")
    monkeypatch.setenv("WORKBENCH_DRAIN", "")
    assert (ServeSettings().host, ServeSettings().drain_s) == ("127.0.0.1", 0.0)
    monkeypatch.setenv("WORKBENCH_DRAIN", "soon")
    with pytest.raises(InputError, match=r"\$WORKBENCH_DRAIN: found 'soon'"):
        default_drain_s()
