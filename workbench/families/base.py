"""The protocol of model families, and what a fit is given and returns.

A new family is one file: a class with the members of `Family`. It usually inherits
`workbench.families.shared.base_family.BaseFamily`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from workbench.runtime.core.schema import Task

from .forms.forms import Form

Params = Mapping[str, Any]
Loss = Literal["log", "squared", "absolute", "logarithms", "poisson", "gamma"]


class Suggester(Protocol):
    """The part of `optuna.Trial` that a search space uses."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Suggest a float."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Suggest a whole number."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Suggest one of the choices."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a family takes the columns as a float32 matrix. Equal encodings are computed once.

    Attributes
    ----------
    numbers : {"raw", "filled", "scaled", "quantile"}
        "raw" keeps missing values as NaN. "filled" replaces them with the median. "scaled" also
        bounds and standardises. "quantile" also maps quantiles to a normal distribution.
    onehot : int
        Categories with at most this many levels become one 0/1 feature for each level.
    wide : {"code", "mean", "code+mean"}
        Categories with more levels become whole-number codes (missing: NaN if `numbers` is "raw"),
        smoothed target means (fitted out of fold), or both.
    indicators : bool
        Whether nullable numbers also give a 0/1 feature "missing".
    terms : int
        Number of tf-idf features for each text column. A text column always adds its lengths, and
        the association of its words with each class (or with a high target), fitted out of fold.
    pairs : tuple of (str, str)
        Pairs of columns that also count as one category (numbers by the bin of their range), as
        smoothed target means, fitted out of fold.
    """

    numbers: Literal["raw", "filled", "scaled", "quantile"] = "raw"
    onehot: int = 0
    wide: Literal["code", "mean", "code+mean"] = "code"
    indicators: bool = False
    terms: int = 0
    pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """What a search space may depend on.

    Attributes
    ----------
    task : {"binary", "multiclass", "regression"}
    n_classes : int
        0 for regression.
    n_rows, n_columns : int
        Size of the training data: rows of the largest fit, input columns.
    n_wide : int
        Category columns with more than 30 levels.
    n_text : int
        Text columns.
    has_missing, has_categories : bool
    absolute : bool
        Whether the metric is an absolute error of a number: the median is wanted, not the mean.
        LightGBM, additive models and networks minimise the absolute error. The other families learn
        the mean: for XGBoost and CatBoost the absolute loss was better as often as worse (on five
        tables, by up to 5 %), and slower.
    skewed : bool
        Whether the target is a non-negative number with a long tail: its logarithm is easier to
        learn.
    logs : bool
        Whether the metric is an error of ``log(1 + target)``: every family learns that logarithm.
    deviance : {"", "poisson", "gamma"}
        Distribution of the deviance that the metric computes, if it computes one.
    floor : float or None
        Lowest prediction of a number that makes sense; the served model predicts nothing below it.
    pairs : tuple of (str, str)
        Pairs of columns that interact, at least one of each pair a category.
    """

    task: Task
    n_classes: int
    n_rows: int
    n_columns: int
    n_wide: int = 0
    n_text: int = 0
    has_missing: bool = False
    has_categories: bool = False
    skewed: bool = False
    absolute: bool = False
    logs: bool = False
    deviance: Literal["", "poisson", "gamma"] = ""
    floor: float | None = None
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def outputs(self) -> int:
        """Columns of a prediction: classes, or 1 for regression."""
        return self.n_classes if self.task != "regression" else 1

    @property
    def loss(self) -> Loss:
        """The loss of one row, by which models are compared and ensembles selected."""
        if self.task != "regression":
            return "log"
        if self.logs or self.deviance:
            return "logarithms" if self.logs else self.deviance or "squared"
        return "absolute" if self.absolute else "squared"


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """A matrix that many samples are rows of, and what was computed from it once, such as bins.

    Attributes
    ----------
    X : numpy.ndarray of float32, shape (n, d)
    y : numpy.ndarray, shape (n,)
    weight : numpy.ndarray, shape (n,), or None
    codes : tuple of int
        Features that are codes of categories.
    made : dict
        Cached results, by name; they live as long as the matrix.
    """

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None
    codes: tuple[int, ...] = ()
    made: dict[Any, Any] = field(default_factory=dict)

    def once(self, name: Any, make: Callable[[], Any]) -> Any:
        """Return the cached result of a name; the first call computes it."""
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]


class Sample:
    """Rows for training or for early stopping.

    Parameters
    ----------
    X : numpy.ndarray of float32, shape (n, d)
    y : numpy.ndarray, shape (n,)
        Class indices (int64) or numbers (float64).
    weight : numpy.ndarray, shape (n,), or None
    codes : tuple of int
        Features that are whole-number codes of categories (NaN: missing), with little or no order.

    Attributes
    ----------
    shared : Shared or None
        The matrix that the rows are taken from, if work on it can be shared. Then `rows` are their
        positions in it, and `name` identifies this subset.
    """

    __slots__ = ("_X", "codes", "name", "rows", "shared", "weight", "y")

    def __init__(
        self, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, codes: tuple[int, ...] = ()
    ) -> None:
        self._X: np.ndarray | None = X
        self.y, self.weight, self.codes = y, weight, codes
        self.shared: Shared | None = None
        self.rows: np.ndarray | None = None
        self.name = ""

    @classmethod
    def part(cls, shared: Shared, rows: np.ndarray, name: str) -> Sample:
        """Return some rows of a shared matrix; they are copied when `X` is first read."""
        weight = None if shared.weight is None else shared.weight[rows]
        made = cls(shared.X, shared.y[rows], weight, shared.codes)
        made._X, made.shared, made.rows, made.name = None, shared, rows, name
        return made

    @property
    def X(self) -> np.ndarray:  # noqa: N802 - what the field calls a feature matrix
        """Features of the rows, float32, shape (n, d)."""
        if self._X is None:
            assert self.shared is not None
            self._X = np.ascontiguousarray(self.shared.X[self.rows])
        return self._X

    @property
    def width(self) -> int:
        """The number of features."""
        matrix = self._X if self._X is not None else self.shared.X if self.shared is not None else None
        assert matrix is not None
        return int(matrix.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFoldScores:
    """Scores of the v rows used for early stopping, each by a checkpoint that other rows selected.

    Attributes
    ----------
    raw : numpy.ndarray of float32, shape (v, k)
        Raw scores.
    trained : int
        Rounds trained, from which the checkpoints were selected. A fit of as many rounds with the
        same rows selects the same checkpoints.
    """

    raw: np.ndarray
    trained: int


class Fitted(Protocol):
    """A trained model of the library that trained it."""

    @property
    def rounds(self) -> int:
        """Trees per output, epochs or iterations used; a refit on more rows gets as many."""

    @property
    def stopped(self) -> bool:
        """Whether the deadline ended the fit early."""

    @property
    def unseen(self) -> OutOfFoldScores | None:
        """Cross-fitted scores of the rows used for early stopping.

        None if there were no such rows, if there were so many that one row has no influence, or if
        the selection adds little bias (the rounds of a booster). `raw` serves in these cases.
        """

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return the library's raw scores for float32 X (n, d) as float64 (n, k).

        The form's link turns them into what `predict` returns. `rounds` limits the model to its
        first rounds, for families whose models can be truncated (boosters).
        """

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the library's predictions for float32 X (n, d) as float64.

        Probabilities have shape (n, k), numbers (n, 1).
        """

    def form(self) -> Form:
        """Return the model in serving form."""


def unseen_raw(fitted: Fitted, valid: np.ndarray) -> np.ndarray:
    """Return raw scores (v, k) of the rows used for early stopping, cross-fitted if available."""
    return fitted.raw(valid) if fitted.unseen is None else fitted.unseen.raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Properties of a family that the search and the reports read.

    Each trait has a safe default.

    Attributes
    ----------
    label : str
        Name for people; empty: the family's name with spaces.
    packages : tuple of str
        Distributions that train the family. `run.json` records the installed versions.
    module, extra : str
        Module that must be importable to train the family, and the extra of `workbench-automl` that
        installs it. Empty if Workbench's own requirements are enough.
    baseline : bool
        Whether the family ignores the input: every model must beat its score.
    fast_single_row : bool
        Whether the served model predicts one row without ONNX Runtime (of one score: a regression
        or two classes), and the average of the folds' models is one model of the same size.
    turns : tuple of int
        Positions of the family's defaults in the portfolio, lowest first over all families (see
        `workbench.automl.coordinator.portfolio`). Further defaults follow in rotation.
    first_model_rank : int
        Order in which families are tried if a run has no model when its time is up: quick fits with
        little memory first.
    probes_fit_time : bool
        Whether fitting its first default shows if cross-validation is affordable.
    after_fit_share : float
        Share of a fold's time that prediction and conversion take after the fit: an estimate until
        the first fold is measured.
    student : mapping or None
        Params of a small model that may be distilled from the best ensemble; None: never distilled.
    complements_trees : bool
        Whether the stacker may use a model of this family that is not part of the ensemble's
        average: its errors differ from those of trees, and it is fast to serve.
    """

    label: str = ""
    packages: tuple[str, ...] = ()
    module: str = ""
    extra: str = ""
    baseline: bool = False
    fast_single_row: bool = False
    turns: tuple[int, ...] = (4,)
    first_model_rank: int = 100
    probes_fit_time: bool = False
    after_fit_share: float = 0.1
    student: Params | None = None
    complements_trees: bool = False


