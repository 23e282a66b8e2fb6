"""The fitted preprocessing, as data: canonical values in, one float32 matrix out.

An encoder is a list of *derived* columns (parts of a date-time, differences of two date-times,
pairs of columns: see `column_pairs`) and a list of *steps* (see `steps`, `text_steps`). Training
fits it, and this module alone applies it, in training too: the two cannot drift apart. A row is
encoded to the same bits alone and in a batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import BundleError, TamperedBundleError, shown
from .column_pairs import Pair
from .steps import (
    FLOAT32_MAX,
    Code,
    Curve,
    Features,
    Mean,
    Missing,
    Number,
    OneHot,
    Step,
)
from .text_steps import Length, Terms, TermScore, words
from .typed_json import read_record
from .values import Column1d

__all__ = [
    "DATE_PARTS",
    "ENCODER_VERSION",
    "FLOAT32_MAX",
    "Code",
    "Curve",
    "Derived",
    "Encoder",
    "Length",
    "Mean",
    "Missing",
    "Number",
    "OneHot",
    "Pair",
    "Step",
    "TermScore",
    "Terms",
    "date_part",
    "words",
]

ENCODER_VERSION = 1
_DAY = 86400.0


def date_part(part: str, seconds: Any, floor: Callable[[Any], Any]) -> Any:
    """Return a calendar part of `seconds` since 1970 UTC, one of `DATE_PARTS`.

    `seconds` is a float, a float64 array, or any object with ``+ - * / % <=``: the export calls it
    with graph nodes and with source text, so that there is one calendar only.

    The civil calendar is Howard Hinnant's ``civil_from_days`` (chrono-compatible low-level date
    algorithms).
    """
    days = floor(seconds / _DAY)
    if part == "days":
        return seconds / _DAY
    if part == "weekday":
        return (days + 3.0) % 7.0
    if part == "hour":
        return floor((seconds - days * _DAY) / 3600.0)
    if part == "minute":
        return floor((seconds - days * _DAY) / 60.0) % 60.0
    shifted = days + 719468.0
    era = floor(shifted / 146097.0)
    day_of_era = shifted - era * 146097.0
    year_of_era = floor(
        (day_of_era - floor(day_of_era / 1460.0) + floor(day_of_era / 36524.0) - floor(day_of_era / 146096.0))
        / 365.0
    )
    day_of_year = day_of_era - (365.0 * year_of_era + floor(year_of_era / 4.0) - floor(year_of_era / 100.0))
    month_index = floor((5.0 * day_of_year + 2.0) / 153.0)
    if part == "day":
        return day_of_year - floor((153.0 * month_index + 2.0) / 5.0) + 1.0
    month = (month_index + 2.0) % 12.0 + 1.0
    if part == "month":
        return month
    if part == "yearday":
        return (day_of_year + 60.0) % 366.0
    wraps = (month <= 2.0) * 1.0
    return year_of_era + era * 400.0 + wraps


DATE_PARTS = ("days", "year", "month", "day", "yearday", "weekday", "hour", "minute")


@dataclass(frozen=True, slots=True)
class Derived:
    """A number column made from date-time columns.

    `op` is one of `DATE_PARTS` (of one column) or "gap" (seconds from the first column to the
    second).

    Examples
    --------
    >>> Derived("when.year", "year", ("when",)).one(0.0)
    1970.0
    """

    name: str
    op: str
    columns: tuple[str, ...]
    gives_numbers: ClassVar[bool] = True

    def one(self, *values: float) -> float:
        """Compute the value of one row."""
        if self.op == "gap":
            return values[1] - values[0]
        seconds = values[0]
        if not math.isfinite(seconds):
            return math.nan
        return float(date_part(self.op, seconds, _floor))

    def many(self, *values: np.ndarray) -> np.ndarray:
        """Compute a column of n values."""
        if self.op == "gap":
            return np.asarray(values[1] - values[0])
        seconds = np.where(np.isfinite(values[0]), values[0], np.nan)
        return np.asarray(date_part(self.op, seconds, _floor_many), dtype=np.float64)

    def fault(self, numeric: Mapping[str, bool]) -> str:
        """Return what is wrong with the column, or an empty string; see `Pair.fault`."""
        if self.op not in (*DATE_PARTS, "gap"):
            return "an unknown op"
        if len(self.columns) != (2 if self.op == "gap" else 1):
            return f"{len(self.columns)} columns"
        texts = [name for name in self.columns if not numeric.get(name, True)]
        return f"the text column {shown(texts[0])}" if texts else ""


def _floor(value: float) -> float:
    return float(math.floor(value))


def _floor_many(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.floor(values) + 0.0)  # no negative zero: a Python integer has none


STEPS: dict[str, type[Any]] = {
    step.op: step for step in (Number, Curve, Missing, Code, OneHot, Mean, Terms, TermScore, Length)
}


@dataclass(frozen=True, slots=True)
class Encoder:
    """Derived columns and steps, applied to canonical values.

    Examples
    --------
    >>> from workbench.runtime.core.values import Levels
    >>> encoder = Encoder((), (Number("age"), OneHot("city", ("Oslo", "Rome"))))
    >>> encoder.encode_columns({"age": np.array([31.0]), "city": Levels.of(["Rome"])}).tolist()
    [[31.0, 0.0, 1.0]]
    """

    derived: tuple[Derived | Pair, ...]
    steps: tuple[Any, ...]

    @property
    def width(self) -> int:
        """The number of features."""
        return sum(step.size() for step in self.steps)

    def feature_names(self) -> list[str]:
        """Return the features' names, in the order of the matrix."""
        return [name for step in self.steps for name in step.names()]

    def row_encoder(self, names: Sequence[str]) -> Callable[[list[Any]], Features]:
        """Compile the encoder for rows of canonical values in the order of `names`.

        Returns
        -------
        callable
            Takes a list of canonical values, appends the derived ones to it, and returns the row's
            features.
        """
        where = {name: at for at, name in enumerate(names)}
        derived: list[tuple[Callable[..., Any], tuple[int, ...]]] = []
        for extra in self.derived:
            derived.append((extra.one, tuple(where[name] for name in extra.columns)))
            where[extra.name] = len(where)
        steps = [(step.compile(), where[step.column]) for step in self.steps]

        def encode(values: list[Any]) -> Features:
            for make, inputs in derived:
                values.append(make(*[values[at] for at in inputs]))
            out: Features = []
            for step, at in steps:
                step(values[at], out)
            return out

        return encode

    def encode_columns(self, columns: Mapping[str, Column1d]) -> np.ndarray:
        """Encode canonical columns of n values each.

        Returns
        -------
        numpy.ndarray of float32, shape (n, width), C order
        """
        known: dict[str, Column1d] = dict(columns)
        rows = len(next(iter(known.values()))) if known else 0
        out = np.empty((rows, self.width), dtype=np.float32)
        at = 0
        with np.errstate(all="ignore"):  # the steps clip infinities, as in the row path
            for extra in self.derived:
                known[extra.name] = extra.many(*[known[name] for name in extra.columns])  # type: ignore[arg-type]  # checked
            for step in self.steps:
                width = step.size()
                step.many(known[step.column], out[:, at : at + width])
                at += width
        return out

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``encoder.json``."""
        return {
            "version": ENCODER_VERSION,
            "derived": [{**asdict(extra), "op": extra.op} for extra in self.derived],
            "steps": [{"op": step.op, **_no_none(step)} for step in self.steps],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Encoder:
        """Read the content of ``encoder.json``.

        Raises
        ------
        BundleError
            If the document is not an encoder, or one of a newer version.
        """
        if document.get("version") != ENCODER_VERSION:
            raise BundleError(
                "encoder.json", found=f"version {document.get('version')}", expected=str(ENCODER_VERSION)
            )
        parts: dict[str, list[Any]] = {}
        for key in ("derived", "steps"):
            parts[key] = document.get(key)  # type: ignore[assignment]  # checked in the next line
            if not isinstance(parts[key], list):
                raise TamperedBundleError(
                    f"encoder.json: key {key!r}", found=shown(parts[key]), expected="a list"
                )
        derived = tuple(_read_derived(entry, at) for at, entry in enumerate(parts["derived"]))
        return cls(derived, tuple(_read_step(entry, at) for at, entry in enumerate(parts["steps"])))

    def check_columns(self, numeric: Mapping[str, bool]) -> None:
        """Check that every derived column and step reads an existing column of the right kind.

        Parameters
        ----------
        numeric : mapping of str to bool
            For each column of the schema, whether its values are numbers.

        Raises
        ------
        TamperedBundleError
            If one does not; the error names the step.
        """
        known = dict(numeric)
        for extra in self.derived:
            what = f"derived column {shown(extra.name)}"
            for name in extra.columns:
                _check_column(what, name, None, known)
            wrong = "the name of another column" if extra.name in known else extra.fault(known)
            if wrong:
                raise TamperedBundleError(f"encoder.json: {what} is invalid", found=wrong)
            known[extra.name] = extra.gives_numbers
        for step in self.steps:
            _check_column(f"step {step.op!r}", step.column, step.reads_numbers, known)
            wrong = step.fault()
            if wrong:
                raise TamperedBundleError(
                    f"encoder.json: step {step.op!r} of {shown(step.column)}", found=wrong
                )


def _check_column(what: str, name: str, numbers: bool | None, known: Mapping[str, bool]) -> None:
    if name not in known:
        raise TamperedBundleError(
            f"encoder.json: {what} reads column {shown(name)}",
            found="no such column",
            expected="a column of schema.json or a derived column",
        )
    if numbers is not None and known[name] != numbers:
        kind = {True: "numbers", False: "text"}
        raise TamperedBundleError(
            f"encoder.json: {what} reads column {shown(name)}",
            found=f"a column of {kind[known[name]]}",
            expected=f"a column of {kind[numbers]}",
        )


def _no_none(step: Any) -> dict[str, Any]:
    return {key: value for key, value in asdict(step).items() if value is not None}


def _read_derived(entry: Any, at: int) -> Derived | Pair:
    where = f"derived[{at}]."
    if isinstance(entry, Mapping) and entry.get("op") == Pair.op:
        values = {key: value for key, value in entry.items() if key != "op"}
        return read_record(Pair, values, where, file="encoder.json", strict=True)  # type: ignore[no-any-return]
    return read_record(Derived, entry, where, file="encoder.json", strict=True)  # type: ignore[no-any-return]


def _read_step(entry: Any, at: int) -> Any:
    op = entry.get("op") if isinstance(entry, Mapping) else None
    if not isinstance(op, str) or op not in STEPS:
        raise TamperedBundleError(
            f"encoder.json: steps[{at}]", found=f"op {shown(op)}", expected=f"one of {', '.join(STEPS)}"
        )
    values = {key: value for key, value in entry.items() if key != "op"}
    return read_record(STEPS[op], values, f"steps[{at}].", file="encoder.json", strict=True)
