"""One fit of PerpetualBooster, which needs no tuning, beside one fit of each booster's default
here.

Both get the same encoded rows (numbers as they are, categories as codes and means) and one thread.
Ours stop early on a fifth of the rows; PerpetualBooster trains on all of them until it finds that
it generalises no further. Run it with PerpetualBooster installed beside Workbench (``pip install
perpetual``)::

    python benchmarks/one_fit.py --data FOLDER --sets titanic,diamonds

The list of tables is that of the benchmark beside peers (``--list``); tables with two classes or a
number can be used.
"""

from __future__ import annotations

import argparse
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from samplers import LIST, read_table

from workbench.automl.features.encoder_fitting import learn
from workbench.automl.phases.plan import describe_problem
from workbench.automl.scoring.formulas.row_losses import row_losses
from workbench.data.dataset import Dataset
from workbench.data.intake import load_dataset
from workbench.families import all_families
from workbench.families.base import Sample
from workbench.families.shared.threads import one_thread

_OURS = ("lightgbm", "xgboost", "additive")
_BUDGETS = (0.5, 1.0)


def _loss(y: np.ndarray, output: np.ndarray, task: str) -> float:
    """Return the mean log loss, or the root of the mean squared error."""
    if task == "regression":
        return float(np.mean(row_losses(y, output, "squared"))) ** 0.5
    return float(np.mean(row_losses(y, output, "log")))


def _perpetual(
    X: np.ndarray, y: np.ndarray, task: str, budget: float
) -> tuple[Callable[..., np.ndarray], int]:
    from perpetual import PerpetualBooster

    objective = "SquaredLoss" if task == "regression" else "LogLoss"
    model = PerpetualBooster(objective=objective, budget=budget, num_threads=1)
    model.fit(np.asarray(X, dtype=np.float64), y.astype(np.float64))

    def predict(rows: np.ndarray) -> np.ndarray:
        rows = np.asarray(rows, dtype=np.float64)
        if task == "regression":
            return np.asarray(model.predict(rows), dtype=np.float64)[:, None]
        second = np.asarray(model.predict_proba(rows), dtype=np.float64).reshape(len(rows), -1)[:, -1]
        return np.column_stack([1.0 - second, second])

    return predict, int(model.number_of_trees)


@one_thread()
def compare(data: Dataset, rows: int, seed: int) -> Iterator[tuple[str, float, float, int]]:
    """Yield name, loss on the half of the rows that nobody saw, CPU seconds of the fit, and trees
    or rounds.
    """
    drawn = np.random.default_rng(seed).permutation(data.n_rows)[:rows]
    train, test = data.take(np.sort(drawn[len(drawn) // 2 :])), data.take(np.sort(drawn[: len(drawn) // 2]))
    problem, task = describe_problem(data, train.n_rows), data.schema.output.task
    inside = np.random.default_rng(seed).permutation(train.n_rows) % 5 > 0
    for name in _OURS:
        family = all_families()[name]
        params = family.portfolio(problem)[0]
        learned = learn(family.encoding(params, problem), train)
        X, y = learned.matrix, train.y
        began = time.process_time()
        valid = Sample(X[~inside], y[~inside])
        model = family.fit(params, Sample(X[inside], y[inside]), problem, valid=valid)
        spent = time.process_time() - began
        output = model.predict(learned.encoder.encode_columns(test.columns))
        yield name, _loss(test.y, output, task), spent, model.rounds
    family = all_families()["lightgbm"]
    learned = learn(family.encoding(family.portfolio(problem)[0], problem), train)
    for budget in _BUDGETS:
        began = time.process_time()
        predict, trees = _perpetual(learned.matrix, train.y, task, budget)
        spent = time.process_time() - began
        output = predict(learned.encoder.encode_columns(test.columns))
        yield f"perpetual, budget {budget:g}", _loss(test.y, output, task), spent, trees


def main() -> None:
    """Print a line of Markdown for each table and model, means over the seeds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", type=Path, default=LIST)
    parser.add_argument("--data", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--sets", required=True, help="names of tables, with commas")
    parser.add_argument("--rows", type=int, default=20_000, help="most rows used, half of them to learn from")
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    entries = {
        each["name"]: each for each in tomllib.loads(options.list.read_text(encoding="utf-8"))["dataset"]
    }
    print("| table | model | loss on new rows | CPU s of the fit | trees |\n|---|---|---|---|---|")
    for name in options.sets.split(","):
        entry = entries[name]
        frame = read_table(options.data / entry["path"], entry.get("read", {}))
        task, drop = entry["task"], tuple(entry.get("drop", ()))
        data = load_dataset(frame, target=entry["target"], task=task, drop=drop)
        found: dict[str, list[Any]] = {}
        for seed in range(options.seeds):
            for model, *figures in compare(data, options.rows, seed):
                found.setdefault(model, []).append(figures)
        for model, figures in found.items():
            loss, spent, trees = np.mean(figures, axis=0)
            print(f"| {name} | {model} | {loss:.5g} | {spent:.2f} | {trees:.0f} |", flush=True)


if __name__ == "__main__":
    main()
