"""Records of the prediction log, schema version 1: from a scored request to one JSON line a row.

Keys: ``v``, ``prediction_id`` (request id and row number), ``time`` (UTC, ms), ``request_id``,
``caller``, ``endpoint``, ``model``, ``version``, ``role``, ``route``, ``status``, ``inputs``,
``outputs`` (``label`` and ``probabilities``, or ``value``), ``decision``, ``threshold``,
``latency_us`` (``read``, ``encode``, ``predict``, ``total``), ``warnings`` and ``error`` (``code``,
``message``, and ``row``: the row at fault as it was sent, as JSON text).

`inputs` has one field for each column of the model that is not removed by a mask: a number, true or
false, or a string; null is a missing value. A value that cannot be read as its column's kind is
null there and stands in ``error.row``. Values of columns that the model does not have are never
written; their names are, as warnings.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.rows import positions
from ..core.schema import Schema, label_text
from ..errors import BadValueError
from .logged_values import LoggedValues
from .masking import Masks

SCHEMA_VERSION = 1
EXTRA, MISSING = "extra_column", "missing_column"
UNSEEN, OUT_OF_RANGE = "unseen_category", "out_of_range"
_MOST_NAMES = 20  # of unknown columns reported for one row
_LONGEST_ROW = 10_000  # letters of a row at fault
_MANY_ROWS = 16  # from here on, columns are looked at as a whole

Rows = Sequence[Mapping[Any, Any]]
Encode = Callable[[Any], bytes]


@dataclass(slots=True)
class LoggedRequest:
    """What the log gets of one request; nothing of it is changed afterwards.

    Attributes
    ----------
    request_id, route : str
    status : int
    rows : sequence of mapping, or callable
        The rows as they were sent; a callable is called by the writer, off the request path.
    count : int
        How many rows that are, or an estimate where only the writer finds out.
    labels, probabilities : list or None
        As in `serving.scorer.Scored`; None for a request that failed.
    warned : collection of (kind, column)
        What training never met somewhere in the rows.
    latency_us : tuple of float or None
        Of the request: reading, encoding, predicting, and in total, in microseconds.
    caller : str or None
        The name of the caller's key.
    code, message : str
        Of the error of a failed request; the message holds no value of a row.
    at_fault : int or None
        The row that caused the error.
    errors : mapping of int to str
        Rows without a prediction among others that have one, as in a file; `labels` is None there.
    first_row : int
        The number of the first row: a file arrives in several pieces.
    time_s : float
        Seconds since 1970; set by the log where it is 0.
    """

    request_id: str
    route: str
    status: int
    rows: Rows | Callable[[], Rows]
    count: int
    labels: Sequence[Any] | None = None
    probabilities: Sequence[Sequence[float]] | None = None
    warned: Sequence[tuple[str, str]] = ()
    latency_us: tuple[float | None, ...] = (None, None, None, None)
    caller: str | None = None
    code: str = ""
    message: str = ""
    at_fault: int | None = None
    errors: Mapping[int, str] | None = None
    first_row: int = 0
    time_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who predicted: the part of a record that is the same for all of a process."""

    endpoint: str
    model: str
    version: str
    model_id: str = ""
    role: str = "stable"


