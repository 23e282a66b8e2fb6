"""Find lines of a text file that are not rows: a second header, units, notes, totals, a repeated
header.

None of them is trained on without a finding:

- **Second header**: a line below the header that has text above every column of numbers. If the
  first line has empty or repeated names, both lines form the names ("Sex", "male" becomes "Sex
  male"). If the first line names every column, the second line has units or descriptions and is
  left out.
- **Notes**: the last lines with text in a single field, in a table of three columns or more, and
  empty lines with them.
- **Totals**: the last lines with "Total" or a similar word in a column where no other line has one.
  Such a line further up may be a category, so it is reported and not left out.
- **Repeated header**: a line that equals the header.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.errors import shown
from workbench.runtime.core.schema import MISSING_TEXT
from workbench.runtime.files.csv_text import is_note, joined_header

from ..dataset import Finding
from .dialect import is_number

_MOST_HEADERS, _MOST_NOTES, _MOST_TOTALS = 2, 20, 3
_SAMPLE, _EDGE = 200, 10
_MOST_WORDS = 10_000
_LEAST_NUMBERS = 0.8
_LEAST_COLUMNS = 3  # fewer columns do not distinguish notes from rows
_BRACKETED = re.compile(r"[(\[].{1,20}[)\]]")
_TOTAL = re.compile(
    r"(?:grand[ -]?|sub[ -]?|over)?totals?|totaux|total (?:g[eé]n[eé]ral|general)|totale|sum|summe|gesamt(?:summe)?|"
    r"insgesamt|somme|suma|soma|итого|всего|合計|合计|总计|總計|합계",
    re.IGNORECASE,
)
_MEAN = re.compile(r"averages?|means?|mittelwert|durchschnitt|moyenne|promedio|平均", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Structure:
    """A table without the lines that are not rows.

    Attributes
    ----------
    names : tuple of str
    columns : tuple of pyarrow.ChunkedArray
    findings : tuple of Finding
    source : dict
        Entries for `Schema.source`: "header_rows" if several lines form the names, "units_row".
    """

    names: tuple[str, ...]
    columns: tuple[pa.ChunkedArray, ...]
    findings: tuple[Finding, ...] = ()
    source: dict[str, object] = field(default_factory=dict)


def understood(names: tuple[str, ...], columns: tuple[pa.ChunkedArray, ...], *, header: bool) -> Structure:
    """Leave out the lines of a table of strings that are not rows, with findings.

    Examples
    --------
    >>> columns = tuple(pa.chunked_array([each]) for each in (["km/h", *"123412341"], ["kg", *"567856785"]))
    >>> found = understood(("speed", "load"), columns, header=True)
    >>> len(found.columns[0]), found.findings[0].message
    (9, "the line below the header is not a row ('km/h', 'kg') and was left out")
    """
    findings: list[Finding] = []
    source: dict[str, object] = {}
    numeric = _numeric(columns)
    if header:
        names, columns, more = _below_header(names, columns, numeric, source)
        findings += more
        columns, more = _without_repeats(names, columns)
        findings += more
    columns, more = _without_footer(columns)
    return Structure(names, columns, (*findings, *more, *_total_inside(names, columns, numeric)), source)


def _numeric(columns: Sequence[pa.ChunkedArray]) -> list[bool]:
    """Return for each column whether the middle part is mostly numbers."""
    out = []
    for column in columns:
        rows = len(column)
        edge = min(_EDGE, rows // 4)
        middle = column.slice(edge, max(rows - 2 * edge, 1))
        step = max(1, len(middle) // _SAMPLE)
        texts = [str(text).strip() for text in middle.take(list(range(0, len(middle), step))).to_pylist()]
        known = [text for text in texts if text not in MISSING_TEXT]
        out.append(len(known) > 1 and sum(map(is_number, known)) >= _LEAST_NUMBERS * len(known))
    return out


def _row(columns: Sequence[pa.ChunkedArray], at: int) -> list[str]:
    return [str(column[at].as_py() or "").strip() for column in columns]


def _below_header(
    names: tuple[str, ...],
    columns: tuple[pa.ChunkedArray, ...],
    numeric: Sequence[bool],
    source: dict[str, object],
) -> tuple[tuple[str, ...], tuple[pa.ChunkedArray, ...], list[Finding]]:
    findings = []
    for _ in range(_MOST_HEADERS):
        if len(columns[0]) < _EDGE or not _is_second_header(columns, numeric):
            break
        row = _row(columns, 0)
        columns = tuple(column.slice(1) for column in columns)
        listed = ", ".join(shown(text) for text in row if text)
        if _complete(names):
            source["units_row"] = int(str(source.get("units_row", 0))) + 1
            message = f"the line below the header is not a row ({listed}) and was left out"
            findings.append(Finding("units_row", "warning", None, message))
        else:
            names = tuple(joined_header([names, row]))
            source["header_rows"] = int(str(source.get("header_rows", 1))) + 1
            message = f"the header has several lines, which were joined:  {', '.join(map(shown, names[:6]))}"
            findings.append(Finding("header_lines", "info", None, message))
    return names, columns, findings


def _is_second_header(columns: Sequence[pa.ChunkedArray], numeric: Sequence[bool]) -> bool:
    """Return whether the first line has text in columns that are numbers in all other lines."""
    row = _row(columns, 0)
    above = [(text, column) for text, column, each in zip(row, columns, numeric, strict=True) if each]
    above = [(text, column) for text, column in above if text not in MISSING_TEXT]
    if not above or any(is_number(text) for text, _ in above):
        return False
    if len(above) == 1 and not _BRACKETED.fullmatch(above[0][0]):
        return False
    return all(pc.sum(pc.equal(pc.utf8_trim_whitespace(column), text)).as_py() == 1 for text, column in above)


def _complete(names: Sequence[str]) -> bool:
    stripped = [name.strip() for name in names]
    return all(stripped) and len(set(stripped)) == len(stripped)


def _without_repeats(
    names: Sequence[str], columns: tuple[pa.ChunkedArray, ...]
) -> tuple[tuple[pa.ChunkedArray, ...], list[Finding]]:
    if not any(name.strip() for name in names):
        return columns, []
    same: pa.ChunkedArray | None = None
    for name, column in zip(names, columns, strict=True):
        equal = pc.equal(pc.utf8_trim_whitespace(column), name.strip())
        same = equal if same is None else pc.and_(same, equal)
        if not pc.any(same).as_py():
            return columns, []
    count = int(pc.sum(same).as_py())
    message = f"the header is repeated among the rows, {count:,} times; these lines were left out"
    kept = pc.invert(same)
    return tuple(column.filter(kept) for column in columns), [
        Finding("repeated_header", "warning", None, message)
    ]


def _without_footer(
    columns: tuple[pa.ChunkedArray, ...],
) -> tuple[tuple[pa.ChunkedArray, ...], list[Finding]]:
    rows = end = len(columns[0])
    if rows < _EDGE:
        return columns, []
    notes: list[str] = []
    if len(columns) >= _LEAST_COLUMNS and _filled(_row(columns, rows // 2)) > 1:
        while end > 1 and rows - end < _MOST_NOTES:
            row = _row(columns, end - 1)
            note = next(filter(None, row), "")
            if not is_note(row):
                break
            notes += [note] if note else []
            end -= 1
    findings = []
    if notes:
        which = "a line" if len(notes) == 1 else f"{len(notes)} lines"
        message = f"{which} below the table, left out: {shown(notes[-1])}"
        findings.append(Finding("notes_below", "warning", None, message))
    totals: list[str] = []
    while end > 1 and len(totals) < _MOST_TOTALS:
        word = _total_word(columns, end - 1)
        if not word:
            break
        totals.append(word)
        end -= 1
    if totals:
        message = (
            f"the last line has {shown(totals[-1])}: a total of the others is not a row, and was left out"
        )
        findings.append(Finding("total_row", "warning", None, message))
    return tuple(column.slice(0, end) for column in columns), findings


def _filled(row: Sequence[str]) -> int:
    return sum(map(bool, row))


def _total_word(columns: Sequence[pa.ChunkedArray], at: int) -> str:
    """Return the word that marks a line as a total: no line above has it in that column."""
    for column, text in zip(columns, _row(columns, at), strict=True):
        word = text.rstrip(":. ")
        if _TOTAL.fullmatch(word) or _MEAN.fullmatch(word):
            above = pc.equal(pc.utf8_trim_whitespace(column.slice(0, at)), text)
            return text if not pc.any(above).as_py() else ""
    return ""


def _total_inside(
    names: Sequence[str], columns: Sequence[pa.ChunkedArray], numeric: Sequence[bool]
) -> list[Finding]:
    """Report lines further up with the word of a total: they may be sums of other lines."""
    findings = []
    if not any(numeric):
        return []
    for name, column, is_numeric in zip(names, columns, numeric, strict=True):
        if is_numeric:
            continue
        counts = pc.value_counts(column)
        if len(counts) > min(len(column) // 2 + 1, _MOST_WORDS):
            continue
        totals = [each for each in counts.to_pylist() if _TOTAL.fullmatch(str(each["values"]).strip(" :."))]
        rows = int(np.sum([each["counts"] for each in totals]))
        if rows:
            message = (
                f"{rows:,} rows have {shown(str(totals[0]['values']).strip())}: if these are sums of other rows, "
                "leave them out of the file"
            )
            findings.append(Finding("totals_inside", "warning", name.strip() or None, message))
    return findings
