"""A bundle predicts in a process that refuses every import it does not need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.made import ROWS
from workbench.runtime.bundle.bundle import Bundle

REFUSING = """
import sys

REFUSED = ("sklearn", "lightgbm", "xgboost", "optuna", "pandas", "scipy", "joblib", "onnx", "streamlit", "pyarrow",
           "polars", "duckdb", "workbench", "multiprocessing.resource_tracker", "uvicorn")

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name in REFUSED or name.split(".")[0] in REFUSED:
            raise ImportError(f"{name} is refused")

sys.meta_path.insert(0, Refuse())
"""


def run(folder: Path, script: str, *arguments: str) -> str:
    command = [sys.executable, "-c", REFUSING + script, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


def test_it_predicts_without_the_training_stack(any_folder: Path, any_bundle: Bundle) -> None:
    script = """
import json
from runtime.bundle import open_bundle
rows = json.loads(sys.argv[1])
bundle = open_bundle(".")
assert bundle.replay_golden().ok
print(json.dumps([bundle.predict(rows).tolist(), bundle.predict(rows[0]).tolist()]))
"""
    many, one = json.loads(run(any_folder, script, json.dumps(ROWS)))
    assert many == any_bundle.predict(ROWS).tolist()
    assert one == many[:1]


def test_it_scores_files_without_them_and_says_what_parquet_needs(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    script = """
from runtime.__main__ import main
sys.exit(main(["predict", sys.argv[1], "--out", sys.argv[2]]))
"""
    assert "3 of 3 rows" in run(folder, script, str(tmp_path / "in.jsonl"), str(tmp_path / "out.csv"))
    with pytest.raises(AssertionError, match=r"Parquet files need pyarrow.*pip install pyarrow"):
        run(folder, script, str(tmp_path / "in.jsonl"), str(tmp_path / "out.parquet"))


def test_importing_it_alone_loads_no_model_code(folder: Path) -> None:
    script = "import runtime\nprint(sorted({name.split('.')[0] for name in sys.modules} & {'numpy', 'onnxruntime'}))"
    assert run(folder, script) == "[]\n"


def test_predicting_loads_no_server(folder: Path) -> None:
    script = """
import json
from runtime.bundle import open_bundle
open_bundle(".").predict(json.loads(sys.argv[1]))
print([name for name in ("asyncio", "uvicorn", "orjson", "socket") if name in sys.modules])
"""
    loaded = run(folder, script, json.dumps(ROWS))
    assert "uvicorn" not in loaded
    assert "orjson" not in loaded
