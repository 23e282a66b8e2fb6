"""Searches that are killed: two rounds of `benchmarks/crash.py`, which plays as many as one
likes.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "crash.py"


@pytest.fixture(scope="module")
def crash() -> ModuleType:
    spec = importlib.util.spec_from_file_location("crash", PROGRAM)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["crash"] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(
    ("victim", "moment", "candidates"), [("everything", "folds", 2), ("main", "blends", 1)]
)
def test_nothing_is_lost_blocked_or_left_behind(
    crash: ModuleType, tmp_path: Path, victim: str, moment: str, candidates: int
) -> None:
    plan = crash.Round(victim, moment, delay_s=0.1, candidates=candidates)
    assert crash.play(plan, tmp_path) == []
