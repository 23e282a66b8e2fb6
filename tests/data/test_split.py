"""Splits: nothing on both sides, classes everywhere, groups whole, time forward."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.dataset import Dataset
from workbench.data.split import MOST_HOLDOUT_ROWS, check_splits, folds, holdout, possible_folds, sample
from workbench.errors import DataError
from workbench.runtime.core.schema import Column, Output, Schema


def dataset(
    y: np.ndarray, group: np.ndarray | None = None, time: np.ndarray | None = None, *, classes: bool = True
) -> Dataset:
    labels = tuple(range(int(y.max()) + 1)) if classes else ()
    task = "regression" if not classes else "binary" if len(labels) == 2 else "multiclass"
    schema = Schema((Column("x", "number"),), Output("y", task, labels))
    return Dataset(schema, {"x": np.zeros(len(y))}, y, group=group, time=time)


LABELS = st.lists(st.integers(0, 4), min_size=10, max_size=120).map(np.asarray)


def check_partition(n_rows: int, parts: list[np.ndarray]) -> None:
    together = np.concatenate(parts)
    assert len(np.unique(together)) == len(together)
    assert together.min() >= 0 and together.max() < n_rows


@given(y=LABELS, seed=st.integers(0, 5))
@settings(deadline=None)
def test_the_holdout_takes_each_class_its_share(y: np.ndarray, seed: int) -> None:
    data = dataset(y)
    dev, held = holdout(data, seed=seed)
    assert sorted([*dev, *held]) == list(range(len(y)))
    assert (np.diff(dev) > 0).all() and (np.diff(held) > 0).all()
    assert set(y) == set(y[dev])
    counts, taken = np.bincount(y), np.bincount(y[held], minlength=y.max() + 1)
    assert (np.abs(taken - 0.2 * counts) <= 1.0 + 1e-9)[counts > 1].all()
    again = holdout(data, seed=seed)
    assert np.array_equal(dev, again[0]) and np.array_equal(held, again[1])


@given(y=LABELS, k=st.integers(2, 7), seed=st.integers(0, 5))
@settings(deadline=None)
def test_folds_keep_every_class_in_training(y: np.ndarray, k: int, seed: int) -> None:
    rows = np.arange(3, len(y)) if len(y) > 20 else np.arange(len(y))
    labels = y[rows]
    parts = folds(dataset(y), rows, k, seed)
    if len(np.unique(labels)) == len(labels):
        return
    check_partition(len(rows), [valid for _, valid in parts])
    lonely = np.flatnonzero(np.isin(labels, np.flatnonzero(np.bincount(labels) == 1)))
    validated = np.concatenate([valid for _, valid in parts])
    assert sorted([*validated, *lonely]) == list(range(len(rows)))
    for train, valid in parts:
        assert sorted([*train, *valid]) == list(range(len(rows)))
        assert set(labels) == set(labels[train])
    sizes = [len(valid) for _, valid in parts]
    assert max(sizes) - min(sizes) <= 1


def test_one_fold_is_one_validation_part() -> None:
    y = np.repeat([0, 1], [80, 20])
    rows = np.arange(100)[::-1]  # positions count in `rows`, whatever their order
    [(train, valid)] = folds(dataset(y), rows, 1, seed=0)
    assert (len(train), len(valid)) == (80, 20)
    assert np.bincount(y[rows[valid]]).tolist() == [16, 4]
    check_partition(100, [train, valid])


def test_regressions_are_split_at_random() -> None:
    y = np.random.default_rng(0).normal(size=101)
    data = dataset(y, classes=False)
    dev, held = holdout(data, seed=0)
    assert (len(dev), len(held)) == (81, 20)
    assert not np.array_equal(held, holdout(data, seed=1)[1])
    assert sorted(len(valid) for _, valid in folds(data, dev, 5, 0)) == [16, 16, 16, 16, 17]


def test_the_holdout_is_bounded_and_can_be_given() -> None:
    data = dataset(np.zeros(200_000) + np.arange(200_000) % 2, classes=False)
    assert len(holdout(data, seed=0)[1]) == MOST_HOLDOUT_ROWS
    assert len(holdout(data, seed=0, fraction=0.5)[1]) == 100_000


GROUPS = st.lists(st.integers(0, 8), min_size=10, max_size=80).map(np.asarray)


@given(group=GROUPS, k=st.integers(1, 5), seed=st.integers(0, 3), timed=st.booleans())
@settings(deadline=None)
def test_groups_stay_whole(group: np.ndarray, k: int, seed: int, timed: bool) -> None:
    n_rows = len(group)
    y = np.arange(n_rows) % 3
    time = np.random.default_rng(seed).integers(0, 20, n_rows).astype(float) if timed else None
    data = dataset(y, group=group, time=time)
    if len(np.unique(group)) < 3:
        with pytest.raises(DataError, match="cannot be split"):
            holdout(data, seed=seed)
        return
    dev, held = holdout(data, seed=seed)
    assert not set(group[dev]) & set(group[held])
    parts = folds(data, dev, k, seed)
    possible = possible_folds(data, dev, k, seed)
    assert 1 <= len(parts) <= k and len(folds(data, dev, possible, seed)) == possible <= len(parts)
    for train, valid in parts:
        assert len(train) and len(valid)
        assert not set(group[dev][train]) & set(group[dev][valid])


def test_groups_are_dealt_evenly() -> None:
    group = np.repeat(np.arange(50), np.r_[np.full(45, 4), np.full(5, 24)])
    y = (np.arange(len(group)) % 5 == 0).astype(int)
    parts = folds(dataset(y, group=group), np.arange(len(group)), 5, 0)
    assert [len(valid) for _, valid in parts] == [60] * 5
    assert all(abs(y[valid].mean() - 0.2) < 0.05 for _, valid in parts)


@given(
    time=st.one_of(
        st.lists(st.integers(0, 30), min_size=10, max_size=80),
        st.lists(st.sampled_from([0] * 9 + [1, 2]), min_size=10, max_size=80),
    ).map(lambda each: np.asarray(each, float)),
    k=st.integers(1, 6),
)
@settings(deadline=None)
def test_time_goes_forward_and_moments_stay_whole(time: np.ndarray, k: int) -> None:
    data = dataset(np.arange(len(time)) % 2, time=time)
    if len(np.unique(time)) < 3:
        with pytest.raises(DataError, match=r"one time|two times in all rows.*holdout=0"):
            holdout(data, seed=0)
        return
    dev, held = holdout(data, seed=0)
    assert time[dev].max() < time[held].min()
    before = -1.0
    parts = folds(data, dev, k, seed=0)
    possible = possible_folds(data, dev, k, seed=0)
    assert 1 <= len(parts) <= k and len(folds(data, dev, possible, seed=0)) == possible <= len(parts)
    for train, valid in parts:
        assert time[dev][train].max() < time[dev][valid].min()
        assert time[dev][valid].min() > before
        before = time[dev][valid].max()


def test_stretches_of_time_are_about_equal() -> None:
    time = np.random.default_rng(0).permutation(600).astype(float)
    parts = folds(dataset(np.arange(600) % 2, time=time), np.arange(600), 5, 0)
    assert [len(valid) for _, valid in parts] == [100] * 5
    assert [len(train) for train, _ in parts] == [100, 200, 300, 400, 500]


def _rare(
    rows: int, positives: list[int], group: np.ndarray | None = None, time: np.ndarray | None = None
) -> Dataset:
    y = np.zeros(rows, dtype=np.int64)
    y[positives] = 1
    return dataset(y, group, time)


@pytest.mark.parametrize(("positives", "expected"), [(2, 2), (3, 3), (4, 4), (5, 5), (40, 5)])
def test_there_are_no_more_folds_than_rows_of_the_rarer_class(positives: int, expected: int) -> None:
    data = _rare(200, list(range(0, 5 * positives, 5)))
    assert possible_folds(data, np.arange(200), 5, seed=3) == expected
    for train, valid in folds(data, np.arange(200), expected, 3):
        assert 0 < data.y[valid].sum() < len(valid)
        assert 0 < data.y[train].sum() < len(train)


def test_there_are_no_more_folds_than_groups_of_the_rarer_class() -> None:
    group = np.repeat(np.arange(20), 10)
    data = _rare(200, list(range(10, 40)), group=group)
    assert possible_folds(data, np.arange(200), 5, seed=0) == 3


@pytest.mark.parametrize("positives", [2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_a_rare_class_has_a_row_on_each_side_of_every_division(positives: int, seed: int) -> None:
    data = _rare(1_000, list(range(positives)))
    dev, _ = holdout(data, seed=seed)
    assert data.y[dev].sum() >= 2
    ((train, valid),) = folds(data, dev, 1, seed)
    assert data.y[dev][train].sum() >= 1
    assert data.y[dev][valid].sum() >= 1
    drawn, _ = sample(data, np.arange(1_000), 60, seed=seed)
    assert data.y[drawn].sum() >= 2


def test_rows_before_both_classes_are_seen_only_train() -> None:
    rows = np.arange(600)
    data = _rare(600, list(range(200, 600, 3)), time=rows)
    count = possible_folds(data, rows, 5, seed=0)
    parts = folds(data, rows, count, 0)
    assert len(parts) == count > 1
    assert all(data.y[train].sum() > 0 for train, _ in parts)
    check_splits(data, rows, count, 0)


def test_a_class_that_is_seen_only_at_the_end_is_refused() -> None:
    rows = np.arange(600)
    data = _rare(600, list(range(590, 600)), time=rows)
    count = possible_folds(data, rows, 5, seed=0)
    with pytest.raises(DataError, match="cannot be validated by time: found 10 rows of 1, all on one side"):
        check_splits(data, rows, count, 0)


def test_a_class_that_was_held_out_as_a_whole_is_refused() -> None:
    rows = np.arange(600)
    data = _rare(600, list(range(590, 600)), time=rows)
    with pytest.raises(DataError, match="found no row of 1 among the 480 development rows: all are held out"):
        check_splits(data, rows[:480], 1, 0)
