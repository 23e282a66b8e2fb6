"""What rows that chose when to stop say of a model, and what a search takes from them, against new
rows.

Each family's first default is fitted in five folds, where the fold's rows choose when to stop. Its
score out of fold is given twice: with the states that those very rows chose, and as a search counts
it: of a network, with the states that others of them chose. The folds' models also answer rows that
nobody has seen: the mean of their scores is what one is worth, the score of their average what is
served. All scores are given as the advantage over the linear model, which nothing stops early: what
rows happen to be in a part then falls out. Run it with::

    python benchmarks/stopping.py --data FOLDER --splits 6

The list of tables is that of the benchmark beside peers (``--list``).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from folds import data_sets, options_parser
from samplers import opened

from workbench.automl.records.messages import Config
from workbench.automl.worker.fit import encoding_of
from workbench.automl.worker.workspace import Workspace
from workbench.data.dataset import Dataset
from workbench.families import all_families
from workbench.families.base import unseen_raw
from workbench.families.forms.links import apply_link
from workbench.families.shared.threads import one_thread

FOLDS = 5
_BESIDE = "linear"
_FAMILIES = (_BESIDE, "lightgbm", "xgboost", "catboost", "additive", "mlp")


@one_thread()
def measured(space: Workspace, test: Dataset) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Yield a family and its scores: by rows that chose, as counted, of one model on new rows, of
    their average.
    """
    for name in _FAMILIES:
        family = all_families().get(name)
        if family is None:
            continue
        params = family.portfolio(space.problem)[0]
        encoding = encoding_of(Config("c", name, params, "portfolio", 0), space)
        rows = space.encoded(encoding).encoder.encode_columns(test.columns)
        shape = (space.dev.n_rows, space.problem.outputs)
        own, counted, raws = np.zeros(shape), np.zeros(shape), []
        for at, (_, valid) in enumerate(space.splits):
            train, judges = space.samples(encoding, at)
            fitted = family.fit(params, train, space.problem, valid=judges, seed=0)
            link = fitted.form().link
            own[valid] = apply_link(fitted.raw(judges.X), link)
            counted[valid] = apply_link(unseen_raw(fitted, judges.X), link)
            raws.append(fitted.raw(rows))
        score, y = space.metric.plain, space.dev.y
        one = float(np.mean([score(test.y, apply_link(raw, link)) for raw in raws]))
        average = score(test.y, apply_link(np.mean(raws, axis=0), link))
        yield name, (score(y, own), score(y, counted), one, average)


def main() -> None:
    """Print a line for each table and family."""
    parser = options_parser(__doc__, "house_prices,titanic,glass,parkinson_speech,volcanoes", 10_000)
    parser.add_argument("--splits", type=int, default=6)
    options = parser.parse_args()
    for table, data in data_sets(options):
        found: dict[str, list[tuple[float, ...]]] = {}
        for seed in range(options.splits):
            drawn = np.random.default_rng(seed).permutation(data.n_rows)
            train, test = np.sort(drawn[data.n_rows // 4 :]), np.sort(drawn[: data.n_rows // 4])
            with tempfile.TemporaryDirectory(prefix="stopping-") as folder:
                space = opened(data, train, FOLDS, Path(folder))
                for family, scores in measured(space, data.take(test)):
                    found.setdefault(family, []).append(scores)
        beside = np.mean(found.pop(_BESIDE), axis=0)
        for family, each in found.items():
            shown = " | ".join(f"{gain:+.4g}" for gain in np.mean(each, axis=0) - beside)
            print(f"| {table} | {family} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
