"""Contributions of the columns of one row to its prediction (Shapley values)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.runtime.core.encoder import Encoder
from workbench.runtime.core.schema import Column1d, Levels
from workbench.runtime.model.additive_model import AdditiveModel, Steps, read_additive_model
from workbench.runtime.model.predictor import Predictor

_SAMPLES = 40
_MOST_CALLS = 20_000


@dataclass(frozen=True, slots=True)
class Contribution:
    """The contribution of one column to a prediction.

    Attributes
    ----------
    column : str
    value : object
        The row's value, as JSON writes it.
    amount, error : float
        The change of the prediction (a probability, or in the target's unit), and its standard
        error.
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
    """Return Shapley values of one row, sampled or (for additive models) exact.

    Štrumbelj and Kononenko, "An efficient explanation of individual classifications using game
    theory", JMLR 11 (2010): starting from a random background row, the columns are switched to the
    values of the row in random order; the change at each switch is the contribution of that column.
    Contributions add up to the prediction minus the mean over the sampled background rows.

    For a linear or additive regression model, the contribution of a column is its term minus the
    mean of the term over all background rows, without an error.

    Parameters
    ----------
    predictor : Predictor
    row : mapping
        Column to value, as for a prediction.
    background : dict of str to column
        Canonical columns of background rows.
    output : int, optional
        The class whose probability is explained; the last one by default. Ignored for regression.
    samples : int
        Number of random orders; fewer for very many columns.
    seed : int

    Returns
    -------
    contributions : list of Contribution
        Largest first.
    usual, prediction : float
        The mean prediction of the sampled background rows, and the prediction of the row.
    """
    names = predictor.names
    columns = predictor.read_columns(background)
    own = predictor.read_columns({name: [row[name]] for name in names})
    exact = _of_a_sum(predictor, row, columns, own)
    if exact is not None:
        return exact
    count = len(next(iter(columns.values())))
    turns = max(2, min(samples, _MOST_CALLS // (len(names) + 1)))
    random = np.random.default_rng(seed)
    drawn = random.integers(0, count, turns)
    orders = np.array([random.permutation(len(names)) for _ in range(turns)])
    # Position of each column in its order; at step s the columns with a position below s are
    # switched.
    place = np.argsort(orders, axis=1)
    steps = np.arange(len(names) + 1)
    sources = {}
    for at, name in enumerate(names):
        switched = place[:, at][:, None] < steps[None, :]
        pick = np.where(switched, count, drawn[:, None]).ravel()
        sources[name] = _taken(_appended(columns[name], own[name]), pick)
    predictions = predictor.predict_columns(sources)
    followed = (
        predictions[:, -1 if output is None else output] if len(predictor.classes) else predictions[:, 0]
    )
    chains = followed.reshape(turns, len(steps)).astype(np.float64)
    moved = np.take_along_axis(np.diff(chains, axis=1), place, axis=1)
    error = moved.std(axis=0, ddof=1) / turns**0.5
    out = [
        Contribution(name, row[name], float(moved[:, at].mean()), float(error[at]))
        for at, name in enumerate(names)
    ]
    out.sort(key=lambda each: -abs(each.amount))
    return out, float(chains[:, 0].mean()), float(chains[0, -1])


def _of_a_sum(
    predictor: Predictor, row: Mapping[str, Any], columns: dict[str, Column1d], own: dict[str, Column1d]
) -> tuple[list[Contribution], float, float] | None:
    """Return exact contributions to an additive model; None if the model is not additive."""
    encoder = predictor.encoder
    score = read_additive_model(predictor.content, encoder.width)
    sources = {each.name: each.columns for each in encoder.derived}
    if score is None or score.link != "identity" or any(len(each) > 1 for each in sources.values()):
        return None
    usual, names = _added(encoder, score, encoder.encode_columns(columns))
    mine, _ = _added(encoder, score, encoder.encode_columns(own))
    amounts = dict.fromkeys(predictor.names, 0.0)
    for name, amount in zip(names, (mine[0] - usual.mean(axis=0)).tolist(), strict=True):
        amounts[sources[name][0] if name in sources else name] += amount
    out = [Contribution(name, row[name], amount, 0.0) for name, amount in amounts.items()]
    out.sort(key=lambda each: -abs(each.amount))
    return out, float(usual.sum(axis=1).mean() + score.bias), float(mine[0].sum() + score.bias)


def _added(encoder: Encoder, score: AdditiveModel, matrix: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return the term of each column for each row, float64 (n, c), and the column names."""
    by_name: dict[str, np.ndarray] = {}
    owners = [step.column for step in encoder.steps for _ in step.names()]
    for at, (name, term) in enumerate(zip(owners, score.terms, strict=True)):
        feature = matrix[:, at].astype(np.float64)
        if isinstance(term, Steps):
            place = np.searchsorted(np.asarray(term.bounds), np.nan_to_num(feature), side="left")
            value = np.where(np.isnan(feature), term.missing, np.asarray(term.values)[place])
        else:
            value = feature * term.weight
        by_name[name] = by_name.get(name, 0.0) + value
    return np.stack(list(by_name.values()), axis=1), list(by_name)


def _appended(column: Column1d, own: Column1d) -> Column1d:
    if isinstance(column, Levels):
        assert isinstance(own, Levels)
        text = own.texts()[0]
        if text is None:
            return Levels(np.append(column.codes, -1), column.values)
        values = [*column.values, text]
        code = column.values.index(text) if text in column.values else len(column.values)
        return Levels(np.append(column.codes, code).astype(np.int32), values)
    return np.append(np.asarray(column), own)  # type: ignore[arg-type]  # both are numeric


def _taken(column: Column1d, rows: np.ndarray) -> Column1d:
    return column.take(rows) if isinstance(column, Levels) else column[rows]
