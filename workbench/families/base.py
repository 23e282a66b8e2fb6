"""What the search needs to know of a model family. One file beside this one is all that a new family costs."""

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
    """How a family wants the columns as a float32 matrix. Equal encodings are computed once and shared.

    Attributes
    ----------
    numbers : {"raw", "filled", "scaled", "quantile"}
        As they are with missing ones kept (NaN); the median where missing; that, bounded and standardised; or
        through their quantiles to a normal shape.
    onehot : int
        Categories with at most this many levels become one 0/1 feature a level.
    wide : {"code", "mean", "code+mean"}
        Categories with more levels become whole-number codes (missing: NaN where `numbers` is "raw"), smoothed
        target means (fitted out of fold), or both.
    indicators : bool
        Whether nullable numbers also give a 0/1 feature "missing".
    terms : int
        Features of tf-idf for each text column. Whatever its number, a text column always gives its lengths and its
        words' leaning towards each class (or towards a high target), fitted out of fold.
    pairs : tuple of (str, str)
        Columns that also count as one category together (a number by the part of its range): smoothed target means,
        fitted out of fold.
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
        Of the data to learn from (rows of the largest fit, input columns).
    n_wide : int
        Category columns with more than 30 levels.
    n_text : int
        Text columns.
    has_missing, has_categories : bool
    absolute : bool
        Whether the target is a number of which errors count by their size, not by their square: then its middle is
        wanted, not its mean. LightGBM, additive models and networks learn that. The others learn the mean: XGBoost
        and CatBoost were as often worse as better by the size of the error (on five tables, by up to 5 %), and slower.
    skewed : bool
        Whether the target is a number, nowhere below zero, with a long tail: one whose logarithm is easier to learn.
    logs : bool
        Whether errors count by the logarithm of one plus the number: every family learns that logarithm.
    deviance : {"", "poisson", "gamma"}
        Of which distribution the deviance counts, if of any.
    floor : float or None
        The lowest prediction of a number that makes sense; the served model gives none below it.
    pairs : tuple of (str, str)
        Columns that say more of the target together than apart, at least one of them a category.
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
        """What models are compared and blended by, row by row."""
        if self.task != "regression":
            return "log"
        if self.logs or self.deviance:
            return "logarithms" if self.logs else self.deviance or "squared"
        return "absolute" if self.absolute else "squared"


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """A matrix of which many samples are parts, and what a library made of it once: its binned form, for instance.

    Attributes
    ----------
    X : numpy.ndarray of float32, shape (n, d)
    y : numpy.ndarray, shape (n,)
    weight : numpy.ndarray, shape (n,), or None
    codes : tuple of int
        Features that are codes of categories.
    made : dict
        What was made, by name; it lives as long as the matrix is at work.
    """

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None
    codes: tuple[int, ...] = ()
    made: dict[Any, Any] = field(default_factory=dict)

    def once(self, name: Any, make: Callable[[], Any]) -> Any:
        """Return what goes by a name, making it where it is asked for the first time."""
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]


class Sample:
    """Rows to fit or to stop early on.

    Parameters
    ----------
    X : numpy.ndarray of float32, shape (n, d)
    y : numpy.ndarray, shape (n,)
        Class positions (int64) or numbers (float64).
    weight : numpy.ndarray, shape (n,), or None
    codes : tuple of int
        Features that are whole-number codes of categories (NaN: missing), whose order means nothing or little.

    Attributes
    ----------
    shared : Shared or None
        The matrix that the rows are a part of, where work on it can be shared; then `rows` are their positions in it
        and `name` tells this part from others.
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
        """Return some rows of a shared matrix, which are copied out of it only where they are asked for."""
        weight = None if shared.weight is None else shared.weight[rows]
        made = cls(shared.X, shared.y[rows], weight, shared.codes)
        made._X, made.shared, made.rows, made.name = None, shared, rows, name
        return made

    @property
    def X(self) -> np.ndarray:  # noqa: N802 - what the field calls a feature matrix
        """The rows' features, float32, shape (n, d)."""
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
    """What the rows to stop early on, v of them, say of a fit, each as a row that had no say in when it stopped.

    Attributes
    ----------
    raw : numpy.ndarray of float32, shape (v, k)
        Raw scores of each row by the state that others of them chose.
    trained : int
        Rounds that there were to choose from: with as many, the same rows choose the same again.
    """

    raw: np.ndarray
    trained: int


