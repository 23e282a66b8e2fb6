"""Check before a search that the classes of a target can be learned and scored."""

from __future__ import annotations

import numpy as np

from workbench.errors import DataError, shown

from ..dataset import Dataset


def class_units(dataset: Dataset, rows: np.ndarray | None = None) -> np.ndarray:
    """Return the number of units of each class that can be split: groups if there are any, else
    rows.

    Examples
    --------
    >>> from workbench.data import load_dataset
    >>> columns = {"size": [1, 2, 3] * 6, "sold": ["yes", "no"] * 9, "shop": [1, 2, 3, 4, 5, 2] * 3}
    >>> class_units(load_dataset(columns, target="sold", group="shop")).tolist()
    [2, 3]
    """
    y = dataset.y if rows is None else dataset.y[rows]
    if dataset.group is None:
        return np.bincount(y, minlength=dataset.n_classes)
    group = dataset.group if rows is None else dataset.group[rows]
    pairs = np.unique(np.column_stack([y, group]), axis=0)
    return np.bincount(pairs[:, 0], minlength=dataset.n_classes)


def check_classes(dataset: Dataset) -> None:
    """Check that both classes of a binary target can be learned and scored.

    A class needs two rows: one to train on and one to score on. Rows of one group stay together, so
    with groups it needs two groups.

    Raises
    ------
    DataError
    """
    if dataset.schema.output.task != "binary":
        return
    units = class_units(dataset)
    at = int(units.argmin())
    if units[at] >= 2:
        return
    output, rows = dataset.schema.output, int((dataset.y == at).sum())
    grouped = dataset.group is not None and rows > 1
    counted = (
        f"{rows:,} rows of {shown(output.classes[at])}, all in one group"
        if grouped
        else (f"{rows} row of {shown(output.classes[at])} among {dataset.n_rows:,}")
    )
    raise DataError(
        f"target {shown(output.target)}",
        found=counted,
        expected=f"at least two {'groups' if grouped else 'rows'} of each class: one to train on, one to score on",
    )
