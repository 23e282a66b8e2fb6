"""Linear models: logistic regression and ridge regression."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from workbench.errors import FitError

from .base import Fitted, Params, Problem, Sample, Traits
from .forms.forms import Linear
from .shared.base_family import BaseFamily, FitOptions
from .shared.dense_columns import ColumnScale, chunks
from .shared.early_stopping import is_kept
from .shared.pair_choice import pairs_choice, with_pairs
from .shared.search_space import Choice, Real, Space
from .shared.targets import TargetScale, class_shares, deviance_loss, weighted_mean
from .shared.threads import one_thread

_MOST_ITERATIONS = 300
_MOST_VALUES = 2e8  # of the training matrix, which limits the text features
_EXACT_FLOPS, _EXACT_WIDTH = 4e10, 2_500  # up to these ridge regression solves its normal equations
_FEW_ROWS = 2_000  # up to which the default penalty is stronger
_WIDE, _SPARSE_SHARE = (
    100,
    0.2,
)  # a matrix with at least this many features and at most this share of nonzeros is made sparse
_NEVER = -1e4  # score of a class without training rows: its probability is 0 in float32

_DEFAULTS: tuple[dict[str, Any], ...] = ({}, {"C": 0.02}, {"numbers": "scaled"}, {"numbers": "quantile"})


def _space(problem: Problem) -> Space:
    # Scaled numbers are better for regression, quantiles for classification.
    is_number = problem.task == "regression"
    space: Space = {
        "C": Real(1e-4, 1e3, default=1.0 if problem.n_rows > _FEW_ROWS else 0.1, log=True),
        "numbers": Choice(("scaled", "quantile") if is_number else ("quantile", "scaled")),
        **pairs_choice(problem),
    }
    if not problem.n_text:
        return space
    room = int(_MOST_VALUES / (max(problem.n_rows, 1) * problem.n_text))
    terms = sorted({min(wanted, room) for wanted in (300, 2000)})
    return {**space, "terms": Choice(tuple(terms))}


@dataclass(frozen=True, slots=True, eq=False)
class FittedLinear:
    """A fitted linear model, and the ones after fewer iterations."""

    linear: Linear
    rounds: int
    stopped: bool
    unseen: None = None
    earlier: Mapping[int, FittedLinear] = field(default_factory=dict)

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return the raw scores in float64; see `workbench.families.base.Fitted.raw`."""
        return self.linear.raw(X)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict in float64; see `workbench.families.base.Fitted.predict`."""
        return self.linear.apply(X)

    def form(self) -> Linear:
        """Return the weights."""
        return self.linear


class LinearModel(BaseFamily):
    """Multinomial logistic regression or ridge regression, with an L2 penalty of ``1 / C``.

    Minimises ``C * sum of losses + |W|² / 2`` over scaled columns (the intercept is not penalised)
    by L-BFGS, or, for ridge regression with a moderate number of features, by the normal equations.

    Examples
    --------
    >>> X = np.arange(8, dtype=np.float32)[:, None]
    >>> fitted = LinearModel().fit({"C": 1e3}, Sample(X, 2.0 * X[:, 0] + 1), Problem("regression", 0, 8, 1))
    >>> round(float(fitted.predict(X)[3, 0]), 2)
    7.0
    """

    name: ClassVar[str] = "linear"
    traits: ClassVar[Traits] = Traits(
        label="Linear model",
        fast_single_row=True,
        turns=(1, 11),
        first_model_rank=1,
        complements_trees=True,
    )

    def space(self, problem: Problem) -> Space:
        """Return the search space."""
        return _space(problem)

    def defaults(self, problem: Problem) -> Sequence[Params]:
        """Return complementary defaults, the best single one first."""
        return with_pairs(_DEFAULTS, problem)

    def learn(self, params: Params, train: Sample, problem: Problem, options: FitOptions) -> Fitted:
        """Train; a round is an iteration, and `rounds` is an upper limit."""
        penalty = 1.0 / float(params["C"])
        most = max(options.rounds or _MOST_ITERATIONS, 1)
        with one_thread():
            if problem.deviance:
                fitted = _fit_mean(train, problem.deviance, penalty, most, options.deadline)
            elif problem.task == "regression":
                fitted = _fit_number(train, penalty, most, options.deadline, log=problem.logs)
            else:
                fitted = _fit_classes(train, problem.n_classes, penalty, most, options.deadline)
        if not (np.isfinite(fitted.linear.weights).all() and np.isfinite(fitted.linear.bias).all()):
            raise FitError(
                "the linear model has weights of NaN or infinity",
                hint="Check the columns for extreme values.",
            )
        return fitted


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Weights of scaled columns and a bias, also after fewer iterations."""

    weights: np.ndarray
    bias: np.ndarray
    done: int
    stopped: bool
    earlier: Mapping[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def fitted(self, made: Callable[[np.ndarray, np.ndarray], Linear]) -> FittedLinear:
        """Return the fitted model, with those after fewer iterations."""
        earlier = {at: FittedLinear(made(*state), at, True) for at, state in self.earlier.items()}
        return FittedLinear(made(self.weights, self.bias), self.done, self.stopped, earlier=earlier)


# ---------------------------------------------------------------- classes


def _fit_classes(train: Sample, n_classes: int, penalty: float, most: int, deadline: float) -> FittedLinear:
    """Fit the classes that occur; the others get probability 0."""
    shares = class_shares(train, n_classes)
    present = np.flatnonzero(shares)
    hot = np.zeros((len(train.y), len(present)), dtype=np.float32)
    hot[np.arange(len(train.y)), np.searchsorted(present, train.y).clip(max=len(present) - 1)] = 1.0

    def loss(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scores -= scores.max(axis=1, keepdims=True)
        grown = np.exp(scores)
        total = grown.sum(axis=1, keepdims=True)
        return np.log(total[:, 0]) - (scores * hot).sum(axis=1), grown / total - hot

    scale = ColumnScale.of(train.X)
    start = np.log(shares[present])
    found = _descend(train, scale, loss, start, penalty, most, deadline)

    def made(weights: np.ndarray, bias: np.ndarray) -> Linear:
        outer, offset = scale.unfold(weights, bias)
        full, full_bias = np.zeros((len(outer), n_classes)), np.full(n_classes, _NEVER)
        full[:, present], full_bias[present] = outer, offset
        if n_classes == 2:
            return Linear(full[:, 1:] - full[:, :1], full_bias[1:] - full_bias[:1], "sigmoid")
        return Linear(full, full_bias, "softmax")

    return found.fitted(made)


# ---------------------------------------------------------------- a number


def _fit_number(
    train: Sample, penalty: float, most: int, deadline: float, *, log: bool = False
) -> FittedLinear:
    target = TargetScale.of(train, log)
    y = target.scaled(train.y)
    scale = ColumnScale.of(train.X)
    rows, width = len(train.y), train.width
    if width <= _EXACT_WIDTH and float(rows) * width * width <= _EXACT_FLOPS:
        found = _solve(train, scale, y, penalty, deadline)
    else:
        y32 = y.astype(np.float32)[:, None]

        def loss(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            gap = scores - y32
            return 0.5 * gap[:, 0] ** 2, gap

        found = _descend(train, scale, loss, np.zeros(1), penalty, most, deadline)

    def made(weights: np.ndarray, bias: np.ndarray) -> Linear:
        outer, offset = scale.unfold(weights, bias)
        moved = offset * target.spread + target.center
        return Linear(outer * target.spread, moved, "expm1" if log else "identity")

    return found.fitted(made)


def _fit_mean(train: Sample, deviance: str, penalty: float, most: int, deadline: float) -> FittedLinear:
    """Fit a generalised linear model: the logarithm of the mean, by a deviance."""
    mean = weighted_mean(train.y, train.weight)
    target = (train.y / mean).astype(np.float32)[:, None]

    def loss(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return deviance_loss(scores, target, deviance)

    scale = ColumnScale.of(train.X)
    found = _descend(train, scale, loss, np.zeros(1), penalty, most, deadline)

    def made(weights: np.ndarray, bias: np.ndarray) -> Linear:
        outer, offset = scale.unfold(weights, bias)
        return Linear(outer, offset + np.log(mean), "exp")

    return found.fitted(made)


def _solve(train: Sample, scale: ColumnScale, y: np.ndarray, penalty: float, deadline: float) -> _Found:
    """Solve the normal equations, accumulated in chunks; at the deadline, of the chunks so far."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    width = train.X.shape[1]
    gram, right = np.zeros((width + 1, width + 1)), np.zeros(width + 1)
    at, stopped = 0, False
    for part in chunks(train.X):
        block = np.ones((len(part), width + 1))
        block[:, :width] = (part - scale.center) * scale.factor
        rows = slice(at, at + len(part))
        at += len(part)
        weighted = block if train.weight is None else block * train.weight[rows, None]
        gram += block.T @ weighted
        right += weighted.T @ y[rows]
        if time.monotonic() >= deadline and at < len(y):
            stopped = True
            break
    gram[np.arange(width), np.arange(width)] += penalty
    try:
        solution = cho_solve(cho_factor(gram), right)
    except LinAlgError as error:
        raise FitError(
            "ridge regression has no solution", found=str(error), hint="Try a smaller C."
        ) from error
    return _Found(solution[:width, None], solution[width:], 1, stopped)


# ---------------------------------------------------------------- descent


def _descend(
    train: Sample,
    scale: ColumnScale,
    loss: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    start: np.ndarray,
    penalty: float,
    most: int,
    deadline: float,
) -> _Found:
    """Minimise by L-BFGS over weights of scaled columns and a bias, without a scaled copy of X.

    `loss` takes scores (n, k) float32, which it may overwrite, and returns the loss and the
    gradient (n, k) of each row.
    """
    from scipy.optimize import minimize

    X, width, k = _sparse_if_wide(train.X), train.X.shape[1], len(start)
    share = np.full(len(train.y), 1.0) if train.weight is None else train.weight.astype(np.float64)
    share = share / share.sum()
    pull = penalty / float(len(train.y) if train.weight is None else train.weight.sum())
    share32 = share.astype(np.float32)[:, None]

    def value(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = flat[:-k].reshape(width, k), flat[-k:]
        outer, offset = scale.unfold(weights, bias)
        losses, slope = loss(X @ outer.astype(np.float32) + offset.astype(np.float32))
        slope *= share32
        total = slope.sum(axis=0, dtype=np.float64)
        gradient = (X.T @ slope - np.outer(scale.center, total)) * scale.factor[:, None] + pull * weights
        return float(losses @ share + 0.5 * pull * (weights**2).sum()), np.concatenate(
            [gradient.ravel(), total]
        )

    done, stopped = 0, False
    states: dict[int, np.ndarray] = {}

    def watch(intermediate_result: Any) -> None:
        nonlocal done, stopped
        done += 1
        if np.isfinite(deadline) and is_kept(done):
            states[done] = np.array(intermediate_result.x)
        if time.monotonic() >= deadline:
            stopped = True
            raise StopIteration

    start_flat = np.concatenate([np.zeros(width * k), start])
    options = {"maxiter": most, "maxcor": 20, "ftol": 1e-9, "gtol": 1e-6}
    found = minimize(value, start_flat, jac=True, method="L-BFGS-B", callback=watch, options=options)
    solution = np.asarray(found.x, dtype=np.float64)
    earlier = {at: (flat[:-k].reshape(width, k), flat[-k:]) for at, flat in states.items() if at < done}
    return _Found(solution[:-k].reshape(width, k), solution[-k:], max(done, 1), stopped, earlier)


def _sparse_if_wide(X: np.ndarray) -> Any:
    """Return a wide matrix of mostly zeros (words, one-hot levels) as a sparse one."""
    from scipy.sparse import csr_matrix

    if X.shape[1] < _WIDE or np.count_nonzero(X) > _SPARSE_SHARE * X.size:
        return X
    return csr_matrix(X)
