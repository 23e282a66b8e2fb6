"""Each command on a small run: what it prints for people, for programs, and its exit code."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Searched, write_table
from workbench.cli.entry import COMMANDS

ROOT = Path(__file__).parents[2]
KEYS = (
    "id", "family", "score", "score_low", "score_high", "metric", "latency_p50_us", "latency_p99_us", "cpu_us_per_row",
    "rows_per_s", "train_cpu_s", "peak_memory_mb", "artifact_mb", "price_per_million_usd", "on_front", "status",
    "reason",
)  # fmt: skip


def process(*arguments: object, **options: object) -> subprocess.Popen[str]:
    """Start a command as a process of its own."""
    words = [sys.executable, "-m", "workbench", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(words, text=True, env=environment, **{**pipes, **options})  # type: ignore[call-overload]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_has_one_example(command: object, run: Run) -> None:
    answer = run(command.name, "--help")  # type: ignore[attr-defined]
    assert answer.code == 0
    examples = re.findall(r"^  workbench .*$", answer.out, flags=re.MULTILINE)
    assert len(examples) == 1
    assert examples[0].split()[1] == command.name  # type: ignore[attr-defined]


def test_the_list_of_commands(run: Run) -> None:
    answer = run("--help")
    assert answer.code == 0
    for command in COMMANDS:
        assert command.name in answer.out
    assert run().code == 2
    assert run("--version").out.startswith("workbench ")


def test_the_module_is_the_same_command() -> None:
    running = process("--help")
    out, err = running.communicate()
    assert (running.returncode, err) == (0, "")
    assert "workbench demo" in out


def test_search_answers_one_document(searched: Searched) -> None:
    assert searched.answer.code == 0, searched.answer.err
    document = searched.answer.json
    assert document["run"] == str(searched.path)
    assert document["state"] == "done"
    assert document["candidates"] >= 4  # those tried, and what was made of them
    assert document["front"]
    assert set(KEYS) <= set(document["best"])


def test_progress_is_plain_lines_in_a_log(searched: Searched) -> None:
    lines = searched.answer.err.splitlines()
    assert any("c0001" in line for line in lines)
    assert all(re.match(r"\[\d+ s\] ", line) for line in lines), lines


def test_leaderboard_has_the_promised_keys(searched: Searched, run: Run) -> None:
    rows = run("leaderboard", searched.path, "--json").json
    assert sum(row["origin"] != "derived" for row in rows) == 4
    assert all(tuple(row)[: len(KEYS)] == KEYS for row in rows)
    ok = [row for row in rows if row["status"] == "ok"]
    assert [row["score"] for row in ok] == sorted((row["score"] for row in ok), reverse=True)
    assert all(row["score_low"] <= row["score"] <= row["score_high"] for row in ok)


def test_front_is_part_of_the_leaderboard(searched: Searched, run: Run) -> None:
    rows = run("leaderboard", searched.path, "--json").json
    front = run("front", searched.path, "--json").json
    assert front == [row for row in rows if row["on_front"]]


def test_an_empty_front_says_why(searched: Searched, run: Run, tmp_path: Path) -> None:
    """A search that was killed has measured no candidate with nothing else running."""
    killed = tmp_path / "killed"
    shutil.copytree(searched.path, killed)
    for path in killed.glob("candidates/*/candidate.json"):
        path.write_text(path.read_text().replace('"quiet": true', '"quiet": false'))
    assert run("front", killed, "--json").json == []
    answer = run("front", killed)
    assert answer.code == 0
    assert f"workbench resume {killed} continues" in answer.out


def test_leaderboard_for_people_says_what_its_numbers_are(searched: Searched, run: Run) -> None:
    text = run("leaderboard", searched.path).out
    assert "p50 µs" in text
    assert "price/million" in text
    assert re.search(r"Scores: roc_auc, .*In the search: out of fold, 5 folds, .*4 times.* on \d+ rows", text)
    assert text.index("roc_auc, final [95 %]") < text.index("in the search [95 %]"), (
        "the corrected score leads"
    )
    assert re.search(r"Latency: one row .*, 1 thread, [\d,]+ calls in \d+ blocks", text)


def test_failures_are_listed_with_reason_and_remedy(searched: Searched, run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "run"
    subprocess.run(["cp", "-r", str(searched.path), str(broken)], check=True)
    document = broken / "candidates" / "c0002" / "candidate.json"
    candidate = json.loads(document.read_text())
    candidate.update(
        status="failed",
        stage="fit",
        reason="memory ran out",
        hint="allow more with --max-memory",
        score=None,
        measured=None,
    )
    document.write_text(json.dumps(candidate))
    text = run("leaderboard", broken).out
    assert "Failed or stopped (1):" in text
    assert re.search(r"c0002 .* fit .* memory ran out .* allow more with --max-memory", text)


def test_prices_come_from_the_sheet_given(searched: Searched, run: Run, tmp_path: Path) -> None:
    sheet = tmp_path / "prices.json"
    sheet.write_text('{"usd_per_hour": 1.0}')
    usual = run("front", searched.path, "--json").json[0]["price_per_million_usd"]
    dear = run("front", searched.path, "--prices", sheet, "--json").json[0]["price_per_million_usd"]
    assert dear == pytest.approx(10 * usual)


def test_export_says_what_was_chosen(searched: Searched, run: Run, tmp_path: Path) -> None:
    answer = run(
        "export",
        searched.path,
        "--pick",
        "balanced",
        "--out",
        tmp_path / "b",
        "--max-latency",
        "1s",
        "--json",
    )
    assert answer.code == 0, answer.err
    assert answer.json["bundle"] == str(tmp_path / "b")
    assert answer.json["chosen"]["status"] == "ok"
    decision = json.loads((tmp_path / "b" / "decision.json").read_text())
    assert decision["chosen"]["id"] == answer.json["chosen"]["id"]
    assert decision["limits"]["max_latency_us"] == 1_000_000


def test_what_to_type_next_can_be_typed(searched: Searched, run: Run, tmp_path: Path) -> None:
    """Whatever is in a path reaches the command that is printed, as one word."""
    place = tmp_path / "my $(id) 'runs'"
    shutil.copytree(searched.path, place / "a b")
    answer = run("resume", place / "a b", "--trials", 1)
    export, leaderboard = (shlex.split(line.removeprefix("Next:")) for line in answer.out.splitlines()[-2:])
    assert export[:3] == ["workbench", "export", str(place / "a b")]
    assert export[-2:] == ["--out", "bundles/a b"]
    assert leaderboard == ["workbench", "leaderboard", str(place / "a b")]
    answer = run(*export[1:-1], place / "bundle c")
    verify, serve = (shlex.split(line.removeprefix("Next:")) for line in answer.out.splitlines()[-2:])
    assert verify == ["workbench", "verify", str(place / "bundle c")]
    assert serve == ["workbench", "serve", str(place / "bundle c")]


def test_export_as_a_zip_serves_too(searched: Searched, run: Run, table: Path, tmp_path: Path) -> None:
    assert run("export", searched.path, "--pick", "fastest", "--out", tmp_path / "b.zip").code == 0
    answer = run("predict", tmp_path / "b.zip", table, "--out", tmp_path / "out.jsonl", "--json")
    assert (answer.code, answer.json["rows"], answer.json["failed"]) == (0, 240, 0)


def test_verify_passes_and_refuses_a_changed_file(bundle: Path, run: Run, tmp_path: Path) -> None:
    assert run("verify", bundle, "--isolation", "quick").code == 0
    changed = tmp_path / "changed"
    subprocess.run(["cp", "-r", str(bundle), str(changed)], check=True)
    model = changed / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1])
    answer = run("verify", changed, "--isolation", "off", "--json")
    assert answer.code == 1
    assert "model.onnx" in answer.out
    assert answer.json


def test_predict_scores_a_file(bundle: Path, table: Path, run: Run, tmp_path: Path) -> None:
    answer = run("predict", bundle, table, "--out", tmp_path / "out.csv")
    assert answer.code == 0, answer.err
    assert "240 of 240 rows" in answer.out
    with (tmp_path / "out.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 240
    assert {row["prediction"] for row in rows} == {"yes", "no"}
    assert all(0 <= float(row["probability_yes"]) <= 1 for row in rows)


def test_predict_goes_on_after_a_bad_row(bundle: Path, run: Run, tmp_path: Path) -> None:
    data = tmp_path / "in.csv"
    data.write_text("tenure,charge,plan\n3,50,monthly\nlong,50,monthly\n5,,never seen\n")
    answer = run("predict", bundle, data, "--out", tmp_path / "out.csv", "--json")
    assert (answer.code, answer.json["rows"], answer.json["failed"]) == (1, 3, 1)
    assert "tenure" in answer.json["first_errors"][0]


def test_serve_answers_and_ends_in_order(bundle: Path) -> None:
    server = process("serve", bundle, "--port", 0, "--log", "off")
    assert server.stderr is not None
    try:
        line = server.stderr.readline()
        address = re.search(r"http://[\w.:]+", line)
        assert address, line
        body = json.dumps({"rows": [{"tenure": 3, "charge": None, "plan": "monthly"}]}).encode()
        with urllib.request.urlopen(f"{address[0]}/predict", body, timeout=600) as response:
            answer = json.load(response)
        assert answer["predictions"][0]["prediction"] in ("yes", "no")
    finally:
        server.send_signal(signal.SIGTERM)
        _, err = server.communicate(timeout=600)
    assert server.returncode == 0, err


def test_a_reader_that_leaves_is_no_error(searched: Searched) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    running = process("leaderboard", searched.path, stdout=writer)
    os.close(writer)
    _, err = running.communicate(timeout=600)
    assert (running.returncode, err) == (0, "")


def test_ctrl_c_once_finishes_with_what_there_is(tmp_path: Path, run: Run) -> None:
    table, path = write_table(tmp_path / "customers.csv", 200), tmp_path / "run"
    running = process(
        "search",
        table,
        "--target",
        "churned",
        "--time",
        "10m",
        "--families",
        "linear",
        "--workers",
        1,
        "--out",
        path,
    )
    deadline = time.monotonic() + 600
    while not (path / "candidates" / "c0001" / "candidate.json").exists():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=600)
    assert running.returncode == 0, err
    assert "Ctrl-C: finishing with the candidates so far" in err
    assert "workbench export" in out
    assert run("leaderboard", path, "--json").json[0]["status"] == "ok"


def test_resume_adds_candidates(tmp_path: Path, searched: Searched, run: Run) -> None:
    path = tmp_path / "run"
    subprocess.run(["cp", "-r", str(searched.path), str(path)], check=True)
    answer = run("resume", path, "--trials", 1, "--json")
    assert answer.code == 0, answer.err
    rows = run("leaderboard", path, "--json").json
    assert sum(row["origin"] != "derived" for row in rows) == 5


def test_inspect(table: Path, run: Run) -> None:
    answer = run("inspect", table, "--target", "churned", "--json")
    assert answer.code == 0
    assert answer.json["rows"] == 240
    text = run("inspect", table, "--target", "churned").out
    assert "tenure" in text
    assert "yes" in text


def test_demo_does_the_main_job(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answer = run("demo", "--trials", 2, "--json")
    assert answer.code == 0, answer.err
    document = answer.json
    assert document["verified"] is True
    assert document["front"]
    assert sum(document["prediction"]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert (tmp_path / document["bundle"] / "model.onnx").is_file()
