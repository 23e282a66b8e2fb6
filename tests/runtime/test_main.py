from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.runtime.made import ROWS, make_predictor, write_manifest
from workbench.runtime.__main__ import main
from workbench.runtime.bundle.bundle import Bundle


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def test_inside_the_folder_no_bundle_need_be_named(folder: Path, bundle: Bundle, table: Path) -> None:
    out = table.parent / "out.csv"
    command = [sys.executable, "-m", "runtime"]
    done = subprocess.run(
        [*command, "check", "--json"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["ok"] is True
    subprocess.run([*command, "predict", str(table), "--out", str(out)], cwd=folder, check=True)
    assert pd.read_csv(out)["prediction"].tolist() == bundle.predict(ROWS).tolist()


def test_predict_says_what_it_did(folder: Path, table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(folder), str(table), "--out", str(table.parent / "out.jsonl"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["failed"]) == (3, 0)
    table.write_text(table.read_text() + "{}\n")
    assert main(["predict", str(folder), str(table), "--out", str(table.parent / "out.jsonl")]) == 1
    assert "1 row failed" in capsys.readouterr().out


def test_exit_codes_tell_whose_fault_it_is(
    folder: Path, copied: Path, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(folder), "nowhere.csv", "--out", "out.csv", "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.err == "error: nowhere.csv does not exist\n"
    assert json.loads(captured.out) == {"error": "nowhere.csv does not exist"}
    for verb in (["predict", str(table), "--out", "out.csv"], ["serve", "--port", "0"], ["check"]):
        assert main([verb[0], "no-bundle", *verb[1:]]) == 2
        assert capsys.readouterr().err.startswith("error: no-bundle does not exist")
    (copied / "model.onnx").write_bytes(b"")
    assert main(["predict", str(copied), str(table), "--out", "out.csv"]) == 1
    assert capsys.readouterr().err.startswith("error: model.onnx is changed")
    assert main(["check", str(copied)]) == 1
    assert main(["serve", str(copied), "--port", "0"]) == 1


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["serve", "--workers", "0"], ["predict", "in.csv"], ["serve", "--port", "x"]]
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m runtime" in capsys.readouterr().err


def test_a_changed_golden_row_fails_the_check(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (copied / "golden.jsonl").read_text(encoding="utf-8")
    (copied / "golden.jsonl").write_text(text.replace('"label": "no"', '"label": "yes"', 1), encoding="utf-8")
    write_manifest(copied, make_predictor())
    assert main(["check", str(copied), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False
