"""Infer how a delimited text file is written: its delimiter, its quotes, and whether it has a
header.

Every combination is tried on the first lines with the csv module, which also reads files when a
model serves. The result is the one with which most lines have the same number of fields.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from workbench.runtime.core.schema import MISSING_TEXT, parse_number
from workbench.runtime.files.csv_text import CsvStyle, full_header, separator_line, title_count, usual_width

DELIMITERS = (",", ";", "\t", "|")
_ROWS_TRIED = 2000
_LEAST_AGREEMENT = 0.5


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text file is written.

    Attributes
    ----------
    style : CsvStyle
    header : bool
        Whether a line has the column names.
    raw_names : tuple of str
        The raw fields of that line; positions ("0", "1", …) if there is no header.
    skipped_lines : int
        Lines before the first row: the header and the lines above it.
    titles : tuple of str
        Lines of a title or comment among these.
    """

    style: CsvStyle
    header: bool
    raw_names: tuple[str, ...]
    skipped_lines: int = 0
    titles: tuple[str, ...] = ()

    @property
    def delimiter(self) -> str:
        """The character between fields."""
        return self.style.delimiter

    @property
    def quote(self) -> str | None:
        """The character around strings with delimiters."""
        return self.style.quote

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.raw_names)


class _Split(NamedTuple):
    """A text split into records: titles, records of the table, and the line number at which each
    record ends.
    """

    titles: list[list[str]]
    rows: list[list[str]]
    ends: list[int]


def sniff(text: str, *, complete: bool, header: bool | None = None) -> Dialect:
    r"""Infer the dialect from the first lines of a file.

    Parameters
    ----------
    text : str
    complete : bool
        Whether `text` is the whole file; if not, its last line may be incomplete.
    header : bool or None
        Whether there is a header; None infers it.

    Examples
    --------
    >>> found = sniff("a;b\n1,5;2\n2,5;3\n", complete=True)
    >>> found.delimiter, found.header, found.raw_names
    (';', True, ('a', 'b'))
    >>> sniff("1\t2\n3\t4\n", complete=True).raw_names
    ('0', '1')
    """
    marked, at = separator_line(text)
    text = text[at:]
    style, split = _best_style(text, DELIMITERS if marked is None else (marked,), complete=complete)
    has_header = _has_header(split.rows) if header is None else header
    above = len(split.titles) + int(has_header)
    return Dialect(
        style,
        has_header,
        _raw_names(split.rows, has_header=has_header),
        int(marked is not None) + (split.ends[above - 1] if above and split.ends else 0),
        tuple(" ".join(record) for record in split.titles),
    )


def _best_style(text: str, delimiters: Sequence[str], *, complete: bool) -> tuple[CsvStyle, _Split]:
    best: tuple[float, float, CsvStyle, _Split] | None = None
    for delimiter in delimiters:
        for style in _styles(text, delimiter, complete=complete):
            split = _split(text, style, complete=complete)
            agreement, plainness = _agreement(split.rows), _plainness(split.rows, delimiter)
            if style.quote is None:
                agreement -= 0.2  # prefer quotes unless they clearly do not fit
            if split.titles:
                agreement -= 0.05  # with another delimiter a header looks like a title too
            if agreement < _LEAST_AGREEMENT:
                continue
            if (
                best is None
                or (agreement > best[0] + 0.02)
                or (agreement > best[0] - 0.02 and plainness > best[1])
            ):
                best = (agreement, plainness, style, split)
    if best is None:
        one = CsvStyle(",")
        return one, _split(text, replace(one, delimiter="\0"), complete=complete)
    return best[2], best[3]


def _styles(text: str, delimiter: str, *, complete: bool) -> Iterator[CsvStyle]:
    """Yield the plausible styles with a delimiter, the most likely first."""
    plain = CsvStyle(delimiter)
    if '"' not in text:
        if delimiter + "'" in text and "'" + delimiter in text:
            yield CsvStyle(delimiter, "'")
        yield plain
        return
    if f'{delimiter} "' in text:
        rows = _split(text, plain, complete=complete).rows
        if any(field[:1] == " " and field.lstrip(" ")[:1] == '"' for row in rows for field in row):
            yield replace(plain, skip_blanks=True)
    yield plain
    if '\\"' in text:
        yield replace(plain, escape="\\")
    yield replace(plain, quote=None)


def _split(text: str, style: CsvStyle, *, complete: bool) -> _Split:
    rows: list[list[str]] = []
    ends: list[int] = []
    reader = style.reader(io.StringIO(text, newline=""))
    try:
        for row in reader:
            if row:
                rows.append(row)
                ends.append(reader.line_num)
            if len(rows) > _ROWS_TRIED:
                break
        else:
            if complete:
                return _below_titles(rows, ends)
    except csv.Error:  # a field beyond the limit of csv: these quotes span the file
        return _below_titles(rows, ends)
    return _below_titles(rows if len(rows) < 2 else rows[:-1], ends)


def _below_titles(rows: list[list[str]], ends: list[int]) -> _Split:
    count = title_count(rows)
    return _Split(rows[:count], rows[count:], ends)


def _agreement(rows: list[list[str]]) -> float:
    """Return the share of lines with the usual number of fields; the first line has a fifth of the
    weight.
    """
    width = usual_width(rows[1:] or rows)
    if width < 2:
        return 0.0
    body = rows[1:] or rows
    share = sum(len(row) == width for row in body) / len(body)
    # one name fewer than columns is usual in files from R, and otherwise a sign of wrong quotes
    return 0.8 * share + {width: 0.2, width - 1: 0.15}.get(len(rows[0]), 0.0)


def _plainness(rows: list[list[str]], delimiter: str) -> float:
    """Return the share of fields without another delimiter; decimal commas do not count."""
    others = [each for each in DELIMITERS if each != delimiter]
    fields = [field for row in rows[:200] for field in row]
    plain = sum(is_number(field) or not any(each in field for each in others) for field in fields)
    return plain / max(len(fields), 1)


def is_number(field: str) -> bool:
    """Return whether a field is a number, with a decimal point or a decimal comma."""
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
    """Return whether numbers can be names: 0, 1, 2, … of a data frame without names, or years 2019,
    2020, ….
    """
    numbers = [int(name) for name in names if name.isascii() and name.isdigit()]
    if len(numbers) < 2 or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return False
    if len(numbers) < len([name for name in names if name]):
        return 1900 <= numbers[0] <= 2100
    return numbers[0] == 0 or 1900 <= numbers[0] <= 2100


def _raw_names(rows: list[list[str]], *, has_header: bool) -> tuple[str, ...]:
    if has_header:
        return tuple(full_header(rows[0], rows[1:])) if rows else ()
    return tuple(str(at) for at in range(max(usual_width(rows[1:] or rows), 1) if rows else 0))
