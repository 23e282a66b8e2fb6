"""Scores with intervals, by scikit-learn's scorer names: higher is better, errors are negative."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.errors import SettingsError, nearest, shown
from workbench.runtime.core.schema import Task

from ..records.candidate import Score
from .formulas.metric_sums import Sums, effective_rows
from .formulas.metric_terms import Predictions
from .metric_definitions import DEFINITIONS, Definition, metric_names
from .score_intervals import Z, interval_in

DEFAULT_METRIC = {
    "binary": "roc_auc",
    "multiclass": "neg_log_loss",
    "regression": "neg_root_mean_squared_error",
}
_RESAMPLES = 100
_RESAMPLE_ROWS = 20_000

Weight = np.ndarray | None


def metric_name(metric: str, task: Task) -> str:
    """Return the scorer's name, "auto" replaced by the task's default.

    Raises
    ------
    SettingsError
        If scikit-learn has no such scorer, or it does not apply to the task.

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
    close = nearest(name, fitting)
    hint = f"Did you mean {' or '.join(close)}?" if close else None
    raise SettingsError(
        "metric",
        found=shown(name),
        expected=f"a scikit-learn scorer for a {task} target: {', '.join(sorted(fitting))}",
        hint=hint,
    )


def check_target(metric: str, y: np.ndarray) -> None:
    """Check that a metric is defined on a target.

    Raises
    ------
    SettingsError
        If the target has values outside the metric's domain.

    Examples
    --------
    >>> check_target("neg_mean_gamma_deviance", np.array([0.0, 2.0]))
    Traceback (most recent call last):
    ...
    workbench.errors.SettingsError: metric: found neg_mean_gamma_deviance and a target of 0; expected all above 0
    """
    least, may_equal = DEFINITIONS[metric].least_target or (-np.inf, True)
    lowest = float(y.min()) if len(y) else np.inf
    if lowest < least or (lowest == least and not may_equal):
        limit = f"all {'from' if may_equal else 'above'} {least:g}"
        raise SettingsError("metric", found=f"{metric} and a target of {lowest:g}", expected=limit)


def _fitting_names(task: Task) -> list[str]:
    from sklearn.metrics import get_scorer_names

    known = set(get_scorer_names())
    return [name for name in metric_names(task) if name in known]


