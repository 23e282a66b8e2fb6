"""Roll-ups: what a segment holds, counted in cells of five minutes that can be added up.

A cell counts one model version in one role over 300 seconds. Every number in it is a sum, so cells
of several processes, segments or hours are merged by adding (`merge`, `total`), and the result is
that of counting all rows at once. Latencies are counted once a request, in buckets of a 32nd of an
octave: a quantile is within 1.1 % (`quantile_us`).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.schema import Levels
from .columns import RecordColumns
from .reference import ColumnReference, Reference

CELL_VERSION = 1
CELL_S = 300
STEP_LOG2 = 1 / 32  # bucket i holds 2^(i/32) ≤ µs < 2^((i+1)/32)
_MOST = float(np.finfo(np.float64).max)  # JSON has no infinity
#: What tells cells apart; cells that agree in all of it are added.
IDENTITY = ("from", "seconds", "model", "version", "model_id", "role", "endpoint", "sample")
_SAME = frozenset(["v", "edges_log2_step", *IDENTITY])


def cells(
    records: RecordColumns,
    reference: Reference,
    *,
    model_id: str = "",
    sample: float = 1.0,
    dropped: int = 0,
) -> list[dict[str, Any]]:
    """Count the records of a segment.

    Parameters
    ----------
    records : RecordColumns
    reference : Reference
        The bins.
    model_id : str
        Of the model that predicted.
    sample : float
        The share of rows that was logged.
    dropped : int
        Rows that were lost since the last segment; they are counted in the last cell.

    Returns
    -------
    list of dict
        By time; empty if there are no records.
    """
    if not len(records):
        return []
    starts = (np.floor(_seconds(records.strings("time")) / CELL_S) * CELL_S).astype(np.int64)
    who = [records.strings(name) for name in ("model", "version", "role", "endpoint")]
    keys = np.stack([starts, *(each.codes.astype(np.int64) for each in who)], axis=1)
    found, group = np.unique(keys, axis=0, return_inverse=True)
    group = group.reshape(-1)
    view = _View(records, reference)
    out = []
    for at, key in enumerate(found):
        names = [each.values[code] if code >= 0 else "" for each, code in zip(who, key[1:], strict=True)]
        identity = dict(zip(("model", "version", "role", "endpoint"), names, strict=True))
        start = dt.datetime.fromtimestamp(int(key[0]), dt.UTC).isoformat().replace("+00:00", "Z")
        cell = {"v": CELL_VERSION, "from": start, "seconds": CELL_S, **identity}
        cell |= {"model_id": model_id, "sample": sample, **view.count(np.flatnonzero(group == at))}
        out.append(cell)
    out[-1]["dropped"] = dropped
    return out


class _View:
    """The columns of a segment, read once for all of its cells."""

    def __init__(self, records: RecordColumns, reference: Reference) -> None:
        self._reference = reference
        ids = records.strings("prediction_id")
        firsts = np.asarray([text.endswith("-0") for text in ids.values] + [False])
        self._first = firsts[ids.codes]  # of its request: rows of a request have one latency
        self._sent = records.present("inputs")  # not so for a body in which no rows were found
        self._status = records.numbers("status")
        self._total = records.numbers("latency_us", "total")
        self._codes = records.strings("error", "code")
        self._decisions = records.strings("decision")
        self._columns: dict[str, np.ndarray | Levels] = {}
        for name, column in reference.columns.items():
            as_number = column.kind in ("number", "boolean") and not column.masked
            read = records.numbers if as_number else records.strings
            self._columns[name] = read("inputs", name)
        one = "value" in reference.predictions and len(reference.predictions) == 1
        self._predictions = {
            name: records.numbers("outputs", "value")
            if one
            else records.numbers("outputs", "probabilities", name)
            for name in reference.predictions
        }

    def count(self, rows: np.ndarray) -> dict[str, Any]:
        first = rows[self._first[rows]]
        sent = rows[self._sent[rows]]
        micros = self._total[first]
        micros = micros[np.isfinite(micros)]
        return {
            "requests": len(first),
            "rows": len(rows),
            "status": _tally([str(int(code)) for code in self._status[rows] if code == code]),  # noqa: PLR0124
            "errors": _level_counts(self._codes, rows),
            "latency_us": {
                "edges_log2_step": STEP_LOG2,
                "counts": _tally([str(bucket) for bucket in buckets(micros).tolist()]),
                "sum": float(micros.sum()),
            },
            "columns": {
                name: _column_counts(column, self._columns[name], sent)
                for name, column in self._reference.columns.items()
            },
            "prediction": {
                name: _bins(values[rows], self._reference.predictions[name])
                for name, values in self._predictions.items()
            },
            "decisions": _level_counts(self._decisions, rows),
            "dropped": 0,
        }


def buckets(micros: np.ndarray) -> np.ndarray:
    """Return the bucket of each latency in microseconds.

    Examples
    --------
    >>> buckets(np.array([1.0, 2.0, 1000.0])).tolist()
    [0, 32, 318]
    """
    found: np.ndarray = np.floor(np.log2(np.maximum(micros, 1e-3)) / STEP_LOG2).astype(np.int64)
    return found


def quantile_us(latency: Mapping[str, Any], share: float) -> float:
    """Return a quantile of the latency of a cell, in microseconds; NaN if it has no requests.

    Parameters
    ----------
    latency : mapping
        The cell's ``latency_us``.
    share : float
        Such as 0.99.

    Examples
    --------
    >>> round(quantile_us({"edges_log2_step": 1 / 32, "counts": {"318": 99, "400": 1}}, 0.5))
    991
    """
    step = float(latency["edges_log2_step"])
    counts = sorted((int(bucket), int(count)) for bucket, count in latency["counts"].items())
    wanted, seen = share * sum(count for _, count in counts), 0
    for bucket, count in counts:
        seen += count
        if seen >= wanted:
            return float(2.0 ** ((bucket + 0.5) * step))
    return math.nan


def merge(parts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Add cells that are about the same time, model, version, role and endpoint.

    Returns
    -------
    list of dict
        By time.

    Raises
    ------
    ValueError
        If cells of one identity were counted in different bins.
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for cell in parts:
        key = tuple(cell.get(name) for name in IDENTITY)
        found[key] = _added(found[key], cell) if key in found else dict(cell)
    return sorted(found.values(), key=lambda cell: str(cell["from"]))


def total(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Add cells over time into one, whose identity is that of the first.

    Raises
    ------
    ValueError
        If there are none, or they were counted in different bins.
    """
    if not parts:
        raise ValueError("no cells")
    ordered = sorted(parts, key=lambda cell: str(cell["from"]))
    out = dict(ordered[0])
    for cell in ordered[1:]:
        out = _added(out, cell)
    ends = [_moment(str(cell["from"])) + float(cell["seconds"]) for cell in ordered]
    out["seconds"] = int(max(ends) - _moment(str(ordered[0]["from"])))
    return out


