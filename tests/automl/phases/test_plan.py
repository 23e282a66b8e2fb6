"""How folds, repeats and held-out rows follow from the data and the time."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.automl.phases.plan import make_plan
from workbench.families.base import Problem


def test_rows_are_held_out_if_plenty_or_ordered_in_time() -> None:
    small = Problem("binary", 2, 5_000, 10)
    assert make_plan(small, 60.0).holdout == 0.0
    assert make_plan(small, 60.0, in_time=True).holdout == 0.2
    assert make_plan(small, 60.0, in_time=True).refits
    assert make_plan(small, 60.0, holdout=0.3).holdout == 0.3
    assert make_plan(Problem("binary", 2, 400_000, 5), 600.0).holdout == 0.2


def test_small_data_gets_repeated_folds() -> None:
    assert make_plan(Problem("binary", 2, 300, 8), 60.0).repeats == 4
    assert make_plan(Problem("binary", 2, 20_000, 8), 60.0).repeats == 1


@pytest.mark.parametrize(
    ("task", "seconds", "options", "folds"),
    [
        ("multiclass", 300.0, {}, 8),
        ("multiclass", 15.0, {}, 5),
        ("binary", 300.0, {}, 5),
        ("regression", 300.0, {}, 5),
        ("multiclass", 300.0, {"in_time": True}, 5),
        ("multiclass", 300.0, {"in_groups": True}, 5),
    ],
)
def test_several_classes_get_eight_folds_if_time_allows(
    task: Any, seconds: float, options: dict[str, bool], folds: int
) -> None:
    assert make_plan(Problem(task, 7, 5_000, 12), seconds, **options).folds == folds
