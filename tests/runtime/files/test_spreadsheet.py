"""Text that a spreadsheet would execute is escaped in a CSV file; numbers are kept."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.runtime.made import ROWS
from workbench.cli import main
from workbench.runtime.bundle.bundle import Bundle, open_bundle
from workbench.runtime.files.spreadsheet import is_formula
from workbench.runtime.jobs.batch import score_file

RUN = ["=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+cmd|'x'!A1", "@SUM(1+1)", "\t=1", "\r=1", " =1", "=", "＝1+1", "-2-3",
       "=HYPERLINK(\"http://x\")", "+49 (0)30 call", "-", "--", "\u00a0=1"]  # fmt: skip
KEPT = ["-5", "+3.2", "-1,234.50", "-1.234,50 €", "-5 %", "-$5", "−5", "+1e-5", "-inf", "+49 30 1234", "-abc", "+x_1",
        "", "a=1", "(5)", "1-2", "-.5", "- 5"]  # fmt: skip
SIGNS = {"-", "--"}  # mean a missing value


@pytest.mark.parametrize("text", RUN)
def test_what_a_spreadsheet_would_run_is_seen(text: str) -> None:
    assert is_formula(text) is (text not in SIGNS)


@pytest.mark.parametrize("text", KEPT)
def test_numbers_and_words_are_left_alone(text: str) -> None:
    assert not is_formula(text)


def written(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    texts = [*RUN, *KEPT]
    lines = [json.dumps({**ROWS[0], "note": text, "=more": -5}) for text in texts]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_predict_escapes_a_csv(
    folder: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(folder), str(rows), "--out", str(tmp_path / "out.csv")]) == 0
    out = written(tmp_path / "out.csv")
    expected = [f"'{text}" if text not in SIGNS else text for text in RUN] + KEPT
    assert [row["note"] for row in out] == expected
    assert {row["'=more"] for row in out} == {"-5"}
    assert f"{len(RUN) - len(SIGNS) + 1} cells (--no-escape-formulas keeps them)" in capsys.readouterr().out
    again = tmp_path / "again.csv"
    assert main(["predict", str(folder), str(rows), "--out", str(again), "--no-escape-formulas"]) == 0
    assert [row["note"] for row in written(again)] == [*RUN, *KEPT]


@pytest.mark.parametrize("name", ["out.tsv", "out.csv.gz", "out.jsonl", "out.parquet"])
def test_files_for_programs_are_never_changed(bundle: Bundle, rows: Path, tmp_path: Path, name: str) -> None:
    assert score_file(bundle, rows, tmp_path / name, escape_formulas=True).formulas == 0


def test_python_changes_nothing_unless_asked(folder: Path, rows: Path, tmp_path: Path) -> None:
    report = score_file(open_bundle(folder), rows, tmp_path / "out.csv")
    assert (report.formulas, written(tmp_path / "out.csv")[0]["note"]) == (0, "=1+1")
