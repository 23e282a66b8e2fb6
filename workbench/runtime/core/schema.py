"""The input columns and the output of a model.

This module re-exports the names of `values`, `columns` and `intervals` that other packages use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ..errors import TamperedBundleError, shown
from ..resource_limits import MAX_FORMATS, MAX_MISSING_TEXTS, MAX_WORDS
from .columns import KINDS, Column, Kind
from .intervals import Intervals
from .typed_json import read_record
from .values import (
    FALSE_TEXT,
    MISSING_TEXT,
    TRUE_TEXT,
    Canonical,
    Column1d,
    Levels,
    category_text,
    format_fault,
    parse_datetime,
    parse_number,
)

__all__ = [
    "FALSE_TEXT",
    "KINDS",
    "MISSING_TEXT",
    "TRUE_TEXT",
    "Canonical",
    "Column",
    "Column1d",
    "Intervals",
    "Kind",
    "Label",
    "Levels",
    "Output",
    "Schema",
    "Task",
    "category_text",
    "label_text",
    "parse_datetime",
    "parse_number",
    "tidy_names",
]

Task = Literal["binary", "multiclass", "regression"]
Label = str | int | float | bool


def label_text(label: Label) -> str:
    """Return a label as text: as JSON writes it, without quotes.

    Examples
    --------
    >>> [label_text(label) for label in ("no", 1, True)]
    ['no', '1', 'true']
    """
    if isinstance(label, bool):
        return "true" if label else "false"
    return str(label)


@dataclass(frozen=True, slots=True)
class Output:
    """The output of a model.

    Attributes
    ----------
    target : str
        The name of the target column.
    task : {"binary", "multiclass", "regression"}
    classes : tuple
        The labels, in the order of the probability columns; empty for regression. In a binary task
        the second label is the positive one.
    threshold : float
        A binary model predicts the positive label if its probability is at least this.
    intervals : Intervals or None
        Regression: the calibrated prediction intervals, if there are any.
    unit : str
        Regression: the unit of a prediction, as written in the training file; "" if it has none.
    """

    target: str
    task: Task
    classes: tuple[Label, ...] = ()
    threshold: float = 0.5
    intervals: Intervals | None = None
    unit: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the output's part of ``schema.json``, without the optional keys that are not set.

        Readers of older versions refuse keys that they do not know.
        """
        document = asdict(self)
        if self.intervals is None:
            del document["intervals"]
        if not self.unit:
            del document["unit"]
        return document


