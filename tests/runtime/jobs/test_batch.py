from __future__ import annotations

import bz2
import csv
import gzip
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from tests.runtime.made import ROWS, make_predictor
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.core.schema import Schema
from workbench.runtime.errors import BadFileError, InputError, MissingColumnError
from workbench.runtime.files.parquet import ParquetSource
from workbench.runtime.jobs.batch import score_file

TEXT_ROWS: list[dict[str, Any]] = [
    {name: "" if value is None else str(value) for name, value in row.items()} for row in ROWS
]
TEXT_ROWS[2]["last"] = "2020-03-01T12:43:20"  # seconds since 1970 are a date as a number only


def write_csv(path: Path, rows: list[dict[str, Any]], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def read_any(path: Path) -> pd.DataFrame:
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        return pd.read_parquet(path)
    if name.endswith(".jsonl"):
        return pd.read_json(path, lines=True, dtype=False)
    return pd.read_csv(path, sep="\t" if name.endswith(".tsv") else ",")


INPUTS = {
    "csv": lambda folder: write_csv(folder / "in.csv", TEXT_ROWS),
    "tsv.gz": lambda folder: write_csv(folder / "in.tsv.gz", TEXT_ROWS, "\t"),
    "jsonl": lambda folder: write_jsonl(folder / "in.jsonl", ROWS),
    "jsonl.gz": lambda folder: write_jsonl(folder / "in.jsonl.gz", ROWS),
    "parquet": lambda folder: write_parquet(folder / "in.parquet", TEXT_ROWS),
}


@pytest.mark.parametrize("given", INPUTS)
@pytest.mark.parametrize("wanted", ["csv", "csv.gz", "tsv", "jsonl", "jsonl.gz", "parquet"])
def test_any_format_becomes_any_other(bundle: Bundle, tmp_path: Path, given: str, wanted: str) -> None:
    out = tmp_path / f"out.{wanted}"
    report = score_file(bundle, INPUTS[given](tmp_path), out, chunk_rows=2)
    assert (report.rows, report.failed) == (3, 0)
    frame = read_any(out)
    added = ["prediction", "probability_no", "probability_yes", "error"]
    assert list(frame.columns) == [*ROWS[0], *added]
    assert frame["prediction"].tolist() == bundle.predict(ROWS).tolist()
    found = frame[["probability_no", "probability_yes"]].to_numpy(dtype=float)
    np.testing.assert_allclose(found, bundle.predict_proba(ROWS), atol=1e-7)
    assert frame["error"].isna().all()


def test_every_task_has_its_columns(any_bundle: Bundle, tmp_path: Path) -> None:
    score_file(any_bundle, INPUTS["jsonl"](tmp_path), tmp_path / "out.parquet")
    frame = pd.read_parquet(tmp_path / "out.parquet")
    assert frame["prediction"].tolist() == any_bundle.predict(ROWS).tolist()
    named = [name for name in frame.columns if name.startswith("probability_")]
    assert named == [f"probability_{label}" for label in any_bundle.manifest.classes]


def test_input_cells_are_left_as_they_are(bundle: Bundle, tmp_path: Path) -> None:
    odd = {"=cmd()": "=1+1", "tab": "a\tb", "lines": 'one\n"two"', "zero": "007", "gap": " x "}
    rows = [{**row, **odd} for row in TEXT_ROWS]
    score_file(bundle, write_csv(tmp_path / "in.csv", rows), tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as stream:
        found = list(csv.DictReader(stream))
    assert [{name: row[name] for name in odd} for row in found] == [odd] * 3


def test_columns_that_have_our_names_are_kept(bundle: Bundle, tmp_path: Path) -> None:
    first = tmp_path / "first.csv"
    score_file(bundle, INPUTS["csv"](tmp_path), first)
    score_file(bundle, first, tmp_path / "second.csv")
    frame = pd.read_csv(tmp_path / "second.csv")
    assert frame["prediction"].tolist() == frame["prediction_2"].tolist()
    assert {"probability_no_2", "error_2"} <= set(frame.columns)


def test_a_file_may_be_scored_onto_itself(bundle: Bundle, tmp_path: Path) -> None:
    path = INPUTS["csv"](tmp_path)
    score_file(bundle, path, path, chunk_rows=1)
    assert "prediction" in pd.read_csv(path).columns
    assert [each.name for each in tmp_path.iterdir()] == ["in.csv"]


# ---------------------------------------------------------------- rows that fail


def test_bad_rows_do_not_stop_the_job(bundle: Bundle, tmp_path: Path) -> None:
    rows = [dict(TEXT_ROWS[0]) for _ in range(10)]
    rows[3]["tenure"] = "long"
    rows[7]["tenure"] = ""
    rows[8].update(signed="soon", senior="perhaps")
    report = score_file(bundle, write_csv(tmp_path / "in.csv", rows), tmp_path / "out.csv", chunk_rows=4)
    assert (report.rows, report.failed) == (10, 3)
    assert report.first_errors[0] == "row 3, column 'tenure': found 'long'; expected a number"
    frame = pd.read_csv(tmp_path / "out.csv")
    assert frame.index[frame["prediction"].isna()].tolist() == [3, 7, 8]
    assert frame["error"].notna().tolist() == frame["prediction"].isna().tolist()
    assert frame["error"][8].startswith("column 'senior': found 'perhaps'")
    assert "3 rows failed" in report.to_text()
    assert json.loads(json.dumps(report.to_json()))["failed"] == 3


def test_lines_of_another_length_fail_alone(bundle: Bundle, tmp_path: Path) -> None:
    path = INPUTS["csv"](tmp_path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], "", "1,2", lines[2] + ",,", lines[3] + ",more"]) + "\n")
    report = score_file(bundle, path, tmp_path / "out.jsonl")
    assert (report.rows, report.failed) == (4, 2)
    assert report.first_errors == ("row 1, found 2 fields; expected 8", "row 3, found 9 fields; expected 8")


