"""Scores with intervals, under scikit-learn's scorer names (higher is better, errors are negative)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.errors import SettingsError, nearest, shown
from workbench.runtime.schema import Task

from .noise import mean_and_error
from .records import Score
from .sums import sums_of

DEFAULT_METRIC = {
    "binary": "roc_auc",
    "multiclass": "neg_log_loss",
    "regression": "neg_root_mean_squared_error",
}
_Z = 1.959963984540054  # the 97.5 % point of the normal distribution
_RESAMPLES = 100
_RESAMPLE_ROWS = 20_000

Weight = np.ndarray | None
_Interval = tuple[float, float, float]


#: The lowest target that a metric is defined for, and whether it may be met.
_LEAST = {
    "neg_mean_poisson_deviance": (0.0, True),
    "neg_mean_gamma_deviance": (0.0, False),
    "neg_mean_squared_log_error": (-1.0, False),
    "neg_root_mean_squared_log_error": (-1.0, False),
}
_SIZES = (
    "neg_mean_absolute_error",
    "neg_median_absolute_error",
    "neg_mean_absolute_percentage_error",
    "d2_absolute_error_score",
)


def metric_name(metric: str, task: Task) -> str:
    """Return the scorer's name, "auto" replaced by the task's default.

    Raises
    ------
    SettingsError
        Where scikit-learn knows no such scorer, or it does not fit the task.

    Examples
    --------
    >>> metric_name("auto", "binary")
    'roc_auc'
    """
    if metric in ("auto", DEFAULT_METRIC[task]):
        return DEFAULT_METRIC[task]
    name = metric
    fitting = _fitting_names(task)
    if name in fitting:
        return name
    close = nearest(name, fitting) or [DEFAULT_METRIC[task]]
    raise SettingsError(
        "metric",
        found=shown(name),
        expected=f"a scikit-learn scorer for a {task} target, such as {', '.join(close)}",
    )


_LABELS = "accuracy balanced_accuracy f1_macro f1_micro f1_weighted matthews_corrcoef neg_log_loss"
_NAMES = {
    "binary": f"roc_auc average_precision f1 precision recall jaccard neg_brier_score d2_log_loss_score {_LABELS}",
    "multiclass": "precision_macro precision_micro precision_weighted recall_macro recall_micro recall_weighted "
    "jaccard_macro jaccard_micro jaccard_weighted roc_auc_ovr roc_auc_ovo roc_auc_ovr_weighted roc_auc_ovo_weighted "
    f"top_k_accuracy {_LABELS}",
    "regression": "neg_root_mean_squared_error neg_mean_squared_error neg_mean_absolute_error r2 explained_variance "
    "neg_median_absolute_error neg_max_error neg_mean_squared_log_error neg_root_mean_squared_log_error "
    "neg_mean_absolute_percentage_error neg_mean_poisson_deviance neg_mean_gamma_deviance d2_absolute_error_score",
}


def check_target(metric: str, y: np.ndarray) -> None:
    """Refuse a metric that no model can have on these numbers.

    Raises
    ------
    SettingsError

    Examples
    --------
    >>> check_target("neg_mean_gamma_deviance", np.array([0.0, 2.0]))
    Traceback (most recent call last):
    ...
    workbench.errors.SettingsError: metric: found neg_mean_gamma_deviance and a target of 0; expected all above 0
    """
    least, may_equal = _LEAST.get(metric, (-np.inf, True))
    lowest = float(y.min()) if len(y) else np.inf
    if lowest < least or (lowest == least and not may_equal):
        limit = f"all {'from' if may_equal else 'above'} {least:g}"
        raise SettingsError("metric", found=f"{metric} and a target of {lowest:g}", expected=limit)


def counts_sizes(metric: str) -> bool:
    """Tell whether a metric counts errors by their size, not by their square: it asks for the middle of a target.

    Examples
    --------
    >>> counts_sizes("neg_mean_absolute_error"), counts_sizes("r2")
    (True, False)
    """
    return metric in _SIZES


def _fitting_names(task: Task) -> list[str]:
    from sklearn.metrics import get_scorer_names

    known = set(get_scorer_names())
    wanted = _NAMES[task].split()
    return [name for name in wanted if name in known]


@dataclass(frozen=True, slots=True)
class Metric:
    """One scorer for one task.

    `score` takes the target (class positions or numbers), the served output (float (n, k) probabilities or (n, 1)
    numbers) and weights.
    """

    name: str
    task: Task
    n_classes: int
    seed: int = 0

    def score(self, y: np.ndarray, output: np.ndarray, weight: Weight, data: str) -> Score:
        """Return the score with a 95 % interval, over the rows whose output is known.

        Raises
        ------
        ValueError
            Where the score is not defined on these rows (one class only, for instance).
        """
        known = np.isfinite(output).all(axis=1)
        y, output = y[known], np.asarray(output[known], dtype=np.float64)
        weight = None if weight is None else weight[known]
        if len(y) == 0:
            raise ValueError("no row was predicted")
        direct = _DIRECT.get(self.name)
        value, low, high = direct(y, output, weight) if direct else self._resampled(y, output, weight)
        if not np.isfinite(value):
            raise ValueError(f"{self.name} is not defined on these {len(y)} rows")
        low, high = (value if not np.isfinite(edge) else edge for edge in (low, high))
        return Score(float(value), float(low), float(high), self.name, data, len(y))

    def plain(self, y: np.ndarray, output: np.ndarray, weight: Weight = None) -> float:
        """Return the score alone, without an interval.

        Raises
        ------
        ValueError
            Where the score is not defined on these rows.

        Examples
        --------
        >>> metric = Metric("neg_max_error", "regression", 0)
        >>> metric.plain(np.array([1.0, 2.0]), np.array([[1.5], [2.0]]))
        -0.5
        """
        output = np.asarray(output, dtype=np.float64)
        direct = _DIRECT.get(self.name)
        return direct(y, output, weight)[0] if direct else self._by_scorer(y, output, weight)

    def _resampled(self, y: np.ndarray, output: np.ndarray, weight: Weight) -> _Interval:
        """Percentile bootstrap (Efron 1979) over rows."""
        random = np.random.default_rng(self.seed)
        rows = len(y)
        size = min(rows, _RESAMPLE_ROWS)
        sums = sums_of(self, y, output, weight)
        if sums is None:
            value = self._by_scorer(y, output, weight)
            values = np.array(list(self._redrawn(y, output, weight, size, random)))
        else:
            value = sums.score(weight)
            terms = sums.terms if weight is None else sums.terms * weight[:, None]
            drawn = [terms[random.integers(0, rows, size)].sum(axis=0) for _ in range(_RESAMPLES)]
            values = sums.value(np.stack(drawn))
        values = values[np.isfinite(values)]
        if not len(values):
            return value, value, value
        shrink = (size / rows) ** 0.5  # fewer rows than there are scatter more
        low, high = np.quantile(values, [0.025, 0.975])
        middle = float(np.median(values))
        return value, value + (low - middle) * shrink, value + (high - middle) * shrink

    def _redrawn(
        self, y: np.ndarray, output: np.ndarray, weight: Weight, size: int, random: np.random.Generator
    ) -> Iterator[float]:
        for _ in range(_RESAMPLES):
            chosen = random.integers(0, len(y), size)
            drawn = None if weight is None else weight[chosen]
            try:
                yield self._by_scorer(y[chosen], output[chosen], drawn)
            except ValueError:
                continue

    def _by_scorer(self, y: np.ndarray, output: np.ndarray, weight: Weight) -> float:
        """Let scikit-learn's own scorer judge, through an estimator that replays the predictions."""
        import warnings

        from sklearn.metrics import get_scorer

        estimator = _replay(output, self.task, self.n_classes)
        takes_weight = weight is not None and self.name != "neg_max_error"  # the largest error has no weights
        kwargs: dict[str, Any] = {"sample_weight": weight} if takes_weight else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # undefined precision and the like: the value 0 says it
            rows = np.arange(len(y))[:, None]
            return float(get_scorer(self.name)(estimator, rows, y, **kwargs))


