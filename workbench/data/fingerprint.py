"""Fingerprint of a data set: equal values give an equal fingerprint, whatever file they came from.

It is a sha256 over canonical bytes, not `pandas.util.hash_pandas_object`: runs and bundles store
it, so it must stay the same across versions of pandas, and 64 bits a row are too few to identify
data.
"""

from __future__ import annotations

import hashlib

import numpy as np

from workbench.runtime.core.schema import Column1d, Levels

from .dataset import Dataset


def fingerprint(dataset: Dataset) -> str:
    """Return the sha256 over canonical values, target, weights, groups and times.

    Strings count by their content, not by the codes that a reader assigned to them.

    Examples
    --------
    >>> from workbench.data import load_dataset
    >>> frame = {"size": list(range(5, 25)), "sold": ["yes", "no"] * 10}
    >>> len(load_dataset(frame, target="sold").fingerprint)
    64
    """
    digest = hashlib.sha256()
    output = dataset.schema.output
    digest.update(repr((output.target, output.task, output.classes)).encode())
    for column in dataset.schema.columns:
        digest.update(repr((column.name, column.kind)).encode())
        _add(digest, dataset.columns[column.name])
    for label, values in (("y", dataset.y), ("w", dataset.weight), ("g", dataset.group), ("t", dataset.time)):
        if values is not None:
            digest.update(label.encode())
            _add(digest, values)
    return digest.hexdigest()


def _add(digest: hashlib._Hash, values: Column1d) -> None:
    if isinstance(values, Levels):
        codes, texts = by_appearance(values)
        digest.update(codes.tobytes())
        for text in texts:
            encoded = text.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "little") + encoded)
    elif values.dtype.kind == "f":
        numbers = np.where(np.isnan(values), np.nan, values) + 0.0  # one NaN, one zero
        digest.update(numbers.astype("<f8").tobytes())
    else:
        digest.update(values.astype("<i8").tobytes())


def by_appearance(levels: Levels) -> tuple[np.ndarray, list[str]]:
    """Code the strings in order of first appearance; strings without rows are dropped.

    Examples
    --------
    >>> by_appearance(Levels(np.array([2, 0, -1, 2]), ["a", "unused", "c"]))
    (array([ 0,  1, -1,  0], dtype=int32), ['c', 'a'])
    """
    codes = np.asarray(levels.codes)
    n_rows = len(codes)
    first = np.full(len(levels.values) + 1, n_rows, dtype=np.int64)
    first[codes[::-1]] = np.arange(n_rows)[::-1]  # the last assignment wins: the first row of each string
    seen = first[:-1]
    order = np.argsort(seen, kind="stable")[: int((seen < n_rows).sum())]
    table = np.full(len(levels.values) + 1, -1, dtype=np.int32)
    table[order] = np.arange(len(order), dtype=np.int32)
    table[-1] = -1
    return table[codes], [levels.values[at] for at in order]