@dataclass(frozen=True, slots=True)
class Schema:
    """The input columns in order, and the output.

    `source` describes the training file (delimiter, encoding, header), as a first guess for files
    to score.
    """

    columns: tuple[Column, ...]
    output: Output
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The input columns' names, in order."""
        return [column.name for column in self.columns]

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``schema.json``."""
        columns = [column.to_json() for column in self.columns]
        return {"columns": columns, "output": self.output.to_json(), "source": dict(self.source)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Schema:
        """Read the content of ``schema.json``.

        Raises
        ------
        TamperedBundleError
            If the document is not a schema; the error names the key.
        """
        listed = document.get("columns")
        if not isinstance(listed, list):
            raise TamperedBundleError("schema.json: key 'columns'", found=shown(listed), expected="a list")
        columns = tuple(
            read_record(Column, entry, f"columns[{at}].", file="schema.json", strict=True)
            for at, entry in enumerate(listed)
        )
        output = read_record(Output, document.get("output"), "output.", file="schema.json", strict=True)
        source = document.get("source", {})
        _check(columns, output, source)
        return cls(columns, output, dict(source))


def _is_encoding(value: Any) -> bool:
    try:
        return isinstance(value, str) and "".encode(value) is not None
    except (LookupError, UnicodeError, ValueError):
        return False


def _is_mark(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 1 and value not in ("\n", "\r")


#: Keys that describe the training file, each with a check of its value.
_SOURCE: dict[str, Callable[[Any], bool]] = {
    "encoding": _is_encoding,
    "delimiter": _is_mark,
    "quote": _is_mark,
    "header": lambda value: isinstance(value, bool),
    "header_rows": lambda value: type(value) is int and 1 <= value <= 9,
    "units_row": lambda value: type(value) is int and 0 <= value <= 9,
    "reader": lambda value: type(value) is int and value >= 1,
    "raw_names": lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value),
}


def _check_number_format(column: Column) -> None:
    """Refuse marks of several characters, too many affixes and factors that are not positive."""
    where = f"schema.json: column {shown(column.name)}"
    style = column.number_format
    for each in (column, style):
        if each is not None and (len(each.decimal) != 1 or len(each.thousands) > 1):
            raise TamperedBundleError(
                where,
                found=f"marks {shown(each.decimal)} and {shown(each.thousands)}",
                expected="marks of one character",
            )
    if style is None:
        return
    count = len(style.prefixes) + len(style.suffixes)
    if count > MAX_WORDS:
        raise TamperedBundleError(
            f"{where}, number_format", found=f"{count:,} affixes", expected=f"at most {MAX_WORDS:,}"
        )
    if any(factor <= 0 for factor in style.suffixes.values()):
        least = min(style.suffixes.values())
        raise TamperedBundleError(f"{where}, suffixes", found=f"factor {least:g}", expected="factors above 0")


def _check(columns: Sequence[Column], output: Output, source: Any) -> None:
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        raise TamperedBundleError("schema.json", found=f"columns {shown(names)}", expected="unique names")
    for column in columns:
        _check_number_format(column)
        for what, found, most in (
            ("formats", column.formats, MAX_FORMATS),
            ("missing", column.missing, MAX_MISSING_TEXTS),
            ("words", column.words, MAX_WORDS),
        ):
            if len(found) > most:
                raise TamperedBundleError(
                    f"schema.json: column {shown(column.name)}, {what}",
                    found=f"{len(found):,}",
                    expected=f"at most {most:,}",
                )
        for style in column.formats:
            fault = format_fault(style)
            if fault:
                raise TamperedBundleError(
                    f"schema.json: column {shown(column.name)}, format {shown(style)}", found=fault
                )
    if output.intervals is not None and output.task != "regression":
        raise TamperedBundleError(
            "schema.json: key 'output.intervals'",
            found=f"intervals of a {output.task} task",
            expected="intervals of a regression task only",
        )
    fewest, most = {"binary": (2, 2), "multiclass": (2, 1 << 20), "regression": (0, 0)}[output.task]
    distinct = {label_text(label) for label in output.classes}
    if not fewest <= len(output.classes) <= most or len(distinct) < len(output.classes):
        number = {"binary": "two distinct labels", "multiclass": "distinct labels", "regression": "none"}
        raise TamperedBundleError(
            f"schema.json: the classes of a {output.task} task",
            found=shown(list(output.classes)),
            expected=number[output.task],
        )
    if not isinstance(source, Mapping):
        raise TamperedBundleError("schema.json: key 'source'", found=shown(source), expected="an object")
    for key, fits in _SOURCE.items():
        value = source.get(key)
        if value is not None and not fits(value):
            raise TamperedBundleError(f"schema.json: key 'source.{key}'", found=shown(value))


def tidy_names(header: Sequence[str]) -> list[str]:
    """Return a unique name for each column: stripped, by position if empty, numbered if repeated.

    Training and scoring call this on the same header, so both find the same columns. A column whose
    name has no surrounding blanks keeps it.

    Examples
    --------
    >>> tidy_names(["age ", "", "age", "age", ""])
    ['age_2', 'column_2', 'age', 'age_3', 'column_5']
    """
    out: list[str] = []
    taken = {name.strip() for name in header}
    used = {name for name in header if name and name == name.strip()}
    waiting = set(used)
    for position, raw in enumerate(header, start=1):
        if raw in waiting:
            waiting.remove(raw)
            out.append(raw)
            continue
        name = raw.strip().lstrip("\ufeff").strip() or f"column_{position}"
        count = 2
        unique = name
        while unique in used or (unique != name and unique in taken):
            unique = f"{name}_{count}"
            count += 1
        used.add(unique)
        out.append(unique)
    return out
