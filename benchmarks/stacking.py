"""What a blend gains by a matrix that mixes its classes, and by a network over its members, on rows
nobody saw.

Each family's first defaults are fitted in five folds as a search does it, and blended by what they
say out of fold. The network is learned whatever the number of rows: a search has none below
`STACKER_LEAST_ROWS` of `messages`, and the tables here say why. Run it with::

    python benchmarks/stacking.py --data FOLDER

The list of tables is that of the benchmark beside peers (``--list``).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from folds import averaged, calibrated, data_sets, options_parser
from samplers import opened

from workbench.automl.calibration.calibration import choose_calibration
from workbench.automl.scoring.ensemble_selection import cross_fitted, greedy_path
from workbench.automl.worker.ensembling.stacker import learn_meta
from workbench.automl.worker.workspace import Workspace
from workbench.data.dataset import Dataset
from workbench.families import all_families
from workbench.families.forms.links import calibrate
from workbench.families.shared.threads import one_thread

FOLDS = 5
CONFIGS = {"lightgbm": 2, "xgboost": 2, "catboost": 1, "extra_trees": 1, "mlp": 1, "linear": 1, "additive": 1}
_BESIDE = ("linear", "additive", "mlp")

Pair = tuple[np.ndarray, np.ndarray]
"""Answers to the rows out of fold, and to the new ones."""


def members(space: Workspace, test: Dataset) -> dict[str, Pair]:
    """Fit every config, and return the answers of each, calibrated."""
    out: dict[str, Pair] = {}
    for family, count in CONFIGS.items():
        if family not in all_families():
            continue
        for at, params in enumerate(all_families()[family].portfolio(space.problem)[:count]):
            oof, answers, calibration = averaged(space, family, params, test)
            out[f"{family} {at}"] = calibrated(oof, calibration), calibrated(answers, calibration)
    return out


@one_thread()
def measured(space: Workspace, test: Dataset) -> list[float]:
    """Return the scores of an average on new rows: as it is, mixed, with a network, with both."""
    known = members(space, test)
    names, loss = list(known), space.problem.loss
    weights = greedy_path(space.dev.y, [known[name][0] for name in names], loss)[-1].weights
    chosen = [known[names[at]] for at in weights]
    fold = space.fold_of()
    oof = cross_fitted(space.dev.y, [each for each, _ in chosen], loss, fold)
    answers = sum(share * each for share, (_, each) in zip(weights.values(), chosen, strict=True))
    plain = (oof, np.asarray(answers))
    families = {names[at].split()[0] for at in weights}
    seen = chosen + [known[f"{each} 0"] for each in _BESIDE if each not in families and f"{each} 0" in known]
    learned = learn_meta(space, [each for each, _ in seen], oof, least_rows=0)
    both = plain
    if learned is not None:
        network, with_network = learned
        both = with_network, network.of(plain[1], [each for _, each in seen])
    tried = [_calibrated(space, plain), _calibrated(space, plain, mixing=True), _calibrated(space, both),
             _calibrated(space, both, mixing=True)]  # fmt: skip
    return [space.metric.plain(test.y, each) for each in tried]


def _calibrated(space: Workspace, pair: Pair, *, mixing: bool = False) -> np.ndarray:
    if space.problem.task == "regression":
        return pair[1]
    found, _ = choose_calibration(space.dev.y, pair[0], space.fold_of(), mixing=mixing)
    return pair[1] if found is None else calibrate(pair[1], found.served, np.asarray(found.offset))


def main() -> None:
    """Print a line for each table."""
    tables = "wine_white,forest_cover,midwest_survey,diamonds,telco_churn,higgs_sample"
    parser = options_parser(__doc__, tables, 20_000)
    parser.add_argument("--splits", type=int, default=1)
    options = parser.parse_args()
    for table, data in data_sets(options):
        found = []
        for seed in range(options.splits):
            drawn = np.random.default_rng(seed).permutation(data.n_rows)
            train, test = np.sort(drawn[data.n_rows // 4 :]), np.sort(drawn[: data.n_rows // 4])
            with tempfile.TemporaryDirectory(prefix="stacking-") as folder:
                space = opened(data, train, FOLDS, Path(folder))
                found.append(measured(space, data.take(test)))
        shown = " | ".join(f"{each:.5g}" for each in np.mean(found, axis=0))
        print(f"| {table} | {data.n_rows:,} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
