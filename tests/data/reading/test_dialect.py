"""The dialect of a delimited text is found from its first lines."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.reading.dialect import DELIMITERS, sniff


def test_decimal_commas_do_not_pass_for_delimiters() -> None:
    found = sniff("a;b\n" + "1,5;2,25\n" * 20, complete=True)
    assert (found.delimiter, found.raw_names) == (";", ("a", "b"))
    assert sniff("1,5;2,25\n" * 20, complete=True).delimiter == ";"


def test_sentences_with_commas_in_a_file_of_tabs() -> None:
    found = sniff("text\tlabel\n" + "well, yes, I think, so\t1\n" * 20, complete=True)
    assert found.delimiter == "\t"


def test_sentences_alone_are_one_column() -> None:
    found = sniff("text\nwell, yes\nno\nperhaps, if, so\nnever\n", complete=True)
    assert found.raw_names == ("text",)


def test_stray_quotes_have_no_meaning() -> None:
    lines = [f'{at},6" board {at},x' if at % 2 else f'{at},"{at} inch" board,x' for at in range(30)]
    assert sniff("n,what,y\n" + "\n".join(lines), complete=True).width == 3


def test_single_quotes() -> None:
    found = sniff("n,what,y\n" + "1,'a, b',2\n" * 20, complete=True)
    assert (found.quote, found.width) == ("'", 3)


def test_blanks_after_delimiters_before_quotes() -> None:
    found = sniff("n, what, y\n" + '1, "a, b", 2\n' * 20, complete=True)
    assert (found.style.skip_blanks, found.width) == (True, 3)


def test_quotes_behind_backslashes() -> None:
    found = sniff("n,what,y\n" + '1,"say \\"a\\", b",2\n' * 20, complete=True)
    assert (found.style.escape, found.width) == ("\\", 3)


@pytest.mark.parametrize(
    ("above", "lines", "titles"),
    [
        ("", 1, ()),
        ("\n\n", 3, ()),
        ("sep=,\n", 2, ()),
        ("Sales of 2024\n# by region\n", 3, ("Sales of 2024", "# by region")),
        ("Sales of 2024,,\n\n", 3, ("Sales of 2024  ",)),
    ],
)
def test_what_stands_above_the_header(above: str, lines: int, titles: tuple[str, ...]) -> None:
    found = sniff(above + "a,b,c\n" + "1,2,x\n" * 20, complete=True)
    assert (found.raw_names, found.skipped_lines, found.titles) == (("a", "b", "c"), lines, titles)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a,b\n1,2\n3,4\n", True),
        ("1,2\n3,4\n5,6\n", False),
        ("0,1,2\n5.5,3,a\n1.5,2,b\n", True),
        (",0,1\n0,5.5,3\n1,1.5,2\n", True),
        ("red,yes\nblue,no\nred,yes\n", False),
        ("colour,sold\nblue,no\nred,yes\n", True),
        ("name,2019,2020\nx,1,2\ny,3,4\n", True),
        ("NA,1\n2,3\n4,5\n", False),
    ],
)
def test_headers_are_told_from_data(text: str, header: bool) -> None:
    assert sniff(text, complete=True).header is header


def test_an_incomplete_last_line_is_not_trusted() -> None:
    assert sniff("a,b,c\n1,2,3\n4,5", complete=False).width == 3


FIELDS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs", "Cc"]), max_size=8
)


@given(
    st.lists(
        st.tuples(st.integers(), FIELDS, st.floats(allow_nan=False, allow_infinity=False)),
        min_size=3,
        max_size=20,
    ),
    st.sampled_from(DELIMITERS),
)
@settings(deadline=None)
def test_what_the_csv_module_writes_is_read_back(rows: list[tuple[int, str, float]], delimiter: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(["first", "second", "third"])
    writer.writerows(rows)
    found = sniff(out.getvalue(), complete=True)
    assert (found.delimiter, found.quote, found.header) == (delimiter, '"', True)
    assert found.raw_names == ("first", "second", "third")
