"""The search as scikit-learn estimators."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

_TARGET = "target"


class _SearchEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What both estimators share: a search on `fit`, the exported bundle on `predict`."""

    _task = "auto"

    def __init__(
        self,
        *,
        time: str | float | None = "60s",
        trials: int | None = None,
        pick: str = "best",
        metric: str = "auto",
        families: tuple[str, ...] = (),
        workers: int = 0,
        random_state: int = 0,
    ) -> None:
        self.time = time
        self.trials = trials
        self.pick = pick
        self.metric = metric
        self.families = families
        self.workers = workers
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Search for models of `y` given `X`, and keep the one that `pick` chooses.

        Parameters
        ----------
        X : data frame or array, shape (n, d)
        y : array, shape (n,)

        Returns
        -------
        self
        """
        from workbench.api import search

        frame = self._frame(X, self._target(y))
        with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
            run = search(
                frame,
                _TARGET,
                time=self.time,
                trials=self.trials,
                out=Path(folder) / "run",
                task=self._task_of(frame[_TARGET].to_numpy()),
                metric=self.metric,
                families=self.families,
                workers=self.workers,
                seed=self.random_state,
            )
            self.leaderboard_ = run.leaderboard()
            self.predictor_ = run.folder.predictor(run.pick(self.pick).id)
        return self

    def __sklearn_tags__(self) -> Any:
        """Say what inputs are taken: texts and categories too, and missing values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.categorical = tags.input_tags.allow_nan = True
        return tags

    def _task_of(self, y: np.ndarray) -> str:
        return "regression"

    def _target(self, y: Any) -> Any:
        """Return what is learned; refuse a target with holes, as scikit-learn does."""
        import pandas as pd

        if y is not None and pd.isna(np.asarray(y, dtype=object)).any():
            raise ValueError("Input y contains NaN: leave rows without a target out.")
        return y

    def _frame(self, X: Any, y: Any) -> Any:
        import pandas as pd

        if hasattr(X, "columns"):
            self.feature_names_in_ = np.asarray([str(name) for name in X.columns], dtype=object)
            self.n_features_in_ = len(self.feature_names_in_)
            frame = pd.DataFrame({str(name): np.asarray(X[name]) for name in X.columns})
            y = np.asarray(y)
        else:
            X, y = validate_data(self, X, y, ensure_min_samples=2, ensure_all_finite="allow-nan", dtype=None)
            frame = pd.DataFrame(X, columns=[f"x{at}" for at in range(X.shape[1])])
        return frame.assign(**{_TARGET: y})

    def _output(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "predictor_")
        if hasattr(X, "columns"):
            columns = {str(name): np.asarray(X[name]) for name in X.columns}
        else:
            X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan", dtype=None)
            columns = {f"x{at}": X[:, at] for at in range(X.shape[1])}
        output: np.ndarray = self.predictor_.predict_columns(columns)
        return output

    def predict(self, X: Any) -> np.ndarray:
        """Predict with the served artifact.

        Parameters
        ----------
        X : data frame or array, shape (n, d)

        Returns
        -------
        numpy.ndarray, shape (n,)
        """
        return self._decided(self._output(X))

    def _decided(self, output: np.ndarray) -> np.ndarray:
        answers: np.ndarray = self.predictor_.decide(output)
        return answers


class WorkbenchRegressor(RegressorMixin, _SearchEstimator):  # type: ignore[misc]  # as above
    """A search for a number, as a scikit-learn estimator.

    Parameters
    ----------
    time : str or float or None
        Wall-clock budget of `fit`; None where only `trials` bounds it.
    trials : int or None
        Candidates to try at most.
    pick : {"best", "balanced", "fastest", "cheapest"}
        Which candidate predicts.
    metric : str
        A scikit-learn scorer's name, or "auto".
    families : tuple of str
        Families to search; empty means all.
    workers : int
        Trials at a time; 0 means one a processor.
    random_state : int
        The seed.

    Attributes
    ----------
    leaderboard_ : pandas.DataFrame
        Every candidate.
    predictor_ : workbench.runtime.predictor.Predictor
        The served artifact that answers.

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
    """A search for a class, as a scikit-learn estimator; the parameters are those of `WorkbenchRegressor`.

    Attributes
    ----------
    classes_ : numpy.ndarray
        The labels as they are in `y`, sorted, in the order of the columns of `predict_proba`. Of two, the second is
        the one that a metric such as "f1" looks for.
    """

    def _task_of(self, y: np.ndarray) -> str:
        return "binary" if len(np.unique(y)) == 2 else "multiclass"

    def fit(self, X: Any, y: Any) -> Self:
        """Search for models of `y` given `X`, and keep the one that `pick` chooses.

        Raises
        ------
        ValueError
            Where the target is a number that does not come in classes, or has one class alone.
        """
        super().fit(X, y)
        made, schema = self.predictor_, self.predictor_.schema
        output = replace(schema.output, classes=tuple(self.classes_.tolist()))
        self.predictor_ = type(made)(replace(schema, output=output), made.encoder, made.content)
        return self

    def _target(self, y: Any) -> Any:
        """Return positions of labels: a search reads texts as a file's, "NA" as nothing, "Yes" and "yes" as one."""
        y = super()._target(y)
        if y is None:
            return None
        check_classification_targets(y)
        self.classes_, positions = np.unique(np.asarray(y), return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("y has 1 class; 2 or more are needed to tell them apart")
        return positions

    def _decided(self, output: np.ndarray) -> np.ndarray:
        return super()._decided(output).astype(self.classes_.dtype)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities, float64, shape (n, k)."""
        return self._output(X).astype(np.float64)
