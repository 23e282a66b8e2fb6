"""Permutation importance: the loss of score when one column is shuffled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from workbench.automl.records.candidate import Candidate
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.scoring.metrics import DEFAULT_METRIC, Metric
from workbench.errors import RunError
from workbench.runtime.core.schema import Column1d, Levels
from workbench.runtime.model.predictor import Predictor

# Scorers with a closed form; others resample a hundred times per score, which is too slow here.
_QUICK = frozenset(
    [
        "roc_auc",
        "neg_log_loss",
        "accuracy",
        "neg_brier_score",
        "neg_mean_squared_error",
        "neg_mean_absolute_error",
        "neg_root_mean_squared_error",
        "r2",
    ]
)
_MOST_ROWS, FEWEST_ROWS = 2000, 100
_T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26}


@dataclass(frozen=True, slots=True)
class Importance:
    """The loss of score when one column is shuffled.

    Attributes
    ----------
    column : str
    drop, low, high : float
        Loss of score in the unit of the metric, with a 95 % interval over the repeats.
    metric : str
    rows, repeats : int
        Number of rows scored, and of shuffles of each column.
    unseen : bool
        Whether the rows are the held-out set. Otherwise they are training rows: the importance then
        shows what the model relies on, not how much that helps on new rows.
    """

    column: str
    drop: float
    low: float
    high: float
    metric: str
    rows: int
    repeats: int
    unseen: bool = True


def rows_within(candidate: Candidate, columns: int, seconds: float, repeats: int = 5) -> int:
    """Return how many rows can be shuffled in about `seconds`, from the measured speed.

    The number depends only on stored measurements, so that repeated calls give equal results.
    """
    speed = candidate.measured.rows_per_s if candidate.measured else 0.0
    return min(int(seconds * speed / max(columns * repeats, 1)), _MOST_ROWS)


def importance(
    run: RunFolder,
    candidate: str,
    *,
    repeats: int = 5,
    most_rows: int = _MOST_ROWS,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
    predictor: Predictor | None = None,
) -> list[Importance]:
    """Return the permutation importance of every input column, strongest first.

    Breiman, "Random forests", Machine Learning 45 (2001). It is computed with the served model, on
    the held-out set if there is one. Correlated columns share their importance, since shuffling one
    leaves the other.

    Inside ``joblib.parallel_config(n_jobs=…)`` columns are shuffled in parallel, with equal
    results.

    Parameters
    ----------
    run : RunFolder
    candidate : str
    repeats : int
        Number of shuffles of each column, 2 to 10.
    most_rows : int
    seed : int
    progress : callable, optional
        Called with the completed share, 0 to 1.
    predictor : Predictor, optional
        The candidate's predictor, if it is loaded already.

    Raises
    ------
    RunError
        If the rows have only one class.
    """
    predictor, data = predictor or run.predictor(candidate), run.dataset()
    random = np.random.default_rng(seed)
    unseen = bool(len(run.holdout_rows))
    rows = np.asarray(run.holdout_rows if unseen else run.dev_rows)
    if len(rows) > most_rows:
        rows = np.sort(random.choice(rows, most_rows, replace=False))
    part = data.take(rows)
    scored = _Scored(predictor, _metric(run), predictor.read_columns(part.columns), part.y, part.weight)
    try:
        whole = scored.score(scored.columns)
    except ValueError as error:
        raise RunError("importance cannot be computed", found=str(error)) from None
    repeats, names = min(max(repeats, 2), 10), predictor.names
    # Drawn here and in order, so that results are equal for any number of jobs.
    orders = [[random.permutation(len(rows)) for _ in range(repeats)] for _ in names]
    shuffled = Parallel(return_as="generator")(
        delayed(scored.shuffled)(name, turns) for name, turns in zip(names, orders, strict=True)
    )
    out = []
    for name, scores in zip(names, shuffled, strict=True):
        drops = whole - scores
        half = _T_95[repeats] * float(drops.std(ddof=1)) / repeats**0.5
        mean = float(drops.mean())
        out.append(
            Importance(name, mean, mean - half, mean + half, scored.metric.name, len(rows), repeats, unseen)
        )
        if progress:
            progress(len(out) / len(names))
    return sorted(out, key=lambda each: -each.drop)


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """The rows, model and metric of an importance computation, sent to joblib workers.

    Attributes
    ----------
    predictor : Predictor
    metric : Metric
    columns : dict of str to column
        Canonical columns.
    y, weight : numpy.ndarray, shape (n,)
    """

    predictor: Predictor
    metric: Metric
    columns: dict[str, Column1d]
    y: np.ndarray
    weight: np.ndarray | None

    def score(self, columns: dict[str, Column1d]) -> float:
        """Return the score with these columns."""
        encoded = self.predictor.encoder.encode_columns(columns)
        return self.metric.plain(self.y, self.predictor.predict_matrix(encoded), self.weight)

    def shuffled(self, name: str, orders: list[np.ndarray]) -> np.ndarray:
        """Return the score for each order of one column."""
        column = self.columns[name]
        return np.array([self.score({**self.columns, name: _taken(column, order)}) for order in orders])


def _metric(run: RunFolder) -> Metric:
    """Return the run's metric, or the default of the task if the run's metric is too slow."""
    problem, name = run.problem, str(run.info["metric"])
    name = name if name in _QUICK else DEFAULT_METRIC[problem.task]
    return Metric(name, problem.task, problem.n_classes, 0)


def _taken(column: Column1d, rows: np.ndarray) -> Column1d:
    return column.take(rows) if isinstance(column, Levels) else column[rows]
