"""Losses of many ensembles at once: the loss after adding each model to an ensemble."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

import numpy as np

from workbench.families.base import Loss

from .formulas.row_losses import EPS, in_domain, number_losses, own_probability

Space = Literal["probability", "log"]

_CELLS = 1 << 17  # numbers per block: they fit in a core's cache


class EnsembleLosses(Protocol):
    """The losses of weighted averages of models on a set of rows.

    An ensemble is the number of times that each model was selected, shape (m,).
    """

    share: np.ndarray

    def additions(self, counts: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Return the loss after adding each model of `which` to the ensemble."""

    def losses(self, counts: np.ndarray) -> np.ndarray:
        """Return the loss of each row, shape (n,)."""


def ensemble_losses(
    y: np.ndarray, outputs: list[np.ndarray], loss: Loss, weight: np.ndarray, space: Space
) -> EnsembleLosses:
    """Return the ensemble losses of models' predictions of a target."""
    share = weight / weight.sum()
    if loss in ("logarithms", "poisson", "gamma"):
        return _Numbers(y, np.stack([output[:, 0].astype(np.float64) for output in outputs]), share, loss)
    if loss != "log":
        errors = np.stack([output[:, 0].astype(np.float64) - y for output in outputs])
        return _Squares(errors, share) if loss == "squared" else _Sizes(errors, share)
    if space == "probability":
        own = np.stack([own_probability(y, output) for output in outputs])
        return _Chances(np.clip(own, EPS, 1.0).astype(np.float32), share)
    return _Margins(np.stack([_margins(output, y) for output in outputs]), share)


def _margins(output: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return each other class's log-probability minus that of the true class, shape (n, k - 1)."""
    logs = np.log(np.clip(output, EPS, None)).astype(np.float32)
    rows = np.arange(len(y))
    others = np.ones(logs.shape, dtype=bool)
    others[rows, y] = False
    return np.asarray(logs[others].reshape(len(y), -1) - logs[rows, y][:, None])


class _Squares:
    """Squared error: the losses of all ensembles follow from one matrix of shape (m, m)."""

    def __init__(self, errors: np.ndarray, share: np.ndarray) -> None:
        self.errors, self.share = errors, share
        self.products = (errors * share) @ errors.T

    def additions(self, counts: np.ndarray, which: np.ndarray) -> np.ndarray:
        total = counts.sum() + 1
        with_all = self.products @ counts
        now = float(counts @ with_all)
        every = now + 2.0 * with_all[which] + self.products[which, which]
        return np.asarray(every / total**2)

    def losses(self, counts: np.ndarray) -> np.ndarray:
        return np.asarray((counts @ self.errors / counts.sum()) ** 2)


class _Sizes:
    """Absolute error."""

    def __init__(self, errors: np.ndarray, share: np.ndarray) -> None:
        self.errors, self.share = errors.astype(np.float32), share

    def additions(self, counts: np.ndarray, which: np.ndarray) -> np.ndarray:
        out = np.zeros(len(which))
        for part in _stretches(self.errors.shape[1], len(which)):
            sums = self.errors[which, part]
            if counts.any():
                sums = sums + counts.astype(np.float32) @ self.errors[:, part]
            out += np.abs(sums) @ self.share[part]
        return np.asarray(out / (counts.sum() + 1))

    def losses(self, counts: np.ndarray) -> np.ndarray:
        return np.asarray(np.abs(counts @ self.errors / counts.sum()))


class _Numbers:
    """Any other loss of averaged numbers."""

    def __init__(self, y: np.ndarray, guesses: np.ndarray, share: np.ndarray, loss: Loss) -> None:
        self.y, self.guesses, self.share, self.loss = y, guesses, share, loss

    def additions(self, counts: np.ndarray, which: np.ndarray) -> np.ndarray:
        out = np.zeros(len(which))
        total = counts.sum() + 1
        for part in _stretches(self.guesses.shape[1], len(which)):
            sums = self.guesses[which, part]
            if counts.any():
                sums = sums + counts @ self.guesses[:, part]
            out += (
                number_losses(self.y[part], in_domain(sums / total, self.loss), self.loss) @ self.share[part]
            )
        return np.asarray(out)

    def losses(self, counts: np.ndarray) -> np.ndarray:
        return number_losses(self.y, in_domain(counts @ self.guesses / counts.sum(), self.loss), self.loss)


class _Chances:
    """Log loss of averaged probabilities, which needs only the probability of the true class."""

    def __init__(self, own: np.ndarray, share: np.ndarray) -> None:
        self.own, self.share = own, share

    def additions(self, counts: np.ndarray, which: np.ndarray) -> np.ndarray:
        out = np.zeros(len(which))
        total = np.float32(counts.sum() + 1)
        for part in _stretches(self.own.shape[1], len(which)):
            sums = self.own[which, part]
            if counts.any():
                sums = sums + counts.astype(np.float32) @ self.own[:, part]
            out -= np.log(sums / total) @ self.share[part]
        return out

    def losses(self, counts: np.ndarray) -> np.ndarray:
        return np.asarray(-np.log(counts @ self.own / counts.sum()))


class _Margins:
    """Log loss of averaged log-probabilities, by margins of shape (m, n, k - 1)."""

    def __init__(self, margins: np.ndarray, share: np.ndarray) -> None:
        self.margins, self.share = margins, share

    def additions(self, counts: np.ndarray, which: np.ndarray) -> np.ndarray:
        out = np.zeros(len(which))
        total = np.float32(counts.sum() + 1)
        _, n_rows, others = self.margins.shape
        for part in _stretches(n_rows, len(which) * others):
            sums = self.margins[which, part]
            if counts.any():
                sums = sums + np.tensordot(counts.astype(np.float32), self.margins[:, part], axes=1)
            out += _softplus(sums / total) @ self.share[part]
        return out

    def losses(self, counts: np.ndarray) -> np.ndarray:
        mean = np.tensordot(counts.astype(np.float32), self.margins, axes=1) / np.float32(counts.sum())
        return _softplus(mean)


def _softplus(margins: np.ndarray) -> np.ndarray:
    """Return log(1 + sum of exp) over the last axis.

    Margins are at most 37, so it does not overflow.
    """
    raised = np.exp(margins, out=margins)
    return np.asarray(np.log1p(raised[..., 0] if raised.shape[-1] == 1 else raised.sum(axis=-1)))


def _stretches(rows: int, width: int) -> Iterable[slice]:
    size = max(_CELLS // max(width, 1), 256)
    return (slice(at, at + size) for at in range(0, rows, size))
