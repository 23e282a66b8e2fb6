"""Ensemble selection: weighted averages of candidates, selected on out-of-fold rows, by cost.

Forward selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes 2004): each step adds
the model whose addition lowers the loss most; its weight is the number of times it was added. The
selection runs without a limit and with several limits of the serving cost. The result is a path:
each ensemble costs more than the one before and is better by more than noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.families.base import Loss
from workbench.families.shared.threads import one_thread

from .cross_fitting import fold_numbers
from .ensemble_losses import EnsembleLosses, Space, ensemble_losses
from .formulas.row_losses import EPS
from .standard_error import mean_and_error

_SMALL_ROWS = 2000  # with fewer rows few models are tried: the weights of many would fit noise
_SMALL_POOL, _SMALL_DIVERSE = 8, 4
_POOL, _DIVERSE = 36, 12
_BUDGETS = 4  # runs with a limit of the cost
_BUDGET_STEPS = 10
_PAYS = 0.5  # standard errors by which a more expensive ensemble must be better
_LEAST_GAIN = 1e-6  # of the loss: a smaller gain is rounding error


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A weighted average of models.

    Attributes
    ----------
    weights : dict of int to float
        Weights that add up to 1, by position in the given outputs.
    loss : float
        Mean loss on the rows that selected it, so it is optimistic.
    cost : float
        Sum of the members' costs.
    space : {"probability", "log"}
        What is averaged: probabilities (and numbers), or their logarithms, normalised to add up to
        1.
    """

    weights: dict[int, float]
    loss: float
    cost: float
    space: Space = "probability"

    def of(self, outputs: Sequence[np.ndarray]) -> np.ndarray:
        """Return the weighted average of outputs, shape (n, k) each, as float64 (n, k)."""
        return combine(outputs, self.weights, self.space)


