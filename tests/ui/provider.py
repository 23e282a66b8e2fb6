"""A stand-in for an identity provider: OpenID Connect's code flow, with one person who is always
logged in.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CLIENT = "workbench"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Provider(ThreadingHTTPServer):
    """Answers at `issuer`; `claims` is who logs in next."""

    def __init__(self) -> None:
        super().__init__(("localhost", 0), _Handler)
        self.issuer = f"http://localhost:{self.server_address[1]}"
        self.claims: dict[str, Any] = {}
        self.nonces: dict[str, str] = {}
        self._key = rsa.generate_private_key(65537, 2048)

    def keys(self) -> dict[str, Any]:
        public = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig"}
        return {"keys": [{**key, "n": _number(public.n), "e": _number(public.e)}]}

    def token(self, nonce: str) -> str:
        now = int(time.time())
        head = {"alg": "RS256", "kid": "1", "typ": "JWT"}
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "1",
            "iat": now,
            "exp": now + 600,
            "nonce": nonce,
            **self.claims,
        }
        text = ".".join(_encoded(json.dumps(each).encode()) for each in (head, claims))
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_encoded(signature)}"


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        at = self.server.issuer
        if asked.path == "/.well-known/openid-configuration":
            self._answer(
                {
                    "issuer": at,
                    "authorization_endpoint": f"{at}/authorize",
                    "token_endpoint": f"{at}/token",
                    "jwks_uri": f"{at}/keys",
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            )
        elif asked.path == "/keys":
            self._answer(self.server.keys())
        elif asked.path == "/authorize":
            code = secrets.token_hex(8)
            self.server.nonces[code] = query.get("nonce", "")
            self.send_response(302)
            back = urlencode({"code": code, "state": query["state"]})
            self.send_header("Location", f"{query['redirect_uri']}?{back}")
            self.end_headers()
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        nonce = self.server.nonces.pop(sent["code"][0])
        self._answer(
            {
                "access_token": "a",
                "token_type": "Bearer",
                "expires_in": 600,
                "id_token": self.server.token(nonce),
            }
        )

    def _answer(self, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def provider() -> Iterator[Provider]:
    """Run a provider for as long as a block does."""
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