@pytest.mark.parametrize("line", ["{", "[1]", "5", '"text"', "[" * 5000])
def test_lines_that_are_no_objects_fail_alone(bundle: Bundle, tmp_path: Path, line: str) -> None:
    path = INPUTS["jsonl"](tmp_path)
    path.write_text(path.read_text() + "\n" + line + "\n", encoding="utf-8")
    report = score_file(bundle, path, tmp_path / "out.csv")
    assert (report.rows, report.failed) == (4, 1)


def test_a_key_that_a_line_lacks_is_no_missing_value(bundle: Bundle, tmp_path: Path) -> None:
    rows = [{key: value for key, value in row.items() if value is not None} for row in ROWS]
    report = score_file(bundle, write_jsonl(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl")
    assert (report.rows, report.failed) == (3, 1)
    assert "row 1, column 'Monthly Charges' is missing" in report.first_errors[0]


def test_answers_that_are_no_numbers_fail_alone(tmp_path: Path, bundle: Bundle) -> None:
    broken = Bundle(bundle.path, bundle.manifest, make_predictor(broken=True))
    report = score_file(broken, INPUTS["csv"](tmp_path), tmp_path / "out.csv")
    assert report.failed == 3
    assert "NaN or infinity" in report.first_errors[0]


# ---------------------------------------------------------------- files that cannot be used


def test_a_missing_column_is_said_before_any_row(bundle: Bundle, tmp_path: Path) -> None:
    rows = [{name: value for name, value in row.items() if name != "tenure"} for row in TEXT_ROWS]
    for path in (write_csv(tmp_path / "in.csv", rows), write_jsonl(tmp_path / "in.jsonl", rows)):
        with pytest.raises(MissingColumnError, match="column 'tenure' is missing"):
            score_file(bundle, path, tmp_path / "out.csv")
        assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("in.csv", b"", "is empty"),
        ("in.csv", b" \n \n", "is empty"),
        ("in.csv", b"tenure\x00,plan\n1,2\n", "is not a text file"),
        ("in.csv.gz", b"\x1f\x8bnot gzip at all", "cannot be unpacked"),
        ("in.csv.gz", gzip.compress(b"tenure," * 9999, mtime=0)[:-20], "cannot be unpacked"),
        ("in.parquet", b"PAR1 and nothing", "cannot be read as Parquet"),
        ("in.xlsx", b"PK\x03\x04\0\0", "is not a text file"),
        ("in.parquet.gz", b"x", "cannot be read as Parquet"),
        ("in.json", b'[{"tenure": 1}, {"tenu', "record 1, is not JSON"),
        ("in.json", b'[{"tenure": 1}', "is truncated"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_error(
    bundle: Bundle, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadFileError, match=words) as caught:
        score_file(bundle, tmp_path / name, tmp_path / "out.csv")
    assert "\n" not in str(caught.value)
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_what_is_no_file_is_named(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="does not exist"):
        score_file(bundle, tmp_path / "nowhere.csv", tmp_path / "out.csv")
    with pytest.raises(BadFileError, match="found a folder"):
        score_file(bundle, tmp_path, tmp_path / "out.csv")


@pytest.mark.parametrize("out", ["no/such/folder/out.csv", "out.xlsx", "taken"])
def test_an_output_that_cannot_be_written_is_one_clear_error(
    bundle: Bundle, tmp_path: Path, out: str
) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(BadFileError, match=r"cannot be written|unknown format"):
        score_file(bundle, INPUTS["csv"](tmp_path), tmp_path / out)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.csv", "taken"]


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="needs POSIX resource limits")
@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_a_full_disk_is_one_clear_error(folder: Path, tmp_path: Path, ending: str) -> None:
    random = np.random.default_rng(0)
    path = write_csv(
        tmp_path / "in.csv", [{**TEXT_ROWS[0], "id": random.bytes(8).hex()} for _ in range(3000)]
    )
    script = (
        "import resource, signal, sys\n"
        "from workbench.runtime.__main__ import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    command = [
        sys.executable,
        "-c",
        script,
        "predict",
        str(folder),
        str(path),
        "--out",
        str(tmp_path / f"o.{ending}"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "cannot be written" in done.stderr
    assert done.stderr.count("\n") == 1
    assert [each.name for each in tmp_path.iterdir()] == ["in.csv"]


# ---------------------------------------------------------------- how text files are written


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_usual_ways_to_write_a_table_are_understood(
    bundle: Bundle, tmp_path: Path, delimiter: str, encoding: str
) -> None:
    rows = [{**row, "city": "Zürich", "note": "gut"} for row in TEXT_ROWS]
    path = write_csv(tmp_path / "in.csv", rows, delimiter, encoding)
    score_file(bundle, path, tmp_path / "out.csv")
    frame = pd.read_csv(tmp_path / "out.csv")
    assert frame["city"].tolist() == ["Zürich"] * 3
    assert frame["prediction"].notna().all()


def test_names_that_training_tidied_are_found(bundle: Bundle, tmp_path: Path) -> None:
    rows = [{f" {name} ": value for name, value in row.items()} for row in TEXT_ROWS]
    report = score_file(bundle, write_csv(tmp_path / "in.csv", rows), tmp_path / "out.csv")
    assert report.failed == 0


def headerless(bundle: Bundle, raw_names: list[str]) -> Bundle:
    predictor = make_predictor()
    source = {"delimiter": ";", "header": False, "raw_names": raw_names}
    predictor.schema = Schema(predictor.schema.columns, predictor.schema.output, source)
    return Bundle(bundle.path, bundle.manifest, predictor)


@pytest.mark.parametrize("with_target", [True, False])
def test_a_table_without_a_header_goes_by_position(bundle: Bundle, tmp_path: Path, with_target: bool) -> None:
    names = list(ROWS[0])
    model = headerless(bundle, ["churn", *names])
    lines = [
        ";".join((["yes"] if with_target else []) + [str(row[name]) for name in names]) for row in TEXT_ROWS
    ]
    (tmp_path / "in.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    report = score_file(model, tmp_path / "in.csv", tmp_path / "out.csv")
    assert (report.rows, report.failed) == (3, 0)
    assert pd.read_csv(tmp_path / "out.csv")["prediction"].tolist() == bundle.predict(ROWS).tolist()


def test_a_table_without_a_header_of_another_width_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("1;2;3\n")
    with pytest.raises(BadFileError, match="found 3; expected 9 as in training, or the 8 input columns"):
        score_file(headerless(bundle, ["churn", *ROWS[0]]), tmp_path / "in.csv", tmp_path / "out.csv")


def test_a_header_alone_gives_an_empty_table(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(",".join(ROWS[0]) + "\n")
    for ending in ("csv", "jsonl", "parquet"):
        report = score_file(bundle, tmp_path / "in.csv", tmp_path / f"out.{ending}")
        assert (report.rows, report.failed) == (0, 0)
    assert pd.read_parquet(tmp_path / "out.parquet").shape == (0, 12)


def test_parquet_keeps_its_types(bundle: Bundle, tmp_path: Path) -> None:
    moment = pd.Timestamp("2020-01-31", tz="Europe/Oslo")
    table = pa.table(
        {
            **{name: [row[name] for row in TEXT_ROWS] for name in ROWS[0] if name not in ("signed", "city")},
            "signed": pa.array([moment, None, moment], pa.timestamp("ns", "Europe/Oslo")),
            "city": pa.array(["Rome", None, "Oslo"]).dictionary_encode(),
            "many": [[1, 2], None, []],
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    score_file(bundle, tmp_path / "in.parquet", tmp_path / "out.parquet")
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.select(table.column_names).schema.remove_metadata() == table.schema
    score_file(bundle, tmp_path / "in.parquet", tmp_path / "out.csv")
    first = pd.read_csv(tmp_path / "out.csv").iloc[0]
    assert (first["signed"], first["many"]) == ("2020-01-31T00:00:00+01:00", "[1, 2]")


def test_progress_is_told(bundle: Bundle, tmp_path: Path) -> None:
    seen: list[tuple[int, float]] = []
    path = write_csv(tmp_path / "in.csv", TEXT_ROWS * 4)
    score_file(bundle, path, tmp_path / "out.csv", chunk_rows=5, progress=lambda *each: seen.append(each))
    assert [rows for rows, _ in seen] == [5, 10, 12]
    assert all(0 <= share <= 1 for _, share in seen)
    assert seen[-1][1] == 1.0


def test_the_limit_of_the_csv_module_is_put_back(bundle: Bundle, tmp_path: Path) -> None:
    before = csv.field_size_limit()
    rows = [{**TEXT_ROWS[0], "note": "word " * 100_000}]
    report = score_file(bundle, write_csv(tmp_path / "in.csv", rows), tmp_path / "out.csv")
    assert report.failed == 0
    assert csv.field_size_limit() == before


def test_memory_does_not_grow_with_a_parquet_file(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    table = pa.table({name: random.normal(size=300_000) for name in "abcd"})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=10_000)
    del table
    before = most = pa.total_allocated_bytes()
    rows = 0
    for chunk in ParquetSource(tmp_path / "rows.parquet").chunks(5_000):
        rows, most = rows + chunk.rows, max(most, pa.total_allocated_bytes())
    assert rows == 300_000
    assert most - before < (tmp_path / "rows.parquet").stat().st_size / 4


def test_an_encoding_may_be_named(bundle: Bundle, tmp_path: Path) -> None:
    rows = [{**ROWS[0], "ort": "Łódź"}]
    path = write_csv(tmp_path / "in.csv", rows, encoding="cp1250")
    score_file(bundle, path, tmp_path / "out.csv", encoding="cp1250")
    assert read_any(tmp_path / "out.csv")["ort"].tolist() == ["Łódź"]
    lines = tmp_path / "in.jsonl"
    lines.write_bytes(json.dumps(rows[0], ensure_ascii=False).encode("cp1250"))
    score_file(bundle, lines, tmp_path / "out.jsonl", encoding="cp1250")
    assert json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))["ort"] == "Łódź"
    with pytest.raises(InputError, match="encoding: found 'utf-9'"):
        score_file(bundle, path, tmp_path / "out.csv", encoding="utf-9")


def test_a_file_in_neither_utf8_nor_the_two_byte_encoding_of_training_is_refused(
    bundle: Bundle, tmp_path: Path
) -> None:
    predictor = make_predictor()
    schema = predictor.schema
    predictor.schema = Schema(schema.columns, schema.output, {**schema.source, "encoding": "cp932"})
    made = Bundle(bundle.path, bundle.manifest, predictor)
    path = write_csv(tmp_path / "in.csv", [{**ROWS[0], "ort": "気温"}], encoding="cp932")
    score_file(made, path, tmp_path / "out.csv")
    assert read_any(tmp_path / "out.csv")["ort"].tolist() == ["気温"]
    path.write_bytes(path.read_bytes() + b"\x81 \n")
    with pytest.raises(BadFileError, match=r"in UTF-8, or in cp932 as in training. Name its encoding"):
        score_file(made, path, tmp_path / "out.csv")


def test_the_last_ending_says_the_format(bundle: Bundle, tmp_path: Path) -> None:
    given = INPUTS["csv"](tmp_path)
    score_file(bundle, given, tmp_path / "x.tsv.csv")
    assert (tmp_path / "x.tsv.csv").read_text().splitlines()[0].count(",") > 2
    score_file(bundle, given, tmp_path / "x.csv.tsv")
    assert "\t" in (tmp_path / "x.csv.tsv").read_text().splitlines()[0]


@pytest.mark.parametrize("rows", [ROWS, []])
def test_json_is_one_list(bundle: Bundle, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    given = write_csv(tmp_path / "in.csv", TEXT_ROWS)
    if not rows:
        given.write_text(given.read_text().splitlines()[0] + "\n")
    score_file(bundle, given, tmp_path / "o.json")
    document = json.loads((tmp_path / "o.json").read_text())
    assert isinstance(document, list) and len(document) == len(rows)


def test_standard_input_and_output(bundle: Bundle, tmp_path: Path) -> None:
    given = write_csv(tmp_path / "in.csv", TEXT_ROWS)
    command = [sys.executable, "-m", "workbench.runtime", "predict", str(bundle.path), "-", "--out", "-"]
    done = subprocess.run(command, input=given.read_bytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    score_file(bundle, given, tmp_path / "out.csv")
    assert done.stdout == (tmp_path / "out.csv").read_bytes()
    assert b"3 of 3 rows scored" in done.stderr


@pytest.mark.parametrize("form", ["bz2", "zip", "feather"])
def test_other_forms_are_scored_alike(bundle: Bundle, tmp_path: Path, form: str) -> None:
    given = write_csv(tmp_path / "in.csv", TEXT_ROWS)
    score_file(bundle, given, tmp_path / "expected.csv")
    path = tmp_path / f"in.{form}"
    if form == "bz2":
        path.write_bytes(bz2.compress(given.read_bytes()))
    elif form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(given, "in.csv")
    else:
        frame = pd.read_csv(given, dtype=str, keep_default_na=False)
        pyarrow.feather.write_feather(frame, path)
    score_file(bundle, path, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == (tmp_path / "expected.csv").read_text()
