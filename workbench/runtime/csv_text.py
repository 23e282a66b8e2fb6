"""What training and scoring share about delimited text: how a line is cut, and which line names the columns."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SEPARATOR_LINE = re.compile(r"sep=([,;\t|])\r?(?:\n|\Z)", re.IGNORECASE)
_MOST_TITLES = 20


@dataclass(frozen=True, slots=True)
class CsvStyle:
    r"""How the fields of a line are told apart.

    Attributes
    ----------
    delimiter : str
    quote : str or None
        The character around texts that hold delimiters; None where quotes have no meaning.
    escape : str or None
        What stands before a quote inside a quoted text; None where such a quote is doubled.
    skip_blanks : bool
        Whether blanks after a delimiter are no part of the field: ``1, "a, b"``.

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
        """Return the style of a training file (`Schema.source`), with another delimiter."""
        return cls(delimiter, source.get("quote", '"'), source.get("escape"), bool(source.get("skip_blanks")))

    def reader(self, lines: Iterable[str]) -> Any:
        """Return the csv module's reader of lines in this style."""
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
    r"""Return the delimiter that a first line ``sep=;`` (Excel's) names, and the length of that line.

    Examples
    --------
    >>> separator_line("sep=;\na;b\n"), separator_line("a;b\n")
    ((';', 6), (None, 0))
    """
    match = _SEPARATOR_LINE.match(text)
    return (match[1], match.end()) if match else (None, 0)


def usual_width(records: Iterable[Sequence[str]]) -> int:
    """Return how many fields most records have; 0 where there is none."""
    counts = Counter(len(record) for record in records)
    return counts.most_common(1)[0][0] if counts else 0


def title_count(records: Sequence[Sequence[str]]) -> int:
    """Count the lines of a title or comment that stand above a table: one field in them, several below.

    Examples
    --------
    >>> title_count([["Sales of 2024"], ["a", "b", "c"], ["1", "2", "3"], ["4", "5", "6"]])
    1
    >>> title_count([["a"], ["1"], ["2"]])
    0
    """
    width = usual_width(records)
    count = 0
    while width > 2 and count < min(_MOST_TITLES, len(records) - 2):
        filled = sum(bool(field.strip()) for field in records[count])
        if filled > 1 or len(records[count]) not in (1, width):
            break
        count += 1
    return count


def full_header(names: Sequence[str], body: Iterable[Sequence[str]]) -> list[str]:
    """Return a name for every column of a table whose header lacks one.

    Lines that end with a delimiter have an empty last field; otherwise the first field is the name of the row, which
    R writes without a heading.

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


def records_of(lines: Iterable[str], style: CsvStyle) -> Iterator[list[str]]:
    """Yield the records of a text, blank lines left out."""
    return (record for record in style.reader(lines) if record)