def _replay(output: np.ndarray, task: Task, n_classes: int) -> Any:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

    class Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
        classes_ = np.arange(n_classes)
        fitted_ = True

        def fit(self, X: Any, y: Any) -> Any:
            return self

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            chosen: np.ndarray = output[X[:, 0]]
            return chosen

        def predict(self, X: np.ndarray) -> np.ndarray:
            chosen = output[X[:, 0]]
            return (chosen[:, 1] >= 0.5).astype(int) if n_classes == 2 else np.asarray(chosen.argmax(axis=1))

    class Regressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # as above
        fitted_ = True

        def fit(self, X: Any, y: Any) -> Any:
            return self

        def predict(self, X: np.ndarray) -> np.ndarray:
            chosen: np.ndarray = output[X[:, 0], 0]
            return chosen

    return Regressor() if task == "regression" else Classifier()


# ---------------------------------------------------------------- closed forms


def _mean_interval(losses: np.ndarray, weight: Weight) -> _Interval:
    """Mean of per-row values with its normal interval."""
    mean, error = mean_and_error(losses, weight)
    return mean, mean - _Z * error, mean + _Z * error


def _log_loss(y: np.ndarray, output: np.ndarray, weight: Weight) -> _Interval:
    chosen = output[np.arange(len(y)), y] / output.sum(axis=1)
    return _mean_interval(np.log(np.clip(chosen, np.finfo(np.float64).eps, 1.0)), weight)


