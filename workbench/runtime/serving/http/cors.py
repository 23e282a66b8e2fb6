"""Which pages may call the server from a browser (cross-origin resource sharing)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .replies import Headers, Reply

ANY = "*"
_METHODS = b"GET, HEAD, POST"
_ASKED = (
    b"authorization, content-encoding, content-type, inference-header-content-length, x-api-key, x-request-id"
)
_SHOWN = b"inference-header-content-length, retry-after, workbench-warnings, x-request-id"
_DAY_S = b"86400"


class Cors:
    """The origins that may call.

    Parameters
    ----------
    origins : sequence of str
        Scheme, host and port each; ``*`` is any. Cookies play no part: callers show keys in headers.

    Examples
    --------
    >>> cors = Cors(["https://app.example.com"])
    >>> cors.headers({b"origin": b"https://app.example.com"})[0]
    (b'access-control-allow-origin', b'https://app.example.com')
    >>> cors.headers({b"origin": b"https://consumer.example.com"})
    ((b'vary', b'origin'),)
    """

    def __init__(self, origins: Sequence[str]) -> None:
        self._any = ANY in origins
        self._origins = frozenset(origin.encode() for origin in origins)

    def headers(self, request: Mapping[bytes, bytes]) -> Headers:
        """Return what an answer has to say to a browser."""
        origin = request.get(b"origin")
        if self._any:
            return ((b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", _SHOWN))
        if origin not in self._origins or origin is None:
            return ((b"vary", b"origin"),)
        return (
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _SHOWN),
            (b"vary", b"origin"),
        )

    def preflight(self, method: str, request: Mapping[bytes, bytes]) -> Reply | None:
        """Return the answer to a browser that asks whether it may; it shows no key yet. None: it does not ask."""
        if method != "OPTIONS" or b"access-control-request-method" not in request:
            return None
        allowed = (
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _ASKED),
            (b"access-control-max-age", _DAY_S),
        )
        return Reply(200, {}, headers=allowed)
