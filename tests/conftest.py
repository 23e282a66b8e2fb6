"""What all tests share: how random inputs are drawn, which tests are slow, and small searches that
really ran.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG

from tests import drawing
from workbench.api import search

drawing.settle()  # before any test is defined

for _step in ("connect", "read", "write", "pool"):  # how soon a server answers is the matter of no test
    setattr(DEFAULT_TIMEOUT_CONFIG, _step, 300.0)

_LEFT_OUT = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Draw by one rule, and leave out slow tests unless they are asked for, by ``-m`` or by
    name.
    """
    drawing.settle_each(items)
    slow = [item for item in items if item.get_closest_marker("slow")]
    if not slow or config.option.markexpr or any("::" in each for each in config.args):
        return
    items[:] = [item for item in items if item not in set(slow)]
    config.hook.pytest_deselected(items=slow)
    config.stash[_LEFT_OUT] = len(slow)
    if hasattr(config, "workeroutput"):  # a process of pytest-xdist: its report is written by another one
        config.workeroutput["left_out"] = len(slow)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[_LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if left_out := config.stash.get(_LEFT_OUT, 0):
        terminalreporter.write_line(f"{left_out} slow tests were not run: pytest -m slow runs them")


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose ``runs/small`` is a finished run."""
    random = np.random.default_rng(0)
    rows = 300
    frame = pd.DataFrame(
        {
            "age": random.normal(40, 12, rows).round(1),
            "plan": random.choice(["basic", "plus", "pro"], rows),
            "use": random.exponential(3, rows),
        }
    )
    pull = frame["age"] / 40 + (frame["plan"] == "pro") - frame["use"] / 4 + random.normal(0, 0.5, rows)
    frame["left"] = np.where(pull > 1, "yes", "no")
    folder = tmp_path_factory.mktemp("searched")
    search(frame, "left", trials=2, workers=1, families=["linear", "lightgbm"], out=folder / "runs" / "small")
    return folder


@pytest.fixture(scope="session")
def searched_numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose ``runs/numbers`` is a finished run that predicts a number."""
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"size": random.uniform(20, 200, 240), "floor": random.integers(0, 9, 240)})
    frame["rent"] = 200 + 9 * frame["size"] + 20 * frame["floor"] + random.normal(0, 40, 240)
    folder = tmp_path_factory.mktemp("numbers")
    search(frame, "rent", trials=1, workers=1, families=["linear"], out=folder / "runs" / "numbers")
    return folder


@pytest.fixture(scope="session")
def searched_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose ``runs/classes`` is a finished run that predicts one of three classes."""
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"x": random.normal(0, 1, 240), "y": random.normal(0, 1, 240)})
    high = np.where(frame["y"] > 0, "blue", "green")
    frame["colour"] = np.where(frame["x"] + random.normal(0, 0.4, 240) > 0.5, "red", high)
    folder = tmp_path_factory.mktemp("classes")
    search(frame, "colour", trials=1, workers=1, families=["linear"], out=folder / "runs" / "classes")
    return folder
