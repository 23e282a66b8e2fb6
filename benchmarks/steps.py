"""What larger steps are worth to a booster in the same seconds, on a fold that it has not seen.

Each booster's first default is fitted for as many seconds as given, with its own learning rate and
with multiples of it. A booster that learned all that it could in the time (``ended``) shows what
larger steps cost; one that was cut off (``cut``) shows what they gain. A search takes steps of
twice the size where a booster was cut off. Run it with::

    python benchmarks/steps.py --data FOLDER --seconds 4

The list of tables is that of the benchmark beside peers (``--list``).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from folds import data_sets, options_parser
from samplers import opened

from workbench.automl.records.messages import Config
from workbench.automl.worker.fit import encoding_of
from workbench.automl.worker.workspace import Workspace
from workbench.families import all_families
from workbench.families.forms.links import apply_link
from workbench.families.shared.boosting import with_larger_steps
from workbench.families.shared.threads import one_thread

FOLDS = 5
_FACTORS = (1.0, 2.0, 4.0)
_BOOSTERS = ("lightgbm", "xgboost", "catboost")


@one_thread()
def measured(space: Workspace, seconds: float) -> Iterator[tuple[str, float, int, bool, float]]:
    """Yield a booster, its learning rate, its rounds, whether it was cut off, and its score (higher
    is better).
    """
    for family in _BOOSTERS:
        trainer = all_families().get(family)
        if trainer is None:
            continue
        first = trainer.portfolio(space.problem)[0]
        train, valid = space.samples(encoding_of(Config("c", family, first, "portfolio", 0), space), 0)
        for factor in _FACTORS:
            params = with_larger_steps(first, factor) or first
            deadline = time.monotonic() + seconds
            fitted = trainer.fit(params, train, space.problem, valid=valid, seed=0, deadline=deadline)
            answers = apply_link(fitted.raw(valid.X), fitted.form().link)
            yield (
                family,
                params["learning_rate"],
                fitted.rounds,
                fitted.stopped,
                space.metric.plain(valid.y, answers),
            )


def main() -> None:
    """Print a line for each table, booster and learning rate."""
    parser = options_parser(
        __doc__, "us_births,diamonds,flight_delays,medicare_drg,higgs_sample,wine_white", 400_000
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="of one fit")
    options = parser.parse_args()
    for table, data in data_sets(options):
        with tempfile.TemporaryDirectory(prefix="steps-") as folder:
            space = opened(data, np.arange(data.n_rows), FOLDS, Path(folder))
            for family, rate, rounds, cut, score in measured(space, options.seconds):
                end = "cut" if cut else "ended"
                print(f"{table:<18} {family:<10} {rate:6.3f} {rounds:6d} {end:<6} {score:10.5g}", flush=True)


if __name__ == "__main__":
    main()
