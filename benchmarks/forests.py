"""Which forest to begin with: forests alone, and beside LightGBM's first default, on a fold that
they have not seen.

What a forest adds to a blend counts for more than what it is alone, so each is also mixed with the
booster in the proportion that is best on those rows: *gain* is what that takes off the booster's
own loss. Run it with::

    python benchmarks/forests.py --data FOLDER --sets flight_delays,nyc_taxis --rows 60000

The list of tables is that of the benchmark beside peers (``--list``).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from folds import data_sets, options_for
from samplers import opened

from workbench.automl.records.messages import Config
from workbench.automl.worker.fit import encoding_of
from workbench.automl.worker.workspace import Workspace
from workbench.families import all_families
from workbench.families.base import Problem
from workbench.families.forms.links import apply_link
from workbench.families.shared.threads import one_thread

FOLDS = 5
_FEW_ROWS, _SPLITS = 20_000, 2  # of fewer rows two folds are asked, of more one
_SHARES = np.linspace(0.0, 1.0, 11)


def configs(problem: Problem) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return what is compared: the booster first, then each forest's first default and what differs
    from it.
    """
    first = {name: all_families()[name].portfolio(problem)[0] for name in ("extra_trees", "random_forest")}
    found = {"lightgbm": ("lightgbm", dict(all_families()["lightgbm"].portfolio(problem)[0]))}
    for family, params in first.items():
        variants: dict[str, Mapping[str, Any]] = {
            "": {},
            ", leaves of 1": {"min_samples_leaf": 1},
            ", leaves of 4": {"min_samples_leaf": 4},
            ", codes": {"wide": "code"},
            ", codes and means": {"wide": "code+mean"},
            ", one-hot": {"onehot": 30},
            ", root of the features": {"max_features": max(0.1, min(1.0, problem.n_columns**-0.5))},
        }
        for name, change in variants.items():
            if set(change) <= set(params) and (not change or {**params, **change} != params):
                found[family + name] = family, {**params, **change}
    return found


@one_thread()
def measured(space: Workspace) -> dict[str, tuple[float, float, float]]:
    """Return each config's score (higher is better), the seconds of a fit, and its gain beside the
    booster.
    """
    splits = range(_SPLITS if space.dev.n_rows < _FEW_ROWS else 1)
    y = np.concatenate([space.dev.y[space.splits[at][1]] for at in splits])
    found: dict[str, tuple[float, float, float]] = {}
    booster, base = np.zeros(0), 0.0
    for name, (family, params) in configs(space.problem).items():
        began = time.process_time()
        answers = np.concatenate([answered(space, family, params, at) for at in splits])
        seconds = (time.process_time() - began) / len(splits)
        alone = space.metric.plain(y, answers)
        if not found:  # the first is the booster
            booster, base = answers, alone
        mixed = max(space.metric.plain(y, (1 - share) * booster + share * answers) for share in _SHARES)
        found[name] = alone, seconds, mixed - base
    return found


def answered(space: Workspace, family: str, params: Mapping[str, Any], split: int) -> np.ndarray:
    """Fit on a fold and return the answers to its other rows."""
    train, valid = space.samples(encoding_of(Config("c", family, dict(params), "portfolio", 0), space), split)
    watched = valid if family == "lightgbm" else None
    fitted = all_families()[family].fit(params, train, space.problem, valid=watched, seed=0)
    return apply_link(fitted.raw(valid.X), fitted.form().link)


def main() -> None:
    """Print a line for each table and config."""
    options = options_for(__doc__, "flight_delays,nyc_taxis,wine_white,telco_churn", 60_000)
    for table, data in data_sets(options):
        with tempfile.TemporaryDirectory(prefix="forests-") as folder:
            space = opened(data, np.arange(data.n_rows), FOLDS, Path(folder))
            for name, (score, seconds, gain) in measured(space).items():
                print(f"{table:<18} {name:<38} {score:10.5g} {seconds:6.1f} s {gain:+10.4g}", flush=True)


if __name__ == "__main__":
    main()