class RecordEncoder:
    """Turns requests into JSON lines.

    Parameters
    ----------
    schema : Schema
    identity : Identity
    masks : Masks
    sample : float
        The share of rows that is kept, by a hash of the prediction id: the same rows in every
        process.

    Attributes
    ----------
    classes : tuple of str
        The names of the probabilities.
    """

    def __init__(
        self, schema: Schema, identity: Identity, masks: Masks | None = None, sample: float = 1.0
    ) -> None:
        self._names = schema.names
        self._by_name = {column.name: column for column in schema.columns}
        self._masks = masks or Masks()
        self._kept = [
            (column.name, LoggedValues(column))
            for column in schema.columns
            if column.name not in self._masks.removed
        ]
        self.classes = tuple(label_text(label) for label in schema.output.classes)
        self._threshold = schema.output.threshold if schema.output.task == "binary" else None
        self._sample = sample
        self._dumps = json_encoder()
        self._second = (-1, "")
        self._who = {
            "endpoint": identity.endpoint,
            "model": identity.model,
            "version": identity.version,
            "role": identity.role,
        }

    def lines(self, request: LoggedRequest) -> list[bytes]:
        """Return a request's records, a line each, newline included."""
        rows = request.rows() if callable(request.rows) else request.rows
        read, encode, predict, total = request.latency_us
        fields = {
            "v": SCHEMA_VERSION,
            "time": self._time(request.time_s),
            "request_id": request.request_id,
            "caller": request.caller,
            **self._who,
            "route": request.route,
            "threshold": self._threshold,
            "latency_us": {"read": read, "encode": encode, "predict": predict, "total": total},
        }
        head = self._dumps(fields)[:-1] + b","
        if not rows and request.code:  # a body without rows: the failure itself is one record
            return [self._line(head, request, 0, None)] if self._keeps(f"{request.request_id}-0") else []
        out = []
        as_sent = len(rows) >= _MANY_ROWS and self._are_plain(rows)
        for at, row in enumerate(rows):
            number = request.first_row + at
            if self._sample >= 1.0 or self._keeps(f"{request.request_id}-{number}"):
                out.append(self._line(head, request, at, row, as_sent=as_sent))
        return out

    def _time(self, time_s: float) -> str:
        """Return a moment as ISO 8601; its second is written once for all of its requests."""
        second = int(time_s)
        if second != self._second[0]:
            text = dt.datetime.fromtimestamp(second, dt.UTC).isoformat().removesuffix("+00:00")
            self._second = second, text
        return f"{self._second[1]}.{int((time_s - second) * 1000):03d}Z"

    def _keeps(self, prediction_id: str) -> bool:
        return self._sample >= 1.0 or zlib.crc32(prediction_id.encode()) < self._sample * 2**32

    def _are_plain(self, rows: Rows) -> bool:
        """Whether all rows can be written as they were sent."""
        width = len(self._names)
        if self._masks or any(len(row) != width for row in rows):
            return False
        try:
            return all(values.are_plain([row[name] for row in rows]) for name, values in self._kept)
        except KeyError:
            return False

    def _line(
        self,
        head: bytes,
        request: LoggedRequest,
        at: int,
        row: Mapping[Any, Any] | None,
        *,
        as_sent: bool = False,
    ) -> bytes:
        """Return one record; `head` has the fields that all rows of the request share."""
        record: dict[str, Any] = {"prediction_id": f"{request.request_id}-{request.first_row + at}"}
        failed = request.labels is None or (request.errors is not None and at in request.errors)
        record["status"] = request.status if request.errors is None or not failed else 422
        known = row if as_sent or row is None else self._known(row)
        record["inputs"] = known if as_sent or known is None else self._inputs(known)
        record["outputs"] = record["decision"] = record["error"] = None
        if not failed and request.labels is not None:
            label = request.labels[at]
            if request.probabilities is None:
                record["outputs"] = {"value": label}
            else:
                named = dict(zip(self.classes, request.probabilities[at], strict=True))
                record["decision"] = text = label_text(label)
                record["outputs"] = {"label": text, "probabilities": named}
        else:
            record["error"] = self._error(request, at, known)
        record["warnings"] = self._warnings(request, row, failed)
        try:
            content = self._dumps(record)
        except (ValueError, TypeError, RecursionError):
            content = plain_json(_finite(record))
        return head + content[1:] + b"\n"

    def _known(self, row: Mapping[Any, Any]) -> Mapping[Any, Any]:
        """Return the row's values under the model's names; other columns are left out."""
        if all(map(row.__contains__, self._names)):
            return row
        values = list(row.values())
        return {name: values[at] for name, at in positions(self._names, list(row)).items()}

    def _inputs(self, row: Mapping[Any, Any]) -> dict[str, Any]:
        try:
            inputs = {name: values.plain(row[name]) for name, values in self._kept}
        except KeyError:
            inputs = {name: values.plain(row.get(name)) for name, values in self._kept}
        return self._masks.apply(inputs) if self._masks.hashed else inputs

    def _error(
        self, request: LoggedRequest, at: int, known: Mapping[Any, Any] | None
    ) -> dict[str, str | None]:
        code, message = request.code, request.message
        guilty = at == request.at_fault
        if request.errors is not None:
            code, message, guilty = code or "bad_value", request.errors.get(at, ""), True
        if self._masks:
            message = message.partition(": ")[0]  # the place; what follows may be a masked value
        text = self._row_text(known) if guilty and known is not None else None
        return {"code": code, "message": message, "row": text}

    def _row_text(self, known: Mapping[Any, Any]) -> str:
        shown = self._masks.apply({name: known[name] for name in self._names if name in known})
        try:
            text = json.dumps(shown, ensure_ascii=False, default=str)
        except (ValueError, RecursionError):
            return ""
        return text[:_LONGEST_ROW]

    def _warnings(
        self, request: LoggedRequest, row: Mapping[Any, Any] | None, failed: bool
    ) -> list[dict[str, str]]:
        out: list[dict[str, str]] = []
        if row is None:
            return out
        if failed or len(row) != len(self._names):
            found = positions(self._names, list(row))
            out = [{"kind": MISSING, "column": name} for name in self._names if name not in found]
            taken = set(found.values())
            extra = [str(name) for at, name in enumerate(row) if at not in taken]
            out += [{"kind": EXTRA, "column": name} for name in extra[:_MOST_NAMES]]
        for kind, column in request.warned:
            if column and (request.count == 1 or self._holds(kind, column, row)):
                out.append({"kind": kind, "column": column})
        return out

    def _holds(self, kind: str, name: str, row: Mapping[Any, Any]) -> bool:
        """Whether this row is one of those that a warning about the whole request is about."""
        column = self._by_name.get(name)
        if column is None:
            return False
        try:
            value = column.read(self._known(row).get(name))
        except BadValueError:
            return False
        if kind == UNSEEN:
            return value is not None and value not in (column.categories or ())
        low, high = column.low, column.high
        if not isinstance(value, float) or low is None or high is None:
            return False
        return value < low or value > high  # NaN, a missing value, is neither


def plain_json(document: Any) -> bytes:
    """Write one JSON document with the standard library alone."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "replace")


def json_encoder() -> Encode:
    """Return how JSON is written: by orjson where it is installed."""
    try:
        import orjson
    except ImportError:
        return plain_json
    return lambda document: orjson.dumps(document, default=str)


def read_line(line: bytes) -> dict[str, Any] | None:
    """Return the record of one line; None where the line is torn or holds none.

    Examples
    --------
    >>> read_line(b'{"v": 1, "status": 200}'), read_line(b'{"v": 1, "stat')
    ({'v': 1, 'status': 200}, None)
    """
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("v"), int) else None


def _finite(value: Any) -> Any:
    """Return a document without what JSON cannot hold: NaN and infinity become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value
