"""Rows that are copies of others except for one column, and ids whose rows share one target.

A random split puts such rows on both sides, and the score is optimistic for rows whose copies were
trained on. A finding names the column that keeps them together (`group`).

- **One target per id**: a column that is named like an id, or has many levels, and whose rows with
  the same value have the same target far more often than two random rows do.
- **Copies except for one column**: without one column, at least a fifth of the rows repeat another
  row, target included, far more than independent columns would.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.errors import shown
from workbench.runtime.core.schema import Column1d, Levels
from workbench.runtime.parameters import parameter

from ..dataset import Dataset, Finding
from ..inference.infer import names_an_id

_FEWEST_ROWS, _FEWEST_IDS, _FEWEST_COLUMNS = 50, 10, 3
_MOST_CELLS = 5_000_000
_IN_GROUPS, _SAME, _LEAST_GAIN = 0.5, 0.95, 0.2
_MANY_LEVELS = 0.05
_COPIES, _TIMES_EXPECTED = 0.2, 20.0


def find_copies(dataset: Dataset) -> list[Finding]:
    """Return a finding if rows have copies with the same target and no group keeps them together.

    Examples
    --------
    >>> from workbench.data import load_dataset
    >>> frame = {"flat_id": [at // 4 for at in range(200)], "floor": list("abcd") * 50,
    ...          "rent": [(at // 4) * 37 % 101 + 0.5 for at in range(200)]}
    >>> [each.code for each in load_dataset(frame, target="rent").findings if each.severity == "warning"]
    ['one_target_an_id']
    """
    cells = dataset.n_rows * len(dataset.columns)
    if dataset.group is not None or dataset.n_rows < _FEWEST_ROWS or cells > _MOST_CELLS:
        return []
    codes = {name: _coded(values) for name, values in dataset.columns.items()}
    y = np.unique(dataset.y, return_inverse=True)[1]
    kinds = {column.name: column.kind for column in dataset.schema.columns}
    ids = [name for name in codes if names_an_id(name)]
    others = [
        name
        for name, each in codes.items()
        if name not in ids and kinds[name] == "category" and each.max() + 1 >= _MANY_LEVELS * dataset.n_rows
    ]
    for name in (*ids, *others):
        found = _one_target(name, codes[name], y)
        if found:
            return [found]
    return _copies(codes, y, ids)


def _coded(values: Column1d) -> np.ndarray:
    """Return a column as integer codes from 0; a missing value has its own code."""
    if isinstance(values, Levels):
        return np.asarray(values.codes, dtype=np.int64) + 1
    return np.unique(np.asarray(values), return_inverse=True)[1].astype(np.int64)


def _one_target(name: str, codes: np.ndarray, y: np.ndarray) -> Finding | None:
    rows = np.bincount(codes)
    sizes = rows[rows > 1]
    if len(sizes) < _FEWEST_IDS or sizes.sum() < _IN_GROUPS * len(codes):
        return None
    usual = _pairs(np.bincount(y)) / _pairs(np.array([len(y)]))
    share = _pairs(np.unique(_together(codes, y), return_counts=True)[1]) / _pairs(sizes)
    if share < _SAME or share - usual < _LEAST_GAIN:
        return None
    message = (
        f"rows with the same {shown(name)} share one target ({len(sizes):,} values, {sizes.mean():.3g} rows each); a "
        f"random split makes the score optimistic; keep the rows together: {parameter('group', name)}"
    )
    return Finding("one_target_an_id", "warning", name, message)


def _copies(codes: Mapping[str, np.ndarray], y: np.ndarray, ids: list[str]) -> list[Finding]:
    """Return a finding if rows are copies except for one column; ids are ignored."""
    compared = {name: each for name, each in codes.items() if name not in ids}
    if len(compared) < _FEWEST_COLUMNS:
        return []
    rows = len(y)
    parts = {name: _hashed(each, at) for at, (name, each) in enumerate(compared.items())}
    total = np.sum(list(parts.values()), axis=0, dtype=np.uint64) + _hashed(y, len(parts))
    if rows - len(np.unique(total)) >= _COPIES * rows / 2:
        return []  # whole rows repeat, which has its own finding
    every = _pairs(np.array([rows]))
    chance = {name: _pairs(np.bincount(each)) / every for name, each in compared.items()}
    all_chance = float(np.prod(list(chance.values()))) * _pairs(np.bincount(y))
    for name, part in parts.items():
        rest, counts = np.unique(total - part, return_counts=True)
        copies, expected = rows - len(rest), all_chance / max(chance[name], 1e-12)
        if copies < _COPIES * rows or _pairs(counts) < _TIMES_EXPECTED * (expected + 1.0):
            continue
        by = _grouping(codes, name, total - part, ids)
        how = parameter("group", by) if by else "add a column that numbers the copies, and name it as `group`"
        message = (
            f"{copies:,} rows ({copies / rows:.0%}) are copies of another row except for {shown(name)}; a random split "
            f"makes the score optimistic; keep the copies together: {how}"
        )
        return [Finding("copies_but_one", "warning", name, message)]
    return []


def _grouping(codes: Mapping[str, np.ndarray], but: str, copies: np.ndarray, ids: list[str]) -> str | None:
    """Return the column that identifies the groups of copies: an id, else the column with as many
    values as groups.
    """
    group = np.unique(copies, return_inverse=True)[1]
    groups = int(group.max()) + 1
    for name in ids:
        if len(np.unique(_together(group, codes[name]))) == groups:
            return name
    values = {name: len(np.unique(each)) for name, each in codes.items() if name != but and name not in ids}
    most = max(values, key=values.__getitem__)
    return most if _SAME * groups <= values[most] <= groups else None


def _pairs(counts: np.ndarray) -> float:
    """Return the number of pairs of equal rows."""
    each = counts.astype(np.float64)
    return float((each * (each - 1.0)).sum() / 2.0)


def _together(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    both: np.ndarray = first * (int(second.max()) + 1) + second
    return both


def _hashed(codes: np.ndarray, at: int) -> np.ndarray:
    """Return a hash for each value of column number `at`. Their sum over columns is a hash of the
    row.

    A sum, since `_copies` subtracts one column at a time instead of hashing the others again.
    """
    from pandas.util import hash_array  # workers import this module and do without pandas

    return np.asarray(hash_array(codes + (at << 40)))