def _added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(one)
    for name, value in other.items():
        if name not in out:
            out[name] = value
        elif name not in _SAME:
            out[name] = _sum(out[name], value)
    return out


def _sum(one: Any, other: Any) -> Any:
    if isinstance(one, Mapping):
        return _added(one, other)
    if isinstance(one, list):
        if len(one) != len(other):
            raise ValueError(f"cells of {len(one)} and {len(other)} bins cannot be added")
        return [a + b for a, b in zip(one, other, strict=True)]
    return one + other


# ---------------------------------------------------------------- counting


def _column_counts(column: ColumnReference, values: np.ndarray | Levels, rows: np.ndarray) -> dict[str, Any]:
    if isinstance(values, Levels):
        codes = values.codes[rows]
        missing = int((codes < 0).sum())
        if column.masked:
            return {"missing": missing}
        if column.kind == "category":
            return {"missing": missing, **_levels(column, values, codes)}
        known = codes[codes >= 0]
        if column.kind == "text":
            each = np.asarray([len(text) for text in values.values], dtype=np.float64)
        else:
            each = _seconds(values, codes=False)
        numbers = each[known] if len(known) else np.empty(0)
        return {"missing": missing, **_bins(numbers, column.edges)}
    numbers = values[rows]
    return {"missing": int(np.isnan(numbers).sum()), **_bins(numbers, column.edges)}


def _levels(column: ColumnReference, values: Levels, codes: np.ndarray) -> dict[str, Any]:
    listed, counts = frozenset(column.levels), np.bincount(codes[codes >= 0], minlength=len(values.values))
    found: dict[str, int] = {}
    other = unseen = 0
    for text, count in zip(values.values, counts.tolist(), strict=True):
        if not count:
            continue
        if text in listed:
            found[text] = count
        elif text in column.others:
            other += count
        else:
            unseen += count
    return {"levels": found, "other": other, "unseen": unseen}


def _bins(numbers: np.ndarray, edges: Sequence[float]) -> dict[str, Any]:
    """Count numbers below the first edge, in each bin (the last one closed), and above the last
    edge.
    """
    known = numbers[~np.isnan(numbers)]
    finite = known[np.isfinite(known)]
    with np.errstate(over="ignore"):
        sums = min(max(float(finite.sum()), -_MOST), _MOST), min(float((finite * finite).sum()), _MOST)
    out: dict[str, Any] = dict(zip(("sum", "sum2"), sums, strict=True))
    if not edges:
        return {**out, "bins": [0, len(known)]}
    line = np.asarray(edges)
    place = np.searchsorted(line, known, side="right")
    place[known == line[-1]] = len(line) - 1
    return {**out, "bins": np.bincount(place, minlength=len(line) + 1).tolist()}


def _level_counts(values: Levels, rows: np.ndarray) -> dict[str, int]:
    codes = values.codes[rows]
    counts = np.bincount(codes[codes >= 0], minlength=len(values.values)).tolist()
    return {text: count for text, count in zip(values.values, counts, strict=True) if count}


def _tally(texts: Iterable[str]) -> dict[str, int]:
    out: dict[str, int] = {}
    for text in texts:
        out[text] = out.get(text, 0) + 1
    return out


def _seconds(times: Levels, *, codes: bool = True) -> np.ndarray:
    """Return ISO times as seconds since 1970: of each row, or with `codes` false of each distinct
    text.
    """
    each = np.asarray([_moment(text) for text in times.values] or [math.nan], dtype=np.float64)
    return each[times.codes] if codes else each


def _moment(text: str) -> float:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return math.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
