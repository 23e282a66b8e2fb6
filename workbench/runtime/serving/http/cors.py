"""Cross-origin resource sharing (CORS): origins whose pages may call the server from a browser.

The middleware of a web framework would need the framework; the rules for keys in headers are short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .replies import Headers, Reply

ANY = "*"
_METHODS = b"GET, HEAD, POST"
_ALLOWED_HEADERS = (
    b"authorization, content-encoding, content-type, inference-header-content-length, x-api-key, x-request-id"
)
_EXPOSED_HEADERS = b"inference-header-content-length, retry-after, workbench-warnings, x-request-id"
_DAY_S = b"86400"


class Cors:
    """The origins that may call.

    Parameters
    ----------
    origins : sequence of str
        Each a scheme, a host and a port; ``*`` is any. Cookies are not used: keys are in headers.

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
        """Return the CORS headers of a response."""
        origin = request.get(b"origin")
        if self._any:
            return (
                (b"access-control-allow-origin", b"*"),
                (b"access-control-expose-headers", _EXPOSED_HEADERS),
            )
        if origin not in self._origins or origin is None:
            return ((b"vary", b"origin"),)
        return (
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _EXPOSED_HEADERS),
            (b"vary", b"origin"),
        )

    def preflight(self, method: str, request: Mapping[bytes, bytes]) -> Reply | None:
        """Return the response to a preflight request, which has no key; None for other requests."""
        if method != "OPTIONS" or b"access-control-request-method" not in request:
            return None
        allowed = (
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _ALLOWED_HEADERS),
            (b"access-control-max-age", _DAY_S),
        )
        return Reply(200, {}, headers=allowed)
