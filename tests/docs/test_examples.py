"""The examples in other languages answer the golden rows, wherever their language is on this
machine.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.runtime.made import ROWS, make_predictor
from workbench.export.pipeline import build_pipeline
from workbench.runtime.model.predictor import Predictor

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
HEADERS = Path(__file__).parent / "onnxruntime"
TASKS = ["binary", "multiclass", "regression"]


@pytest.fixture(scope="module", params=TASKS)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Predictor, Path]:
    """A model with every kind of column and step, and its pipeline on disk."""
    predictor = make_predictor(request.param)
    path = tmp_path_factory.mktemp(request.param) / "pipeline.onnx"
    path.write_bytes(build_pipeline(predictor))
    return predictor, path


def raw(predictor: Predictor, row: dict[str, Any]) -> dict[str, float | str | None]:
    """A row as another language passes it: numbers and seconds, texts, None for what is missing."""
    out: dict[str, float | str | None] = {}
    for column in predictor.schema.columns:
        value = column.read(row[column.name])
        out[column.name] = None if isinstance(value, float) and math.isnan(value) else value
    return out


def expected(predictor: Predictor, row: dict[str, Any]) -> tuple[Any, list[float]]:
    result = predictor.predict_row(row)
    return predictor.decide(result[None])[0].item(), result.astype(float).tolist()


def node_libraries() -> Path | None:
    """The folder that holds onnxruntime-node: of NODE_PATH, or node_modules beside the project or
    above it.
    """
    given = [Path(each) for each in os.environ.get("NODE_PATH", "").split(os.pathsep) if each]
    places = [*given, *(folder / "node_modules" for folder in (ROOT, *ROOT.parents))]
    return next((each for each in places if (each / "onnxruntime-node").is_dir()), None)


def test_node_answers_alike(case: tuple[Predictor, Path]) -> None:
    predictor, path = case
    libraries = node_libraries()
    if shutil.which("node") is None or libraries is None:
        pytest.skip(
            "docs/examples/predict.mjs was not run: node with onnxruntime-node is missing "
            "(npm install --ignore-scripts onnxruntime-node, then set NODE_PATH)"
        )
    for row in ROWS:
        words = ["node", str(EXAMPLES / "predict.mjs"), str(path), json.dumps(raw(predictor, row))]
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "NODE_PATH": str(libraries)},
        )
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        label, numbers = expected(predictor, row)
        np.testing.assert_allclose(
            answer.get("probabilities") or answer["value"], numbers, rtol=1e-5, atol=1e-6
        )
        if predictor.classes:
            assert answer["label"] == [label]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C++ example, built against the library that the Python package brings."""
    if shutil.which("g++") is None:
        pytest.skip("docs/examples/predict.cpp was not built: g++ is missing")
    libraries = sorted((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*"))
    if not libraries:
        pytest.skip("docs/examples/predict.cpp was not built: this onnxruntime brings no shared library")
    folder = tmp_path_factory.mktemp("cpp")
    (folder / "libonnxruntime.so.1").symlink_to(libraries[0])
    words = ["g++", "-std=c++17", "-Wall", "-Werror", str(EXAMPLES / "predict.cpp"), f"-I{HEADERS}",
             str(folder / "libonnxruntime.so.1"), f"-Wl,-rpath,{folder}", "-o", str(folder / "predict")]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "predict"


def test_cpp_answers_alike(case: tuple[Predictor, Path], program: Path) -> None:
    predictor, path = case
    for row in ROWS:
        pairs = [f"{name}={value}" for name, value in raw(predictor, row).items() if value is not None]
        done = subprocess.run([str(program), str(path), *pairs], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        answer = dict(line.split(": ", 1) for line in done.stdout.splitlines())
        label, numbers = expected(predictor, row)
        found = (answer.get("probabilities") or answer["value"]).split()
        np.testing.assert_allclose([float(each) for each in found], numbers, rtol=1e-5, atol=1e-6)
        if predictor.classes:
            assert answer["label"] == str(label)
