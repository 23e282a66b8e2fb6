"""What pairs of columns add: each family's first default without and with them, on folds that it
has not seen.

Only tables on which pairs are found have lines. Run it with::

    python benchmarks/pairs.py --data FOLDER

The list of tables is that of the benchmark beside peers (``--list``).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from folds import data_sets, options_for
from forests import answered
from samplers import opened

from workbench.automl.features.interactions import find_pairs
from workbench.automl.worker.workspace import Workspace
from workbench.data.dataset import Dataset
from workbench.families import all_families
from workbench.families.shared.threads import one_thread

FOLDS = 5
_FAMILIES = ("lightgbm", "xgboost", "extra_trees", "random_forest", "mlp", "linear")
_FEW_ROWS = 20_000  # of fewer rows all folds are asked, of more one
_TABLES = "diamonds,nyc_taxis,bank_marketing,telco_churn,house_prices,flight_delays,medicare_drg,us_births,volcanoes"


def workspace(data: Dataset, folder: Path) -> Workspace:
    """Open the rows of a table, with the pairs that a search would find."""
    space = opened(data, np.arange(data.n_rows), FOLDS, folder)
    space.setup = replace(space.setup, problem=replace(space.problem, pairs=find_pairs(data)))
    return space


@one_thread()
def measured(space: Workspace) -> Iterator[tuple[str, float, float, float]]:
    """Yield a family, its scores without pairs and with them (higher is better), and the CPU
    seconds of both.
    """
    splits = range(FOLDS if space.dev.n_rows < _FEW_ROWS else 1)
    y = np.concatenate([space.dev.y[space.splits[at][1]] for at in splits])
    for family in _FAMILIES:
        first = all_families()[family].portfolio(space.problem)[0]
        began, scores = time.process_time(), []
        for pairs in (False, True):
            params: dict[str, Any] = {**first, "pairs": pairs}
            answers = np.concatenate([answered(space, family, params, at) for at in splits])
            scores.append(space.metric.plain(y, answers))
        yield family, scores[0], scores[1], time.process_time() - began


def main() -> None:
    """Print a line for each table and family."""
    options = options_for(__doc__, _TABLES, 60_000)
    for table, data in data_sets(options):
        with tempfile.TemporaryDirectory(prefix="pairs-") as folder:
            space = workspace(data, Path(folder))
            if not space.problem.pairs:
                print(f"{table:<18} no pair is found", flush=True)
                continue
            found = "; ".join(" × ".join(each) for each in space.problem.pairs)
            print(f"{table:<18} {found}", flush=True)
            for family, without, beside, seconds in measured(space):
                print(f"{table:<18} {family:<14} {without:10.5g} {beside:10.5g} {seconds:6.1f} s", flush=True)


if __name__ == "__main__":
    main()
