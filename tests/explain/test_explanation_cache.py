from __future__ import annotations

import shutil
from pathlib import Path

import joblib
import pytest

from workbench.api import open_run
from workbench.automl.records.run_folder import RunFolder
from workbench.explain import explanation, explanation_within, importance
from workbench.explain.explanation_cache import EXPLAIN_FILE
from workbench.explain.importance import rows_within


@pytest.fixture
def run(searched: Path, tmp_path: Path) -> RunFolder:
    """A copy, since explaining writes."""
    shutil.copytree(searched / "runs" / "small", tmp_path / "run")
    return open_run(tmp_path / "run").folder


def kept_file(run: RunFolder, candidate: str) -> Path:
    return run.path / "candidates" / candidate / EXPLAIN_FILE


def test_it_is_computed_once_and_kept_with_the_candidate(run: RunFolder) -> None:
    found = explanation(run, "c0001")
    assert list(found.importance) == importance(run, "c0001")
    assert [curve["column"] for curve in found.curves] == [
        each.column for each in found.importance if each.low > 0
    ]
    path = kept_file(run, "c0001")
    written = path.read_text()
    assert explanation_within(run, "c0001", 0.0, 0.0) == found  # read, though there is no time to compute it
    assert found.curve(found.curves[0]["column"]) == found.curves[0]
    assert found.curve("no such column") is None
    assert path.read_text() == written


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"format": 99}', '{"format": 1, "importance": [{}], "curves": []}']
)
def test_what_cannot_be_read_is_computed_again(run: RunFolder, content: str) -> None:
    kept_file(run, "c0001").write_text(content)
    found = explanation(run, "c0001")
    assert found == explanation(run, "c0001")


def test_what_would_take_long_is_left_out_and_not_kept(run: RunFolder) -> None:
    assert explanation_within(run, "c0001", 1e-9, 1e-9) is None
    assert not kept_file(run, "c0001").exists()
    found = explanation(run, "c0001", within_s=1e-9)
    assert found.importance[0].rows == 100


def test_rows_follow_from_the_speed_that_was_measured(run: RunFolder) -> None:
    candidate = run.candidate("c0001")
    assert candidate.measured is not None
    assert rows_within(candidate, 3, 1e9) == 2000
    assert rows_within(candidate, 10**9, 1.0) == 0


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_joblib_runs_it_in_parallel_with_equal_results(run: RunFolder, backend: str) -> None:
    alone = explanation(run, "c0001")
    kept_file(run, "c0001").unlink()
    shares: list[float] = []
    with joblib.parallel_config(backend=backend, n_jobs=2):
        assert importance(run, "c0001", progress=shares.append) == list(alone.importance)
        assert explanation(run, "c0001") == alone
    assert shares == [pytest.approx((at + 1) / len(shares)) for at in range(len(shares))]
