"""How well each column alone predicts the target, to find those that leak it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.runtime.core.schema import Column1d, Levels
from workbench.runtime.parameters import parameter

from ..dataset import Dataset, Finding

#: A leak at the first score; also at the second if the next best column is at most at the third;
#: a warning at the fourth.
_LIMITS = {"roc_auc": (0.98, 0.96, 0.75, 0.95), "r2": (0.98, 0.97, 0.5, 0.93)}

_MOST_ROWS = 20_000
_MOST_CELLS = 4_000_000
_MOST_BINS = 64
_ROWS_A_BIN = 20
_MOST_LEVELS = 500
_MOST_CLASSES = 30
_FEWEST_OF_CLASS = 5
_FOLDS = 3
_SMOOTHING = 3.0


@dataclass(frozen=True, slots=True)
class Power:
    """How well one column alone predicts the target.

    Attributes
    ----------
    column : str
    score : float
        ROC AUC (of several classes: the mean of one class against the rest) or R², on rows that
        were not trained on.
    metric : str
        "roc_auc" or "r2".
    """

    column: str
    score: float
    metric: str


def column_powers(dataset: Dataset, *, seed: int = 0) -> list[Power]:
    """Measure how well each column alone predicts the target.

    Numbers are binned at their quantiles, and each level of a category is a bin. The prediction is
    the mean of the target in each bin (for regression a line in each bin), fitted on two thirds of
    a sample and scored on the rest. Free text is ignored.

    Parameters
    ----------
    dataset : Dataset
    seed : int
        Of the sample (at most 20,000 rows) and its parts.

    Returns
    -------
    list of Power
        Best first.

    Examples
    --------
    >>> from workbench.data import load_dataset
    >>> frame = {"size": list(range(200)), "told": ["x", "z"] * 100, "sold": ["yes", "no"] * 100}
    >>> column_powers(load_dataset(frame, target="sold"))[0].column
    'told'
    """
    rng = np.random.default_rng(seed)
    count = min(dataset.n_rows, _MOST_ROWS, max(_MOST_CELLS // max(len(dataset.columns), 1), 1000))
    rows = np.sort(rng.choice(dataset.n_rows, size=count, replace=False)) if count < dataset.n_rows else None
    sample = dataset if rows is None else dataset.take(rows)
    part = rng.permutation(sample.n_rows) % _FOLDS
    powers = []
    for column in sample.schema.columns:
        if column.kind == "text":
            continue
        values = sample.columns[column.name]
        if sample.n_classes:
            powers.append(Power(column.name, _class_score(_bins(values), sample.y, part), "roc_auc"))
        else:
            x = None if isinstance(values, Levels) else _bounded(values)
            powers.append(Power(column.name, _number_score(_bins(values), x, sample.y, part), "r2"))
    return sorted(powers, key=lambda power: -power.score)


def find_leaks(powers: list[Power]) -> list[Finding]:
    """Return findings for columns that predict the target implausibly well.

    Parameters
    ----------
    powers : list of Power
        Of all columns, best first.

    Examples
    --------
    >>> [finding.code for finding in find_leaks([Power("alive", 1.0, "roc_auc"), Power("age", 0.6, "roc_auc")])]
    ['leak']
    """
    found = []
    for power, after in zip(powers, [*powers[1:], None], strict=True):
        certain, alone, next_best, suspect = _LIMITS[power.metric]
        stands_out = power.score >= alone and (after is None or after.score <= next_best)
        summary = f"it alone predicts the target with {power.metric} {power.score:.3f}"
        if power.score >= certain or stands_out:
            drop = parameter("drop", power.column)
            message = f"{summary}; unless it is known before the outcome, leave it out: {drop}"
            found.append(Finding("leak", "warning", power.column, message))
        elif power.score >= suspect:
            message = f"{summary}; check that it is known before the outcome"
            found.append(Finding("strong_column", "info", power.column, message))
    return found


def _bins(values: Column1d) -> np.ndarray:
    """Code the bins of a column; missing values have their own bin."""
    if isinstance(values, Levels):
        codes = np.asarray(values.codes)
        counts = np.bincount(codes + 1, minlength=len(values.values) + 1)
        counts[0] = 0
        table = np.zeros(len(counts), dtype=np.int64)
        kept = np.argsort(-counts, kind="stable")[:_MOST_LEVELS]
        table[kept] = np.arange(len(kept)) + 2  # 0: any other level, 1: missing
        table[0] = 1
        return np.asarray(table[codes + 1])
    known = values[~np.isnan(values)]
    n_bins = int(np.clip(len(known) // _ROWS_A_BIN, 2, _MOST_BINS))
    distinct = np.unique(known)
    if len(distinct) <= n_bins:
        edges = distinct[1:]
    else:
        edges = np.unique(np.quantile(known, np.arange(1, n_bins) / n_bins, method="lower"))
    return np.where(np.isnan(values), 0, np.searchsorted(edges, values, side="right") + 1)


def _bounded(values: np.ndarray) -> np.ndarray:
    """Scale a number column so that sums of squares do not overflow; missing values become 0."""
    known = values[np.isfinite(values)]
    if not len(known):
        return np.zeros(len(values))
    low, high = np.quantile(known, [0.001, 0.999])
    scaled = (np.clip(values, low, high) - low) / ((high - low) or 1.0)
    return np.where(np.isnan(scaled), 0.0, scaled)


def _class_score(bins: np.ndarray, y: np.ndarray, part: np.ndarray) -> float:
    """Return the mean out-of-fold AUC of one class against the rest, from counts: rows of a bin
    share their score.
    """
    n_bins, n_classes = int(bins.max()) + 1, int(y.max()) + 1
    cells = np.bincount((part * n_bins + bins) * n_classes + y, minlength=_FOLDS * n_bins * n_classes)
    valid = cells.reshape(_FOLDS, n_bins, n_classes).astype(np.float64)
    train = valid.sum(axis=0) - valid
    prior = train.sum(axis=1, keepdims=True) / train.sum(axis=(1, 2), keepdims=True)
    score = (train + _SMOOTHING * prior) / (train.sum(axis=2, keepdims=True) + _SMOOTHING)
    rows = valid.sum(axis=2).ravel()
    totals = valid.sum(axis=(0, 1))
    frequent = np.argsort(-totals, kind="stable")[:_MOST_CLASSES]
    classes = [1] if n_classes == 2 else [at for at in frequent if totals[at] >= _FEWEST_OF_CLASS]
    aucs = [_auc(score[:, :, at].ravel(), valid[:, :, at].ravel(), rows) for at in classes]
    return float(np.mean(aucs)) if aucs else 0.5


def _auc(score: np.ndarray, positive: np.ndarray, rows: np.ndarray) -> float:
    """Return the area under the ROC curve of bins with `positive` of `rows` rows each; ties count
    half.
    """
    _, place = np.unique(score, return_inverse=True)
    ones = np.bincount(place, positive)
    zeros = np.bincount(place, rows - positive)
    below = np.cumsum(zeros) - zeros
    pairs = ones.sum() * zeros.sum()
    return float((ones * (below + 0.5 * zeros)).sum() / pairs) if pairs else 0.5


def _number_score(bins: np.ndarray, x: np.ndarray | None, y: np.ndarray, part: np.ndarray) -> float:
    """Return the out-of-fold R² of the mean, or with `x` of a line, in each bin."""
    low, high = np.quantile(y, [0.001, 0.999])  # a few extreme targets must not hide a leak
    outcome = np.clip(y, low, high)
    predicted = np.empty(len(outcome))
    n_bins = int(bins.max()) + 1
    for at in range(_FOLDS):
        train, valid = part != at, part == at
        prior = outcome[train].mean()
        count = np.bincount(bins[train], minlength=n_bins)
        # bins of a number are never small; shrinking the outer ones to the overall mean would bias
        # them
        smoothing = _SMOOTHING if x is None else 0.1
        mean = (np.bincount(bins[train], outcome[train], n_bins) + smoothing * prior) / (count + smoothing)
        predicted[valid] = mean[bins[valid]]
        if x is not None:
            slope, center = _slopes(bins[train], x[train], outcome[train], n_bins)
            predicted[valid] += slope[bins[valid]] * (x[valid] - center[bins[valid]])
    total = float(((outcome - outcome.mean()) ** 2).sum())
    return 1.0 - float(((outcome - predicted) ** 2).sum()) / total if total else 0.0


def _slopes(bins: np.ndarray, x: np.ndarray, y: np.ndarray, n_bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Fit a line in each bin, so that the width of the bins does not hide a column proportional to
    the target.
    """
    count = np.maximum(np.bincount(bins, minlength=n_bins), 1)
    center = np.bincount(bins, x, n_bins) / count
    away: np.ndarray = x - center[bins]
    spread = np.bincount(bins, away * away, n_bins)
    common = np.bincount(bins, away * (y - (np.bincount(bins, y, n_bins) / count)[bins]), n_bins)
    slope = np.asarray(common / (spread + 1e-9 * len(x) / n_bins + 1e-12))
    return slope, center
