"""Configurations are tried on a sample and the best are fitted on more rows; peak memory is
recorded.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.automl.test_engine import frame, settings
from workbench.api import open_run
from workbench.automl.coordinator.pool.memory import proportional_mb
from workbench.automl.engine import search
from workbench.automl.phases import plan as plans
from workbench.automl.phases.plan import make_plan
from workbench.automl.records.messages import Setup
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.worker.exported_candidate import serve_measured
from workbench.automl.worker.retrain import reproduce, serve_all_rows
from workbench.automl.worker.task_loop import open_workspace
from workbench.families.base import Encoding, Problem

ROWS, SAMPLE = 900, 200


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run whose plan is made to take the data for too large."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "_CELLS_A_MINUTE", 1.0)
        patch.setattr(plans, "_LEAST_SAMPLE", SAMPLE)
        return search(frame(ROWS), settings(), tmp_path_factory.mktemp("runs") / "grown")


def test_configurations_are_tried_on_a_sample_if_data_is_large_for_the_time() -> None:
    large = Problem("binary", 2, 10_000_000, 10)
    assert make_plan(large, 300.0).sample == 384_615
    assert make_plan(large, 120.0).sample == 153_846
    assert make_plan(Problem("binary", 2, 20_000, 2_000), 60.0).sample == 0
    assert make_plan(Problem("binary", 2, 100_000, 10), 60.0).sample == 0


def test_data_with_times_or_groups_is_not_sampled() -> None:
    large = Problem("binary", 2, 10_000_000, 10)
    assert make_plan(large, 300.0, in_time=True).sample == 0
    assert make_plan(large, 300.0, in_groups=True).sample == 0


def test_each_row_is_in_one_part_of_the_split(grown: RunFolder) -> None:
    parts = [grown.dev_rows, grown.holdout_rows, grown.reserve_rows]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(ROWS))
    assert len(grown.dev_rows) == SAMPLE
    y = grown.dataset().y
    assert y[grown.dev_rows].mean() == pytest.approx(y.mean(), abs=0.01)


def test_the_best_are_fitted_on_all_rows_and_validated_on_the_same_rows(grown: RunFolder) -> None:
    reserve = len(grown.reserve_rows)
    for name in ("c0001", "c0002"):
        small, large = grown.candidate(name), grown.candidate(f"{name}g")
        assert (small.more_rows, large.more_rows) == (0, reserve)
        assert large.status == "ok" and large.origin == "derived"
        assert large.params == small.params
        assert small.score and large.score and small.score.rows == large.score.rows == SAMPLE // 5
        assert large.notes[0] == f"fitted on {reserve + SAMPLE * 4 // 5:,} rows"
        known = [np.isfinite(grown.out_of_fold(each)).all(axis=1) for each in (name, f"{name}g")]
        np.testing.assert_array_equal(*known)


def test_a_fit_on_more_rows_is_reproducible_and_exported_unchanged(grown: RunFolder) -> None:
    assert reproduce(grown, "c0002g").same
    served = serve_all_rows(grown, grown.candidate("c0001g"))
    assert not served.trained_again and not grown.can_refit
    assert serve_measured(grown, grown.candidate("c0001g")).parity == served.parity
    assert len(served.library) == len(served.golden)


def test_validation_rows_are_not_fitted_on(grown: RunFolder, tmp_path: Path) -> None:
    path = tmp_path / "copy"
    (path / "cache").mkdir(parents=True)
    (path / "data").symlink_to(grown.path / "data")
    space = open_workspace(Setup(path, grown.problem, "roc_auc", 1, "validation part", 0))
    encoding = Encoding(wide="code+mean")
    sample = space.grown(encoding, 50)
    train, valid = space.splits[0]
    assert len(sample.y) == len(train) + 50
    assert not set(space.dev_rows[valid]) & set(space.reserve_rows)
    np.testing.assert_array_equal(sample.X[: len(train)], space.matrix(encoding, 0)[train])
    taken = space.encoded(encoding).encoder.encode_columns(space.data.take(space.reserve_rows).columns)
    everyone = {row.tobytes() for row in taken}
    assert all(row.tobytes() in everyone for row in np.asarray(sample.X[len(train) :]))


def test_a_run_records_its_peak_memory(grown: RunFolder) -> None:
    assert grown.info["memory_peak_mb"] > 0.8 * proportional_mb(grown.info["process"]) > 0
    assert 1.0 < proportional_mb(os.getpid()) < 1e6
    assert proportional_mb(2**22 + 1) == 0.0


def test_the_card_does_not_claim_another_training(grown: RunFolder, tmp_path: Path) -> None:
    bundle = open_run(grown.path).export("c0001g", tmp_path / "bundle")
    card = (Path(bundle) / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "is the one that the search scored" in card
    assert "trained again" not in card
