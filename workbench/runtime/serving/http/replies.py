"""Replies of handlers, and how errors become replies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..scorer import Scored

Headers = tuple[tuple[bytes, bytes], ...]
RETRY: Headers = ((b"retry-after", b"1"),)
_TERSE = {
    400: "the request is invalid",
    401: "an API key is required",
    404: "not found",
    405: "the method is not allowed here",
    408: "the request took too long to arrive",
    413: "the body is too large",
    415: "the content type or encoding of the body is not supported",
    422: "the rows do not fit the model's schema",
    503: "not ready",
}


@dataclass(slots=True)
class Reply:
    """A reply, with what the log and the metrics need.

    Attributes
    ----------
    status : int
    document : Any
        A JSON document, or bytes that are sent unchanged.
    content_type : bytes
    headers : tuple
    rows : int
        Rows predicted.
    error, code : str
        The error message for the log, and its kind.
    scored : Scored or None
        The predictions, if rows were scored.
    write_s : float
        Seconds of writing the response.
    inputs, outputs : Any
        Rows for the log, if it holds rows.
    sent : sequence of mapping, callable or None
        The rows as they were sent, for the prediction log; a callable returns them.
    sent_rows : int
        How many rows that are; an estimate if only the callable finds out.
    at_fault : int or None
        The row that caused the error.
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
    sent: Any = None
    sent_rows: int = 0
    at_fault: int | None = None


def refuse(
    status: int, message: str, code: str, headers: Headers = (), *, logged: str | None = None, **more: Any
) -> Reply:
    """Return the reply to a request that is refused or failed.

    `logged` replaces the message in the log if the message may hold data from the caller.
    """
    document = {"error": message, "code": code, **more}
    return Reply(status, document, headers=headers, error=message if logged is None else logged, code=code)


def make_terse(reply: Reply) -> None:
    """Reduce an error to its kind in the response; the log is unchanged."""
    if reply.status < 400:
        return
    text = _TERSE.get(reply.status, "the request failed")
    kept = {key: reply.document[key] for key in ("ready", "name", "error_code") if key in reply.document}
    reply.document = {**kept, "error": text, "code": reply.code}
    if "error_code" in kept:
        reply.document["message"] = text
