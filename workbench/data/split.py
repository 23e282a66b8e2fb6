"""Split rows into development, hold-out, training and validation: stratified, by group or by
time.
"""

from __future__ import annotations

import numpy as np

from workbench.errors import DataError, shown

from .checks.classes import class_units
from .dataset import Dataset

HOLDOUT_FRACTION = 0.2
MOST_HOLDOUT_ROWS = 20_000
VALIDATION_FRACTION = 0.2
_MOST_GREEDY_GROUPS = 20_000

Split = tuple[np.ndarray, np.ndarray]


def holdout(dataset: Dataset, *, seed: int, fraction: float | None = None) -> Split:
    """Split the rows into development rows and a held-out set.

    Parameters
    ----------
    dataset : Dataset
        If it has times, the last rows are held out; if it has groups, whole groups; else the split
        is stratified, and each class keeps two rows if it has them: one to train on, one to score
        on.
    seed : int
    fraction : float or None
        The fraction to hold out; None is a fifth, but at most 20,000 rows.

    Returns
    -------
    development, held_out : numpy.ndarray of int64
        Row positions, ascending.

    Raises
    ------
    DataError
        If the groups or times cannot be split.

    Examples
    --------
    >>> from workbench.data import load_dataset
    >>> data = load_dataset({"size": list(range(5, 25)), "sold": ["yes", "no"] * 10}, target="sold")
    >>> [len(part) for part in holdout(data, seed=0)]
    [16, 4]
    """
    count = dataset.n_rows * (HOLDOUT_FRACTION if fraction is None else fraction)
    if fraction is None:
        count = min(count, MOST_HOLDOUT_ROWS)
    wanted = min(max(round(count), 1), dataset.n_rows - 1)
    dev, held = _divide(
        dataset, np.arange(dataset.n_rows), wanted, np.random.default_rng(seed), keep=2, leave=2
    )
    kind, units = ("group", dataset.group) if dataset.group is not None else ("time", dataset.time)
    if units is not None and (units[dev] == units[dev[0]]).all():
        raise DataError(
            "the rows cannot be split into training, validation and hold-out",
            found=f"two {kind}s in all rows",
            hint="Hold out no rows (`holdout=0`), or choose another time or group column.",
        )
    return dev, held


def sample(dataset: Dataset, rows: np.ndarray, count: int, *, seed: int) -> Split:
    """Draw a stratified sample of rows; return it and the other rows.

    Parameters
    ----------
    dataset : Dataset
        Without times and groups, so that drawn and other rows are independent.
    rows : numpy.ndarray of int
        The rows to draw from.
    count : int
        Rows to draw, fewer than there are. At least two rows of a rare class are drawn.
    seed : int

    Returns
    -------
    drawn, others : numpy.ndarray of int64
        Row positions, ascending.

    Examples
    --------
    >>> from workbench.data import load_dataset
    >>> data = load_dataset({"size": list(range(5, 25)), "sold": ["yes", "no"] * 10}, target="sold")
    >>> drawn, others = sample(data, np.arange(20), 6, seed=0)
    >>> len(drawn), len(others), int(data.y[drawn].sum())
    (6, 14, 3)
    """
    others, drawn = _divide(dataset, rows, count, np.random.default_rng(seed), leave=0, least=2)
    return drawn, others


