"""What a user can get wrong: each is one clear line and exit code 2, and nothing that was there is
lost.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Searched, write_table
from workbench.runtime.files.writer_lock import sole_writer

ROOT = Path(__file__).parents[2]


def _table(target: list[str]) -> bytes:
    rows = [f"{number},{number % 5}.5,{label}" for number, label in enumerate(target)]
    return ("a,b,y\n" + "\n".join(rows) + "\n").encode()


GOOD = _table(["yes", "no"] * 20)
#: What is in the file, and the words that its error must hold.
BAD_FILES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "empty": (b"", ("empty",)),
    "only blank lines": (b"\n\n\n", ("data.csv",)),
    "header only": (b"a,b,y\n", ("row",)),
    "one column": (b"y\n" + b"yes\nno\n" * 20, ("column",)),
    "constant target": (_table(["yes"] * 40), ("y", "yes")),
    "target all missing": (_table([""] * 40), ("y",)),
    "three rows": (_table(["yes", "no", "yes"]), ("3",)),
    "binary": (bytes(range(256)) * 400, ("data.csv",)),
    "an archive": (b"PK\x03\x04" + bytes(4000), ("data.csv",)),
    "no text encoding": (b"a,b,y\n" + b"\xff\xfe\x00\x81\x8d\x00\x90" * 300, ("data.csv",)),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_files_that_cannot_be_searched(name: str, run: Run, tmp_path: Path) -> None:
    content, words = BAD_FILES[name]
    data = tmp_path / "data.csv"
    data.write_bytes(content)
    answer = run("search", data, "--target", "y", "--out", tmp_path / "run")
    assert answer.code == 2, answer.err
    assert all(word in answer.error for word in words), answer.error
    assert not (tmp_path / "run").exists()


def test_one_line_of_a_hundred_megabytes(tmp_path: Path) -> None:
    """In a process of its own, watched for its memory: the file must not be held ten times over."""
    data = tmp_path / "data.csv"
    data.write_bytes(b"x" * 100_000_000)
    words = [
        sys.executable,
        "-m",
        "workbench",
        "search",
        str(data),
        "--target",
        "y",
        "--out",
        str(tmp_path / "run"),
    ]
    with (tmp_path / "err").open("w+") as err:
        running = subprocess.Popen(words, stderr=err, env=_environment())
        _, status, usage = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        lines = err.read().splitlines()
    assert running.returncode == 2, lines
    assert len(lines) == 1
    assert lines[0].startswith("workbench: error: ")
    assert usage.ru_maxrss < 1_000_000, "kB"


def test_no_such_file_names_the_nearest(run: Run, tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_bytes(GOOD)
    answer = run("search", tmp_path / "custmers.csv", "--target", "y")
    assert answer.code == 2
    assert "customers.csv" in answer.error


def test_a_folder_is_no_table(run: Run, tmp_path: Path) -> None:
    assert run("inspect", tmp_path).code == 2


def test_no_such_target_names_the_nearest(run: Run, table: Path) -> None:
    answer = run("search", table, "--target", "chured")
    assert answer.code == 2
    assert "churned" in answer.error


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--time", "0"], ["--time", "0"]),
        (["--time", "soon"], ["--time", "soon"]),
        (["--time", "1s"], ["--time"]),
        (["--trials", "0"], ["--trials", "0"]),
        (["--trials", "many"], ["--trials", "many"]),
        (["--families", "lightgbn"], ["lightgbn", "lightgbm"]),
        (["--families", ""], ["--families"]),
        (["--metric", "roc_acu"], ["roc_acu", "roc_auc"]),
        (["--metric", "neg_root_mean_squared_error"], ["neg_root_mean_squared_error"]),
        (["--task", "clustering"], ["clustering"]),
        (["--task", "regression"], ["churned"]),
        (["--positive", "maybe"], ["maybe", "yes"]),
        (["--drop", "tenur"], ["tenur", "tenure"]),
        (["--group", "grp"], ["grp"]),
        (["--time-column", "day"], ["day"]),
        (["--weight", "plan"], ["plan"]),
        (["--max-latency", "2"], ["--max-latency", "2"]),
        (["--max-price", "cheap"], ["cheap"]),
        (["--max-size", "50"], ["--max-size"]),
        (["--max-memory", "lots"], ["--max-memory", "lots"]),
        (["--workers", "0"], ["--workers"]),
        (["--seed", "-1"], ["--seed"]),
        (["--prices", "no-such.toml"], ["no-such.toml"]),
        (["--fast"], ["--fast"]),
    ],
    ids=" ".join,
)
def test_options_that_make_no_sense(
    options: list[str], words: list[str], run: Run, table: Path, tmp_path: Path
) -> None:
    answer = run("search", table, "--target", "churned", "--out", tmp_path / "run", *options)
    assert answer.code == 2, answer.err
    assert all(word in answer.error for word in words), answer.error
    assert not (tmp_path / "run").exists()


def test_errors_are_json_too(run: Run, tmp_path: Path) -> None:
    for arguments in (
        ("front", tmp_path / "none"),
        ("frnt",),
        ("search", "x.csv"),
        ("predict", "b", "in.csv"),
    ):
        answer = run(*arguments, "--json")
        assert answer.code in (1, 2)
        assert answer.json == {"error": answer.error}


def test_a_mistyped_command_names_the_nearest(run: Run) -> None:
    answer = run("leaderbord")
    assert answer.code == 2
    assert "Did you mean leaderboard?" in answer.error


def test_numbers_that_are_no_numbers_do_no_harm(run: Run, tmp_path: Path) -> None:
    rows = [
        f"{value},{number % 7},{number}"
        for number, value in enumerate(["inf", "NaN", "-inf", "1e400", "7"] * 12)
    ]
    data = tmp_path / "data.csv"
    data.write_text("a,b,y\n" + "\n".join(rows) + "\n")
    path = tmp_path / "run"
    answer = run(
        "search", data, "--target", "y", "--trials", 1, "--families", "linear", "--workers", 1, "--out", path
    )
    assert answer.code == 0, answer.err
    assert json.loads((path / "run.json").read_text())["state"] == "done"


def test_a_class_with_one_row_is_kept_and_said(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_bytes(_table(["red", "green"] * 30 + ["blue"]))
    path = tmp_path / "run"
    answer = run(
        "search", data, "--target", "y", "--trials", 1, "--families", "linear", "--workers", 1, "--out", path
    )
    assert answer.code == 0, answer.err
    assert "blue" in answer.err
    schema = json.loads(next(path.glob("candidates/*/predictor/schema.json")).read_text())
    assert sorted(schema["output"]["classes"]) == ["blue", "green", "red"]


def test_a_run_in_the_way_is_left_alone(run: Run, table: Path, searched: Searched) -> None:
    before = {path: path.stat().st_mtime_ns for path in searched.path.rglob("*") if path.is_file()}
    answer = run("search", table, "--target", "churned", "--out", searched.path)
    assert answer.code == 2
    assert str(searched.path) in answer.error
    assert before == {path: path.stat().st_mtime_ns for path in searched.path.rglob("*") if path.is_file()}


def test_a_run_of_a_newer_format_is_refused(run: Run, searched: Searched, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    newer.mkdir()
    info = json.loads((searched.path / "run.json").read_text())
    (newer / "run.json").write_text(json.dumps({**info, "format": info["format"] + 1}))
    content = (newer / "run.json").read_bytes()
    for arguments in (
        ("leaderboard", newer),
        ("front", newer),
        ("resume", newer),
        ("export", newer, "--out", "b"),
    ):
        answer = run(*arguments)
        assert answer.code == 2
        assert "newer" in answer.error
    assert (newer / "run.json").read_bytes() == content


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": "x"}'], ids=["empty", "cut", "list", "text"])
def test_a_broken_run_is_one_line(content: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(content)
    assert run("leaderboard", tmp_path).code == 2
    assert "run.json" in run("leaderboard", tmp_path).error


def test_export_names_what_cannot_be_picked(run: Run, searched: Searched, tmp_path: Path) -> None:
    answer = run("export", searched.path, "--pick", "fasttest", "--out", tmp_path / "b")
    assert answer.code == 2
    assert "fastest" in answer.error
    answer = run(
        "export", searched.path, "--pick", "best", "--max-latency", "0.001us", "--out", tmp_path / "b"
    )
    assert answer.code == 1  # no machine answers in a nanosecond
    assert "limit 0.001 µs" in answer.error
    assert not (tmp_path / "b").exists()


def test_predict_names_the_column_that_is_missing(run: Run, bundle: Path, tmp_path: Path) -> None:
    data = tmp_path / "in.csv"
    data.write_text("tenure,plan\n3,monthly\n")
    answer = run("predict", bundle, data, "--out", tmp_path / "out.csv")
    assert answer.code == 2
    assert "charge" in answer.error
    assert not (tmp_path / "out.csv").exists()


def test_predict_needs_an_input_and_a_bundle(run: Run, bundle: Path, tmp_path: Path) -> None:
    assert run("predict", bundle, tmp_path / "none.csv", "--out", tmp_path / "out.csv").code == 2
    assert run("predict", tmp_path / "none", tmp_path / "none.csv", "--out", tmp_path / "out.csv").code == 2
    assert run("verify", tmp_path / "none").code == 2
    answer = run("predict", tmp_path, tmp_path / "none.csv", "--out", tmp_path / "out.csv")
    assert answer.code == 1
    assert "manifest.json" in answer.error


@pytest.mark.skipif(os.geteuid() == 0, reason="not checked: root may write everywhere")
def test_a_place_that_may_not_be_written(run: Run, table: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    answer = run("search", table, "--target", "churned", "--out", tmp_path / "run")
    tmp_path.chmod(0o700)
    assert answer.code == 2


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 100 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("not checked: a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_one_line_and_loses_nothing(
    run: Run, table: Path, searched: Searched, bundle: Path, small_disk: Path, tmp_path: Path
) -> None:
    write_table(tmp_path / "many.csv", 4000)
    for arguments in (
        ("predict", bundle, tmp_path / "many.csv", "--out", small_disk / "out.csv"),
        ("export", searched.path, "--pick", "best", "--out", small_disk / "bundle"),
    ):
        answer = run(*arguments)
        assert answer.code == 2, answer.err
        assert "space" in answer.error
        assert list(small_disk.iterdir()) == []
    answer = run(
        "search", table, "--target", "churned", "--trials", 2, "--workers", 1, "--out", small_disk / "run"
    )
    assert answer.code in (1, 2)
    assert answer.error
    assert run("front", searched.path).code == 0


def test_files_that_may_not_grow_are_one_line(searched: Searched, bundle: Path, tmp_path: Path) -> None:
    """What a full disk looks like where none can be mounted: no file may grow beyond 20 kB."""
    data = write_table(tmp_path / "many.csv", 4000)
    words = ["predict", str(bundle), str(data), "--out", str(tmp_path / "out.csv")]
    done = subprocess.run(
        [sys.executable, "-m", "workbench", *words],
        capture_output=True,
        text=True,
        check=False,
        env=_environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("workbench: error: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many.csv"]


def test_a_place_that_another_process_writes_is_refused_by_every_command(
    run: Run, searched: Searched, bundle: Path, table: Path, tmp_path: Path
) -> None:
    """Each would end well, and one of the two results be lost."""
    for arguments in (
        ("predict", bundle, table, "--out", tmp_path / "out.csv"),
        ("export", searched.path, "--pick", "best", "--out", tmp_path / "bundle"),
        ("export", searched.path, "--pick", "best", "--out", tmp_path / "bundle.zip"),
        ("report", searched.path, "--out", tmp_path / "report.html"),
    ):
        target = Path(arguments[-1])
        with sole_writer(target):
            answer = run(*arguments)
        assert answer.code == 2, answer.err
        assert (
            f"{target.name} is being written by another process: found process {os.getpid()}" in answer.error
        )
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["dep", "dep=colour", "=number", "dep=date", "nope=number", "y=text"])
def test_a_kind_that_cannot_be_is_refused_in_one_line(kind: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("dep,y\n" + "".join(f"{at % 12:02d}A,{at}\n" for at in range(60)))
    answer = run("inspect", path, "--target", "y", "--kind", kind)
    assert answer.code == 2
    assert kind.split("=", maxsplit=1)[0] in answer.error or "--kind" in answer.error


def test_a_kind_is_obeyed(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a=b,zip,y\n" + "".join(f"{at % 5},{10000 + at % 50},{at}\n" for at in range(100)))
    answer = run("inspect", path, "--target", "y", "--kind", "a=b=category", "--kind", "zip=ignore", "--json")
    assert answer.code == 0
    found = {column["name"]: (column["kind"], column["role"]) for column in answer.json["columns"]}
    assert found["a=b"] == ("category", "input")
    assert found["zip"][1] == "dropped"
