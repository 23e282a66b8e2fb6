"""A small neural network: fully connected layers, trained by Adam on mini-batches, in numpy."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from workbench.errors import FitError

from .base import Fitted, OutOfFoldScores, Params, Problem, Sample, Traits
from .forms.forms import Network
from .shared.base_family import BaseFamily, FitOptions
from .shared.dense_columns import ColumnScale, chunks
from .shared.early_stopping import BestCheckpoint, EarlyStoppingFolds, is_kept
from .shared.pair_choice import pairs_choice, with_pairs
from .shared.search_space import Choice, Real, Space, Whole
from .shared.targets import (
    TargetScale,
    class_shares,
    deviance_loss,
    number_link,
    weighted_mean,
)
from .shared.threads import one_thread

_ROWS_TO_TRAIN = 1_200_000  # rows over all epochs: 30 epochs of 40,000 rows
_FEWEST_EPOCHS, _MOST_EPOCHS = 12, 100
_STEPS_PER_CHECK = 20  # between two checks of the deadline
_DECAY_1, _DECAY_2, _EPSILON = (
    0.9,
    0.99,
    1e-8,
)  # of Adam; 0.99 works better on small tables than the usual 0.999
_RAREST = 1e-4

_DEFAULTS: tuple[dict[str, Any], ...] = (
    {},
    {"width": 32, "depth": 1, "learning_rate": 5e-3},
    {"width": 256, "depth": 3, "learning_rate": 1e-3, "dropout": 0.1, "weight_decay": 1e-2},
)


def _space(problem: Problem) -> Space:
    space: Space = {
        "width": Whole(16, 256, default=128),
        "depth": Whole(1, 3, default=2, log=False),
        "learning_rate": Real(3e-4, 1e-2, default=2e-3, log=True),
        "weight_decay": Real(1e-5, 1.0, default=1e-3, log=True),
        "dropout": Real(0.0, 0.4, default=0.0 if problem.n_rows > 5_000 else 0.1),
        "numbers": Choice(("scaled", "quantile") if problem.task == "regression" else ("quantile", "scaled")),
        **pairs_choice(problem),
    }
    if not problem.n_text:
        return space
    room = int(1e8 / (max(problem.n_rows, 1) * problem.n_text))
    return {**space, "terms": Choice((min(300, room),))}


@dataclass(frozen=True, slots=True, eq=False)
class FittedMLP:
    """A trained network, and the ones after fewer epochs."""

    network: Network
    rounds: int
    stopped: bool
    unseen: OutOfFoldScores | None = None
    trained: int = 0
    earlier: Mapping[int, FittedMLP] = field(default_factory=dict)

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return the raw scores in float64; see `workbench.families.base.Fitted.raw`."""
        return np.concatenate(
            [self.network.raw(part) for part in chunks(X)] or [np.zeros((0, self.network.n_raw))]
        )

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict in float64; see `workbench.families.base.Fitted.predict`."""
        return np.concatenate(
            [self.network.apply(part) for part in chunks(X)] or [np.zeros((0, self.network.n_outputs))]
        )

    def form(self) -> Network:
        """Return the weights."""
        return self.network


class MLP(BaseFamily):
    """A multilayer perceptron with ReLU, AdamW, a cosine schedule and early stopping.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 2)).astype(np.float32)
    >>> train = Sample(X, (X[:, 0] * X[:, 1] > 0).astype(np.int64))
    >>> fitted = MLP().fit({"width": 32}, train, Problem("binary", 2, n_rows=400, n_columns=2))
    >>> bool((fitted.predict(X).argmax(axis=1) == train.y).mean() > 0.9)
    True
    """

    name: ClassVar[str] = "mlp"
    traits: ClassVar[Traits] = Traits(
        label="Neural network",
        turns=(7, 14),
        first_model_rank=7,
        student={"width": 32, "depth": 1, "learning_rate": 5e-3},
        complements_trees=True,
    )

    def space(self, problem: Problem) -> Space:
        """Return the search space."""
        return _space(problem)

    def defaults(self, problem: Problem) -> Sequence[Params]:
        """Return complementary defaults, the best single one first."""
        return with_pairs(_DEFAULTS, problem)

    def learn(self, params: Params, train: Sample, problem: Problem, options: FitOptions) -> Fitted:
        """Train; a round is an epoch."""
        with one_thread(), np.errstate(over="ignore", invalid="ignore"):
            return _Training(params, train, problem, options.seed).run(
                options.valid, options.rounds, options.deadline
            )


@dataclass(frozen=True, slots=True, eq=False)
class _Epoch:
    """The weights after some epochs."""

    done: int
    weights: list[np.ndarray]


@dataclass(slots=True)
class _Adam:
    """AdamW (Loshchilov and Hutter, 2019) over a list of arrays, updated in place."""

    weights: list[np.ndarray]
    decay: float
    step: int = 0
    means: list[np.ndarray] = field(default_factory=list)
    squares: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.means = [np.zeros_like(each) for each in self.weights]
        self.squares = [np.zeros_like(each) for each in self.weights]

    def update(self, gradients: list[np.ndarray], rate: float) -> None:
        """Take a step; weight decay applies to matrices only, not to biases."""
        self.step += 1
        step_size = rate * math.sqrt(1.0 - _DECAY_2**self.step) / (1.0 - _DECAY_1**self.step)
        for weight, gradient, mean, square in zip(
            self.weights, gradients, self.means, self.squares, strict=True
        ):
            np.add(_DECAY_1 * mean, (1.0 - _DECAY_1) * gradient, out=mean)
            np.add(_DECAY_2 * square, (1.0 - _DECAY_2) * gradient * gradient, out=square)
            shrink = rate * self.decay if weight.ndim == 2 else 0.0
            np.subtract((1.0 - shrink) * weight, step_size * mean / (np.sqrt(square) + _EPSILON), out=weight)


class _Training:
    """One fit: the prepared data and the current weights."""

    def __init__(self, params: Params, train: Sample, problem: Problem, seed: int) -> None:
        self.params, self.train, self.problem = params, train, problem
        self.random = np.random.default_rng(seed)
        self.columns = ColumnScale.of(train.X)
        self.center, self.factor = (
            self.columns.center.astype(np.float32),
            self.columns.factor.astype(np.float32),
        )
        is_number = problem.task == "regression"
        self.target_scale = TargetScale.of(train, problem.logs) if is_number else TargetScale(0.0, 1.0)
        if problem.deviance:  # it learns the logarithm of the mean of (target / overall mean)
            self.target_scale = TargetScale(math.log(weighted_mean(train.y, train.weight)), 1.0)
        rows = len(train.y)
        self.epochs = min(max(_ROWS_TO_TRAIN // rows, _FEWEST_EPOCHS), _MOST_EPOCHS)
        self.batch = 32 if rows < 1_000 else 64 if rows < 5_000 else 128 if rows < 20_000 else 256
        self.weights = self._initial_weights()
        self.targets = self._targets(train)
        self.share = _mean_one(train.weight)

    def _initial_weights(self) -> list[np.ndarray]:
        """Return initial matrices (He et al., 2015) and biases in turn.

        The last biases predict the same as the baseline.
        """
        width, depth = int(self.params["width"]), int(self.params["depth"])
        sizes = [self.train.X.shape[1], *(max(width >> at, 8) for at in range(depth)), self.problem.outputs]
        weights: list[np.ndarray] = []
        for inputs, outputs in pairwise(sizes):
            spread = math.sqrt(2.0 / max(inputs, 1)) * (0.1 if outputs == sizes[-1] else 1.0)
            weights.append(self.random.normal(0.0, spread, (inputs, outputs)).astype(np.float32))
            weights.append(np.zeros(outputs, dtype=np.float32))
        if self.problem.task != "regression":
            shares = class_shares(self.train, self.problem.n_classes)
            weights[-1] += np.log(np.maximum(shares, _RAREST)).astype(np.float32)
        return weights

    def _targets(self, sample: Sample) -> np.ndarray:
        if self.problem.deviance:
            return (sample.y / math.exp(self.target_scale.center)).astype(np.float32)[:, None]
        if self.problem.task == "regression":
            return self.target_scale.scaled(sample.y).astype(np.float32)[:, None]
        return sample.y.astype(np.int64)

    # ------------------------------------------------------------ one step

    def _step(self, rows: np.ndarray) -> list[np.ndarray]:
        """Return the gradients of the loss on some training rows."""
        layers = len(self.weights) // 2
        inputs = [(self.train.X[rows] - self.center) * self.factor]
        masks: list[np.ndarray] = []
        for at in range(layers - 1):
            hidden = inputs[at] @ self.weights[2 * at] + self.weights[2 * at + 1]
            mask = (hidden > 0).astype(np.float32)
            if self.params["dropout"] > 0:
                active = self.random.random(hidden.shape, dtype=np.float32) >= self.params["dropout"]
                mask *= active / np.float32(1.0 - self.params["dropout"])
            masks.append(mask)
            inputs.append(hidden * mask)
        slope = self._slope(inputs[-1] @ self.weights[-2] + self.weights[-1], rows)
        gradients: list[np.ndarray] = []
        for at in reversed(range(layers)):
            gradients += [slope.sum(axis=0), inputs[at].T @ slope]
            if at:
                slope = (slope @ self.weights[2 * at].T) * masks[at - 1]
        return gradients[::-1]

    def _slope(self, scores: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the gradient of the mean loss by the scores."""
        if self.problem.deviance:
            slope = deviance_loss(scores, self.targets[rows], self.problem.deviance)[1]
        elif self.problem.task == "regression":
            slope = scores - self.targets[rows]
            if self.problem.absolute:
                slope = np.sign(slope)
        else:
            slope = np.exp(scores - scores.max(axis=1, keepdims=True))
            slope /= slope.sum(axis=1, keepdims=True)
            slope[np.arange(len(rows)), self.targets[rows]] -= 1.0
        if self.share is not None:
            slope *= self.share[rows, None]
        return np.asarray(slope / np.float32(len(rows)))

    def _loss(self, sample: Sample, targets: np.ndarray, share: np.ndarray | None) -> float:
        """Return the weighted mean loss on rows for early stopping."""
        parts = []
        for part in chunks(sample.X):
            hidden = (part - self.center) * self.factor
            for at in range(0, len(self.weights) - 2, 2):
                hidden = np.maximum(hidden @ self.weights[at] + self.weights[at + 1], 0.0)
            parts.append(hidden @ self.weights[-2] + self.weights[-1])
        scores = np.concatenate(parts).astype(np.float64)
        if self.problem.deviance:
            losses = deviance_loss(scores, targets, self.problem.deviance)[0]
        elif self.problem.task == "regression":
            errors = np.abs(scores - targets)[:, 0]
            losses = errors if self.problem.absolute else errors**2
        else:
            top = scores.max(axis=1)
            picked = scores[np.arange(len(scores)), targets]
            losses = np.log(np.exp(scores - top[:, None]).sum(axis=1)) + top - picked
        return float(np.average(losses, weights=share))

    # ------------------------------------------------------------ all of them

    def run(self, valid: Sample | None, rounds: int | None, deadline: float) -> FittedMLP:
        """Train for the given epochs, or until the loss on the rows for early stopping stalls."""
        adam = _Adam(self.weights, float(self.params["weight_decay"]))
        folds = EarlyStoppingFolds(valid)
        losses = self._losses(folds) if folds else None
        most = max(rounds, 1) if rounds is not None else self.epochs
        bounded = math.isfinite(deadline)
        patience = max(8, self.epochs // 6)
        chosen: BestCheckpoint[_Epoch] = BestCheckpoint(folds.shares)
        done, stopped = 0, False
        states: dict[int, tuple[_Epoch, tuple[_Epoch, ...]]] = {}
        while done < most and not stopped:
            stopped, whole = self._epoch(adam, done, deadline)
            if not whole and chosen.any:
                break  # a partial epoch cannot be reproduced, and other folds have no matching state
            done += 1
            if losses is None:
                if bounded and is_kept(done):
                    states[done] = self._after(done), ()
                continue
            now = losses()
            best = chosen.update(now, partial(self._after, done))
            waited = done - (chosen.best.done if chosen.any else 0)
            if bounded and is_kept(done) and chosen.any:
                states[done] = chosen.best, chosen.others
            if not best and (waited >= patience or not all(math.isfinite(each) for each in now)):
                break
        last = chosen.best if chosen.any else _Epoch(done, self.weights)
        fitted = FittedMLP(self._network(last.weights), last.done, stopped and done < most, trained=done)
        earlier = {at: self._early(at, state, folds) for at, state in states.items() if at < done}
        return replace(fitted, unseen=folds.unseen(chosen, self._raw), earlier=earlier)

    def _early(
        self, done: int, state: tuple[_Epoch, tuple[_Epoch, ...]], folds: EarlyStoppingFolds
    ) -> FittedMLP:
        """Return the network as if the training had ended after `done` epochs."""
        best, others = state
        unseen = folds.unseen_by(others, done, self._raw) if others else None
        return FittedMLP(self._network(best.weights), best.done, True, unseen, done)

    def _after(self, done: int) -> _Epoch:
        return _Epoch(done, [each.copy() for each in self.weights])

    def _raw(self, epoch: _Epoch, X: np.ndarray) -> np.ndarray:
        return FittedMLP(self._network(epoch.weights), epoch.done, False).raw(X)

    def _losses(self, folds: EarlyStoppingFolds) -> Callable[[], list[float]]:
        parts = [(each, self._targets(each), _mean_one(each.weight)) for each in folds.samples()]
        return lambda: [self._loss(*part) for part in parts]

    def _epoch(self, adam: _Adam, epoch: int, deadline: float) -> tuple[bool, bool]:
        """Train one epoch; return whether the deadline passed and whether it is complete."""
        order = self.random.permutation(len(self.train.y))
        starts = range(0, len(order), self.batch)
        for step, at in enumerate(starts):
            progress = min((epoch + step / len(starts)) / self.epochs, 1.0)
            rate = float(self.params["learning_rate"]) * (0.02 + 0.49 * (1.0 + math.cos(math.pi * progress)))
            adam.update(self._step(order[at : at + self.batch]), rate)
            if step % _STEPS_PER_CHECK == 0 and time.monotonic() >= deadline:
                return True, step == len(starts) - 1
        return time.monotonic() >= deadline, True

    def _network(self, weights: list[np.ndarray]) -> Network:
        """Fold the column scale into the first layer and the target scale into the last."""
        if not all(np.isfinite(each).all() for each in weights):
            raise FitError("the network has weights of NaN or infinity", hint="Lower the learning rate.")
        matrices = [each.astype(np.float64) for each in weights[::2]]
        biases = [each.astype(np.float64) for each in weights[1::2]]
        matrices[0], biases[0] = self.columns.unfold(matrices[0], biases[0])
        if self.problem.task == "regression":
            matrices[-1] = matrices[-1] * self.target_scale.spread
            biases[-1] = biases[-1] * self.target_scale.spread + self.target_scale.center
            return Network(matrices, biases, "relu", number_link(self.problem, self.target_scale))
        if self.problem.n_classes == 2:
            matrices[-1] = matrices[-1][:, 1:] - matrices[-1][:, :1]
            biases[-1] = biases[-1][1:] - biases[-1][:1]
            return Network(matrices, biases, "relu", "sigmoid")
        return Network(matrices, biases, "relu", "softmax")


def _mean_one(weight: np.ndarray | None) -> np.ndarray | None:
    """Scale weights to a mean of 1."""
    return None if weight is None else (weight / weight.mean()).astype(np.float32)
