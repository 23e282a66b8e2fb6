"""Readiness checks: whether a model may serve predictions.

================== ==================================================================================
code               the model is not ready because ==================
================================================================================== golden_rows
its predictions of the golden rows differ from those at export wrong_model        it is not the
expected model stale_data         its training data is older than allowed, or has no date
forgotten_feature  the sample of requests lacks a column, or has another kind of value in it
==================
==================================================================================
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..bundle.bundle import Bundle
from ..bundle.golden import GoldenReport
from ..bundle.manifest import Manifest
from ..core.rows import locate, plain_values
from ..errors import InputError, MissingColumnError, NotReadyError, shown
from ..files.readers import open_source
from .scorer import unreadable
from .serving_settings import ServeSettings

GOLDEN, WRONG_MODEL, STALE, FORGOTTEN = "golden_rows", "wrong_model", "stale_data", "forgotten_feature"
CODES = (GOLDEN, WRONG_MODEL, STALE, FORGOTTEN)
_SHORTEST_DIGEST = 12
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{12,64})", re.IGNORECASE)
_DAY_S = 86400.0
_SAMPLE_ROWS = 1000
_MAX_LINES = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a model is not ready: a code, one line of text, and further keys of the response."""

    code: str
    text: str
    more: dict[str, Any] = field(default_factory=dict)


class Readiness:
    """The results of the readiness checks of a model.

    They are read before every prediction, since training data can become too old while a server
    runs.

    Parameters
    ----------
    faults : tuple of Fault
        The checks that failed at the start.
    stale_at : float or None
        Unix seconds from which on the training data is too old.
    stale : Fault or None
        The fault reported from then on.
    data_date : float or None
        Date of the training data in Unix seconds.
    clock : callable
        Returns the current Unix seconds.
    """

    def __init__(
        self,
        faults: tuple[Fault, ...] = (),
        *,
        stale_at: float | None = None,
        stale: Fault | None = None,
        data_date: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._faults, self._stale_at, self._stale, self._clock = faults, stale_at, stale, clock
        self._data_date = data_date

    def fault(self) -> Fault | None:
        """Return the first failed check, or None."""
        if self._faults:
            return self._faults[0]
        if self._stale_at is not None and self._clock() >= self._stale_at:
            return self._stale
        return None

    def codes(self) -> set[str]:
        """Return the codes of all failed checks."""
        codes = {fault.code for fault in self._faults}
        if self._stale_at is not None and self._clock() >= self._stale_at:
            codes.add(STALE)
        return codes

    def data_age_s(self) -> float | None:
        """Return the age of the training data in seconds, or None if the manifest has no date."""
        return None if self._data_date is None else self._clock() - self._data_date

    def gauges(self) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
        """Return the readiness metrics."""
        codes = self.codes()
        out: dict[str, dict[tuple[tuple[str, str], ...], float]] = {
            "workbench_model_ready": {(): int(not codes)},
            "workbench_model_not_ready": {(("code", code),): int(code in codes) for code in CODES},
        }
        age = self.data_age_s()
        if age is not None:
            out["workbench_data_age_seconds"] = {(): round(age)}
        return out

    def require(self) -> None:
        """Raise `NotReadyError` if a check failed."""
        fault = self.fault()
        if fault is not None:
            raise NotReadyError(fault.code, f"the model is not ready: {fault.text}")


def check_readiness(
    bundle: Bundle,
    settings: ServeSettings,
    *,
    golden: GoldenReport | None = None,
    clock: Callable[[], float] = time.time,
) -> Readiness:
    """Replay the golden rows, and run the checks in the settings.

    Parameters
    ----------
    bundle : Bundle
    settings : ServeSettings
        Its `expect`, `max_data_age_s`, `sample` and `strict`.
    golden : GoldenReport, optional
        The result of the replay, if it was already done.

    Returns
    -------
    Readiness

    Raises
    ------
    InputError
        If `expect` is neither a digest nor a name and version, or the sample cannot be read.
    """
    report = golden or bundle.replay_golden()
    faults: list[Fault] = []
    if settings.expect is not None:
        faults += _expected(bundle.manifest, settings.expect)
    if not report.ok:
        lines = sorted({failure.line for failure in report.failures})
        faults.append(Fault(GOLDEN, report.summary(), {"lines": lines[:_MAX_LINES]}))
    date = _data_date(bundle.manifest)
    stale_at = stale = None
    if settings.max_data_age_s is not None:
        stale = _stale(bundle.manifest, settings.max_data_age_s)
        stale_at = 0.0 if date is None else date + settings.max_data_age_s
    if settings.sample is not None:
        faults += _sampled(bundle, Path(settings.sample))
    return Readiness(tuple(faults), stale_at=stale_at, stale=stale, data_date=date, clock=clock)


def _expected(manifest: Manifest, expect: str) -> list[Fault]:
    name, at, version = expect.rpartition("@")
    digest = _DIGEST.fullmatch(expect.strip())
    if not digest and (not at or not name or not version):
        wanted = f"NAME@VERSION, or at least {_SHORTEST_DIGEST} digits of a model id"
        raise InputError("`expect`", found=shown(expect), expected=wanted)
    own = f"{manifest.name}@{manifest.version} with digest {manifest.model_id[:16]}…"
    same = (
        manifest.model_id.startswith(digest[1].lower())
        if digest
        else (name, version) == (manifest.name, manifest.version)
    )
    return [] if same else [Fault(WRONG_MODEL, f"wrong model: found {own}; expected {expect.strip()}")]


def _data_date(manifest: Manifest) -> float | None:
    try:
        moment = dt.datetime.fromisoformat(manifest.data.date)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


def _stale(manifest: Manifest, most_s: float) -> Fault:
    found = f"data of {manifest.data.date}" if _data_date(manifest) is not None else "data without a date"
    return Fault(
        STALE,
        f"stale data: found {found}; expected data of at most {_age(most_s)}. "
        "Train again on newer data, or raise `max_data_age`.",
        {"data_date": manifest.data.date},
    )


def _age(seconds: float) -> str:
    units = ((_DAY_S, "days"), (3600.0, "hours"), (60.0, "minutes"))
    size, name = next((unit for unit in units if seconds >= unit[0]), (1.0, "seconds"))
    return f"{seconds / size:g} {name}"


def _sampled(bundle: Bundle, path: Path) -> list[Fault]:
    """Check a sample of requests: it must have every column, each with some readable value."""
    predictor = bundle.predictor
    source = open_source(path, predictor.schema)
    more = {"sample": path.name}
    with contextlib.closing(source.chunks(_SAMPLE_ROWS)) as chunks:  # type: ignore[type-var]
        try:
            where = locate(predictor.names, source.header)
        except MissingColumnError as error:
            return [Fault(FORGOTTEN, f"forgotten feature in {path.name}: {error}", more)]
        chunk = next(chunks, None)
    if chunk is None or not chunk.rows:
        raise InputError(f"the sample {path.name}", found="no rows", expected="rows as in requests")
    if chunk.defects:
        at = min(chunk.defects)
        text = f"{path.name} cannot be read as rows: row {at}, {chunk.defects[at]}"
        return [Fault(FORGOTTEN, text, more)]
    for column in predictor.schema.columns:
        wrong = unreadable(column, plain_values(chunk.columns[where[column.name]]))
        if wrong is not None:
            return [Fault(FORGOTTEN, f"forgotten feature in {path.name}: {wrong}", more)]
    return []
