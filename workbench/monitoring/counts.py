"""Columns as counts in fixed bins, which can be added: the form in which drift is measured.

A reference fixes the bins: those of a bundle's ``profile.json``. Rows of any number are counted
into them, so what is kept of an hour, a day or a window has the same small size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from workbench.runtime.core.schema import Column1d, Levels

OTHER, UNSEEN = "(other)", "(unseen)"
_UNSEEN_SLACK = (
    12  # rows: -log of the significance level of one test among 20 columns, an hour after the last look
)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """One column, or the predictions, counted into the bins of its reference.

    Attributes
    ----------
    name : str
    kind : {"number", "category"}
        Bins of a number are ordered.
    bins : numpy.ndarray of int64, shape (bins,)
        Of a number: below the first edge, the bins, above the last edge. Of a category: the listed
        levels, others that training knew, levels not in the training data.
    missing : int
        Rows without a value.
    edges : numpy.ndarray or None
        Edges of the inner bins of a number; the last one is closed.
    levels : tuple of str
        Listed levels of a category.
    std : float
        Standard deviation of a number in the reference.
    once, twice : int
        Levels of a category that the reference has once, and twice.
    """

    name: str
    kind: Literal["number", "category"]
    bins: np.ndarray
    missing: int
    edges: np.ndarray | None = None
    levels: tuple[str, ...] = ()
    std: float = 0.0
    once: int = 0
    twice: int = 0

    @property
    def unseen_expected(self) -> tuple[float, float]:
        """Rows of the reference that count as unseen, and the number of rows that this estimate is
        worth.

        Left out of the reference, a row whose level occurs once would have an unseen level, so the
        share of these rows is how often a new row is expected to have one (Good 1953). Its variance
        is that of a share of fewer rows: ``once + 2 twice`` in place of ``once`` (Esty 1983). A few
        rows are added, since a reference may have no such row by chance.
        """
        inflation = (self.once + 2 * self.twice) / self.once if self.once else 1.0
        return (self.once + _UNSEEN_SLACK) / inflation, float(self.bins.sum() + _UNSEEN_SLACK) / inflation

    @property
    def rows(self) -> int:
        """Rows counted, with and without a value."""
        return int(self.bins.sum()) + self.missing

    def labels(self) -> list[str]:
        """Return a text for each bin."""
        if self.edges is None:
            return [*self.levels, OTHER, UNSEEN]
        inner = [
            f"{low:.4g} to {high:.4g}" for low, high in zip(self.edges[:-1], self.edges[1:], strict=True)
        ]
        return [f"below {self.edges[0]:.4g}", *inner, f"above {self.edges[-1]:.4g}"]

    def __add__(self, other: Counts) -> Counts:
        return replace(self, bins=self.bins + other.bins, missing=self.missing + other.missing)


def reference_counts(profile: Mapping[str, Any]) -> dict[str, Counts]:
    """Return the reference of each column from the content of a bundle's ``profile.json``.

    Columns without a value in training are left out, and dates, which grow.

    Examples
    --------
    >>> column = {"name": "age", "kind": "number", "missing": 1, "std": 2.0,
    ...           "histogram": {"edges": [0.0, 1.0, 2.0], "counts": [3, 4]}}
    >>> reference_counts({"columns": [column]})["age"].bins.tolist()
    [1, 2, 3, 1]
    """
    columns = [each for each in profile["columns"] if each["kind"] != "datetime"]
    found = ((each["name"], _reference(each["name"], each, each["missing"])) for each in columns)
    return {name: counts for name, counts in found if counts is not None}


def prediction_counts(profile: Mapping[str, Any]) -> dict[str, Counts]:
    """Return the reference of the predictions: of each class's probability, or of the number.

    Of two classes only the second one is returned, since the first adds nothing. A profile of
    version 1 has no predictions of rows that the model was not trained on; those of its training
    rows are returned.
    """
    prediction = profile.get("reference") or profile["prediction"]
    if "probabilities" not in prediction:
        parts = [("prediction", prediction)]
    else:
        shares = prediction["probabilities"]
        shares = shares[1:] if len(shares) == 2 else shares
        parts = [(f"probability of {each['label']}", each) for each in shares]
    found = ((name, _reference(name, each, 0)) for name, each in parts)
    return {name: counts for name, counts in found if counts is not None}


def _reference(name: str, shape: Mapping[str, Any], missing: int) -> Counts | None:
    shape = shape.get("letters", shape)
    if "levels" in shape:
        return _reference_levels(name, shape, missing)
    if "histogram" not in shape:
        return None
    bins = np.array([0, *shape["histogram"]["counts"], 0], dtype=np.int64)
    # Left out of the reference, its lowest and its highest row would lie outside its range.
    for outside, inside in ((0, 1), (-1, -2)):
        moved = min(int(bins[inside]), 1)
        bins[outside], bins[inside] = bins[outside] + moved, bins[inside] - moved
    edges = np.array(shape["histogram"]["edges"], dtype=np.float64)
    return Counts(name, "number", bins, missing, edges=edges, std=float(shape.get("std", 0.0)))


def _reference_levels(name: str, shape: Mapping[str, Any], missing: int) -> Counts:
    levels = tuple(str(text) for text, _ in shape["levels"])
    counts = np.array([number for _, number in shape["levels"]], dtype=np.int64)
    other = int(shape.get("other", 0))
    unlisted = min(max(int(shape.get("distinct", len(levels))) - len(levels), 0), other)
    once = int((counts == 1).sum()) + unlisted
    return Counts(
        name,
        "category",
        np.append(counts, [other, 0]),
        missing,
        levels=levels,
        once=once,
        twice=int((counts == 2).sum()),
    )


def count_column(reference: Counts, values: Column1d, known: frozenset[str] = frozenset()) -> Counts:
    """Count a column's values into the bins of its reference.

    Parameters
    ----------
    reference : Counts
    values : Column1d
        Canonical values: floats with NaN for missing, or `Levels` with negative codes for missing.
    known : frozenset of str
        Levels that training knew besides the listed ones.

    Examples
    --------
    >>> reference = Counts("age", "number", np.array([0, 3, 4, 0]), 0, edges=np.array([0.0, 1.0, 2.0]))
    >>> count_column(reference, np.array([-1.0, 0.5, 2.0, 9.0, np.nan])).bins.tolist()
    [1, 1, 1, 1]
    """
    if not isinstance(values, Levels):
        return _count_numbers(reference, np.asarray(values, dtype=np.float64))
    missing = int((values.codes < 0).sum())
    present = np.bincount(values.codes[values.codes >= 0], minlength=len(values.values))
    if reference.edges is not None:  # the length of texts
        lengths = np.array([len(text) for text in values.values], dtype=np.float64)
        counted = _count_numbers(reference, np.repeat(lengths, present))
        return replace(counted, missing=missing)
    place = {text: at for at, text in enumerate(reference.levels)}
    bins = np.zeros(len(reference.bins), dtype=np.int64)
    for text, number in zip(values.values, present.tolist(), strict=True):
        bins[place.get(text, -2 if text in known else -1)] += number
    return replace(reference, bins=bins, missing=missing)


def _count_numbers(reference: Counts, values: np.ndarray) -> Counts:
    edges = reference.edges
    assert edges is not None
    given = values[~np.isnan(values)]
    place = np.searchsorted(edges, given, side="right")
    place[given == edges[-1]] = len(edges) - 1  # the last bin is closed
    bins = np.bincount(place, minlength=len(edges) + 1)
    return replace(reference, bins=bins, missing=len(values) - len(given))
