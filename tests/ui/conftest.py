"""One small search that really ran, for the tests that export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.api import search


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