def folds(dataset: Dataset, rows: np.ndarray, k: int, seed: int) -> list[Split]:
    """Split rows into training and validation parts.

    Parameters
    ----------
    dataset : Dataset
    rows : numpy.ndarray of int
        The rows to split.
    k : int
        Number of folds; 1 gives one validation part of a fifth. There are at most as many folds as
        groups, and with times at most one fewer than distinct times, or fewer if some times have
        most of the rows (see `possible_folds`).
    seed : int

    Returns
    -------
    list of (train, valid)
        Positions in `rows`, ascending. Each row is validated once, except for rows that always
        train: the only row of a class, and with times the rows before the first validation part
        (each part is predicted from the rows before it), for a binary target also the rows before
        both classes have occurred.

    Examples
    --------
    >>> from workbench.data import load_dataset
    >>> data = load_dataset({"size": list(range(5, 25)), "sold": ["yes", "no"] * 10}, target="sold")
    >>> [len(valid) for _, valid in folds(data, np.arange(20), 5, seed=0)]
    [4, 4, 4, 4, 4]
    """
    rng = np.random.default_rng(seed)
    if k <= 1:
        wanted = min(max(round(len(rows) * VALIDATION_FRACTION), 1), len(rows) - 1)
        train, valid = _divide(dataset, rows, wanted, rng, least=1)
        return (
            [(np.searchsorted(rows, train), np.searchsorted(rows, valid))]
            if _rising(rows)
            else [_positions(rows, train, valid)]
        )
    if dataset.time is not None:
        binary = dataset.y[rows] if dataset.schema.output.task == "binary" else None
        return _forward(dataset.time[rows], None if dataset.group is None else dataset.group[rows], k, binary)
    number = deal(dataset, rows, k, rng)
    everyone = np.arange(len(rows))
    parts = [(everyone[number != at], everyone[number == at]) for at in range(number.max() + 1)]
    return [(train, valid) for train, valid in parts if len(valid) and len(train)]