class Family(Protocol):
    """One kind of model.

    A family keeps no state: the same arguments and seed give the same model. A fit uses one thread.
    """

    name: ClassVar[str]
    traits: ClassVar[Traits]

    def supports(self, problem: Problem) -> bool:
        """Return whether the family can learn this problem."""

    def encoding(self, params: Params, problem: Problem) -> Encoding:
        """Return how a model with these params takes the columns."""

    def suggest(self, trial: Suggester, problem: Problem) -> dict[str, Any]:
        """Suggest params. Names in the trial start with ``<family>.``; the returned keys do not."""

    def portfolio(self, problem: Problem) -> list[dict[str, Any]]:
        """Return default params to try first, best first; each is a point of the search space."""

    def fit(
        self,
        params: Params,
        train: Sample,
        problem: Problem,
        *,
        valid: Sample | None = None,
        rounds: int | None = None,
        seed: int = 0,
        deadline: float = float("inf"),
    ) -> Fitted:
        """Train.

        Parameters
        ----------
        params : mapping
            Params from `suggest` or `portfolio`.
        train : Sample
            Classes may be absent; predictions have a column for every class of the problem.
        valid : Sample or None
            Rows for early stopping, if the family stops early.
        rounds : int or None
            Rounds to train: exactly this many, or, if `valid` is given, at most. None: the family
            decides.
        deadline : float
            `time.monotonic()` at which to stop with the current model. Respected to within a second
            or one round.

        Raises
        ------
        FitError
            If the fit gives no usable model.
        """
