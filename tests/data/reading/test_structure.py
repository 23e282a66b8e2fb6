"""Lines that are no rows are understood or named, and never trained on in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.data.reading.read import read_table
from workbench.data.table import Table
from workbench.errors import DataError

BODY = [f"{'abc'[at % 3]},{at * 3 % 41},{at * 1.5}" for at in range(60)]


def table(tmp_path: Path, *lines: str) -> Table:
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_table(path)


def codes(found: Table) -> list[str]:
    return [each.code for each in found.findings]


@pytest.mark.parametrize(
    "titles",
    [
        ["Sales 2020,,,as of 12/08/2020"],
        ["Sales 2020,,,as of 12/08/2020", '"Note: units, at sale",,,'],
        ["Report", "", ",,,Page 1", "as of,2020,,"],
        [",,,right"],
    ],
)
def test_titles_may_stand_anywhere_above(tmp_path: Path, titles: list[str]) -> None:
    rows = [f"{'abc'[at % 3]},{at},{at * 3},{at * 1000}" for at in range(1, 61)]
    found = table(tmp_path, *titles, "ZONE,LOT,AREA,PRICE", *rows)
    assert found.names == ("ZONE", "LOT", "AREA", "PRICE") and found.n_rows == 60
    assert codes(found) == ["title_lines"]


@pytest.mark.parametrize("header", ["a,,", "a,b,", ",b,c"])
def test_a_header_with_empty_names_is_no_title(tmp_path: Path, header: str) -> None:
    assert table(tmp_path, header, *BODY).n_rows == 60
    words = [f"{'abc'[at % 3]},{'xyz'[at % 3]},w{at}" for at in range(60)]
    assert table(tmp_path, header, *words).n_rows == 60


@pytest.mark.parametrize(
    ("above", "below", "names"),
    [
        (",Sex,Sex", ",male,female", ("column_1", "Sex male", "Sex female")),
        ("town,Sex,Sex", ",male,female", ("town", "Sex male", "Sex female")),
    ],
)
def test_a_header_of_two_lines_is_read_as_one(
    tmp_path: Path, above: str, below: str, names: tuple[str, ...]
) -> None:
    found = table(tmp_path, above, below, *BODY)
    assert found.names == names and found.n_rows == 60 and found.source["header_rows"] == 2
    assert codes(found) == ["header_lines"]


@pytest.mark.parametrize("units", [",km/h,kg", "text,[m],[s]", "-,Mio. EUR,%"])
def test_a_line_of_units_is_left_out_and_named(tmp_path: Path, units: str) -> None:
    found = table(tmp_path, "town,speed,load", units, *BODY)
    assert found.names == ("town", "speed", "load") and found.n_rows == 60 and found.source["units_row"] == 1
    assert codes(found) == ["units_row"]


@pytest.mark.parametrize("first", ["a,n/a,?", "a,1,unknown", "a,unknown,unknown"])
def test_a_first_row_without_numbers_is_a_row(tmp_path: Path, first: str) -> None:
    found = table(tmp_path, "town,speed,load", first, *BODY, "b,unknown,unknown")
    assert found.n_rows == 62 and codes(found) == []


@pytest.mark.parametrize(
    "notes",
    [
        ["__________,,", "© Office 2022,,", "As of: 28.07.2022 / 20:34:46,,"],
        ["Source: office"],
        [",,", ",,"],
        ["", "* provisional", ""],
    ],
)
def test_notes_below_are_left_out(tmp_path: Path, notes: list[str]) -> None:
    found = table(tmp_path, "town,speed,load", *BODY, *notes)
    assert found.n_rows == 60
    assert "notes_below" in codes(found) or not any(note.strip(", ") for note in notes)


@pytest.mark.parametrize(
    "last", ["Total,1770,2655", "TOTAL:,1770,", "Grand total,1,2", "Summe,1,2", "合計,1,2"]
)
def test_a_total_below_is_left_out_and_named(tmp_path: Path, last: str) -> None:
    found = table(tmp_path, "town,speed,load", *BODY, last, "Source: office,,")
    assert found.n_rows == 60 and codes(found) == ["notes_below", "total_row"]


def test_totals_among_the_rows_are_named(tmp_path: Path) -> None:
    found = table(tmp_path, "town,speed,load", *BODY[:20], "Total,1,2", *BODY[20:], "Total,5,6")
    assert found.n_rows == 62 and codes(found) == ["totals_inside"]


def test_a_header_repeated_inside_is_left_out(tmp_path: Path) -> None:
    head = "town,speed,load"
    found = table(tmp_path, head, *BODY[:20], head, *BODY[20:], head)
    assert found.n_rows == 60 and codes(found) == ["repeated_header"]


@pytest.mark.parametrize("at", [0, 1, 30, 57, 58, 59])
@pytest.mark.parametrize("field", [0, 1, 2])
def test_a_quote_that_is_not_closed_is_named(tmp_path: Path, at: int, field: int) -> None:
    rows = [row.split(",") for row in BODY]
    rows[at][field] = '"' + rows[at][field]
    lines = ["town,speed,load", *map(",".join, rows)]
    if at == 59 and field == 2:
        assert table(tmp_path, *lines).n_rows == 60  # nothing stands below it
    elif at in (0, 1):  # most of the table is inside the quote: the quotes are taken for letters
        try:
            assert table(tmp_path, *lines).n_rows == 60
        except DataError as error:
            assert f"line {at + 2}: a quote is not closed" in str(error)
    else:
        with pytest.raises(DataError, match=rf"t.csv, line {at + 2}: a quote is not closed"):
            table(tmp_path, *lines)


def test_texts_may_hold_line_breaks(tmp_path: Path) -> None:
    rows = [f'a,{at},"Dear all,\nsee you, there\nbye"' for at in range(30)]
    assert table(tmp_path, "town,speed,note", *rows).n_rows == 30


def test_a_merged_cell_stands_above_the_empty_ones_to_its_right(tmp_path: Path) -> None:
    rows = [f"{at},{at % 7},{at % 5},{at * 3}" for at in range(60)]
    found = table(tmp_path, "Year,Sex,,", ",male,female,total", *rows)
    assert found.names == ("Year", "Sex male", "Sex female", "Sex total") and found.n_rows == 60
