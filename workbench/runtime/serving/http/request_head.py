"""Validate the head of a request: its size, and headers that must be unambiguous.

A proxy in front of the server may read an ambiguous head differently, so that one client can send
requests in the name of another one (request smuggling). Ambiguous heads are therefore refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...errors import shown

#: The most bytes of a request line and its headers, and of the non-data parts of a chunked body.
MAX_BYTES = 65536
MAX_HEADERS = 256
#: Headers that must not be repeated.
SINGLE = frozenset(
    [
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"host",
        b"inference-header-content-length",
        b"transfer-encoding",
        b"x-api-key",
    ]
)
_HOST = re.compile(rb"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]*")


class HeadError(Exception):
    """A head that is refused: a status, a code, and a message without values of headers."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


def too_long() -> HeadError:
    """Return the error for a head, or non-data parts of a chunked body, that are too long."""
    text = f"the request's head is too long; expected at most {MAX_BYTES} bytes and {MAX_HEADERS} headers"
    return HeadError(431, "head_too_long", text)


def check_head(headers: Sequence[tuple[bytes, bytes]], http_version: str) -> None:
    """Refuse a head that two servers could read differently.

    Parameters
    ----------
    headers : sequence of (name, value)
        Names in lower case.
    http_version : str
        "1.0" or "1.1".

    Raises
    ------
    HeadError
        If a header of `SINGLE` is repeated, the host is missing in HTTP/1.1 or invalid, or the
        transfer encoding is not chunked.

    Examples
    --------
    >>> check_head([(b"host", b"a"), (b"content-length", b"2")], "1.1")
    >>> check_head([(b"host", b"a"), (b"host", b"b")], "1.1")
    Traceback (most recent call last):
    ...
    workbench.runtime.serving.http.request_head.HeadError: header 'host' is repeated; expected once
    """
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in SINGLE:
            if name in found:
                text = f"header {shown(name.decode('latin-1'))} is repeated; expected once"
                raise HeadError(400, "bad_request", text)
            found[name] = value
    host, coding = found.get(b"host"), found.get(b"transfer-encoding")
    if host is None:
        if http_version == "1.1":
            raise HeadError(400, "bad_request", "header 'host' is missing; HTTP/1.1 requires it")
    elif not _HOST.fullmatch(host):
        raise HeadError(400, "bad_request", "header 'host' is not a valid host")
    if coding is not None and (coding.strip().lower() != b"chunked" or http_version != "1.1"):
        text = "header 'transfer-encoding' is not supported; expected chunked only, in HTTP/1.1"
        raise HeadError(400, "bad_request", text)
