"""Delimited text, for training and scoring: how lines are split, and which line is the header.

Parsing itself is Python's csv module. Finding titles, headers, notes and unclosed quotes is our
own: pandas and csv.Sniffer guess less of it, and pandas is not in the runtime.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SEPARATOR_LINE = re.compile(r"sep=([,;\t|])\r?(?:\n|\Z)", re.IGNORECASE)
_MAX_TITLES, _ROWS_BELOW = 20, 10
_SWALLOWED, _LEAST_SHARE = 3, 0.8
_NUMBER_LIKE = re.compile(r"[-+]?[\d.,\s]*\d[\d.,\s]*%?")


@dataclass(frozen=True, slots=True)
class CsvStyle:
    r"""How a line is split into fields.

    Attributes
    ----------
    delimiter : str
    quote : str or None
        The character around texts that contain delimiters; None if quotes have no meaning.
    escape : str or None
        The character before a quote inside a quoted text; None if quotes are doubled instead.
    skip_blanks : bool
        Whether blanks after a delimiter are ignored: ``1, "a, b"``.

    Examples
    --------
    >>> list(CsvStyle(",", skip_blanks=True).reader(['1, "a, b"']))
    [['1', 'a, b']]
    >>> list(CsvStyle(",", escape="\\").reader(['1,"a \\"b\\", c"']))
    [['1', 'a "b", c']]
    """

    delimiter: str
    quote: str | None = '"'
    escape: str | None = None
    skip_blanks: bool = False

    @classmethod
    def of(cls, source: Mapping[str, Any], delimiter: str) -> CsvStyle:
        """Return the style of the training file (`Schema.source`) with this delimiter."""
        return cls(delimiter, source.get("quote", '"'), source.get("escape"), bool(source.get("skip_blanks")))

    def reader(self, lines: Iterable[str]) -> Any:
        """Return a `csv.reader` for lines in this style."""
        if self.quote is None:
            return csv.reader(lines, delimiter=self.delimiter, quotechar=None, quoting=csv.QUOTE_NONE)
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=self.escape,
            doublequote=self.escape is None,
            skipinitialspace=self.skip_blanks,
        )


def separator_line(text: str) -> tuple[str | None, int]:
    r"""Return the delimiter named by a first line such as ``sep=;`` (Excel), and the line's length.

    Examples
    --------
    >>> separator_line("sep=;\na;b\n"), separator_line("a;b\n")
    ((';', 6), (None, 0))
    """
    match = _SEPARATOR_LINE.match(text)
    return (match[1], match.end()) if match else (None, 0)


def usual_width(records: Iterable[Sequence[str]]) -> int:
    """Return the most frequent number of fields; 0 if there are no records."""
    counts = Counter(len(record) for record in records)
    return counts.most_common(1)[0][0] if counts else 0


def title_count(records: Sequence[Sequence[str]]) -> int:
    """Count the title lines above a table: lines with one field above lines with several.

    A title may also fill up to half of the fields ("Sales 2020,,,as of 12/08/2020") if a line with
    all column names follows.

    Examples
    --------
    >>> title_count([["Sales of 2024"], ["a", "b", "c"], ["1", "2", "3"], ["4", "5", "6"]])
    1
    >>> title_count([["a"], ["1"], ["2"]])
    0
    """
    width = usual_width(records)
    filled = [sum(bool(field.strip()) for field in record) for record in records[: _MAX_TITLES + 1]]
    count = 0
    while width > 2 and count < min(_MAX_TITLES, len(records) - 2) and filled[count] <= 1:
        count += 1
    for at in range(count, min(len(filled), len(records) - 2)):
        if width > 2 and at > count and _names_columns(records[at], records[at + 1 :], width):
            return at
        if filled[at] * 2 > width:
            break
    return count


def _names_columns(record: Sequence[str], below: Sequence[Sequence[str]], width: int) -> bool:
    """Return whether a line names every column: distinct texts, with numbers below some of them."""
    names = [field.strip() for field in record]
    if len(names) != width or len(set(names)) < width or not all(names) or any(map(_looks_number, names)):
        return False
    rows = [row for row in below[:_ROWS_BELOW] if len(row) == width]
    return any(rows and all(_looks_number(row[at]) for row in rows) for at in range(width))


def _looks_number(text: str) -> bool:
    return _NUMBER_LIKE.fullmatch(text.strip()) is not None


def full_header(names: Sequence[str], body: Iterable[Sequence[str]]) -> list[str]:
    """Complete a header that has one name less than the table has columns.

    Lines that end with a delimiter have an empty last field. Otherwise the first column has the row
    names, which R writes without a header.

    Examples
    --------
    >>> full_header(["a", "b"], [["r1", "1", "2"], ["r2", "3", "4"]])
    ['', 'a', 'b']
    """
    records = list(body)
    width = usual_width(records)
    if len(names) != width - 1:
        return list(names)
    ends_empty = all(not record[-1].strip() for record in records if len(record) == width)
    return [*names, ""] if ends_empty else ["", *names]


def is_note(record: Sequence[str]) -> bool:
    """Return whether a line has no fields, or one with text: at the end of a table it is a note.

    Examples
    --------
    >>> is_note(["Source: office", "", ""]), is_note(["7", "", ""]), is_note(["a", "b", ""])
    (True, False, False)
    """
    filled = [field for field in record if field.strip()]
    return not filled or (len(filled) == 1 and not _looks_number(filled[0]))


def joined_header(records: Sequence[Sequence[str]]) -> list[str]:
    """Join a header of several lines; a name spans the empty fields to its right (a merged cell).

    Examples
    --------
    >>> joined_header([["", "Sex", ""], ["year", "male", "female"]])
    ['year', 'Sex male', 'Sex female']
    """
    width = max(map(len, records), default=0)
    out = [""] * width
    for record in records:
        above = ""
        below = records[-1]
        for at in range(width):
            text = record[at].strip() if at < len(record) else ""
            if record is not below:
                above = text or (above if at < len(below) and below[at].strip() else "")
                text = above
            out[at] = " ".join(filter(None, (out[at], text)))
    return out


def swallowed(record: Sequence[str], delimiter: str, width: int, *, last: bool = False) -> bool:
    r"""Return whether a quoted field contains rows of the table, because its quote was not closed.

    Texts may contain line breaks. Lines inside a field that have as many fields as the table are
    taken for rows if there are at least three of them, or one if the quote extends to the end of
    the file.

    Examples
    --------
    >>> swallowed(["1", "a,2\n3,b,4\n5,c,6\n7,d,8\n9,e"], ",", 3), swallowed(["1", "Dear all,\nbye", "2"], ",", 3)
    (True, False)
    """
    for at, text in enumerate(record):
        if "\n" not in text:
            continue
        lines = [line for line in text.splitlines()[1:] if line.strip()]
        rows = sum(line.count(delimiter) == width - 1 for line in lines)
        if width > 1 and rows >= _SWALLOWED and rows >= _LEAST_SHARE * (len(lines) - 1):
            return True
        if last and at == len(record) - 1 and (len(record) < width or (width > 1 and 0 < len(lines) == rows)):
            return True
    return False


def records_of(lines: Iterable[str], style: CsvStyle) -> Iterator[list[str]]:
    """Yield the records of a text, without blank lines."""
    return (record for record in style.reader(lines) if record)
