"""What a raw column is: its kind, how its values are written, and whether a model should see it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.errors import shown
from workbench.runtime.schema import MISSING_TEXT, Column, Column1d, Levels, category_text

from .arrow_types import UNUSABLE
from .convert import convert, is_text, plain_moments, plain_numbers, raw_levels, read_leniently, read_levels
from .dataset import Finding
from .date_style import guess_date_style
from .number_style import guess_number_style

Role = Literal["input", "identifier", "constant", "unusable"]

_MOST_CATEGORIES = 1000
_SAMPLE = 500
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
    100  # the order of thousands of codes (zip codes, account numbers) tells a tree more than their means
)
_INDEX_NAME = re.compile(r"column_1|unnamed: ?0|index|row ?names?|row_?names?|x1?|\.\.\.1", re.IGNORECASE)
_TIME_NAME = re.compile(
    r".*(?:time|date|day|week|month|year|quarter|hour|minute|second|step|period|tick|epoch).*|t",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False)
class Inferred:
    """What was found out about one column.

    Attributes
    ----------
    role : {"input", "identifier", "constant", "unusable"}
        Only inputs are given to models.
    column : Column
    values : numpy.ndarray, Levels or None
        Canonical values; None for a column of a type that models cannot use.
    findings : tuple of Finding
    """

    role: Role
    column: Column
    values: Column1d | None
    findings: tuple[Finding, ...] = ()


def infer_column(name: str, values: pa.ChunkedArray, *, prefer_comma: bool = False) -> Inferred:
    """Find out what a raw column is.

    Parameters
    ----------
    name : str
    values : pyarrow.ChunkedArray
    prefer_comma : bool
        Where "1,234" could be either, read a decimal comma (files with semicolons).

    Returns
    -------
    Inferred

    Examples
    --------
    >>> infer_column("fee", pa.chunked_array([["$1,200", "$950", "n/a"]])).column.kind
    'number'
    >>> infer_column("code", pa.chunked_array([["001", "002", "001"]])).column.kind
    'category'
    """
    kind = values.type
    if is_text(values):
        inferred = _infer_text(name, values, prefer_comma=prefer_comma)
    elif pa.types.is_dictionary(kind) and _is_flat(kind.value_type):
        inferred = _texts(name, raw_levels(values), categorical=True)
    elif pa.types.is_boolean(kind):
        inferred = _typed(name, values, "boolean")
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        inferred = _typed(name, values, "number")
    elif pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        inferred = _typed(name, values, "datetime")
    elif pa.types.is_null(kind):
        inferred = Inferred("constant", Column(name, "number"), np.full(len(values), np.nan))
    else:
        what = "objects, lists or complex numbers" if kind == UNUSABLE else f"values of type {kind}"
        message = f"{what} cannot be used; the column was left out"
        return Inferred(
            "unusable", Column(name, "text"), None, (Finding("unusable", "warning", name, message),)
        )
    return _judged(inferred)


def infer_input(name: str, values: pa.ChunkedArray, *, prefer_comma: bool = False) -> Inferred:
    """Find out what a column is that is no target: as `infer_column`, with whole numbers that are codes as categories.

    A code is told by its name (``zip_code``, ``StoreID``), by being repeated, and by being one of at most 100.
    Labels of a target stay numbers.

    Examples
    --------
    >>> infer_input("store_id", pa.chunked_array([[7, 12, 80] * 10])).column.kind
    'category'
    >>> infer_input("stores", pa.chunked_array([[7, 12, 80] * 10])).column.kind
    'number'
    """
    inferred = infer_column(name, values, prefer_comma=prefer_comma)
    column, numbers = inferred.column, inferred.values
    plain = column.kind == "number" and column.decimal == "." and not (column.thousands or column.missing)
    if (
        inferred.role != "input"
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
        f"its name says that its {len(distinct):,} whole numbers are codes; they were taken as categories"
    )
    return replace(coded, findings=(*inferred.findings, Finding("integer_codes", "info", name, message)))


def _names_a_code(name: str) -> bool:
    """Whether the last word of a name is one for codes: ``zip_code``, ``StoreID``, ``MSSubClass``."""
    words = _WORD.findall(name)
    return bool(words) and words[-1].lower() in _CODE_WORDS


def _is_flat(kind: pa.DataType) -> bool:
    return not (pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_temporal(kind))


def _typed(name: str, values: pa.ChunkedArray, kind: Literal["number", "boolean", "datetime"]) -> Inferred:
    column = Column(name, kind)
    return Inferred("input", column, convert(values, column))


# ---------------------------------------------------------------- text columns


def _infer_text(name: str, values: pa.ChunkedArray, *, prefer_comma: bool) -> Inferred:
    numbers = plain_numbers(values)
    if numbers is not None and not _has_codes(values):
        return Inferred("input", Column(name, "number"), numbers)
    if numbers is None:
        moments = plain_moments(values)
        if moments is not None:
            return Inferred("input", Column(name, "datetime"), moments)
    raw = raw_levels(values)
    texts = [text for each in raw.values if (text := each.strip()) not in MISSING_TEXT]
    if numbers is None and texts:
        for attempt in (
            _as_boolean(name, raw, texts),
            _as_number(name, raw, texts, prefer_comma=prefer_comma),
        ):
            if attempt is not None:
                return attempt
        dated = _as_datetime(name, raw, texts)
        if dated is not None:
            return dated
    return _texts(name, raw)


def _has_codes(values: pa.ChunkedArray) -> bool:
    """Whether some value has a leading zero, as codes have and numbers have not."""
    return bool(pc.any(pc.match_substring_regex(values, r"^\s*0[0-9]+\s*$")).as_py())


def _as_boolean(name: str, raw: Levels, texts: Sequence[str]) -> Inferred | None:
    words = {text.lower() for text in texts}
    if len(texts) > 20 or not words <= _TRUE | _FALSE:
        return None
    if len(words) > 1 and not any(words >= set(pair) for pair in _PAIRS):
        return None
    column = Column(name, "boolean")
    return Inferred("input", column, read_levels(raw, column.reader()))


def _as_number(name: str, raw: Levels, texts: Sequence[str], *, prefer_comma: bool) -> Inferred | None:
    sample = texts[:: max(1, len(texts) // _SAMPLE)]
    style = guess_number_style(sample, prefer_comma=prefer_comma)
    if style.share < 0.4:
        return None
    column = Column(name, "number", decimal=style.decimal, thousands=style.thousands)
    inferred = _with_strays(column, raw, texts, "numbers")
    if inferred is None:
        return None
    findings = list(inferred.findings)
    example = shown(next((text for text in sample if style.thousands in text and "," in text), sample[0]))
    if style.ambiguous:
        read_as = "a decimal comma" if style.decimal == "," else "a thousands mark"
        findings.append(
            Finding("number_format", "warning", name, f"the comma in {example} was read as {read_as}")
        )
    elif style.decimal == ",":
        findings.append(Finding("number_format", "info", name, "numbers are written with a decimal comma"))
    elif style.thousands:
        message = f"numbers such as {example} are written with thousands marks"
        findings.append(Finding("number_format", "info", name, message))
    return replace(inferred, findings=tuple(findings))


def _as_datetime(name: str, raw: Levels, texts: Sequence[str]) -> Inferred | None:
    style = guess_date_style(texts)
    if style is None:
        return None
    inferred = _with_strays(Column(name, "datetime", formats=style.formats), raw, texts, "dates")
    if inferred is None or not style.ambiguous:
        return inferred
    order = "month first" if style.formats[0].startswith("%m") else "day first"
    message = (
        f"dates such as {shown(texts[0])} were read {order}, which the data cannot tell; write ISO dates"
    )
    return replace(
        inferred, findings=(*inferred.findings, Finding("ambiguous_dates", "warning", name, message))
    )


def _with_strays(column: Column, raw: Levels, texts: Sequence[str], what: str) -> Inferred | None:
    """Read a column in which a few words may stand among its numbers or dates; None where they are too many."""
    values, stray = read_leniently(raw, column)
    if not stray:
        return Inferred("input", column, values)
    stray_set = set(stray)
    rows = np.bincount(raw.codes[raw.codes >= 0], minlength=len(raw.values))
    bad = sum(int(rows[at]) for at, text in enumerate(raw.values) if text.strip() in stray_set)
    good = int(np.isfinite(values).sum())
    few = (len(stray) <= 3 and good >= bad) or (len(stray) <= 20 and bad <= 0.05 * (good + bad))
    if len(texts) - len(stray) < 10 or not few:
        return None
    column = replace(column, missing=tuple(sorted(stray_set)))
    listed = ", ".join(shown(text) for text in column.missing[:3])
    message = f"{listed} among {what} in {bad} rows were read as missing values"
    return Inferred("input", column, values, (Finding("stray_words", "warning", column.name, message),))


def _texts(name: str, raw: Levels, *, categorical: bool = False) -> Inferred:
    column = Column(name, "category")
    levels = column.read_many(raw)
    assert isinstance(levels, Levels)
    known = int((levels.codes >= 0).sum())
    if categorical or known == 0:
        return Inferred("input", column, levels)
    distinct = len(levels.values)
    step = max(1, distinct // 2000)
    sample = levels.values[::step]
    words = sum(len(text.split()) for text in sample) / len(sample)
    long = words >= 6 and distinct > max(200, 0.1 * known)
    if long or (words >= 2.5 and distinct > max(50, 0.3 * known)):
        return Inferred("input", replace(column, kind="text"), levels)
    unique = distinct >= 0.95 * known and known > 1
    if unique and (known >= 50 or (known >= 10 and _ID_NAME.fullmatch(name))):
        message = f"nearly every value is unique ({distinct} in {known} rows); the column was left out"
        return Inferred("identifier", column, levels, (Finding("identifier", "info", name, message),))
    return Inferred("input", column, levels)


# ---------------------------------------------------------------- judgement


def _judged(inferred: Inferred) -> Inferred:
    """Leave out columns that cannot help: constants, and numbers that only name the row."""
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
    """Return a finding where whole numbers count the rows or are unique and called an id."""
    if len(values) < 10 or not bool((values == np.floor(values)).all()):
        return None
    if values[0] in (0.0, 1.0) and bool((np.diff(values) == 1.0).all()):
        if _INDEX_NAME.fullmatch(name):
            return Finding("index_column", "info", name, "it only counts the rows; the column was left out")
        if not _TIME_NAME.fullmatch(name):
            return Finding("identifier", "info", name, "a running number; the column was left out")
    if (_ID_NAME.fullmatch(name) or _ID_NAME.fullmatch(name.lower())) and len(np.unique(values)) == len(
        values
    ):
        return Finding(
            "identifier", "info", name, "its name and unique values say an id; the column was left out"
        )
    return None


def finished(column: Column, values: Column1d) -> Column:
    """Fill in what training saw: whether values were missing, the range, the levels (most frequent first).

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