def combine(
    outputs: Sequence[np.ndarray], weights: Mapping[int, float], space: Space = "probability"
) -> np.ndarray:
    """Average outputs of shape (n, k) by weights of their positions.

    Examples
    --------
    >>> combine([np.array([[0.2, 0.8]]), np.array([[0.4, 0.6]])], {0: 0.5, 1: 0.5}).round(3).tolist()
    [[0.3, 0.7]]
    """
    members = list(weights.items())
    if space == "probability" or outputs[members[0][0]].shape[1] == 1:
        return np.asarray(sum(share * np.asarray(outputs[at], dtype=np.float64) for at, share in members))
    logs = sum(share * np.log(np.clip(outputs[at], EPS, None, dtype=np.float64)) for at, share in members)
    raised = np.exp(logs - np.max(logs, axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


@one_thread()
def greedy_path(  # noqa: PLR0913 - the keyword arguments have defaults
    y: np.ndarray,
    outputs: Sequence[np.ndarray],
    loss: Loss,
    weight: np.ndarray | None = None,
    *,
    costs: Sequence[float] | None = None,
    steps: int = 25,
    rows: int = 30_000,
    seed: int = 0,
    space: Space = "probability",
) -> list[Ensemble]:
    """Return ensembles, from the cheapest competitive single model to the best ensemble.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Class positions or numbers.
    outputs : sequence of numpy.ndarray, shape (n, k)
        Out-of-fold outputs of each model: probabilities, or (n, 1) numbers. Rows that a model did
        not predict (NaN) are ignored for all.
    loss : {"log", "squared", "absolute", "logarithms", "poisson", "gamma"}
        Loss of a row: log loss for classes; for numbers the squared or absolute error, the squared
        error of the logarithm, or a deviance.
    weight : numpy.ndarray, shape (n,), optional
    costs : sequence of float, optional
        Serving cost of each model, in any unit. Default: 1 each.
    steps : int
        Maximum number of additions; the smallest weight is 1 / steps.
    rows : int
        Maximum number of rows used.
    seed : int
        Seed of the sample of rows.
    space : {"probability", "log"}
        What is averaged; numbers are averaged as they are. On seven tables, with each ensemble
        calibrated by one scale, averaged probabilities had the lower log loss on new rows of the
        larger tables (by 0.1 to 0.4 %), averaged logarithms on the two smallest tables.

    Returns
    -------
    list of Ensemble
        Costs increase and losses decrease from one to the next, by more than half a standard error
        of their paired difference (a whole one gave worse ensembles on new rows of small tables).
        The first is the best of the cheapest models; the last is the best ensemble. With few rows,
        where noise hides most gains, the best one found is added: on new rows of four small tables
        its loss is lower by up to 0.8 %.

    Raises
    ------
    ValueError
        If there is no model, or no row that all of them predicted.

    Examples
    --------
    Two models whose errors cancel, and a copy that adds nothing:

    >>> random = np.random.default_rng(0)
    >>> truth, noise = random.normal(size=500), random.normal(size=(2, 500))
    >>> models = [(truth + noise[0])[:, None], (truth + noise[1])[:, None], (truth + noise[0])[:, None]]
    >>> path = greedy_path(truth, models, "squared")
    >>> sorted(path[-1].weights), round(path[-1].loss, 1)
    ([0, 1], 0.5)
    """
    if not len(outputs):
        raise ValueError("there is no model to average")
    price = np.ones(len(outputs)) if costs is None else np.maximum(np.asarray(costs, dtype=np.float64), 0.0)
    if space == "log":
        rows = max(rows * 2 // max(outputs[0].shape[1], 2), 5_000)  # each class takes a logarithm
    chosen = _rows_to_use(outputs, weight, rows, seed)
    shares = np.ones(len(chosen)) if weight is None else np.asarray(weight, dtype=np.float64)[chosen]
    losses_of = ensemble_losses(y[chosen], [output[chosen] for output in outputs], loss, shares, space)
    small = len(chosen) < _SMALL_ROWS
    found = _search(losses_of, price, steps, small=small)
    return [
        _ensemble(counts, mean, price, space) for counts, mean in _path(losses_of, found, price, small=small)
    ]


def cross_fitted(  # noqa: PLR0913 - as in `greedy_path`
    y: np.ndarray,
    outputs: Sequence[np.ndarray],
    loss: Loss,
    fold: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    costs: Sequence[float] | None = None,
    most_cost: float = np.inf,
    steps: int = 25,
    rows: int = 30_000,
    seed: int = 0,
    space: Space = "probability",
) -> np.ndarray:
    """Return cross-fitted predictions of ensembles, for an unbiased score.

    Each row is predicted by an ensemble that was selected without the row's fold.

    Parameters
    ----------
    y, outputs, loss, weight, costs, steps, rows, seed, space
        As in `greedy_path`.
    fold : numpy.ndarray of int, shape (n,)
        The fold that validated each row; negative if none did. A single fold is divided at random
        into five.
    most_cost : float
        Highest cost of an ensemble.

    Returns
    -------
    numpy.ndarray of float64, shape (n, k)
        NaN if a row was not validated, or a member did not predict it.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> truth, noise = random.normal(size=500), random.normal(size=(2, 500))
    >>> models = [(truth + each)[:, None] for each in noise]
    >>> averaged = cross_fitted(truth, models, "squared", np.arange(500) % 5)
    >>> bool(((averaged[:, 0] - truth) ** 2).mean() < 0.6)
    True
    """
    fold = fold_numbers(fold, seed)
    out = np.full((len(y), outputs[0].shape[1]), np.nan)
    for number in np.unique(fold[fold >= 0]):
        mine = fold == number
        others = np.flatnonzero(~mine & (fold >= 0))
        try:
            path = greedy_path(
                y[others],
                [output[others] for output in outputs],
                loss,
                None if weight is None else weight[others],
                costs=costs,
                steps=steps,
                rows=rows,
                seed=seed,
                space=space,
            )
        except ValueError:  # only this fold was predicted: no ensemble can be selected without it
            continue
        within = [ensemble for ensemble in path if ensemble.cost <= most_cost] or path[:1]
        out[mine] = within[-1].of([output[mine] for output in outputs])
    return out


def _rows_to_use(
    outputs: Sequence[np.ndarray], weight: np.ndarray | None, rows: int, seed: int
) -> np.ndarray:
    known = np.ones(len(outputs[0]), dtype=bool) if weight is None else weight > 0
    for output in outputs:
        known &= np.isfinite(output).all(axis=1)
    positions = np.flatnonzero(known)
    if not len(positions):
        raise ValueError("no row was predicted by all models")
    if len(positions) > rows:
        positions = np.sort(np.random.default_rng(seed).choice(positions, rows, replace=False))
    return positions


# ---------------------------------------------------------------- the search

_Found = list[tuple[np.ndarray, float]]


def _search(losses_of: EnsembleLosses, price: np.ndarray, steps: int, *, small: bool) -> _Found:
    """Return every ensemble of the greedy runs, with its loss."""
    everyone = np.arange(len(price))
    singles = losses_of.additions(np.zeros(len(price)), everyone)
    pool = _pool(losses_of, singles, price, small)
    found: _Found = [(alone, float(singles[at])) for at, alone in enumerate(np.eye(len(price)))]
    free = _run(losses_of, singles, pool, price, np.inf, steps)
    found += free
    ceiling = _cost(free[-1][0], price)
    floor = max(float(price[pool].min()), ceiling * 1e-3)
    if ceiling > floor * 1.01:
        for limit in np.geomspace(floor, ceiling, _BUDGETS + 2)[1:-1]:
            found += _run(losses_of, singles, pool, price, float(limit), min(steps, _BUDGET_STEPS))
    return found


def _pool(losses_of: EnsembleLosses, singles: np.ndarray, price: np.ndarray, small: bool) -> np.ndarray:
    """Return the models to try: the best alone, and those that improve the best one most."""
    best, diverse = (_SMALL_POOL, _SMALL_DIVERSE) if small else (_POOL, _DIVERSE)
    order = np.argsort(singles, kind="stable")
    if len(order) <= best + diverse:
        return np.sort(order)
    first = np.zeros(len(price))
    first[order[0]] = 1.0
    together = losses_of.additions(first, order[best:])
    helpers = order[best:][np.argsort(together, kind="stable")[:diverse]]
    return np.unique(np.concatenate([order[:best], helpers]))


def _run(
    losses_of: EnsembleLosses,
    singles: np.ndarray,
    pool: np.ndarray,
    price: np.ndarray,
    limit: float,
    steps: int,
) -> _Found:
    """Add the model that lowers the loss most in each step, within a limit of the cost."""
    affordable = pool[price[pool] <= limit * (1 + 1e-9)]
    if not len(affordable):
        return []
    counts = np.zeros(len(price))
    counts[affordable[int(singles[affordable].argmin())]] = 1.0
    out: _Found = [(counts.copy(), float(singles[counts > 0][0]))]
    for _ in range(steps - 1):
        after = _cost(counts, price) + np.where(counts[affordable] > 0, 0.0, price[affordable])
        which = affordable[after <= limit * (1 + 1e-9)]
        losses = losses_of.additions(counts, which)
        at = int(losses.argmin())
        counts[which[at]] += 1.0
        out.append((counts.copy(), float(losses[at])))
    return out


def _cost(counts: np.ndarray, price: np.ndarray) -> float:
    return float(price[counts > 0].sum())


def _path(losses_of: EnsembleLosses, found: _Found, price: np.ndarray, *, small: bool) -> _Found:
    """Return the ensembles that are better than the next cheaper one by more than noise.

    With few rows (`small`) the best one ends the path, however small its gain.
    """
    ordered = sorted(found, key=lambda each: (_cost(each[0], price), each[1], int((each[0] > 0).sum())))
    kept: _Found = []
    before = np.zeros(0)
    best = min(loss for _, loss in found)
    for counts, loss in ordered:
        if kept and loss >= kept[-1][1]:
            continue
        losses = losses_of.losses(counts)
        is_end = small and loss <= best
        if kept:
            mean, error = mean_and_error(before - losses, losses_of.share)
            if mean <= (_LEAST_GAIN * abs(loss) if is_end else _PAYS * error):
                continue
            if _cost(kept[-1][0], price) >= _cost(counts, price) * (1 - 1e-9):
                kept.pop()
        kept.append((counts, loss))
        before = losses
    return kept


def _ensemble(counts: np.ndarray, loss: float, price: np.ndarray, space: Space) -> Ensemble:
    total = float(counts.sum())
    weights = {int(at): float(counts[at] / total) for at in np.flatnonzero(counts)}
    return Ensemble(weights, loss, _cost(counts, price), space)
