"""How a delimited text file is written: its delimiter, its quotes, and whether its first line is a header.

Every combination is tried on the file's first lines with the csv module, which is also what reads files when a model
serves. The one under which most lines have the same number of fields is taken.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from workbench.runtime.schema import MISSING_TEXT, parse_number

DELIMITERS = (",", ";", "\t", "|")
_ROWS_TRIED = 2000
_LEAST_AGREEMENT = 0.5


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text file is written.

    Attributes
    ----------
    delimiter : str
    quote : str or None
        The character around texts that hold delimiters; None where quotes have no meaning.
    header : bool
        Whether the first line names the columns.
    raw_names : tuple of str
        That line's fields as they are, one a column; positions ("0", "1", …) where there is no header.
    """

    delimiter: str
    quote: str | None
    header: bool
    raw_names: tuple[str, ...]

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.raw_names)


def sniff(text: str, *, complete: bool, header: bool | None = None) -> Dialect:
    r"""Find the dialect of a text that begins a file.

    Parameters
    ----------
    text : str
    complete : bool
        Whether `text` is the whole file: otherwise its last line is not trusted.
    header : bool or None
        Whether there is a header; None finds out.

    Examples
    --------
    >>> sniff("a;b\n1,5;2\n2,5;3\n", complete=True)
    Dialect(delimiter=';', quote='"', header=True, raw_names=('a', 'b'))
    >>> sniff("1\t2\n3\t4\n", complete=True).raw_names
    ('0', '1')
    """
    best: tuple[float, float, str, str | None, list[list[str]]] | None = None
    for delimiter in DELIMITERS:
        for quote in _quotes(text, delimiter):
            rows = _split(text, delimiter, quote, complete=complete)
            agreement, plainness = _agreement(rows), _plainness(rows, delimiter)
            if quote is None:
                agreement -= 0.2  # quotes mean something unless they plainly do not
            if agreement < _LEAST_AGREEMENT:
                continue
            if (
                best is None
                or (agreement > best[0] + 0.02)
                or (agreement > best[0] - 0.02 and plainness > best[1])
            ):
                best = (agreement, plainness, delimiter, quote, rows)
    if best is None:
        delimiter, quote, rows = ",", '"', _split(text, "\0", '"', complete=complete)
    else:
        _, _, delimiter, quote, rows = best
    has_header = _has_header(rows) if header is None else header
    return Dialect(delimiter, quote, has_header, _raw_names(rows, has_header=has_header))


def _quotes(text: str, delimiter: str) -> list[str | None]:
    if '"' in text:
        return ['"', None]
    return ["'", '"'] if delimiter + "'" in text and "'" + delimiter in text else ['"']


def _split(text: str, delimiter: str, quote: str | None, *, complete: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    lines = io.StringIO(text, newline="")
    reader = csv_reader(lines, delimiter, quote)
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) > _ROWS_TRIED:
                return rows[:-1]
    except csv.Error:  # a field longer than the module takes: these quotes swallow the file
        return rows
    return rows if complete or len(rows) < 2 else rows[:-1]


def csv_reader(lines: Iterable[str], delimiter: str, quote: str | None) -> Iterator[list[str]]:
    """Return the csv module's reader for a dialect."""
    if quote is None:
        return csv.reader(lines, delimiter=delimiter, quotechar=None, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=delimiter, quotechar=quote)


def _modal_width(rows: Sequence[Sequence[str]]) -> int:
    body = rows[1:] or rows
    return Counter(len(row) for row in body).most_common(1)[0][0] if body else 0


def _agreement(rows: list[list[str]]) -> float:
    """Share of lines with the usual number of fields; the first line counts for a fifth of it all."""
    width = _modal_width(rows)
    if width < 2:
        return 0.0
    body = rows[1:] or rows
    share = sum(len(row) == width for row in body) / len(body)
    return 0.8 * share + 0.2 * (width - 1 <= len(rows[0]) <= width)


def _plainness(rows: list[list[str]], delimiter: str) -> float:
    """Share of fields in which no other delimiter is left, decimal commas aside."""
    others = [each for each in DELIMITERS if each != delimiter]
    fields = [field for row in rows[:200] for field in row]
    plain = sum(is_number(field) or not any(each in field for each in others) for field in fields)
    return plain / max(len(fields), 1)


def is_number(field: str) -> bool:
    """Tell whether a field is a number, with a decimal point or a decimal comma."""
    text = field.strip()
    return parse_number(text, thousands=",") is not None or parse_number(text, decimal=",") is not None


def _has_header(rows: list[list[str]]) -> bool:
    if len(rows) < 2:
        return True
    first, body = rows[0], rows[1:200]
    names = [field.strip() for field in first]
    if _counts_up(names):
        return True
    for_header = for_data = repeated = 0
    for position, name in enumerate(names):
        fields = [row[position].strip() for row in body if len(row) > position]
        known = [field for field in fields if field not in MISSING_TEXT]
        if name in MISSING_TEXT or not known:
            continue
        repeated += name in known
        if sum(map(is_number, known)) >= 0.9 * len(known):
            for_data += is_number(name)
            for_header += not is_number(name)
    if for_data or for_header:
        return for_header >= for_data
    return repeated < 0.5 * len(names)


def _counts_up(names: list[str]) -> bool:
    """Names 0, 1, 2, … are what a data frame without names is written with; 2019, 2020, … head one column a year."""
    numbers = [int(name) for name in names if name.isascii() and name.isdigit()]
    if len(numbers) < 2 or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return False
    if len(numbers) < len([name for name in names if name]):
        return 1900 <= numbers[0] <= 2100
    return numbers[0] == 0 or 1900 <= numbers[0] <= 2100


def _raw_names(rows: list[list[str]], *, has_header: bool) -> tuple[str, ...]:
    width = max(_modal_width(rows), 1) if rows else 0
    if not has_header:
        return tuple(str(at) for at in range(width))
    names = list(rows[0]) if rows else []
    if len(names) == width - 1:
        ends_empty = all(not row[-1].strip() for row in rows[1:] if len(row) == width)
        # a delimiter at the end of every line, or row names without a heading as R writes them
        names = [*names, ""] if ends_empty else ["", *names]
    return tuple(names)
