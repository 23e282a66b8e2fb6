"""Whether a small, fast model gains from being taught by a blend, and whether that gain can be told
without new rows.

The teacher is the average of four families, by their out-of-fold predictions. A student is fitted
on the log-odds of ``0.8 * teacher + 0.2 * label`` instead of on the labels. Its cross-validated
loss uses the folds of the teacher: the teacher's predictions of the other folds' rows were made by
models that had seen the labels of the fold that judges. Beside it stands the loss on rows that
nobody saw. Run it with::

    python benchmarks/distillation.py --data FOLDER --sets titanic,telco_churn --seeds 3

The list of tables is that of the benchmark beside peers (``--list``); tables with two classes can
be used.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from samplers import LIST, read_table

from workbench.automl.features.encoder_fitting import learn
from workbench.automl.phases.plan import describe_problem
from workbench.data.dataset import Dataset
from workbench.data.intake import load_dataset
from workbench.families import all_families
from workbench.families.base import Encoding, Problem, Sample
from workbench.families.shared.threads import one_thread
from workbench.runtime.core.encoder import Code

TEACHERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("lightgbm", {"extra_trees": True}),
    ("extra_trees", {}),
    ("mlp", {}),
    ("linear", {}),
)
STUDENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("additive", {}),
    ("lightgbm", {"n_estimators": 100, "learning_rate": 0.1, "num_leaves": 16}),
    ("mlp", {"width": 32, "depth": 1, "learning_rate": 5e-3}),
)
_SHARE = 0.8  # of the teacher in what a student is taught
_FOLDS = 5


@dataclass(slots=True)
class Halves:
    """One half of a table to learn from, the other to judge, and their encoded rows."""

    train: Dataset
    test: Dataset
    problem: Problem
    folds: np.ndarray
    _encoded: dict[Encoding, tuple[np.ndarray, np.ndarray, tuple[int, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Dataset, rows: int, seed: int) -> Halves:
        """Draw at most `rows` rows and divide them."""
        drawn = np.random.default_rng(seed).permutation(data.n_rows)[:rows]
        train = data.take(np.sort(drawn[len(drawn) // 2 :]))
        folds = np.random.default_rng(seed + 1).permutation(train.n_rows) % _FOLDS
        return cls(
            train, data.take(np.sort(drawn[: len(drawn) // 2])), describe_problem(data, train.n_rows), folds
        )

    def encoded(self, encoding: Encoding) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
        """Return the rows of both halves, and which features are codes."""
        if encoding not in self._encoded:
            learned = learn(encoding, self.train)
            kinds = [isinstance(step, Code) for step in learned.encoder.steps for _ in step.names()]
            codes = tuple(at for at, is_code in enumerate(kinds) if is_code)
            test = learned.encoder.encode_columns(self.test.columns)
            self._encoded[encoding] = (learned.matrix, test, codes)
        return self._encoded[encoding]

    @one_thread()
    def fitted(
        self, family: str, params: Mapping[str, Any], y: np.ndarray, problem: Problem
    ) -> tuple[Any, ...]:
        """Return out-of-fold predictions, and those of the other half by a model of all rows: (n,)
        and (m,).
        """
        kind = all_families()[family]
        X, test, codes = self.encoded(kind.encoding(params, self.problem))
        out, rounds = np.zeros(len(y)), []
        for fold in range(_FOLDS):
            inside, judged = self.folds != fold, self.folds == fold
            sample, valid = (
                Sample(X[inside], y[inside], None, codes),
                Sample(X[judged], y[judged], None, codes),
            )
            model = kind.fit(params, sample, problem, valid=valid)
            rounds.append(model.rounds)
            out[judged] = model.predict(X[judged])[:, -1]
        whole = kind.fit(
            params, Sample(X, y, None, codes), problem, rounds=max(1, round(float(np.mean(rounds))))
        )
        return out, whole.predict(test)[:, -1]


def log_loss(y: np.ndarray, p: np.ndarray) -> float:
    """Return the mean log loss of probabilities of the second class.

    Examples
    --------
    >>> round(log_loss(np.array([0, 1]), np.array([0.5, 0.5])), 3)
    0.693
    """
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return float(-np.mean(np.where(y == 1, np.log(p), np.log(1.0 - p))))


def compare(data: Dataset, rows: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the losses of every student, fitted on labels and taught."""
    halves = Halves.of(data, rows, seed)
    y, truth = halves.train.y, halves.test.y
    answers = [halves.fitted(family, params, y, halves.problem)[0] for family, params in TEACHERS]
    taught = np.clip(_SHARE * np.mean(answers, axis=0) + (1.0 - _SHARE) * y, 1e-3, 1.0 - 1e-3)
    odds = np.log(taught / (1.0 - taught))
    as_number = replace(halves.problem, task="regression", n_classes=0, skewed=False)
    for family, params in STUDENTS:
        for name in ("labels", "teacher"):
            if name == "labels":
                out, test = halves.fitted(family, params, y, halves.problem)
            else:
                out, test = (
                    1.0 / (1.0 + np.exp(-each)) for each in halves.fitted(family, params, odds, as_number)
                )
            yield {
                "student": family,
                "fitted on": name,
                "out of fold": log_loss(y, out),
                "new rows": log_loss(truth, test),
            }


def main() -> None:
    """Print the mean losses of each table as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", type=Path, default=LIST)
    parser.add_argument("--data", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--sets", required=True, help="names of tables, with commas")
    parser.add_argument("--rows", type=int, default=8_000, help="most rows used, half of them to learn from")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    entries = {
        each["name"]: each for each in tomllib.loads(options.list.read_text(encoding="utf-8"))["dataset"]
    }
    lines = []
    for name in options.sets.split(","):
        entry = entries[name]
        frame = read_table(options.data / entry["path"], entry.get("read", {}))
        data = load_dataset(frame, target=entry["target"], task="binary", drop=tuple(entry.get("drop", ())))
        for seed in range(options.seeds):
            lines += [{"table": name, **line} for line in compare(data, options.rows, seed)]
    figures = pd.DataFrame(lines).groupby(["table", "student", "fitted on"], sort=False).mean().reset_index()
    print("| table | student | fitted on | log loss out of fold | on new rows |\n|---|---|---|---|---|")
    for _, line in figures.iterrows():
        out, new = line["out of fold"], line["new rows"]
        print(f"| {line['table']} | {line['student']} | {line['fitted on']} | {out:.4f} | {new:.4f} |")


if __name__ == "__main__":
    main()
