"""Learn an encoder from training rows.

Parameters that do not depend on the target (medians, quantiles, levels, vocabularies) are learned
once, on all rows of the search, and are the same in every fold. `target_encoding` has those that
depend on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from workbench.data.dataset import Dataset
from workbench.families.base import Encoding
from workbench.runtime.core.encoder import (
    DATE_PARTS,
    FLOAT32_MAX,
    Code,
    Curve,
    Derived,
    Encoder,
    Length,
    Missing,
    Number,
    OneHot,
    Pair,
    Terms,
)
from workbench.runtime.core.schema import Column1d, Levels

from .target_encoding import Train, inner_folds, level_means, targets_of, word_leanings
from .vocabulary import LEAST_ROWS, NGRAMS, WordTable, WordTables

_KNOTS = 64
_PAIR_BINS = 48  # of a number in a pair with a category
_MAX_WORDS = 10_000
_MOST_MEANS = 12  # outputs; with more, a mean per class would make the matrix too wide
_RARE = 3
_ENDS_IN_NUMBER = re.compile(r"(\D*)(\d{1,15})")


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """An encoder, and the encoded training rows.

    Attributes
    ----------
    encoder : Encoder
        Learned on all rows.
    matrix : numpy.ndarray of float32, shape (n, width)
        The rows; features made from the target have values learned without the row.
    target_columns : numpy.ndarray of int64, shape (t,)
        Features that are made from the target.
    refit : callable
        From a mask of rows to learn from, shape (n,), to the values of the `target_columns` for all
        rows, float32 (n, t): learned without the row for rows in the mask, from all rows in the
        mask for the others.
    """

    encoder: Encoder
    matrix: np.ndarray
    target_columns: np.ndarray
    refit: Callable[[Train], np.ndarray]


def learn(encoding: Encoding, data: Dataset, seed: int = 0, tables: WordTables | None = None) -> Learned:
    """Learn an encoder for a family's encoding.

    Parameters
    ----------
    encoding : Encoding
    data : Dataset
        The rows to learn from (n of them).
    seed : int
        Seed of the inner folds.
    tables : WordTables, optional
        Word counts of the text columns, of rows that include `data`.

    Returns
    -------
    Learned
        With a float32 matrix of shape (n, width).
    """
    tables = tables or WordTables(data)
    derived, columns = derive(data)
    targets = targets_of(data)
    pairs = make_pairs(encoding.pairs, columns)
    inner = inner_folds(data.n_rows, seed)
    everyone = np.ones(data.n_rows, dtype=bool)
    steps: list[tuple[Any, Callable[[Train], np.ndarray] | None]] = []

    def add(step: Any, values: Callable[[Train], np.ndarray] | None = None) -> None:
        steps.append((step, values))

    kinds = {column.name: column.kind for column in data.schema.columns}
    for name, values in columns.items():
        kind = kinds.get(name, "number")
        if kind == "datetime":
            if np.isnan(np.asarray(values)).any():
                add(Missing(name))
        elif kind == "text" and isinstance(values, Levels):
            _learn_text(encoding, name, values, targets, inner, tables.of(name), add)
        elif isinstance(values, Levels):
            _learn_category(encoding, name, values, targets, inner, add)
        else:
            _learn_number(encoding, name, values, add)
    for pair in pairs:
        columns[pair.name] = together = pair.many(*[columns[name] for name in pair.columns])
        add(*level_means(pair.name, together, targets, inner))
    encoder = Encoder((*derived, *pairs), tuple(step for step, _ in steps))
    # Filled in place: it may take most of the memory.
    matrix = np.empty((data.n_rows, encoder.width), dtype=np.float32)
    places: list[int] = []
    start = 0
    for step, fitted in steps:
        stop = start + len(step.names())
        if fitted is None:
            step.many(columns[step.column], matrix[:, start:stop])
        else:
            places += range(start, stop)
            matrix[:, start:stop] = fitted(everyone)
        start = stop

    def refit(train: Train) -> np.ndarray:
        parts = [fitted(train) for _, fitted in steps if fitted is not None]
        return np.concatenate(parts, axis=1) if parts else np.empty((data.n_rows, 0), np.float32)

    return Learned(encoder, matrix, np.asarray(places, dtype=np.int64), refit)


# ---------------------------------------------------------------- dates


def derive(data: Dataset) -> tuple[tuple[Derived, ...], dict[str, Column1d]]:
    """Return the varying parts of date-times, the gaps between them, and all columns with these."""
    dates = [column.name for column in data.schema.columns if column.kind == "datetime"]
    wanted = [Derived(f"{name} {part}", part, (name,)) for name in dates for part in DATE_PARTS]
    for at, first in enumerate(dates[:8]):
        wanted += [Derived(f"{second} - {first}", "gap", (first, second)) for second in dates[at + 1 : 8]]
    columns: dict[str, Column1d] = dict(data.columns)
    kept = []
    for extra in wanted:
        values = extra.many(*[np.asarray(data.columns[name]) for name in extra.columns])
        finite = values[np.isfinite(values)]
        if len(finite) and finite.min() < finite.max():
            kept.append(extra)
            columns[extra.name] = values
    return tuple(kept), columns


# ---------------------------------------------------------------- numbers


def _learn_number(encoding: Encoding, name: str, values: Column1d, add: Any) -> None:
    numbers = np.asarray(values)
    bounded = np.clip(numbers, -FLOAT32_MAX, FLOAT32_MAX)
    finite = bounded[~np.isnan(bounded)]
    if len(finite) == 0:
        finite = np.zeros(1)
    if encoding.indicators and len(finite) < len(numbers):
        add(Missing(name))
    middle = float(np.float32(np.median(finite)))
    if encoding.numbers == "raw":
        add(Number(name))
    elif encoding.numbers == "filled":
        add(Number(name, fill=middle))
    elif encoding.numbers == "scaled":
        add(_scaled(name, finite, middle))
    else:
        add(_quantile(name, finite, middle))


def _scaled(name: str, finite: np.ndarray, middle: float) -> Number:
    """Clip to the central 99.8 % and standardise: outliers must not dominate a linear model."""
    low, high = (float(value) for value in np.quantile(finite, [0.001, 0.999]))
    bounded = np.clip(finite, low, high)
    center, spread = float(bounded.mean()), float(bounded.std())
    if not np.isfinite(center) or not np.isfinite(spread):
        center, spread = middle, 0.0
    scale = 1.0 / spread if spread > 1e-12 * max(abs(center), 1e-12) else 0.0
    return Number(name, fill=middle, low=low, high=high, center=center, scale=scale)


def _quantile(name: str, finite: np.ndarray, middle: float) -> Number | Curve:
    """Map quantiles to those of a normal distribution.

    With few distinct values, only standardise.
    """
    distinct = np.unique(finite)
    if len(distinct) < 4:
        return _scaled(name, finite, middle)
    knots = np.unique(np.quantile(finite, np.linspace(0.0, 1.0, _KNOTS), method="nearest"))
    if len(knots) < 4:  # one value dominates
        return _scaled(name, finite, middle)
    ordered = np.sort(finite)
    left = np.searchsorted(ordered, knots, side="left")
    right = np.searchsorted(ordered, knots, side="right")
    rank = np.clip((left + right) / 2.0 / len(ordered), 1e-3, 1.0 - 1e-3)
    heights = ndtri(rank)
    curve = Curve(name, tuple(knots.tolist()), tuple(heights.tolist()))
    block = np.empty((1, 1), dtype=np.float64)
    curve.many(np.asarray([middle]), block)
    return Curve(name, curve.x, curve.y, fill=float(block[0, 0]))


# ---------------------------------------------------------------- categories


def _learn_category(
    encoding: Encoding, name: str, values: Levels, targets: np.ndarray, inner: np.ndarray, add: Any
) -> None:
    counts = np.bincount(values.codes[values.codes >= 0], minlength=len(values.values))
    has_missing = bool((values.codes < 0).any())
    present = [(text, int(count)) for text, count in zip(values.values, counts, strict=True) if count]
    rare = _RARE if len(values) >= 100 else 1
    common = [text for text, count in present if count >= rare]
    if len(present) <= encoding.onehot:
        kept = sorted(common, key=_natural) or [text for text, _ in present]
        add(OneHot(name, tuple(kept), other=len(kept) < len(present), missing=has_missing))
        return
    means = (
        encoding.wide != "code" and targets.shape[1] <= _MOST_MEANS and len(present) > max(encoding.onehot, 2)
    )
    if encoding.wide == "code+mean" and len(present) <= 30:
        means = False  # with few levels, means of similar targets collide; codes separate them
    if not means or encoding.wide != "mean":
        levels = tuple(sorted(common or [text for text, _ in present], key=_natural))
        filled = encoding.numbers != "raw"
        other = float(len(levels))
        add(Code(name, levels, other=other, missing=-1.0 if filled else None))
    if means:
        add(*level_means(name, values, targets, inner))


def _natural(text: str) -> tuple[int, str, float, str]:
    """Return a sort key: numbers by value, then words.

    Words that end in a number ("c-8", "c-10") by that.
    """
    try:
        return (0, "", float(text), text)
    except ValueError:
        word = _ENDS_IN_NUMBER.fullmatch(text)
        return (1, word[1], float(word[2]), text) if word else (1, text, 0.0, text)


# ---------------------------------------------------------------- pairs


def make_pairs(names: Sequence[tuple[str, ...]], columns: Mapping[str, Column1d]) -> list[Pair]:
    """Return the pairs of columns, numbers binned at their quantiles.

    Pairs with an absent column are omitted.
    """
    return [
        Pair(" × ".join(each), each, tuple(pair_edges(columns[name]) for name in each))
        for each in names
        if all(name in columns for name in each)
    ]


def pair_edges(values: Column1d) -> tuple[float, ...]:
    """Return the bin edges of a number in a pair; none for strings."""
    if isinstance(values, Levels):
        return ()
    finite = values[np.isfinite(values)]
    if not len(finite):
        return ()
    edges = np.unique(np.quantile(finite, np.linspace(0.0, 1.0, _PAIR_BINS + 1)[:-1], method="nearest"))
    return tuple(edges.tolist())


# ---------------------------------------------------------------- text


def _learn_text(
    encoding: Encoding,
    name: str,
    values: Levels,
    targets: np.ndarray,
    inner: np.ndarray,
    table: WordTable,
    add: Any,
) -> None:
    add(Length(name))
    if (values.codes < 0).any():
        add(Missing(name))
    counts = table.rows(values)
    frequency = np.bincount(counts.indices, minlength=counts.shape[1])
    chosen = np.argsort(-frequency, kind="stable")[:_MAX_WORDS]
    chosen = np.sort(chosen[frequency[chosen] >= LEAST_ROWS])
    if not len(chosen):
        return
    vocabulary = [table.vocabulary[at] for at in chosen.tolist()]
    counts = counts[:, chosen]
    add(*word_leanings(name, counts, vocabulary, targets, inner))
    if encoding.terms:
        share = frequency[chosen] / len(values)
        best = np.argsort(-np.where(share < 0.9, share, 0.0), kind="stable")[: encoding.terms]
        best = np.sort(best)
        idf = np.log(1.0 / np.maximum(share[best], 1e-12)) + 1.0
        add(Terms(name, tuple(vocabulary[at] for at in best), tuple(idf.tolist()), ngrams=NGRAMS))
