"""The same seed, trials and one worker give the same, in another process with another order of
sets.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.automl.records.run_folder import RunFolder
from workbench.data.subscriptions import TARGET, make_subscriptions


def searched(data: Path, out: Path, hash_seed: str) -> RunFolder:
    options = [
        "--trials",
        "6",
        "--workers",
        "1",
        "--seed",
        "3",
        "--families",
        "lightgbm,linear,extra_trees,additive",
    ]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "workbench",
            "search",
            str(data),
            "--target",
            TARGET,
            "--out",
            str(out),
            *options,
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return RunFolder.open(out)


def told(run: RunFolder) -> dict[str, Any]:
    return {
        each.id: (each.family, dict(each.params), each.status, dict(each.members), each.score, each.threshold)
        for each in run.candidates()
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, RunFolder]:
    folder = tmp_path_factory.mktemp("determinism")
    data = folder / "table.csv"
    make_subscriptions(400, 1).to_csv(data, index=False)
    return searched(data, folder / "one", "1"), searched(data, folder / "two", "2")


@pytest.mark.slow
def test_the_candidates_are_the_same(runs: tuple[RunFolder, RunFolder]) -> None:
    one, two = runs
    assert told(one) == told(two)


@pytest.mark.slow
def test_their_predictions_are_the_same(runs: tuple[RunFolder, RunFolder]) -> None:
    one, two = runs
    columns = one.dataset().columns
    for each in one.candidates():
        if each.status == "ok":
            first, second = (run.predictor(each.id).predict_columns(columns) for run in runs)
            np.testing.assert_array_equal(first, second, err_msg=each.id)
            np.testing.assert_array_equal(one.out_of_fold(each.id), two.out_of_fold(each.id), err_msg=each.id)
