"""Metrics of ranking compare rows of one fold only."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from workbench.automl.scoring.bias_correction import corrected, difference
from workbench.automl.scoring.metric_definitions import DEFINITIONS
from workbench.automl.scoring.metrics import Metric


def _columns(p: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - p, p])


def _rows(
    rows: int = 400, seed: int = 0, folds: int = 5
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    fold = random.integers(0, folds, rows)
    y = (random.random(rows) < 0.1 + 0.15 * fold).astype(int)
    p = np.clip(0.5 + 0.2 * (y - 0.5) + random.normal(scale=0.2, size=rows) - 0.1 * fold, 0.001, 0.999).round(
        2
    )
    return y, p, fold, random.uniform(0.2, 3.0, rows)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_area_is_scikit_learns_by_fold_weighted_by_pairs(weighted: bool) -> None:
    y, p, fold, weight = _rows()
    shares = weight if weighted else np.ones(len(y))
    areas, pairs = [], []
    for number in np.unique(fold):
        mine = fold == number
        areas.append(roc_auc_score(y[mine], p[mine], sample_weight=shares[mine]))
        pairs.append(shares[mine & (y == 1)].sum() * shares[mine & (y == 0)].sum())
    score = Metric("roc_auc", "binary", 2).score(y, _columns(p), weight if weighted else None, "", fold=fold)
    assert score.value == pytest.approx(np.average(areas, weights=pairs), abs=1e-12)
    assert score.low < score.value < score.high


@pytest.mark.parametrize("weighted", [False, True])
def test_average_precision_is_scikit_learns_by_fold_weighted_by_positive_rows(weighted: bool) -> None:
    y, p, fold, weight = _rows()
    shares = weight if weighted else np.ones(len(y))
    found, positive = [], []
    for number in np.unique(fold):
        mine = fold == number
        found.append(average_precision_score(y[mine], p[mine], sample_weight=shares[mine]))
        positive.append(shares[mine & (y == 1)].sum())
    metric = Metric("average_precision", "binary", 2)
    score = metric.score(y, _columns(p), weight if weighted else None, "", fold=fold)
    assert score.value == pytest.approx(np.average(found, weights=positive), abs=1e-12)


@pytest.mark.parametrize("positives", [2, 5, 40])
@pytest.mark.parametrize("name", sorted(each.name for each in DEFINITIONS.values() if each.is_area))
def test_a_constant_of_each_fold_has_an_area_of_a_half(name: str, positives: int) -> None:
    """Training rows lack the fold's positive rows, so a constant is lower with more of them."""
    random = np.random.default_rng(0)
    y = np.zeros(600, dtype=int)
    y[random.permutation(600)[:positives]] = 1
    fold = np.arange(600) % 5
    share = np.array([y[fold != number].mean() for number in range(5)])[fold]
    score = Metric(name, "binary", 2).score(y, _columns(share), None, "", fold=fold)
    assert (score.value, score.low, score.high) == (0.5, 0.5, 0.5)
    assert Metric(name, "binary", 2).plain(y, _columns(share)) < 0.5  # pooled


@pytest.mark.parametrize(
    "name", ["roc_auc_ovr", "roc_auc_ovo", "roc_auc_ovr_weighted", "roc_auc_ovo_weighted"]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_areas_of_several_classes(name: str, weighted: bool) -> None:
    random = np.random.default_rng(1)
    y, fold = random.integers(0, 3, 300), np.arange(300) % 4
    weight = random.uniform(0.5, 2.0, 300) if weighted else None
    raised = np.exp(np.eye(3)[y] + random.normal(size=(300, 3)))
    output = raised / raised.sum(axis=1, keepdims=True)
    metric = Metric(name, "multiclass", 3)
    if not (weighted and "ovo" in name):  # which scikit-learn does not have
        assert metric.plain(y, output, weight) == pytest.approx(metric._by_scorer(y, output, weight))
    share = np.array([np.bincount(y[fold != number], minlength=3) for number in range(4)], dtype=float)
    constant = (share / share.sum(axis=1, keepdims=True))[fold]
    assert metric.plain(y, constant, weight, fold) == pytest.approx(0.5, abs=1e-12)
    score = metric.score(y, output, weight, "", fold=fold)
    assert score.low < score.value < score.high


def test_a_fold_without_both_classes_does_not_count() -> None:
    y, p, fold, weight = _rows()
    metric = Metric("roc_auc", "binary", 2)
    before = metric.score(y, _columns(p), weight, "", fold=fold)
    more = [
        np.r_[each, extra]
        for each, extra in ((y, [1, 1]), (p, [0.0, 0.1]), (fold, [9, 9]), (weight, [5.0, 5.0]))
    ]
    after = metric.score(more[0], _columns(more[1]), more[3], "", fold=more[2])
    assert after.value == pytest.approx(before.value, abs=1e-12)
    with pytest.raises(ValueError, match="needs a fold with rows of two classes"):
        metric.score(y, _columns(p), None, "", fold=y)


def test_comparisons_and_corrections_compare_rows_of_one_fold() -> None:
    y, p, fold, weight = _rows()
    metric, group = Metric("roc_auc", "binary", 2), np.arange(len(y)) // 4
    outputs = {"c1": _columns(p), "c2": _columns(np.full(len(y), 0.5) + 0.01 * fold)}
    for names in (("c1", "c2"), ("c2", "c1")):
        one, other = (outputs[name] for name in names)
        expected = metric.plain(y, one, weight, fold) - metric.plain(y, other, weight, fold)
        for groups in (None, group):
            gap = difference(metric, y, one, other, weight, group=groups, fold=fold)
            assert gap.value == pytest.approx(expected, abs=1e-12)
            assert gap.low < gap.value < gap.high
    estimate = corrected(metric, y, outputs, weight, fold=fold)
    assert estimate.value + estimate.optimism == pytest.approx(metric.plain(y, outputs["c1"], weight, fold))


def test_intervals_of_areas_by_fold_cover_the_truth_at_their_rate() -> None:
    """Scores a distance of 1 apart, shifted by fold, in folds of 12 rows; rows of two weights."""
    from scipy.stats import norm

    truth, random, inside = norm.cdf(1 / 2**0.5), np.random.default_rng(5), 0
    fold = np.arange(120) % 10
    for _ in range(400):
        y = (random.random(120) < 0.4).astype(int)
        marks = random.normal(size=120) + y + 3.0 * random.normal(size=10)[fold]
        weight = random.choice([0.2, 1.0], 120)
        score = Metric("roc_auc", "binary", 2).score(
            y, np.column_stack([-marks, marks]), weight, "", fold=fold
        )
        inside += score.low <= truth <= score.high
    assert 0.925 < inside / 400 < 0.985


@pytest.mark.parametrize(
    "name", ["roc_auc_ovr", "roc_auc_ovo", "roc_auc_ovr_weighted", "roc_auc_ovo_weighted"]
)
def test_a_class_without_rows_does_not_count(name: str) -> None:
    random = np.random.default_rng(2)
    y = random.integers(0, 3, 200)
    output = random.dirichlet(np.ones(4), 200)
    whole = Metric(name, "multiclass", 4).score(y, output, None, "")
    assert whole.value == pytest.approx(Metric(name, "multiclass", 3).plain(y, output[:, :3]))
