"""How the columns of one row moved its prediction away from the usual one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.runtime.predictor import Predictor
from workbench.runtime.schema import Column1d, Levels

_SAMPLES = 40
_MOST_CALLS = 20_000


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one column added to a prediction.

    Attributes
    ----------
    column : str
    value : object
        The row's value, as JSON writes it.
    amount, error : float
        What it moved the prediction by (a probability, or the target's unit), and the standard error of that.
    """

    column: str
    value: Any
    amount: float
    error: float


def contributions(
    predictor: Predictor,
    row: Mapping[str, Any],
    background: dict[str, Column1d],
    *,
    output: int | None = None,
    samples: int = _SAMPLES,
    seed: int = 0,
) -> tuple[list[Contribution], float, float]:
    """Return sampled Shapley values of one row, by the served model alone.

    Štrumbelj and Kononenko, "An efficient explanation of individual classifications using game theory", JMLR 11 (2010):
    starting from a random background row, the columns are switched to the row's own values in random order; what each
    switch moves is its contribution. They add up to the prediction minus the mean over the background rows drawn.

    Parameters
    ----------
    predictor : Predictor
    row : mapping
        Column to value, as the model is asked.
    background : dict of str to column
        Canonical columns of ordinary rows.
    output : int, optional
        The class whose probability is explained; the last one by default. Ignored for numbers.
    samples : int
        Random orders; fewer where there are very many columns.
    seed : int

    Returns
    -------
    contributions : list of Contribution
        The largest first.
    usual, prediction : float
        The mean over the background rows drawn, and the row's own.
    """
    names = predictor.names
    columns = predictor.read_columns(background)
    own = predictor.read_columns({name: [row[name]] for name in names})
    count = len(next(iter(columns.values())))
    turns = max(2, min(samples, _MOST_CALLS // (len(names) + 1)))
    random = np.random.default_rng(seed)
    drawn = random.integers(0, count, turns)
    orders = np.array([random.permutation(len(names)) for _ in range(turns)])
    # Where a column is switched in its order; step s has the columns whose place is below s.
    place = np.argsort(orders, axis=1)
    steps = np.arange(len(names) + 1)
    sources = {}
    for at, name in enumerate(names):
        switched = place[:, at][:, None] < steps[None, :]
        pick = np.where(switched, count, drawn[:, None]).ravel()
        sources[name] = _taken(_appended(columns[name], own[name]), pick)
    answers = predictor.predict_columns(sources)
    followed = answers[:, -1 if output is None else output] if len(predictor.classes) else answers[:, 0]
    chains = followed.reshape(turns, len(steps)).astype(np.float64)
    moved = np.take_along_axis(np.diff(chains, axis=1), place, axis=1)
    error = moved.std(axis=0, ddof=1) / turns**0.5
    out = [
        Contribution(name, row[name], float(moved[:, at].mean()), float(error[at]))
        for at, name in enumerate(names)
    ]
    out.sort(key=lambda each: -abs(each.amount))
    return out, float(chains[:, 0].mean()), float(chains[0, -1])


def _appended(column: Column1d, own: Column1d) -> Column1d:
    if isinstance(column, Levels):
        assert isinstance(own, Levels)
        text = own.texts()[0]
        if text is None:
            return Levels(np.append(column.codes, -1), column.values)
        values = [*column.values, text]
        code = column.values.index(text) if text in column.values else len(column.values)
        return Levels(np.append(column.codes, code).astype(np.int32), values)
    return np.append(np.asarray(column), own)  # type: ignore[arg-type]  # numeric like its twin


def _taken(column: Column1d, rows: np.ndarray) -> Column1d:
    return column.take(rows) if isinstance(column, Levels) else column[rows]
