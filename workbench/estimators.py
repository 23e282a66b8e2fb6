"""The search as scikit-learn estimators."""

from __future__ import annotations

import itertools
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from workbench.data.reading.read import read_table
from workbench.data.table import Table
from workbench.runtime.core.rows import column_at, plain_values


def _labels(X: Any) -> list[Any] | None:
    """Return the labels of a frame's columns; None for an array."""
    header = getattr(X, "column_names", None)
    header = getattr(X, "columns", None) if header is None else header
    return None if header is None or callable(header) else list(header)


def _target_names() -> Iterator[str]:
    yield "target"
    yield from (f"target_{count}" for count in itertools.count(2))


def _seed(random_state: Any) -> int:
    """Return the seed of a search: the given number, or one drawn from the given generator."""
    from workbench.automl import arguments

    if random_state is None or isinstance(random_state, np.random.RandomState):
        return int(check_random_state(random_state).randint(2**31 - 1))
    return arguments.whole("random_state", random_state, 0, 2**31 - 1)


def _workers(workers: int | None, n_jobs: int | None) -> int | None:
    """Return the number of concurrent trials: `workers`, `n_jobs` or that of `joblib`.

    Inside a joblib worker, such as one of a parallel grid search, joblib allows one job.
    """
    from joblib import effective_n_jobs
    from joblib.parallel import get_active_backend

    from workbench.automl import arguments
    from workbench.errors import SettingsError

    if n_jobs is not None and workers:
        raise SettingsError("workers and n_jobs", found="both", expected="one of them")
    if workers:
        return workers
    wanted = get_active_backend()[1] if n_jobs is None else n_jobs
    if wanted is None:
        return None
    if arguments.whole("n_jobs", wanted, -sys.maxsize) == 0:
        raise arguments.wrong("n_jobs", 0, "a whole number, not 0")
    return int(effective_n_jobs(wanted))


