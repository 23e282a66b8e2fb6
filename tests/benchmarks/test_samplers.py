"""The comparison of samplers compares what it says: the same study, told the costs or not."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from workbench.families import family_named
from workbench.families.base import Problem

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def samplers(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import samplers

    yield samplers
    sys.modules.pop("samplers", None)


class Bench:
    """Stands in for a table: what comes of a config is made up from its parameters."""

    def __init__(self, samplers: Any) -> None:
        self.families = [family_named("linear"), family_named("xgboost")]
        self.problem = Problem("binary", 2, 1_000, 5)
        self.valid_y = np.arange(40) % 2
        self._made = samplers.Outcome

    def outcome(self, family: str, params: Mapping[str, Any]) -> Any:
        rng = np.random.default_rng(len(json.dumps([family, params], default=str)))
        likely = rng.random((40, 1)).astype(np.float32)
        return self._made(
            float(rng.random()), float(10.0 + rng.random()), 0.1, np.hstack([1 - likely, likely])
        )


@pytest.mark.parametrize(
    "name", ["tpe_group", "tpe_group_score_only", "tpe_univariate", "per_family", "nsga2"]
)
def test_costs_are_objectives_where_it_says_so(samplers: Any, tmp_path: Path, name: str) -> None:
    line = samplers.run_study(Bench(samplers), name, 0, 12, tmp_path)
    assert len(line["found"]) == 12
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(tmp_path / "optuna.journal"))
    )
    study = optuna.load_study(study_name=f"{name}-0", storage=storage)
    assert len(study.directions) == (3 if samplers.SAMPLERS[name][1] else 1)
    assert name in samplers.report([{"set": "made", **line}])
