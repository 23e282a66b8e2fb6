"""What the prediction log gets of an HTTP request, and the rows of one that failed."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from ...core.schema import Schema
from ...files.json_text import read_json
from ...prediction_log.records import LoggedRequest
from ..protocols import invocations, json_protocol, tensors
from ..protocols.media_types import media_type
from .replies import Reply

_ROW_BYTES = 200  # of a row in a body, to estimate how many there are
#: Refusals that are not about predictions: who asks is not known, or nobody waits for the response.
_NOT_LOGGED = frozenset(["no_key", "client_left"])

Rows = Sequence[Mapping[Any, Any]]


def logged_request(
    route: str, request_id: bytes, caller: str | None, seconds: float, reply: Reply
) -> LoggedRequest | None:
    """Return the log's view of a request; None if it is none for predictions.

    Parameters
    ----------
    route : str
    request_id : bytes
    caller : str or None
        The name of the caller's key.
    seconds : float
        Of the request, from its first byte to its response.
    reply : Reply
    """
    if reply.code in _NOT_LOGGED:
        return None
    scored = reply.scored
    total = round(seconds * 1e6, 1)
    rows = reply.sent if reply.sent is not None else ()
    if scored is None:
        return LoggedRequest(
            request_id.decode(),
            route,
            reply.status,
            rows,
            max(reply.sent_rows, 1),
            latency_us=(None, None, None, total),
            caller=caller,
            code=reply.code or "internal",
            message=reply.error,
            at_fault=reply.at_fault,
        )
    read_s = scored.read_s - scored.encode_s
    parts = [round(each * 1e6, 1) for each in (read_s, scored.encode_s, scored.model_s)]
    return LoggedRequest(
        request_id.decode(),
        route,
        reply.status,
        rows,
        scored.rows,
        scored.labels,
        scored.probabilities,
        tuple(scored.unseen.counts) if scored.unseen else (),
        (*parts, total),
        caller,
    )


def estimated_rows(body: bytes) -> int:
    """Return about how many rows a body holds, for the bound of the queue."""
    return 1 + len(body) // _ROW_BYTES


def rows_sent(route: str, body: bytes, headers: Mapping[bytes, bytes], schema: Schema) -> Rows:
    """Return the rows of a request that failed, as far as they can be read; none if they cannot.

    Unlike the protocols, this takes rows that lack columns or hold values of another kind: the log
    is to show them.
    """
    read = {"/predict": _plain, "/invocations": _invocations}.get(route, _infer)
    with contextlib.suppress(Exception):  # whatever is wrong with it, the caller has got the error
        rows = read(body, headers, schema)
        if all(isinstance(row, Mapping) for row in rows):
            return rows
    return ()


def _plain(body: bytes, _headers: Mapping[bytes, bytes], _schema: Schema) -> Rows:
    return json_protocol.parse_rows(read_json(body))


def _infer(body: bytes, headers: Mapping[bytes, bytes], _schema: Schema) -> Rows:
    head, _ = tensors.split_body(body, headers.get(tensors.HEADER))
    return _from_columns({each["name"]: each.get("data") or [] for each in read_json(head)["inputs"]})


def _invocations(body: bytes, headers: Mapping[bytes, bytes], schema: Schema) -> Rows:
    kind, parameters = media_type(headers.get(b"content-type", b"")) or ("", {})
    names = schema.names
    if kind == "csv":
        return invocations.parse_csv(body, schema, parameters.get("header")).dicts()
    if kind == "jsonlines":
        found: Any = [read_json(line) for line in body.split(b"\n") if line.strip()]
    else:
        document = read_json(body)
        found = next(document[shape] for shape in invocations.SHAPES if shape in document)
    if isinstance(found, dict) and "columns" in found and "data" in found:
        return [dict(zip(found["columns"], row, strict=False)) for row in found["data"]]
    if isinstance(found, dict):
        return _from_columns(found) if any(isinstance(each, list) for each in found.values()) else [found]
    return [row if isinstance(row, dict) else dict(zip(names, row, strict=False)) for row in found]


def _from_columns(columns: Mapping[str, Sequence[Any]]) -> Rows:
    flat = [
        [cell[0] if isinstance(cell, list) and len(cell) == 1 else cell for cell in values]
        for values in columns.values()
    ]
    return [dict(zip(columns, row, strict=False)) for row in zip(*flat, strict=False)]
