"""What a handler answers, and how a failure becomes an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..scorer import Scored

Headers = tuple[tuple[bytes, bytes], ...]
RETRY: Headers = ((b"retry-after", b"1"),)
_TERSE = {
    400: "the request is not understood",
    401: "a key is needed",
    404: "there is nothing here",
    405: "the method is not allowed here",
    408: "the request took too long to arrive",
    413: "the body is too long",
    415: "the body is of a type that is not taken",
    422: "the rows do not fit the model's schema",
    503: "not ready",
}


@dataclass(slots=True)
class Reply:
    """An answer: JSON, or bytes where `content_type` says so; the rest is for the log and the counters.

    Attributes
    ----------
    status : int
    document : Any
        What JSON can hold, or bytes that are sent as they are.
    content_type : bytes
    headers : tuple
    rows : int
        Rows predicted.
    error, code : str
        What went wrong, for the log, and its kind.
    scored : Scored or None
        The answers, where rows were scored.
    write_s : float
        Seconds that it took to write the answers down.
    inputs, outputs : Any
        Rows for the log, where it holds rows.
    """

    status: int
    document: Any = None
    content_type: bytes = b"application/json"
    headers: Headers = ()
    rows: int = 0
    error: str = ""
    code: str = ""
    scored: Scored | None = None
    write_s: float = 0.0
    inputs: Any = None
    outputs: Any = None


def refuse(
    status: int, message: str, code: str, headers: Headers = (), *, logged: str | None = None, **more: Any
) -> Reply:
    """Return an answer that says why there is no other.

    `logged` is what the log says of it, where the message may hold something that the caller sent.
    """
    document = {"error": message, "code": code, **more}
    return Reply(status, document, headers=headers, error=message if logged is None else logged, code=code)


def make_terse(reply: Reply) -> None:
    """Leave no more of an error than its kind; what is logged stays as it is."""
    if reply.status < 400:
        return
    text = _TERSE.get(reply.status, "the request failed")
    kept = {key: reply.document[key] for key in ("ready", "name", "error_code") if key in reply.document}
    reply.document = {**kept, "error": text, "code": reply.code}
    if "error_code" in kept:
        reply.document["message"] = text
