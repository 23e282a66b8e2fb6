"""Files to score are read like the training file: header lines, units, short lines and notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench.runtime.core.schema import Column, Output, Schema
from workbench.runtime.errors import BadFileError
from workbench.runtime.files.delimited import CsvSource

COLUMNS = (Column("town", "category"), Column("speed", "number"), Column("load", "number"))
ROWS = ["a,1,2", "b,3,4", "c,5,6"]


def read(
    tmp_path: Path, source: dict[str, Any], *lines: str, columns: tuple[Column, ...] = COLUMNS
) -> tuple[list[str], list[tuple[str, ...]], dict[int, str]]:
    path = tmp_path / "in.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    opened = CsvSource(path, Schema(columns, Output("y", "regression"), source))
    rows: list[tuple[str, ...]] = []
    defects: dict[int, str] = {}
    for chunk in opened.chunks(2):
        defects |= {len(rows) + at: why for at, why in chunk.defects.items()}
        rows += list(zip(*chunk.columns, strict=True))
    return opened.header, rows, defects


def test_short_lines_are_filled_up_as_in_training(tmp_path: Path) -> None:
    _, rows, defects = read(tmp_path, {"reader": 2}, "town,speed,load", "a,1", *ROWS)
    assert rows[0] == ("a", "1", "") and not defects


def test_bundles_of_before_report_short_lines(tmp_path: Path) -> None:
    _, rows, defects = read(tmp_path, {}, "town,speed,load", "a,1", *ROWS)
    assert len(rows) == 4 and defects == {0: "found 2 fields; expected 3"}


def test_long_lines_are_defects(tmp_path: Path) -> None:
    _, _, defects = read(tmp_path, {"reader": 2}, "town,speed,load", "a,1,2,3", *ROWS)
    assert defects == {0: "found 4 fields; expected 3"}


@pytest.mark.parametrize("title", [[], ["Report;;"], ["Report", "x,y,"]])
def test_a_header_of_two_lines_is_joined(tmp_path: Path, title: list[str]) -> None:
    columns = (Column("year", "number"), Column("Sex male", "number"), Column("Sex female", "number"))
    lines = [*title, "year,Sex,", ",male,female", "2000,1,2", "2001,3,4"]
    header, rows, _ = read(tmp_path, {"reader": 2, "header_rows": 2}, *lines, columns=columns)
    assert header == ["year", "Sex male", "Sex female"] and rows == [("2000", "1", "2"), ("2001", "3", "4")]


def test_units_are_passed_over_where_training_had_them(tmp_path: Path) -> None:
    source = {"reader": 2, "units_row": 1}
    assert len(read(tmp_path, source, "town,speed,load", ",km/h,kg", *ROWS)[1]) == 3
    assert len(read(tmp_path, source, "town,speed,load", *ROWS)[1]) == 3
    assert len(read(tmp_path, {"reader": 2}, "town,speed,load", ",km/h,kg", *ROWS)[1]) == 4


def test_notes_at_the_end_are_no_rows_and_keep_their_place(tmp_path: Path) -> None:
    lines = ["town,speed,load", "d,,", *ROWS, "Source: office", ",,"]
    _, rows, defects = read(tmp_path, {"reader": 2}, *lines)
    assert len(rows) == 6 and rows[0] == ("d", "", "")
    assert set(defects) == {4, 5} and "not a row" in defects[4]


@pytest.mark.parametrize("at", [0, 1, 2, 7, 8])
def test_a_quote_that_is_not_closed_is_named(tmp_path: Path, at: int) -> None:
    lines = ROWS * 3
    lines[at] = '"' + lines[at]
    with pytest.raises(BadFileError, match=rf"in.csv, line {at + 2}: a quote is not closed"):
        read(tmp_path, {}, "town,speed,load", *lines)
