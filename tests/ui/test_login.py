"""Logging in with OpenID Connect, against a stand-in for the provider, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ui.browsing import MISSING, NEEDS_CHROMIUM, WAIT_MS, served, settled
from workbench.ui.launch import free_port

playwright = pytest.importorskip("playwright.sync_api", reason=MISSING)
pytest.importorskip("authlib", reason="authlib is not installed: logging in was not checked")
from tests.ui.provider import CLIENT, Provider, provider  # noqa: E402

pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]
ROLES = """[roles]
"ada@example.com" = "deployer"
"@example.com" = "analyst"
"guest@elsewhere.org" = "viewer"
"""


@pytest.fixture(scope="module")
def identity() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def guarded(searched: Path, identity: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with a roles file and a provider to log in with."""
    folder, port = tmp_path_factory.mktemp("guarded"), free_port()
    (folder / "roles.toml").write_text(ROLES)
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text(
        f"""[auth]
redirect_uri = "http://localhost:{port}/oauth2callback"
cookie_secret = "a long random text of a test"
client_id = "{CLIENT}"
client_secret = "secret"
server_metadata_url = "{identity.issuer}/.well-known/openid-configuration"
"""
    )
    with served(searched / "runs", folder, port, roles=folder / "roles.toml") as address:
        yield address


@pytest.fixture
def visitor(browser: Any, guarded: str) -> Iterator[Any]:
    context = browser.new_context(base_url=guarded)
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()


def log_in(page: Any, identity: Provider, path: str, **claims: Any) -> None:
    identity.claims = claims
    page.goto(path)
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Log out").first.wait_for(state="attached")
    settled(page)


def test_a_stranger_sees_no_page_before_logging_in(visitor: Any) -> None:
    for path in ("/", "/choose?run=small", "/report?run=small", "/data", "/export?run=small&pick=best"):
        visitor.goto(path)
        visitor.get_by_role("button", name="Log in").wait_for()
        settled(visitor)
        assert "small" not in visitor.locator("[data-testid=stMain]").inner_text()


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"email": "ada@example.com", "email_verified": True}, "deployer"),
        pytest.param({"email": "bob@example.com"}, "analyst", marks=pytest.mark.slow),
        pytest.param({"email": "guest@elsewhere.org"}, "viewer", marks=pytest.mark.slow),
    ],
)
def test_a_role_may_do_what_it_may(
    visitor: Any, identity: Provider, claims: dict[str, Any], role: str
) -> None:
    log_in(visitor, identity, "/", **claims)
    assert f"{claims['email']} · {role}" in visitor.locator("[data-testid=stSidebar]").inner_text()
    assert visitor.get_by_role("button", name="Start with my table").is_enabled() == (role != "viewer")
    visitor.goto("/export?run=small&pick=best")
    visitor.get_by_role("heading", name="Export").first.wait_for()
    settled(visitor)
    assert visitor.get_by_role("button", name="Export and verify").count() == (role == "deployer")


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"email": "eve@evil.org"}, id="unknown"),
        pytest.param(
            {"email": "ada@example.com", "email_verified": False}, id="unverified", marks=pytest.mark.slow
        ),
        pytest.param({}, id="nameless", marks=pytest.mark.slow),
    ],
)
def test_whoever_has_no_role_sees_nothing(visitor: Any, identity: Provider, claims: dict[str, Any]) -> None:
    log_in(visitor, identity, "/choose?run=small", **claims)
    playwright.expect(visitor.get_by_text("has no role")).to_be_visible()
    assert visitor.get_by_role("heading", name="The choice").count() == 0
