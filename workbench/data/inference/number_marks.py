"""The decimal and thousands marks of a file, inferred from all its columns.

One column alone is often ambiguous: ``1.250`` may be one and a quarter or one thousand two hundred
and fifty. A file is written by one program, so a decimal comma in one column shows what a dot means
in another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from .convert import is_text

_MOST_ROWS = 200_000
_SAMPLE = 300
_MOSTLY = 0.6

# A number whose last mark cannot be a thousands mark, in RE2 syntax.
_AROUND = r"^\s*[-+(]?[^\d.,]{0,4}"
_ENDS = r"[^\d.,]{0,6}$"
_POINT = rf"{_AROUND}(?:0?\.\d+|0\d*\.\d+|\d+\.(?:\d|\d\d|\d{{4,}})|\d{{4,}}\.\d{{3}}|\d+(?:,\d{{3}})+\.\d+){_ENDS}"
_COMMA = (
    rf"{_AROUND}(?:0?,\d+|0\d*,\d+|\d+,(?:\d|\d\d|\d{{4,}})|\d{{4,}},\d{{3}}|\d+(?:\.\d{{3}})+,\d+){_ENDS}"
)
_PADDED = r"^\s*0\d+\s*$"
_PADDED_DECIMAL = r"^\s*0\d+[.,]\d+\s*$"
_NUMERIC = re.compile(r"[-+(]?[^\d.,]{0,4}[\d.,'’\s\u00a0\u202f]*\d[\d.,]*[^\d.,]{0,6}")


@dataclass(frozen=True, slots=True)
class NumberMarks:
    """How the numbers of a file are written, as far as its columns show it.

    Attributes
    ----------
    points, commas : int
        Columns with numbers that certainly have a decimal point, or a decimal comma.
    semicolons : bool
        Whether fields are separated by semicolons, which is usual with decimal commas.
    padded : frozenset of int
        Widths to which decimals are padded with zeros: integers of that width are numbers, not
        codes.
    """

    points: int = 0
    commas: int = 0
    semicolons: bool = False
    padded: frozenset[int] = frozenset()

    @property
    def decimal(self) -> str | None:
        """The decimal mark that columns agree on; None if they disagree or none shows it."""
        if bool(self.points) == bool(self.commas):
            return None
        return "." if self.points else ","


def find_marks(columns: Iterable[pa.ChunkedArray], delimiter: object = None) -> NumberMarks:
    """Find marks with an unambiguous meaning in all columns of a file.

    Parameters
    ----------
    columns : iterable of pyarrow.ChunkedArray
        At most the first 200,000 rows of each are read.
    delimiter : str or None
        The separator of fields.

    Examples
    --------
    >>> find_marks([pa.chunked_array([["1,5", "2,25"]]), pa.chunked_array([["1.250", "980"]])]).decimal
    ','
    """
    points = commas = 0
    widths: set[int] = set()
    for values in columns:
        if not is_text(values):
            continue
        head = values.slice(0, _MOST_ROWS)
        if not _is_mostly_numeric(head):
            continue
        points += _has(head, _POINT)
        commas += _has(head, _COMMA)
        if _has(head, _PADDED) and _has(head, _PADDED_DECIMAL):
            lengths = pc.unique(pc.utf8_length(pc.utf8_trim_whitespace(head))).to_pylist()
            widths.update(each for each in lengths if each)
    return NumberMarks(points, commas, delimiter == ";", frozenset(widths))


def _is_mostly_numeric(values: pa.ChunkedArray) -> bool:
    sample = [
        text.strip()
        for text in pc.unique(values.slice(0, 5000)).to_pylist()[:_SAMPLE]
        if text and text.strip()
    ]
    numeric = sum(_NUMERIC.fullmatch(text) is not None for text in sample)
    words = sum(not any(letter.isdigit() for letter in text) for text in sample)
    return numeric > 0 and numeric >= _MOSTLY * (len(sample) - words)


def _has(values: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(values, pattern)).as_py())