class Fitted(Protocol):
    """A trained model, still in the hands of the library that trained it."""

    @property
    def rounds(self) -> int:
        """Trees per output, epochs or iterations used: what a refit on more rows is given."""

    @property
    def stopped(self) -> bool:
        """Whether the deadline ended the fit before it was done."""

    @property
    def unseen(self) -> OutOfFoldScores | None:
        """What the rows to stop early on say as rows that had no say.

        None where no rows chose anything, so many did that one does not matter, or the choice is of little weight (of a
        booster's rounds): `raw` then tells as much.
        """

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return the library's own raw scores for float32 X (n, d), float64; the form's link makes `predict` of them.

        `rounds` asks for the model of the first so many rounds, of families whose rounds can be cut off (boosters).
        """

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the library's own prediction for float32 X (n, d): float64 (n, k) probabilities or (n, 1) numbers."""

    def form(self) -> Form:
        """Return the model in serving form."""


def unseen_raw(fitted: Fitted, valid: np.ndarray) -> np.ndarray:
    """Return the raw scores of the rows that a fit was given to stop early on, (v, k), as of rows that had no say."""
    return fitted.raw(valid) if fitted.unseen is None else fitted.unseen.raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the search and the reports need to know about a family besides how to fit it.

    Every trait has a default that is safe for a family nothing is known about.

    Attributes
    ----------
    label : str
        Name for people; empty: the family's name with spaces.
    packages : tuple of str
        Distributions that train the family. `run.json` records the versions of those installed.
    module, extra : str
        Module that must be importable for the family to be trained, and the extra of `workbench-automl` that installs
        it. Empty if the family needs only what Workbench itself requires.
    baseline : bool
        Whether the family ignores the input: the score that every model must beat.
    fast_single_row : bool
        Whether the served model predicts one row without ONNX Runtime (one score: a regression or two classes), and
        the average of the folds' models is one model of the same size.
    turns : tuple of int
        Positions of the family's defaults in the portfolio, lowest first over all families (see
        `workbench.automl.coordinator.portfolio`). Defaults beyond the given turns follow in rotation.
    first_model_rank : int
        Order in which families are tried when a run has no model and its time is up: quick fits with little memory
        first.
    probes_fit_time : bool
        Whether the time of its first default's fit tells whether cross-validation is affordable.
    after_fit_share : float
        Share of a fold's time that prediction and conversion take after the fit, before one has been measured.
    student : mapping or None
        Params of a small model that may be distilled from the best ensemble; None: the family is not distilled.
    complements_trees : bool
        Whether the stacker may see a model of this family although the ensemble's average does not use it: one that
        errs differently from trees and is cheap to serve.
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

    A family keeps no state: everything about a fit is in its arguments, so the same arguments and seed give the same
    model. It uses one thread.
    """

    name: ClassVar[str]
    traits: ClassVar[Traits]

    def supports(self, problem: Problem) -> bool:
        """Tell whether the family can learn this problem at all."""

    def encoding(self, params: Params, problem: Problem) -> Encoding:
        """Return how these params want the columns."""

    def suggest(self, trial: Suggester, problem: Problem) -> dict[str, Any]:
        """Draw params; every name given to the trial starts with ``<family>.`` (the keys returned do not)."""

    def portfolio(self, problem: Problem) -> list[dict[str, Any]]:
        """Return default params worth trying first, best first; each lies inside the search space of `suggest`."""

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
            What `suggest` or `portfolio` returned.
        train : Sample
            All classes of the problem need not be present; the prediction has a column for each all the same.
        valid : Sample or None
            Rows to stop early on, where the family does.
        rounds : int or None
            Train this many rounds: exactly, or, where `valid` is given, at most. None lets the family decide.
        deadline : float
            `time.monotonic()` at which to stop with what there is. Respected to within a second or one round.

        Raises
        ------
        FitError
            Where nothing usable came out.
        """
