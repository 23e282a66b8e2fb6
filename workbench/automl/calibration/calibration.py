"""Calibration of probabilities by a few parameters, learned on out-of-fold predictions.

Served probabilities are ``softmax(scale * log(p) + offset)``. A single scale is temperature scaling
(Guo et al. 2017). With an offset per class it is Platt's sigmoid (1999) for two classes, and its
generalisation for more. A matrix in place of the scale also mixes the classes (see
`matrix_scaling`). The problem is convex and is solved by Newton's method.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workbench.families.forms.links import LEAST_MIXED, LEAST_PROBABILITY, Scale, calibrate
from workbench.families.shared.threads import one_thread

from ..scoring.cross_fitting import fold_numbers
from ..scoring.standard_error import is_gain
from .matrix_scaling import fit_matrix

Kind = Literal["temperature", "sigmoid", "offsets", "matrix"]

_EPS = float(np.finfo(np.float64).eps)
_CHOICE_CELLS = 40_000  # rows times classes that the choice is made on
_LEAST_CHOICE_ROWS = 4_000
_STEPS = 30
_PRIOR_ROWS = 1.0  # strength of the prior "no calibration", so that separable rows do not diverge
_MOST_CLASSES = 30  # with more classes each offset would be learned from few rows
_MOST_MIXED = 15  # classes that a matrix mixes
_MIXED_CHOICE_CELLS, _MIXED_CELLS = 150_000, 300_000  # for choosing a matrix, and for learning it
#: Standard errors by which a kind must be better than the simpler one before. A matrix is for
#: ensembles, which are few and selected by half a standard error themselves (worth 1 % of the log
#: loss on new rows of forest_cover).
_PAYS, _MIXING_PAYS = 1.0, 0.5
_LEAST_ROWS = 40
_SCALES = (0.05, 20.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Parameters of ``softmax(scale * log(p) + offset)`` or ``softmax(log(p) @ matrix + offset)``.

    Attributes
    ----------
    kind : {"temperature", "sigmoid", "offsets", "matrix"}
    scale : float
        Above 1 the probabilities move away from uniform, below 1 towards it.
    offset : tuple of float, length k
        Added to the log-odds of each class; the first is 0, except with a matrix.
    matrix : tuple of k tuples of float
        For kind "matrix", in place of the scale; else empty.
    """

    kind: Kind
    scale: float
    offset: tuple[float, ...]
    matrix: tuple[tuple[float, ...], ...] = ()

    @property
    def served(self) -> Scale:
        """The factor of the logarithms: a scale or a matrix."""
        return np.asarray(self.matrix) if self.matrix else self.scale

    @property
    def words(self) -> str:
        """A short description."""
        size = len(self.matrix)
        return f"{self.kind} of {size} x {size}" if size else f"{self.kind}, scale {self.scale:.3g}"

    def scores(self, logs: np.ndarray) -> np.ndarray:
        """Return the scores, shape (n, k); the probabilities are their softmax."""
        if not self.matrix:
            return np.asarray(self.scale * logs + np.asarray(self.offset))
        return np.asarray(_mixable(logs) @ np.asarray(self.matrix) + np.asarray(self.offset))

    def apply(self, output: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities, float64 (n, k); rows with NaN stay NaN.

        Examples
        --------
        >>> Calibration("temperature", 2.0, (0.0, 0.0)).apply(np.array([[0.2, 0.8]])).round(3).tolist()
        [[0.059, 0.941]]
        """
        return calibrate(output, self.served, np.asarray(self.offset, dtype=np.float64))

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as a JSON object."""
        plain = {"kind": self.kind, "scale": self.scale, "offset": list(self.offset)}
        return {**plain, "matrix": [list(row) for row in self.matrix]} if self.matrix else plain


@one_thread()
def choose_calibration(
    y: np.ndarray,
    output: np.ndarray,
    fold: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    mixing: bool = False,
) -> tuple[Calibration | None, np.ndarray]:
    """Choose no calibration, a scale, a scale and an offset per class or, with `mixing`, a matrix.

    The kinds are compared by cross-fitted log loss. A richer kind is chosen only if its gain over
    the simpler one is more than a standard error of the paired difference. Isotonic regression is
    not a choice: learned on the out-of-fold predictions of 77 models of seven tables (160 to 6,000
    rows), it increased the log loss on new rows by 1 to 2 % on average and by 30 % at worst, while
    this choice decreased it by 0.8 %. It was better on one table only.

    Parameters
    ----------
    y : numpy.ndarray of int, shape (n,)
        Class positions.
    output : numpy.ndarray, shape (n, k)
        Out-of-fold probabilities; rows that were not predicted are NaN.
    fold : numpy.ndarray of int, shape (n,)
        The fold that validated each row; negative if none did. A single fold is divided at random
        into five.
    weight : numpy.ndarray, shape (n,), optional
    mixing : bool
        Whether a matrix is a choice, with more than two classes.

    Returns
    -------
    calibration : Calibration or None
        Learned from all rows; None if calibration does not improve the probabilities.
    calibrated : numpy.ndarray of float64, shape (n, k)
        The output, each row calibrated by parameters learned without its fold.

    Examples
    --------
    A model that doubles the true log-odds:

    >>> random = np.random.default_rng(0)
    >>> odds = random.normal(size=4000)
    >>> y = (random.random(4000) < 1 / (1 + np.exp(-odds))).astype(int)
    >>> bold = 1 / (1 + np.exp(-2 * odds))
    >>> found, calibrated = choose_calibration(y, np.column_stack([1 - bold, bold]), np.arange(4000) % 5)
    >>> found.kind, round(found.scale, 1)
    ('temperature', 0.5)
    """
    fold = fold_numbers(fold, seed=0)
    plain = np.asarray(output, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(_added(plain)) & (fold >= 0))
    if weight is not None:
        known = known[weight[known] > 0]
    if len(known) < _LEAST_ROWS or len(np.unique(y[known])) < 2 or len(np.unique(fold[known])) < 2:
        return None, plain
    shares = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    chosen = known
    most = max((_MIXED_CHOICE_CELLS if mixing else _CHOICE_CELLS) // plain.shape[1], _LEAST_CHOICE_ROWS)
    if len(known) > most:
        chosen = np.sort(np.random.default_rng(0).choice(known, most, replace=False))
    kinds = _kinds(plain.shape[1], mixing)
    kind, parts = _choose(kinds, y[chosen], plain[chosen], fold[chosen], shares[chosen])
    if kind is None:
        return None, plain
    calibrated = plain.copy()
    for number, part in parts.items():
        mine = np.flatnonzero(fold == number)
        calibrated[mine] = part.apply(plain[mine])
    near = next(iter(parts.values()))
    return fit_calibration(kind, y[known], plain[known], shares[known], near), calibrated


@one_thread()
def fit_calibration(
    kind: Kind,
    y: np.ndarray,
    output: np.ndarray,
    weight: np.ndarray | None = None,
    start: Calibration | None = None,
) -> Calibration:
    """Learn a calibration of one kind from all predicted rows, by Newton's method on the log loss.

    Parameters
    ----------
    kind : {"temperature", "sigmoid", "offsets", "matrix"}
        "sigmoid" is the name of "offsets" with two classes.
    y : numpy.ndarray of int, shape (n,)
    output : numpy.ndarray, shape (n, k)
    weight : numpy.ndarray, shape (n,), optional
    start : Calibration, optional
        Initial parameters: a near solution saves steps.

    Examples
    --------
    >>> y, p = np.array([0, 1] * 50), np.full((100, 2), 0.5)
    >>> fit_calibration("sigmoid", y, p).scale
    1.0
    """
    known = np.isfinite(output).all(axis=1)
    y = y[known]
    shares = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)[known]
    # Weights are scaled to add up to the number of rows, which the prior is relative to.
    shares = shares * (len(y) / max(shares.sum(), _EPS))
    return _fit(kind, y, _logs(output[known]), shares, start)


def _logs(output: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(np.clip(np.asarray(output, dtype=np.float64), LEAST_PROBABILITY, 1.0)))


def _losses(y: np.ndarray, output: np.ndarray) -> np.ndarray:
    own = output[np.arange(len(y)), y] / _added(output)
    return np.asarray(-np.log(np.clip(own, _EPS, 1.0)))


def _mixable(logs: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(logs, np.log(LEAST_MIXED)))


def _kinds(k: int, mixing: bool) -> tuple[Kind, ...]:
    """Return the kinds to compare for k classes, the simpler first."""
    if k == 2:
        return "temperature", "sigmoid"
    if k > _MOST_CLASSES:
        return ("temperature",)
    return ("temperature", "offsets", "matrix") if mixing and k <= _MOST_MIXED else ("temperature", "offsets")


def _choose(
    kinds: tuple[Kind, ...], y: np.ndarray, output: np.ndarray, fold: np.ndarray, weight: np.ndarray
) -> tuple[Kind | None, dict[int, Calibration]]:
    """Compare the kinds, the simpler first.

    Return the chosen one with its parameters for each fold.
    """
    logs, best = _logs(output), _losses(y, output)
    kind: Kind | None = None
    parts: dict[int, Calibration] = {}
    for each in kinds:
        tried, losses = _cross_fit(each, y, logs, fold, weight)
        if is_gain(best - losses, weight, _MIXING_PAYS if each == "matrix" else _PAYS):
            kind, parts, best = each, tried, losses
    return kind, parts


def _cross_fit(
    kind: Kind, y: np.ndarray, logs: np.ndarray, fold: np.ndarray, weight: np.ndarray
) -> tuple[dict[int, Calibration], np.ndarray]:
    everywhere = _fit(kind, y, logs, weight)
    losses, parts = np.zeros(len(y)), {}
    for number in np.unique(fold).tolist():
        mine = fold == number
        part = _fit(kind, y[~mine], logs[~mine], weight[~mine], everywhere)
        scores = part.scores(logs[mine])
        losses[mine] = _log_sum(scores) - scores[np.arange(len(scores)), y[mine]]
        parts[int(number)] = part
    return parts, losses


def _log_sum(scores: np.ndarray) -> np.ndarray:
    top = _highest(scores)
    return np.asarray(top + np.log(_added(np.exp(scores - top[:, None]))))


def _highest(values: np.ndarray) -> np.ndarray:
    """Return each row's maximum.

    For short rows, column by column is several times faster than by row.
    """
    out = values[:, 0].copy()
    for column in values.T[1:]:
        np.maximum(out, column, out=out)
    return out


def _added(values: np.ndarray) -> np.ndarray:
    """Return each row's sum, fast for short rows."""
    return np.asarray(values @ np.ones(values.shape[1]))


# ---------------------------------------------------------------- Newton's method


def _fit(
    kind: Kind, y: np.ndarray, logs: np.ndarray, weight: np.ndarray, start: Calibration | None = None
) -> Calibration:
    if kind == "matrix":
        return _fit_matrix(y, logs, weight)
    k = logs.shape[1]
    free = 1 if kind == "temperature" else k
    here = np.zeros(free)
    here[0] = 1.0
    if start is not None and (start.kind == "temperature" or free > 1):
        here = np.r_[start.scale, start.offset[1:]][:free]
    begin = np.zeros(free)
    begin[0] = 1.0
    solve = _binary if k == 2 else _many
    value, slope, curve = solve(here, begin, y, logs, weight)
    for _ in range(_STEPS):
        step = np.linalg.solve(curve, slope)
        size, moved = 1.0, False
        while size > 1e-3:
            there = here - size * step
            there[0] = np.clip(there[0], *_SCALES)
            new = solve(there, begin, y, logs, weight)
            if new[0] <= value + 1e-12 * abs(value):
                moved = True
                break
            size /= 2.0
        if not moved:
            break
        done = float(np.abs(there - here).max()) < 1e-4
        here, (value, slope, curve) = there, new
        if done:
            break
    offset = np.r_[0.0, here[1:]] if free > 1 else np.zeros(k)
    return Calibration(kind, float(here[0]), tuple(float(each) for each in offset))


def _fit_matrix(y: np.ndarray, logs: np.ndarray, weight: np.ndarray) -> Calibration:
    """Learn a matrix near the best scale and offsets, from a sample if there are many rows."""
    near = _fit("offsets", y, logs, weight)
    rows, most = np.arange(len(y)), _MIXED_CELLS // logs.shape[1]
    if len(y) > most:
        rows = np.sort(np.random.default_rng(0).choice(len(y), most, replace=False))
    mixable = _mixable(logs[rows])
    matrix, offset = fit_matrix(y[rows], mixable, weight[rows], near.scale, np.asarray(near.offset))
    return Calibration(
        "matrix", near.scale, tuple(offset.tolist()), tuple(tuple(row) for row in matrix.tolist())
    )


_Step = tuple[float, np.ndarray, np.ndarray]


def _binary(
    here: np.ndarray, begin: np.ndarray, y: np.ndarray, logs: np.ndarray, weight: np.ndarray
) -> _Step:
    """Return loss, gradient and Hessian for two classes, which depend only on the log-odds."""
    odds = logs[:, 1] - logs[:, 0]
    scores = here[0] * odds + (here[1] if len(here) > 1 else 0.0)
    small = np.exp(-np.abs(scores))
    p = np.where(scores >= 0, 1.0, small) / (1.0 + small)
    value = float(weight @ (np.log1p(small) + np.maximum(scores, 0.0) - y * scores))
    miss, bend = weight * (p - y), weight * p * (1.0 - p)
    if len(here) == 1:
        slope, curve = np.array([miss @ odds]), np.array([[bend @ odds**2]])
    else:
        cross = bend @ odds
        slope = np.array([miss @ odds, miss.sum()])
        curve = np.array([[bend @ odds**2, cross], [cross, bend.sum()]])
    return _pulled(value, slope, curve, here, begin)


def _many(here: np.ndarray, begin: np.ndarray, y: np.ndarray, logs: np.ndarray, weight: np.ndarray) -> _Step:
    """Return loss, gradient and Hessian for k classes."""
    rows = np.arange(len(y))
    scores = here[0] * logs
    if len(here) > 1:
        scores[:, 1:] += here[1:]
    scores -= scores.max(axis=1, keepdims=True)
    p = np.exp(scores)
    total = p.sum(axis=1, keepdims=True)
    p /= total
    value = float(weight @ (np.log(total[:, 0]) - scores[rows, y]))
    mean = (p * logs).sum(axis=1)
    slope, curve = np.zeros(len(here)), np.zeros((len(here), len(here)))
    slope[0] = weight @ (mean - logs[rows, y])
    curve[0, 0] = weight @ ((p * logs**2).sum(axis=1) - mean**2)
    if len(here) > 1:
        weighted = p[:, 1:] * weight[:, None]
        happened = np.bincount(y, weights=weight, minlength=logs.shape[1])[1:]
        slope[1:] = weighted.sum(axis=0) - happened
        curve[1:, 1:] = np.diag(weighted.sum(axis=0)) - weighted.T @ p[:, 1:]
        curve[0, 1:] = curve[1:, 0] = (weighted * (logs[:, 1:] - mean[:, None])).sum(axis=0)
    return _pulled(value, slope, curve, here, begin)


def _pulled(value: float, slope: np.ndarray, curve: np.ndarray, here: np.ndarray, begin: np.ndarray) -> _Step:
    """Add the pull towards "as it is": a quadratic as strong as one row."""
    away = here - begin
    return (
        value + 0.5 * _PRIOR_ROWS * float(away @ away),
        slope + _PRIOR_ROWS * away,
        curve + _PRIOR_ROWS * np.eye(len(here)),
    )