@dataclass(frozen=True, slots=True)
class Metric:
    """One scorer for one task.

    `score` takes the target (class positions or numbers), the served output (float (n, k)
    probabilities or (n, 1) numbers) and weights.
    """

    name: str
    task: Task
    n_classes: int
    seed: int = 0

    def score(
        self,
        y: np.ndarray,
        output: np.ndarray,
        weight: Weight,
        data: str,
        *,
        fold: np.ndarray | None = None,
        group: np.ndarray | None = None,
    ) -> Score:
        """Return the score with a 95 % interval, over the rows that were predicted.

        The interval is computed from the score's standard error: from the influence of each row if
        the metric is a function of sums (see `Sums.influence`), else by the bootstrap over rows
        (Efron 1979). It stays within the metric's domain (see `score_intervals`).

        Parameters
        ----------
        y : numpy.ndarray, shape (n,)
            Class positions or numbers.
        output : numpy.ndarray, shape (n, k)
            Probabilities or numbers; NaN if a row was not predicted.
        weight : numpy.ndarray, shape (n,), or None
            Rows of weight 0 have no influence.
        data : str
            A description of the rows.
        fold : numpy.ndarray of int, shape (n,), optional
            For out-of-fold rows: the fold that predicted each. Metrics of ranking compare rows of
            one fold only (see `ranking_metrics`).
        group : numpy.ndarray of int, shape (n,), optional
            Rows of one group are not independent: whole groups are the sampling unit of the
            interval.

        Raises
        ------
        ValueError
            If the score is not defined on these rows (for example, rows of a single class).
        """
        known = np.isfinite(output).all(axis=1)
        if weight is not None:
            known &= weight > 0
        y, output = y[known], np.asarray(output[known], dtype=np.float64)
        weight, fold, group = (None if each is None else each[known] for each in (weight, fold, group))
        if len(y) == 0:
            raise ValueError("no row was predicted")
        sums = self.sums(y, output, weight, fold)
        if sums is not None:
            value, error = sums.score(weight), sums.error(weight, group)
        else:
            value = self._without_sums(y, output, weight, fold)
            error = self._resampled_error(y, output, weight, fold, group)
        if not np.isfinite(value):
            raise ValueError(f"{self.name} is not defined on these {len(y)} rows")
        half = Z * error if np.isfinite(error) else 0.0
        low, high = interval_in(self.domain, value, half, half, self._fewest(y, weight))
        return Score(float(value), low, high, self.name, data, len(y))

    def plain(
        self, y: np.ndarray, output: np.ndarray, weight: Weight = None, fold: np.ndarray | None = None
    ) -> float:
        """Return the score without an interval.

        Raises
        ------
        ValueError
            If the score is not defined on these rows.

        Examples
        --------
        >>> metric = Metric("neg_max_error", "regression", 0)
        >>> metric.plain(np.array([1.0, 2.0]), np.array([[1.5], [2.0]]))
        -0.5
        """
        output = np.asarray(output, dtype=np.float64)
        sums = self.sums(y, output, weight, fold)
        return self._without_sums(y, output, weight, fold) if sums is None else sums.score(weight)

    def sums(
        self, y: np.ndarray, output: np.ndarray, weight: Weight = None, fold: np.ndarray | None = None
    ) -> Sums | None:
        """Return the terms whose sums determine the score; None for a median or a maximum.

        Parameters
        ----------
        y, output, weight, fold
            As in `score`; `output` without NaN. The terms depend on `weight` only through the ranks
            of ROC curves.

        Raises
        ------
        ValueError
            If the metric is not defined on these rows.

        Examples
        --------
        >>> metric = Metric("f1", "binary", 2)
        >>> y, p = np.array([0, 1, 1, 1]), np.array([0.6, 0.7, 0.2, 0.9])
        >>> round(metric.sums(y, np.column_stack([1 - p, p])).score(), 3)
        0.667
        """
        build = self.definition.sums
        return None if build is None else build(self._predictions(y, output, weight, fold))

    @property
    def definition(self) -> Definition:
        """The definition that determines score, interval and bootstrap."""
        return DEFINITIONS[self.name]

    @property
    def domain(self) -> tuple[float, float]:
        """The lowest and the highest value that the score can have."""
        return self.definition.domain_of(self.n_classes)

    def _predictions(
        self, y: np.ndarray, output: np.ndarray, weight: Weight, fold: np.ndarray | None
    ) -> Predictions:
        if self.task == "regression":
            y = np.asarray(y, dtype=np.float64)
        return Predictions(y, np.asarray(output, dtype=np.float64), weight, fold)

    def _without_sums(
        self, y: np.ndarray, output: np.ndarray, weight: Weight, fold: np.ndarray | None
    ) -> float:
        """Return the score of a metric without sums."""
        exact = self.definition.exact
        if exact is None:
            return self._by_scorer(y, output, weight)
        return exact(self._predictions(y, output, weight, fold))

    def _fewest(self, y: np.ndarray, weight: Weight) -> float:
        """Return the effective sample size, of the smallest class if the metric is by class."""
        if not self.definition.by_class:
            return effective_rows(weight, len(y))
        classes = [y == label for label in np.unique(y)]
        return min(effective_rows(None if weight is None else weight[own], int(own.sum())) for own in classes)

    def _resampled_error(
        self,
        y: np.ndarray,
        output: np.ndarray,
        weight: Weight,
        fold: np.ndarray | None,
        group: np.ndarray | None,
    ) -> float:
        """Return the standard error by the bootstrap over rows, or whole groups."""
        if group is not None and (group == group[0]).all():
            group = None  # a single group does not show how groups differ
        number = np.arange(len(y)) if group is None else np.unique(group, return_inverse=True)[1]
        units = int(number.max()) + 1
        members = np.split(np.argsort(number, kind="stable"), np.cumsum(np.bincount(number))[:-1])
        size = units if group is not None else min(units, _RESAMPLE_ROWS)
        random = np.random.default_rng(self.seed)
        draws = (random.integers(0, units, size) for _ in range(_RESAMPLES))
        rows = (
            (each if group is None else np.concatenate([members[unit] for unit in each])) for each in draws
        )
        values = self._scores_of(y, output, weight, fold, rows)
        values = values[np.isfinite(values)]
        # A sample of fewer rows has more variance.
        return float(values.std(ddof=1)) * (size / units) ** 0.5 if len(values) > 1 else np.nan

    def _scores_of(
        self,
        y: np.ndarray,
        output: np.ndarray,
        weight: Weight,
        fold: np.ndarray | None,
        samples: Iterable[np.ndarray],
    ) -> np.ndarray:
        """Return the score of each sample of rows; NaN if it is not defined.

        The samples are scored with joblib: one at a time, unless ``joblib.parallel_config`` asks
        for more jobs. The values do not depend on the number of jobs.
        """
        import warnings

        from joblib import Parallel, delayed  # here, as scikit-learn: reading a run needs neither

        with (
            warnings.catch_warnings()
        ):  # around all jobs: threads that restore filters in turn would mix them up
            score = delayed(self._score_of)
            return np.asarray(Parallel()(score(y, output, weight, fold, rows) for rows in samples))

    def _score_of(
        self,
        y: np.ndarray,
        output: np.ndarray,
        weight: Weight,
        fold: np.ndarray | None,
        rows: np.ndarray,
    ) -> float:
        drawn = (None if each is None else each[rows] for each in (weight, fold))
        try:
            return self._without_sums(y[rows], output[rows], *drawn)
        except ValueError:
            return np.nan

    def _by_scorer(self, y: np.ndarray, output: np.ndarray, weight: Weight) -> float:
        """Return scikit-learn's scorer's value for an estimator that replays the predictions."""
        import warnings

        from sklearn.metrics import get_scorer

        estimator = _replay(output, self.task, self.n_classes)
        takes_weight = (
            weight is not None and self.name != "neg_max_error"
        )  # the maximum error takes no weights
        kwargs: dict[str, Any] = {"sample_weight": weight} if takes_weight else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as undefined precision, which is 0
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
