from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from workbench.automl.scoring.formulas.ranking_metrics import area_terms, average_precision
from workbench.automl.scoring.metric_definitions import DEFINITIONS
from workbench.automl.scoring.metrics import Metric

#: No sum gives these.
_OTHERS = {
    "average_precision", "roc_auc_ovo", "roc_auc_ovo_weighted", "neg_median_absolute_error", "neg_max_error",
}  # fmt: skip


def _made(task: str, rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    if task == "regression":
        y = random.gamma(2.0, size=rows)
        return y, (y * random.uniform(0.5, 1.5, rows))[:, None]
    k = 2 if task == "binary" else 4
    y = random.choice(k, rows, p=np.arange(1, k + 1) / np.arange(1, k + 1).sum())
    raised = np.exp(np.eye(k)[y] + random.normal(size=(rows, k)))
    return y, (raised / raised.sum(axis=1, keepdims=True)).round(2 if k == 2 else 6)  # ties, for the ranks


@pytest.mark.parametrize(
    ("task", "name"),
    [(task, each.name) for each in DEFINITIONS.values() for task in each.tasks],
)
def test_scores_from_sums_are_scikit_learns(task: str, name: str) -> None:
    y, output = _made(task)
    if task == "binary":
        output[:, 0] = 1 - output[:, 1]
    metric = Metric(name, task, 0 if task == "regression" else output.shape[1])  # type: ignore[arg-type]
    found = metric.sums(y, output)
    if found is None:
        assert name in _OTHERS
        return
    assert found.score() == pytest.approx(metric._by_scorer(y, output, None))
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y))
    weighted = metric.sums(y, output, weight)
    if weighted is None:
        assert name == "d2_absolute_error_score"  # scikit-learn computes the weighted median
        return
    assert weighted.score(weight) == pytest.approx(metric._by_scorer(y, output, weight))


def test_areas_are_scikit_learns_with_ties_and_weights() -> None:
    y, output = _made("binary")
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y))
    for shares in (None, weight):
        area, terms, _ = area_terms(y == 1, output[:, 1], shares)
        assert area == pytest.approx(roc_auc_score(y, output[:, 1], sample_weight=shares))
        assert np.average(terms[y == 0], weights=None if shares is None else shares[y == 0]) == pytest.approx(
            area
        )


def test_first_order_areas_of_resamples_are_near_the_exact_ones() -> None:
    y, output = _made("binary", 2000)
    found = Metric("roc_auc", "binary", 2).sums(y, output)
    assert found is not None
    random = np.random.default_rng(0)
    counts = np.stack([np.bincount(random.integers(0, 2000, 2000), minlength=2000) for _ in range(30)])
    exact = [roc_auc_score(y, output[:, 1], sample_weight=each) for each in counts]
    assert np.abs(found.value(counts @ found.terms) - exact).max() < 0.2 * np.std(exact)


def test_average_precision_of_weights_is_scikit_learns() -> None:
    y, output = _made("binary")
    weight = np.random.default_rng(1).integers(0, 3, (3, len(y))).astype(float)
    metric = Metric("average_precision", "binary", 2)
    values = average_precision(y == 1, output[:, 1])(weight)
    assert values == pytest.approx([metric.plain(y, output, each) for each in weight])


def test_an_area_of_one_class_raises() -> None:
    with pytest.raises(ValueError, match="both classes"):
        Metric("roc_auc", "binary", 2).sums(np.zeros(5, int), np.full((5, 2), 0.5))