def deal(dataset: Dataset, rows: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Assign rows to k stratified parts without splitting groups; -1 for the only row of a
    class.
    """
    labels = dataset.y[rows] if dataset.n_classes else np.zeros(len(rows), dtype=np.int64)
    if dataset.group is not None:
        return _deal_groups(dataset.group[rows], labels, k, rng)
    return _deal_rows(labels, k, rng)


def possible_folds(dataset: Dataset, rows: np.ndarray, k: int, seed: int) -> int:
    """Return the number of folds, at most `k`, for which each fold can be scored.

    A binary target has at most as many folds as the rarer class has rows (with groups: groups), so
    that each fold has both classes. If whole groups leave a fold without one class, fewer folds are
    tried.

    Parameters
    ----------
    dataset : Dataset
    rows : numpy.ndarray of int
    k, seed : int
        See `folds`.

    Examples
    --------
    >>> from workbench.data import load_dataset
    >>> columns = {"size": [2.5, 4.0] * 10, "sold": ["yes", "no"] * 10, "shop": [1, 2] * 5 + [3] * 10}
    >>> data = load_dataset(columns, target="sold", group="shop")
    >>> possible_folds(data, np.arange(20), 5, seed=0)
    2
    """
    is_binary = dataset.schema.output.task == "binary"
    if is_binary and k > 1:
        k = min(k, max(int(class_units(dataset, rows).min()), 1))
    while k > 1 and (made := len(folds(dataset, rows, k, seed))) != k:
        k = max(made, 1)
    if is_binary and dataset.group is not None and dataset.time is None:
        y = dataset.y[rows]
        for fewer in range(k, 1, -1):
            if all(_has_both(y[valid]) for _, valid in folds(dataset, rows, fewer, seed)):
                return fewer
    return k


def check_splits(dataset: Dataset, rows: np.ndarray, k: int, seed: int) -> None:
    """Check that a binary target can be learned and scored in folds by time or by group.

    Raises
    ------
    DataError
        If a fold has one class only to train on, or every fold has one class only to score on.
    """
    if dataset.schema.output.task != "binary" or (dataset.time is None and dataset.group is None):
        return
    y = dataset.y[rows]
    parts = folds(dataset, rows, k, seed)
    if all(_has_both(y[train]) for train, _ in parts) and any(_has_both(y[valid]) for _, valid in parts):
        return
    output, rarer = dataset.schema.output, int(np.bincount(y, minlength=2).argmin())
    unit, label = "time" if dataset.time is not None else "group", shown(output.classes[rarer])
    found = f"{int((y == rarer).sum()):,} rows of {label}, all on one side of every split"
    if not (y == rarer).any():
        found = f"no row of {label} among the {len(y):,} development rows: all are held out"
    raise DataError(
        f"target {shown(output.target)} cannot be validated by {unit}",
        found=found,
        expected="rows of both classes to train on and to score on",
        hint=f"Choose another {unit} column, or none.",
    )


def _has_both(y: np.ndarray) -> bool:
    return bool(len(y)) and bool(y.min() != y.max())


def _rising(rows: np.ndarray) -> bool:
    return bool((np.diff(rows) > 0).all())


def _positions(rows: np.ndarray, train: np.ndarray, valid: np.ndarray) -> Split:
    order = np.argsort(rows, kind="stable")
    found = [np.sort(order[np.searchsorted(rows[order], part)]) for part in (train, valid)]
    return found[0], found[1]


def _divide(
    dataset: Dataset,
    rows: np.ndarray,
    wanted: int,
    rng: np.random.Generator,
    *,
    keep: int = 1,
    leave: int = 1,
    least: int = 0,
) -> Split:
    """Split `rows` in two, with about `wanted` rows in the second part; return ascending rows of
    the data set.

    The first part keeps `keep` times or groups, if that leaves one for the second, and `leave` rows
    of each class. The second part has at least `least` rows of each class that has more than the
    first must keep.
    """
    if dataset.time is not None:
        apart = _last_in_time(
            dataset.time[rows], None if dataset.group is None else dataset.group[rows], wanted, keep
        )
    elif dataset.group is not None:
        apart = _whole_groups(dataset.group[rows], wanted, keep, rng)
    elif dataset.n_classes:
        apart = _share_of_classes(dataset.y[rows], wanted, rng, leave, least)
    else:
        apart = np.zeros(len(rows), dtype=bool)
        apart[rng.permutation(len(rows))[:wanted]] = True
    if apart.all() or not apart.any():
        raise DataError(
            "the rows cannot be split",
            found="one time or one group in all rows",
            hint="Choose another time or group column, or none.",
        )
    return np.sort(rows[~apart]), np.sort(rows[apart])


def _share_of_classes(
    y: np.ndarray, wanted: int, rng: np.random.Generator, leave: int = 1, least: int = 0
) -> np.ndarray:
    """Take each class's share by largest remainders: leave `leave` rows of each, take at least
    `least` if possible.
    """
    counts = np.bincount(y)
    exact = counts * (wanted / len(y))
    most = np.maximum(counts - leave, 0)
    take = np.minimum(np.maximum(np.floor(exact).astype(np.int64), least), most)
    room = most - take
    for at in np.argsort(-(exact - np.floor(exact)), kind="stable"):
        if take.sum() >= wanted:
            break
        if room[at] > 0 and take[at] < exact[at]:
            take[at] += 1
    apart = np.zeros(len(y), dtype=bool)
    order = rng.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    start = 0
    for label, count in enumerate(counts.tolist()):
        apart[order[start : start + take[label]]] = True
        start += count
    return apart


def _whole_groups(group: np.ndarray, wanted: int, keep: int, rng: np.random.Generator) -> np.ndarray:
    _, number, sizes = np.unique(group, return_inverse=True, return_counts=True)
    order = rng.permutation(len(sizes))
    return _nearest_prefix(order, sizes, wanted, keep)[number]


def _last_in_time(time: np.ndarray, group: np.ndarray | None, wanted: int, keep: int) -> np.ndarray:
    """Take the rows of the last times, never a part of one time; with groups, the groups that end
    last.
    """
    keys = time if group is None else _last_of_group(time, group)
    _, number, sizes = np.unique(
        keys if group is None else _ranked(keys, group), return_inverse=True, return_counts=True
    )
    return _nearest_prefix(np.arange(len(sizes))[::-1], sizes, wanted, keep)[number]


def _last_of_group(time: np.ndarray, group: np.ndarray) -> np.ndarray:
    _, number = np.unique(group, return_inverse=True)
    last = np.full(number.max() + 1, -np.inf)
    np.maximum.at(last, number, time)
    return np.asarray(last[number])


def _ranked(keys: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Code (key, group) pairs so that rows of a group share a code and codes ascend with the
    key.
    """
    order = np.lexsort((group, keys))
    changed = np.r_[False, (np.diff(keys[order]) != 0) | (np.diff(group[order]) != 0)]
    rank = np.empty(len(keys), dtype=np.int64)
    rank[order] = np.cumsum(changed)
    return rank


def _nearest_prefix(order: np.ndarray, sizes: np.ndarray, wanted: int, keep: int) -> np.ndarray:
    """Mark the first units of `order` whose total size is nearest to `wanted`: at least one,
    leaving `keep`.
    """
    total = np.cumsum(sizes[order])
    count = int(np.abs(total - wanted).argmin()) + 1
    chosen = np.zeros(len(sizes), dtype=bool)
    most = max(len(sizes) - keep, min(len(sizes) - 1, 1))
    chosen[order[: min(count, most)]] = True
    return chosen


def _deal_rows(labels: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Assign the rows of each class to the folds in turn, continuing where the last class ended; -1
    always trains.
    """
    number = np.full(len(labels), -1, dtype=np.int64)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    counts = np.unique(labels, return_counts=True)[1]
    start = dealt = 0
    for count in counts.tolist():
        if count > 1:
            number[order[start : start + count]] = (dealt + np.arange(count)) % k
            dealt += count
        start += count
    return number


def _deal_groups(group: np.ndarray, labels: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Assign whole groups, the largest first, each to the fold that most lacks its classes."""
    _, number = np.unique(group, return_inverse=True)
    n_groups, n_labels = int(number.max()) + 1, int(labels.max()) + 1
    if n_groups < 2:
        raise DataError(
            "the rows cannot be split", found="one group in all rows", hint="Choose another group column."
        )
    k = min(k, n_groups)
    if n_groups > _MOST_GREEDY_GROUPS:  # that many balance at random
        return (rng.permutation(n_groups) % k)[number]
    content = np.zeros((n_groups, n_labels))
    np.add.at(content, (number, labels), 1.0)
    scale = 1.0 / np.maximum(content.sum(axis=0), 1.0)
    order = rng.permutation(n_groups)
    order = order[np.argsort(-content[order].sum(axis=1), kind="stable")]
    load = np.zeros((k, n_labels))
    fold = np.zeros(n_groups, dtype=np.int64)
    for at in order:
        after = load + content[at] * scale
        cost = (after**2).sum(axis=1) - (load**2).sum(axis=1)
        empty = load.sum(axis=1) == 0
        fold[at] = int(np.where(empty, cost - 2.0, cost).argmin())
        load[fold[at]] = after[fold[at]]
    return fold[number]


def _forward(time: np.ndarray, group: np.ndarray | None, k: int, binary: np.ndarray | None) -> list[Split]:
    """Cut the rows into k + 1 periods; each but the first is predicted from all before it.

    A model of one class cannot be scored, so for a binary target the first period lasts until both
    classes have occurred.
    """
    keys = time if group is None else _ranked(_last_of_group(time, group), group).astype(np.float64)
    times, number = np.unique(keys, return_inverse=True)
    if len(times) < 2:
        raise DataError(
            "the rows cannot be split", found="one time in all rows", hint="Choose another time column."
        )
    ends = np.cumsum(np.bincount(number))
    block = (ends - 1) * (k + 1) // len(keys)
    if block[0] == block[-1]:  # the first time has nearly all rows
        block[0] = 0
    both = 0 if binary is None else max(int(number[binary == at].min(initial=len(ends) - 1)) for at in (0, 1))
    if block[both] > 0:
        rest = max(len(keys) - int(ends[both]), 1)
        block = np.where(ends <= ends[both], 0, 1 + (ends - ends[both] - 1) * k // rest)
    block = block[number]
    everyone = np.arange(len(keys))
    present = np.unique(block)
    if len(present) < 2:  # both classes occur only at the end: `check_splits` raises
        return [(everyone[number < len(times) - 1], everyone[number == len(times) - 1])]
    return [(everyone[block < at], everyone[block == at]) for at in present[1:].tolist()]