def _accuracy(y: np.ndarray, output: np.ndarray, weight: Weight) -> _Interval:
    chosen = output[:, 1] >= 0.5 if output.shape[1] == 2 else output.argmax(axis=1)
    value, low, high = _mean_interval((chosen == y).astype(np.float64), weight)
    return value, max(low, 0.0), min(high, 1.0)


def _brier(y: np.ndarray, output: np.ndarray, weight: Weight) -> _Interval:
    return _mean_interval(-((output[:, 1] - y) ** 2), weight)


def _squared_error(y: np.ndarray, output: np.ndarray, weight: Weight) -> _Interval:
    return _mean_interval(-((output[:, 0] - y) ** 2), weight)


def _absolute_error(y: np.ndarray, output: np.ndarray, weight: Weight) -> _Interval:
    return _mean_interval(-np.abs(output[:, 0] - y), weight)


def _root_squared_error(y: np.ndarray, output: np.ndarray, weight: Weight) -> _Interval:
    value, low, high = (-(max(-part, 0.0) ** 0.5) for part in _squared_error(y, output, weight))
    return value, low, high


def _r2(y: np.ndarray, output: np.ndarray, weight: Weight) -> _Interval:
    """Interval of the squared error over the fixed spread of the target."""
    mean = np.average(y, weights=weight)
    spread = float(np.average((y - mean) ** 2, weights=weight))
    value, low, high = (
        1.0 + part / spread if spread else np.nan for part in _squared_error(y, output, weight)
    )
    return value, low, high


def _auc(y: np.ndarray, output: np.ndarray, weight: Weight) -> _Interval:
    """Area under the ROC curve with DeLong's variance, by the ranks of Sun and Xu (2014)."""
    marks = output[:, 1]
    yes, no = marks[y == 1], marks[y == 0]
    if not len(yes) or not len(no):
        raise ValueError(f"roc_auc needs both classes; all {len(y)} rows are of one")
    ranks_all = _midranks(np.concatenate([yes, no]))
    m, n = len(yes), len(no)
    area = (ranks_all[:m].sum() - m * (m + 1) / 2) / (m * n)
    share_yes = (ranks_all[:m] - _midranks(yes)) / n
    share_no = 1.0 - (ranks_all[m:] - _midranks(no)) / m
    variance = share_yes.var() / max(m - 1, 1) + share_no.var() / max(n - 1, 1)
    if weight is not None:
        from sklearn.metrics import roc_auc_score

        area = float(roc_auc_score(y, marks, sample_weight=weight))
    half = _Z * float(variance) ** 0.5
    return float(area), max(float(area) - half, 0.0), min(float(area) + half, 1.0)


def _midranks(values: np.ndarray) -> np.ndarray:
    """Rank values from 1, equal ones by the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle: np.ndarray = (last - (counts - 1) / 2.0)[place]
    return middle


_DIRECT: dict[str, Callable[[np.ndarray, np.ndarray, Weight], _Interval]] = {
    "neg_log_loss": _log_loss,
    "accuracy": _accuracy,
    "neg_brier_score": _brier,
    "roc_auc": _auc,
    "neg_mean_squared_error": _squared_error,
    "neg_mean_absolute_error": _absolute_error,
    "neg_root_mean_squared_error": _root_squared_error,
    "r2": _r2,
}
