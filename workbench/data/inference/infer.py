"""Infer the kind and format of a raw column, and whether it should be an input."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.errors import DataError, shown
from workbench.runtime.core.schema import Column, Column1d, Levels, category_text

from ..dataset import Finding
from ..kinds import kind_hint
from ..reading.arrow_types import UNUSABLE
from .convert import convert, is_text, plain_moments, plain_numbers, raw_levels, read_levels
from .date_style import guess_date_style
from .distinct_texts import Texts
from .number_columns import read_numbers, read_with_strays, whole_format
from .number_marks import NumberMarks
from .vocabulary.no_value import means_no_value

Role = Literal["input", "identifier", "constant", "unusable"]

_MOST_CATEGORIES = 1000
_TRUE, _FALSE = frozenset(["true", "t", "yes", "y", "on"]), frozenset(["false", "f", "no", "n", "off"])
_PAIRS = (("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("on", "off"))
_ID_NAME = re.compile(
    r"(?:.*[_\-. ])?(?:id|ids|uid|uuid|guid|key|idx|index|row ?names?|row_?id)|.*[a-z](?:ID|Id|UUID)",
    re.ASCII,
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_CODE_WORDS = frozenset(
    ["id", "ids", "code", "codes", "zip", "zipcode", "postcode", "plz", "fips", "naics", "sic", "class", "type",
     "category", "cluster", "segment", "district", "ward", "precinct", "region", "zone", "branch", "department"]
)  # fmt: skip
_ROWS_A_CODE = 3
_MOST_CODES = (
    100  # for thousands of codes (zip codes), trees learn more from their order than from their means
)
_INDEX_NAME = re.compile(r"column_1|unnamed: ?0|index|row ?names?|row_?names?|x1?|\.\.\.1", re.IGNORECASE)
_TIME_NAME = re.compile(
    r".*(?:time|date|day|week|month|year|quarter|hour|minute|second|step|period|tick|epoch).*|t",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False)
class Inferred:
    """The result of inferring one column.

    Attributes
    ----------
    role : {"input", "identifier", "constant", "unusable"}
        Models get inputs only.
    column : Column
    values : numpy.ndarray, Levels or None
        Canonical values; None for a column of a type that models cannot use.
    findings : tuple of Finding
    """

    role: Role
    column: Column
    values: Column1d | None
    findings: tuple[Finding, ...] = ()


def infer_column(
    name: str, values: pa.ChunkedArray, *, marks: NumberMarks | None = None, kind: str | None = None
) -> Inferred:
    """Infer the kind and format of a raw column.

    Parameters
    ----------
    name : str
    values : pyarrow.ChunkedArray
    marks : NumberMarks or None
        The decimal and thousands marks inferred from all columns of the file.
    kind : {"number", "category", "text", "date"} or None
        The kind that the user sets; None infers it.

    Returns
    -------
    Inferred

    Raises
    ------
    DataError
        If no value of the column is of the kind that the user sets.

    Examples
    --------
    >>> infer_column("fee", pa.chunked_array([["$1,200", "$950", "n/a"]])).column.unit
    '$'
    >>> infer_column("code", pa.chunked_array([["001", "002", "001"]])).column.kind
    'category'
    >>> infer_column("code", pa.chunked_array([["001", "002", "001"]]), kind="number").column.kind
    'number'
    """
    marks = marks or NumberMarks()
    if kind is not None:
        return _only_constants(_infer_as(name, values, kind, marks))
    found = values.type
    if is_text(values):
        inferred = _infer_text(name, values, marks)
    elif pa.types.is_dictionary(found) and _is_flat(found.value_type):
        inferred = _texts(name, raw_levels(values), categorical=True)
    elif pa.types.is_boolean(found):
        inferred = _typed(name, values, "boolean")
    elif pa.types.is_integer(found) or pa.types.is_floating(found) or pa.types.is_decimal(found):
        inferred = _typed(name, values, "number")
    elif pa.types.is_timestamp(found) or pa.types.is_date(found):
        inferred = _typed(name, values, "datetime")
    elif pa.types.is_null(found):
        inferred = Inferred("constant", Column(name, "number"), np.full(len(values), np.nan))
    else:
        return _unusable(name, found)
    return _judged(inferred)


def infer_input(
    name: str, values: pa.ChunkedArray, *, marks: NumberMarks | None = None, kind: str | None = None
) -> Inferred:
    """Infer a column that is not the target: as `infer_column`, but codes become categories.

    Integers are codes if the column's name implies it (``zip_code``, ``StoreID``), values repeat,
    and there are at most 100 distinct ones. Labels of a target stay numbers.

    Examples
    --------
    >>> infer_input("store_id", pa.chunked_array([[7, 12, 80] * 10])).column.kind
    'category'
    >>> infer_input("stores", pa.chunked_array([[7, 12, 80] * 10])).column.kind
    'number'
    """
    inferred = infer_column(name, values, marks=marks, kind=kind)
    column, numbers = inferred.column, inferred.values
    style = column.number_format
    plain = (
        column.kind == "number"
        and not column.missing
        and (style is None or not (style.suffixes or style.clock))
    )
    if (
        inferred.role != "input"
        or kind is not None
        or not plain
        or not isinstance(numbers, np.ndarray)
        or not _names_a_code(name)
    ):
        return inferred
    known = numbers[~np.isnan(numbers)]
    distinct = np.unique(known)
    if not 3 <= len(distinct) <= min(_MOST_CODES, len(known) / _ROWS_A_CODE) or not bool(
        (distinct == np.floor(distinct)).all()
    ):
        return inferred
    if is_text(values) or pa.types.is_dictionary(values.type):
        coded = _texts(name, raw_levels(values), categorical=True)
    else:
        codes = np.where(np.isnan(numbers), -1, np.searchsorted(distinct, numbers)).astype(np.int32)
        levels = Levels(codes, [category_text(each) for each in distinct.tolist()])
        coded = Inferred("input", Column(name, "category"), levels)
    message = (
        f"its name implies that its {len(distinct):,} distinct whole numbers are codes, so it is read as a "
        f"category; if they are numbers, use {kind_hint(name, 'number')}"
    )
    return replace(coded, findings=(*inferred.findings, Finding("integer_codes", "info", name, message)))


def names_an_id(name: str) -> bool:
    """Return whether a name is that of an id: ``id``, ``customer_id``, ``StoreID``, ``uuid``."""
    return bool(_ID_NAME.fullmatch(name) or _ID_NAME.fullmatch(name.lower()))


def _names_a_code(name: str) -> bool:
    """Return whether the last word of a name is that of a code: ``zip_code``, ``StoreID``,
    ``MSSubClass``.
    """
    words = _WORD.findall(name)
    return bool(words) and words[-1].lower() in _CODE_WORDS


def _is_flat(kind: pa.DataType) -> bool:
    return not (pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_temporal(kind))


def _typed(name: str, values: pa.ChunkedArray, kind: Literal["number", "boolean", "datetime"]) -> Inferred:
    column = Column(name, kind)
    return Inferred("input", column, convert(values, column))


def _unusable(name: str, found: pa.DataType) -> Inferred:
    what = "objects, lists or complex numbers" if found == UNUSABLE else f"values of type {found}"
    message = f"{what} cannot be used; the column was left out"
    return Inferred("unusable", Column(name, "text"), None, (Finding("unusable", "warning", name, message),))


# ---------------------------------------------------------------- text columns


def _infer_text(name: str, values: pa.ChunkedArray, marks: NumberMarks) -> Inferred:
    numbers = plain_numbers(values)
    if numbers is not None and not _has_codes(values) and not _has_dot_groups(values):
        style = None if marks.decimal != "," else whole_format(marks, _has_points(values))
        return Inferred("input", Column(name, "number", number_format=style), numbers)
    if numbers is None:
        moments = plain_moments(values)
        if moments is not None:
            return Inferred("input", Column(name, "datetime"), moments)
    texts = Texts.of(raw_levels(values))
    about: tuple[Finding, ...] = ()
    if texts.known:
        boolean = _as_boolean(name, texts) if numbers is None else None
        if boolean is not None:
            return boolean
        reading = read_numbers(name, texts, marks)
        about = reading.findings
        if reading.column is not None and reading.values is not None:
            return Inferred("input", reading.column, reading.values, about)
        if reading.column is not None:
            return _texts(name, texts.raw, column=reading.column, findings=about)
        dated = _as_datetime(name, texts)
        if dated is not None:
            return dated
    return _texts(name, texts.raw, findings=about)


def _has_points(values: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.match_substring(values, ".")).as_py())


def _has_codes(values: pa.ChunkedArray) -> bool:
    """Return whether a value has a leading zero, as codes have."""
    return bool(pc.any(pc.match_substring_regex(values, r"^\s*0[0-9]+\s*$")).as_py())


def _has_dot_groups(values: pa.ChunkedArray) -> bool:
    """Return whether every dot in a column of plain numbers is followed by three digits, as
    thousands marks are.
    """
    if not _has_points(values):
        return False
    dotted = pc.match_substring(values, ".")
    grouped = pc.match_substring_regex(values, r"^\s*[+-]?[1-9]\d{0,2}\.\d{3}\s*$")
    return bool(pc.all(pc.or_(grouped, pc.invert(dotted))).as_py())


def _as_boolean(name: str, texts: Texts) -> Inferred | None:
    words = {text.lower() for text in texts.known}
    if len(texts.known) > 20 or not words <= _TRUE | _FALSE:
        return None
    if len(words) > 1 and not any(words >= set(pair) for pair in _PAIRS):
        return None
    column = Column(name, "boolean")
    return Inferred("input", column, read_levels(texts.raw, column.reader()))


def _as_datetime(name: str, texts: Texts, *, forced: bool = False) -> Inferred | None:
    rest = [text for text in texts.known if not means_no_value(text)]
    style = guess_date_style(rest, forced=forced) if rest else None
    if style is None:
        return None
    column = Column(name, "datetime", formats=style.formats, words=style.words)
    column, values, findings = read_with_strays(column, texts, "dates", forced=forced)
    if values is None:
        return None
    if style.ambiguous:
        order = "month first" if style.formats[0].startswith("%m") else "day first"
        message = (
            f"dates such as {shown(rest[0])} were read {order}, but the data are ambiguous; write ISO dates"
        )
        findings = (*findings, Finding("ambiguous_dates", "warning", name, message))
    return Inferred("input", column, values, findings)


# ---------------------------------------------------------------- kinds that the user sets


def _infer_as(name: str, values: pa.ChunkedArray, kind: str, marks: NumberMarks) -> Inferred:
    """Read a column as the kind that the user sets."""
    found = values.type
    if pa.types.is_dictionary(found):
        values = pc.cast(values, found.value_type)
        found = values.type
    if not (is_text(values) or pa.types.is_null(found) or _is_flat(found) or pa.types.is_temporal(found)):
        return _unusable(name, found)
    if kind in ("category", "text"):
        column = Column(name, "category" if kind == "category" else "text")
        return Inferred("input", column, convert(values, column))
    typed = pa.types.is_integer(found) or pa.types.is_floating(found) or pa.types.is_decimal(found)
    inferred: Inferred | None = None
    if kind == "number" and (typed or pa.types.is_boolean(found)):
        inferred = _typed(name, values, "number")
    elif kind == "date" and (pa.types.is_timestamp(found) or pa.types.is_date(found)):
        inferred = _typed(name, values, "datetime")
    elif is_text(values) or (kind == "date" and typed):
        texts = Texts.of(
            raw_levels(values) if is_text(values) else Levels.of(map(_whole_text, values.to_pylist()))
        )
        if kind == "number":
            reading = read_numbers(name, texts, marks, forced=True)
            if reading.column is not None and reading.values is not None:
                inferred = Inferred("input", reading.column, reading.values, reading.findings)
        else:
            inferred = _as_datetime(name, texts, forced=True)
    if inferred is None:
        example = next((shown(each) for each in values.drop_null().slice(0, 1).to_pylist()), "no value")
        raise DataError(
            f"column {shown(name)} is not a {kind}",
            found=f"{example}, and no value that can be read as a {kind}",
            hint=f"Do not set the kind {shown(kind)}, or set category, text or ignore.",
        )
    return inferred


def _whole_text(value: object) -> str | None:
    return None if value is None else category_text(value)


def _only_constants(inferred: Inferred) -> Inferred:
    """Leave out a column whose kind the user sets only if it has a single value."""
    judged = _judged(inferred)
    return judged if judged.role == "constant" else inferred


def _texts(
    name: str,
    raw: Levels,
    *,
    categorical: bool = False,
    column: Column | None = None,
    findings: tuple[Finding, ...] = (),
) -> Inferred:
    column = column or Column(name, "category")
    levels = column.read_many(raw)
    assert isinstance(levels, Levels)
    known = int((levels.codes >= 0).sum())
    if categorical or known == 0:
        return Inferred("input", column, levels, findings)
    distinct = len(levels.values)
    step = max(1, distinct // 2000)
    sample = levels.values[::step]
    words = sum(len(text.split()) for text in sample) / len(sample)
    long = words >= 6 and distinct > max(200, 0.1 * known)
    if long or (words >= 2.5 and distinct > max(50, 0.3 * known)):
        return Inferred("input", replace(column, kind="text"), levels, findings)
    unique = len(np.unique(levels.codes[levels.codes >= 0])) >= 0.95 * known and known > 1
    if unique and (known >= 50 or (known >= 10 and _ID_NAME.fullmatch(name))):
        message = f"nearly every value is unique ({distinct} in {known} rows); the column was left out"
        return Inferred(
            "identifier", column, levels, (*findings, Finding("identifier", "info", name, message))
        )
    return Inferred("input", column, levels, findings)


# ---------------------------------------------------------------- columns to leave out


def _judged(inferred: Inferred) -> Inferred:
    """Leave out columns without information: constants, and numbers that identify the row."""
    values, name = inferred.values, inferred.column.name
    if inferred.role == "identifier" or values is None:
        return inferred
    missing = _missing(values)
    if missing.all():
        finding = Finding("all_missing", "info", name, "every value is missing; the column was left out")
        return replace(inferred, role="constant", findings=(*inferred.findings, finding))
    if not missing.any() and _is_constant(values):
        finding = Finding("constant", "info", name, "every row has the same value; the column was left out")
        return replace(inferred, role="constant", findings=(*inferred.findings, finding))
    if inferred.column.kind == "number" and not missing.any() and isinstance(values, np.ndarray):
        found = _row_name(name, values)
        if found is not None:
            return replace(inferred, role="identifier", findings=(*inferred.findings, found))
    return inferred


def _missing(values: Column1d) -> np.ndarray:
    return values.codes < 0 if isinstance(values, Levels) else np.isnan(values)


def _is_constant(values: Column1d) -> bool:
    codes = values.codes if isinstance(values, Levels) else values
    return bool((codes == codes[0]).all())


def _row_name(name: str, values: np.ndarray) -> Finding | None:
    """Return a finding if integers count the rows, or are unique and named like an id."""
    if len(values) < 10 or not bool((values == np.floor(values)).all()):
        return None
    if values[0] in (0.0, 1.0) and bool((np.diff(values) == 1.0).all()):
        if _INDEX_NAME.fullmatch(name):
            return Finding("index_column", "info", name, "it counts the rows; the column was left out")
        if not _TIME_NAME.fullmatch(name):
            return Finding("identifier", "info", name, "a running number; the column was left out")
    if (_ID_NAME.fullmatch(name) or _ID_NAME.fullmatch(name.lower())) and len(np.unique(values)) == len(
        values
    ):
        return Finding(
            "identifier",
            "info",
            name,
            "its name and its unique values are those of an id; the column was left out",
        )
    return None


def finished(column: Column, values: Column1d) -> Column:
    """Add what the training data have: whether values are missing, the range, the levels (most
    frequent first).

    Examples
    --------
    >>> finished(Column("x", "category"), Levels.of(["b", "a", "a", None])).categories
    ('a', 'b')
    """
    nullable = bool(_missing(values).any())
    if isinstance(values, Levels):
        if column.kind != "category":
            return replace(column, nullable=nullable)
        counts = np.bincount(values.codes + 1, minlength=len(values.values) + 1)[1:]
        order = sorted(np.flatnonzero(counts).tolist(), key=lambda at: (-int(counts[at]), values.values[at]))
        return replace(
            column, nullable=nullable, categories=tuple(values.values[at] for at in order[:_MOST_CATEGORIES])
        )
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (None, None)
    return replace(column, nullable=nullable, low=low, high=high)
