"""How many folds: the average of five, eight or ten folds' models, and one model of all rows, on
rows nobody saw.

Each family's first defaults are fitted in every fold as a search does it, averaged and calibrated;
the blend is the greedy one of a search, chosen out of fold. "whole" is one forest of all rows with
as many trees as five folds' forests have together. Run it with::

    python benchmarks/folds.py --data FOLDER --sets titanic,wine_white --rows 10000

The list of tables is that of the benchmark beside peers (``--list``).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from samplers import LIST, opened

from workbench.automl.calibration.calibration import Calibration, choose_calibration
from workbench.automl.records.messages import Config
from workbench.automl.scoring.ensemble_selection import greedy_path
from workbench.automl.worker.fit import encoding_of
from workbench.automl.worker.workspace import Workspace
from workbench.data.dataset import Dataset
from workbench.data.intake import load_dataset
from workbench.families import all_families
from workbench.families.base import unseen_raw
from workbench.families.forms.links import apply_link, calibrate
from workbench.families.shared.threads import one_thread

sys.path.insert(0, str(Path(__file__).parent / "peers"))
from tables import choose, load, read_list

FOLDS = (5, 8, 10)
CONFIGS = {"extra_trees": 2, "random_forest": 1, "lightgbm": 2, "xgboost": 1, "mlp": 1}
_FORESTS = ("extra_trees", "random_forest")

Found = dict[str, tuple[float, float]]
"""By config: the score on the test rows (higher is better), and the seconds of its fits."""


@one_thread()
def measured(space: Workspace, test: Dataset) -> Found:
    """Fit every config in every fold, and return what the averages and their blend come to."""
    found: Found = {}
    out_of_fold, answers = [], []
    for family, count in CONFIGS.items():
        for at, params in enumerate(all_families()[family].portfolio(space.problem)[:count]):
            name, began = f"{family} {at}", time.monotonic()
            oof, test_raw, calibration = averaged(space, family, params, test)
            answer = calibrated(test_raw, calibration)
            found[name] = space.metric.plain(test.y, answer), time.monotonic() - began
            out_of_fold.append(calibrated(oof, calibration))
            answers.append(answer)
            if family in _FORESTS and space.folds == FOLDS[0]:
                began = time.monotonic()
                whole = calibrated(of_all_rows(space, family, params, test), calibration)
                found[f"{name}, whole"] = space.metric.plain(test.y, whole), time.monotonic() - began
    best = greedy_path(space.dev.y, out_of_fold, space.problem.loss)[-1]
    found["blend"] = space.metric.plain(test.y, best.of(answers)), 0.0
    return found


def averaged(
    space: Workspace, family: str, params: Mapping[str, Any], test: Dataset
) -> tuple[np.ndarray, np.ndarray, Calibration | None]:
    """Return out-of-fold answers, the answers of the folds' average to the test rows, and their
    calibration.
    """
    encoding = encoding_of(Config("c", family, dict(params), "portfolio", 0), space)
    rows = space.encoded(encoding).encoder.encode_columns(test.columns)
    raws, oof, link = [], None, "identity"
    for at, (_, valid) in enumerate(space.splits):
        train, judged = space.samples(encoding, at)
        fitted = all_families()[family].fit(params, train, space.problem, valid=judged, seed=0)
        link = fitted.form().link
        raws.append(fitted.raw(rows))
        raw = unseen_raw(fitted, judged.X)
        oof = np.zeros((space.dev.n_rows, raw.shape[1])) if oof is None else oof
        oof[valid] = raw
    assert oof is not None
    first, second = apply_link(oof, link), apply_link(np.mean(raws, axis=0), link)
    if space.problem.task == "regression":
        return first, second, None
    return first, second, choose_calibration(space.dev.y, first, space.fold_of(), None)[0]


def of_all_rows(space: Workspace, family: str, params: Mapping[str, Any], test: Dataset) -> np.ndarray:
    """Return the answers of one forest of all rows, of as many trees as all folds' forests."""
    encoding = encoding_of(Config("c", family, dict(params), "portfolio", 0), space)
    rows = space.encoded(encoding).encoder.encode_columns(test.columns)
    more = {**params, "n_estimators": space.folds * params["n_estimators"]}
    fitted = all_families()[family].fit(more, space.whole(encoding), space.problem, seed=0)
    return apply_link(fitted.raw(rows), fitted.form().link)


def calibrated(answers: np.ndarray, calibration: Calibration | None) -> np.ndarray:
    """Calibrate probabilities, where it was found better."""
    if calibration is None:
        return answers
    return calibrate(answers, calibration.scale, np.asarray(calibration.offset))


def options_for(description: str | None, sets: str, rows: int) -> argparse.Namespace:
    """Read the command line of a benchmark over tables of the list."""
    return options_parser(description, sets, rows).parse_args()


def options_parser(description: str | None, sets: str, rows: int) -> argparse.ArgumentParser:
    """Return what reads it, for a benchmark with options of its own."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", type=Path, default=LIST)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the tables")
    parser.add_argument("--sets", default=sets)
    parser.add_argument("--rows", type=int, default=rows, help="of a table at most")
    return parser


def data_sets(options: argparse.Namespace) -> Iterator[tuple[str, Dataset]]:
    """Yield name and rows of each table asked for."""
    for table in choose(read_list(options.list), options.sets):
        frame = load(table, options.data)
        frame = frame.sample(min(options.rows, len(frame)), random_state=0)
        yield table.name, load_dataset(frame, target=table.target, task=table.task)


def main() -> None:
    """Print a line for each table and config."""
    options = options_for(__doc__, "wine_white,titanic,telco_churn,diamonds", 10_000)
    for table, data in data_sets(options):
        drawn = np.random.default_rng(0).permutation(data.n_rows)
        train, test = np.sort(drawn[data.n_rows // 4 :]), np.sort(drawn[: data.n_rows // 4])
        by_folds: dict[int, Found] = {}
        for folds in FOLDS:
            with tempfile.TemporaryDirectory(prefix="folds-") as folder:
                by_folds[folds] = measured(opened(data, train, folds, Path(folder)), data.take(test))
        for name in by_folds[FOLDS[0]]:
            cells = [by_folds[folds].get(name) for folds in FOLDS]
            shown = "  ".join(f"{each[0]:.5g} ({each[1]:.1f} s)" if each else "-" for each in cells)
            print(f"{table:<18} {name:<24} {shown}", flush=True)


if __name__ == "__main__":
    main()