class _SearchEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Base of both estimators: `fit` runs a search, `predict` uses the served form."""

    _task = "auto"

    def __init__(  # noqa: PLR0913 - one argument per option, as scikit-learn wants
        self,
        *,
        time: str | float | None = "60s",
        trials: int | None = None,
        pick: str = "best",
        metric: str = "auto",
        families: Sequence[str] | str = (),
        workers: int | None = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.time = time
        self.trials = trials
        self.pick = pick
        self.metric = metric
        self.families = families
        self.workers = workers
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Search for models of `y` given `X` and keep the candidate that `pick` chooses.

        Parameters
        ----------
        X : data frame or array, shape (n, d)
            The columns of a frame may have any names.
        y : array, shape (n,)

        Returns
        -------
        self
        """
        from workbench.api import search
        from workbench.automl import arguments
        from workbench.tradeoff.choose import RULES

        arguments.one_of("pick", self.pick, RULES)
        seed = _seed(self.random_state)
        table, learned = self._table(X, self._target(y))
        with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
            run = search(
                table,
                table.names[-1],
                time=self.time,
                trials=self.trials,
                out=Path(folder) / "run",
                task=self._task_of(learned),
                metric=self.metric,
                families=self.families,
                workers=_workers(self.workers, self.n_jobs),
                seed=seed,
            )
            self.leaderboard_ = run.leaderboard()
            self.predictor_ = run.folder.predictor(run.pick(self.pick).id)
        return self

    def __sklearn_tags__(self) -> Any:
        """Declare the supported inputs: strings, categories and missing values too."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.categorical = tags.input_tags.allow_nan = True
        return tags

    def _task_of(self, y: np.ndarray) -> str:
        return "regression"

    def _target(self, y: Any) -> Any:
        """Return the target; raise for missing values, as scikit-learn does."""
        import pandas as pd

        if y is not None and pd.isna(np.asarray(y, dtype=object)).any():
            raise ValueError("Input y contains NaN: drop rows without a target.")
        return y

    def _table(self, X: Any, y: Any) -> tuple[Table, np.ndarray]:
        """Return features and target as one table, the target last, under an unused name.

        Columns are identified by position, since a label may be any object and may occur twice.
        """
        import pandas as pd
        import pyarrow as pa

        labels = _labels(X)
        if labels is None:
            X, y = validate_data(self, X, y, ensure_min_samples=2, ensure_all_finite="allow-nan", dtype=None)
            features = read_table(pd.DataFrame(X, columns=[f"x{at}" for at in range(X.shape[1])]))
        else:
            if not labels or not len(X):
                raise ValueError(
                    f"Found a frame of shape {X.shape} while at least 1 row and 1 column are required."
                )
            y = column_or_1d(y, warn=True)
            check_consistent_length(X, y)
            features = read_table(X)
            self.n_features_in_ = len(labels)
            if all(isinstance(label, str) for label in labels):
                self.feature_names_in_ = np.asarray(labels, dtype=object)
            elif hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
        self._fitted_labels, self._fitted_names = labels, features.names
        target = next(name for name in _target_names() if name not in features.names)
        columns = (*features.columns, pa.chunked_array([pa.array(np.asarray(y))]))
        return Table((*features.names, target), columns, features.source), np.asarray(y)

    def _output(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "predictor_")
        labels = _labels(X)
        if labels is None:
            X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan", dtype=None)
        places = range(self.n_features_in_) if labels is None else self._places(labels)
        wanted = set(self.predictor_.names)
        columns = {
            name: X[:, at] if labels is None else plain_values(column_at(X, at))
            for name, at in zip(self._fitted_names, places, strict=True)
            if name in wanted
        }
        output: np.ndarray = self.predictor_.predict_columns(columns)
        return output

    def _places(self, labels: list[Any]) -> Sequence[int]:
        """Return the position of each fitted column in a frame, by label if there are labels.

        As in scikit-learn's ColumnTransformer, columns may come in another order and with
        additional ones. If one side has no string labels, columns are matched by position, with
        scikit-learn's warning.
        """
        fitted, named = self._fitted_labels, all(isinstance(label, str) for label in labels)
        if fitted is not None:
            left: dict[Any, list[int]] = {}
            for at, label in enumerate(labels):
                left.setdefault(label, []).append(at)
            found = [left[label].pop(0) if left.get(label) else None for label in fitted]
            places = [at for at in found if at is not None]
            if len(places) == len(fitted):
                return places
            if named:
                missing = sorted({str(label) for label, at in zip(fitted, found, strict=True) if at is None})
                listed = "".join(f"- {name}\n" for name in missing[:5]) + (
                    "- ...\n" if len(missing) > 5 else ""
                )
                raise ValueError(
                    "The feature names should match those that were passed during fit.\n"
                    f"Feature names seen at fit time, yet now missing:\n{listed}"
                )
        kind = type(self).__name__
        if named and fitted is None:
            warnings.warn(f"X has feature names, but {kind} was fitted without feature names", stacklevel=4)
        elif hasattr(self, "feature_names_in_"):
            warnings.warn(
                f"X does not have valid feature names, but {kind} was fitted with feature names", stacklevel=4
            )
        if len(labels) != self.n_features_in_:
            raise ValueError(
                f"X has {len(labels)} features, but {kind} is expecting {self.n_features_in_} features as input."
            )
        return range(len(labels))

    def predict(self, X: Any) -> np.ndarray:
        """Predict with the model that would be served.

        Parameters
        ----------
        X : data frame or array, shape (n, d)

        Returns
        -------
        numpy.ndarray, shape (n,)
        """
        return self._decided(self._output(X))

    def _decided(self, output: np.ndarray) -> np.ndarray:
        predictions: np.ndarray = self.predictor_.decide(output)
        return predictions


class WorkbenchRegressor(RegressorMixin, _SearchEstimator):  # type: ignore[misc]  # as above
    """A search for a regression model, as a scikit-learn estimator.

    Parameters
    ----------
    time : str or float or None
        Wall-clock limit of `fit`; None if only `trials` limits it.
    trials : int or None
        Maximum number of candidates, the baseline not counted.
    pick : {"best", "balanced", "fastest", "cheapest"}
        Rule that chooses the candidate to predict with.
    metric : str
        A scikit-learn scorer's name, or "auto".
    families : sequence of str or str
        Families to search. Default: all that are installed.
    workers : int, optional
        Number of concurrent trials, one thread each. Default: one per processor.
    n_jobs : int, optional
        The same under scikit-learn's name: -1 is all processors, -2 all but one. Default: that of
        `joblib.parallel_config`, if one is active. Give either this or `workers`.
    random_state : int, RandomState or None
        Random seed; None draws another one for each `fit`.

    Attributes
    ----------
    feature_names_in_ : numpy.ndarray of str
        The columns of `X`, if it was a frame whose labels are all strings.
    n_features_in_ : int
    leaderboard_ : pandas.DataFrame
        One row per candidate.
    predictor_ : workbench.runtime.model.predictor.Predictor
        The model that would be served.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = WorkbenchRegressor(time=None, trials=1, workers=1, families=("linear",)).fit(X, y)
    >>> model.predict(X).shape
    (442,)
    """

    def _task_of(self, y: np.ndarray) -> str:
        return "regression"


class WorkbenchClassifier(ClassifierMixin, _SearchEstimator):  # type: ignore[misc]  # as above
    """A search for a classifier, as a scikit-learn estimator.

    The parameters are those of `WorkbenchRegressor`.

    Attributes
    ----------
    classes_ : numpy.ndarray
        The labels of `y`, sorted, in the order of the columns of `predict_proba`. Of two labels,
        the second is the positive one for metrics such as "f1".
    """

    def _task_of(self, y: np.ndarray) -> str:
        return "binary" if len(np.unique(y)) == 2 else "multiclass"

    def fit(self, X: Any, y: Any) -> Self:
        """Search for models of `y` given `X` and keep the candidate that `pick` chooses.

        Raises
        ------
        ValueError
            If the target is continuous, or has a single class.
        """
        super().fit(X, y)
        made, schema = self.predictor_, self.predictor_.schema
        output = replace(schema.output, classes=tuple(self.classes_.tolist()))
        self.predictor_ = type(made)(replace(schema, output=output), made.encoder, made.content)
        return self

    def _target(self, y: Any) -> Any:
        """Return label positions, since a search reads "NA" as missing and "Yes" as "yes"."""
        y = super()._target(y)
        if y is None:
            return None
        check_classification_targets(y)
        self.classes_, positions = np.unique(np.asarray(y), return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("y has 1 class; expected at least 2")
        return positions

    def _decided(self, output: np.ndarray) -> np.ndarray:
        return super()._decided(output).astype(self.classes_.dtype)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities, float64, shape (n, k)."""
        return self._output(X).astype(np.float64)
