"""Columns that leak the target together: it is their sum, difference, product or ratio.

A total and its parts, or a payment and its rate, are weak predictors alone but determine the target
together.
"""

from __future__ import annotations

import numpy as np

from workbench.errors import shown
from workbench.runtime.core.schema import Levels
from workbench.runtime.parameters import parameter

from ..dataset import Dataset, Finding

_GIVEN_AWAY = 0.98  # R² on rows that the formula was not fitted on
_MOST_TERMS = 3
_MOST_FORMULAS = 2
_MOST_ROWS = 4000
_FEWEST_ROWS = 60


def find_formulas(dataset: Dataset, known: frozenset[str] = frozenset(), *, seed: int = 0) -> list[Finding]:
    """Return findings about columns whose sum or product is nearly the numeric target.

    Up to three number columns are selected one by one (orthogonal matching pursuit; Pati, Rezaiifar
    and Krishnaprasad 1993), as numbers and as logarithms, on two thirds of a sample. The remaining
    third gives the score.

    Parameters
    ----------
    dataset : Dataset
    known : frozenset of str
        Columns to leave out, because each of them leaks the target alone.
    seed : int
        Of the sample (at most 4,000 rows).

    Returns
    -------
    list of Finding

    Examples
    --------
    >>> from workbench.data import load_dataset
    >>> rng = np.random.default_rng(0)
    >>> fare, tip, size = rng.gamma(2.0, size=300), rng.gamma(2.0, size=300), rng.gamma(2.0, size=300)
    >>> data = load_dataset({"size": size, "tip": tip, "total": fare + tip, "fare": fare}, target="fare")
    >>> [finding.column for finding in find_formulas(data)]
    ['total']
    """
    if dataset.n_classes:
        return []
    names = [
        column.name
        for column in dataset.schema.columns
        if column.kind == "number" and column.name not in known
    ]
    rng = np.random.default_rng(seed)
    rows = rng.permutation(dataset.n_rows)[:_MOST_ROWS]
    table = {name: _numbers(dataset, name)[rows] for name in names}
    target = dataset.y[rows].astype(np.float64)
    findings: list[Finding] = []
    while len(findings) < _MOST_FORMULAS:
        found = next(filter(None, (_formula(table, target, logs=logs) for logs in (False, True))), None)
        if found is None:
            break
        terms, score, kind = found
        findings.append(_finding(terms, score, kind))
        table = {name: values for name, values in table.items() if name not in terms}
    return findings


def _numbers(dataset: Dataset, name: str) -> np.ndarray:
    values = dataset.columns[name]
    assert not isinstance(values, Levels)
    return np.asarray(values)


def _formula(
    table: dict[str, np.ndarray], target: np.ndarray, *, logs: bool
) -> tuple[list[str], float, str] | None:
    """Return the columns of a formula with at least two of them, its R² and its type; None if there
    is none.
    """
    usable = {name: values for name, values in table.items() if _is_usable(values, logs=logs)}
    if len(usable) < 2 or (logs and not (target > 0).mean() > 0.99):
        return None
    matrix = np.column_stack(list(usable.values()))
    whole = np.isfinite(matrix).all(axis=1) & np.isfinite(target)
    if logs:
        whole &= (matrix > 0).all(axis=1) & (target > 0)
    if whole.sum() < _FEWEST_ROWS:
        return None
    matrix, y = matrix[whole], target[whole]
    if logs:
        matrix, y = np.log(matrix), np.log(y)
    chosen, score = _pursuit(matrix, y)
    if len(chosen) < 2 or score < _GIVEN_AWAY:
        return None
    names = list(usable)
    return [names[at] for at in chosen], score, "a product or ratio" if logs else "a sum or difference"


def _is_usable(values: np.ndarray, *, logs: bool) -> bool:
    """Return whether nearly every row has a value, which must be positive for logarithms."""
    good = values > 0 if logs else np.isfinite(values)
    return bool(good.mean() > 0.99)


def _pursuit(matrix: np.ndarray, y: np.ndarray) -> tuple[list[int], float]:
    """Return the columns selected one by one, the strongest first, and R² on the held-out third of
    the rows.
    """
    judge = np.arange(len(y)) % 3 == 0
    centre, spread = matrix.mean(axis=0), matrix.std(axis=0)
    scaled = (matrix - centre) / np.where(spread > 0, spread, 1.0)
    fitted, outcome = scaled[~judge], y[~judge] - y[~judge].mean()
    total = float(((y[judge] - y[~judge].mean()) ** 2).sum())
    chosen: list[int] = []
    score, residual = 0.0, outcome
    for _ in range(_MOST_TERMS):
        gain = np.abs(fitted.T @ residual)
        gain[chosen] = -1.0
        chosen.append(int(gain.argmax()))
        weights, *_ = np.linalg.lstsq(fitted[:, chosen], outcome, rcond=None)
        residual = outcome - fitted[:, chosen] @ weights
        missed = y[judge] - y[~judge].mean() - scaled[judge][:, chosen] @ weights
        score = 1.0 - float((missed**2).sum()) / total if total else 0.0
        if score >= 0.9999:
            break
    return chosen, score


def _finding(terms: list[str], score: float, kind: str) -> Finding:
    listed = " and ".join(shown(name) for name in terms[1:])
    options = parameter("drop", terms)
    message = (
        f"together with {listed} it determines the target (r2 {score:.3f}: {kind} of them); leave out those that are "
        f"not known before the outcome, of {options}"
    )
    return Finding("leak", "warning", terms[0], message)
