from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from workbench.explain import calibration, confusion, coverage, gains, precision_recall, roc
from workbench.explain.evidence import made_evidence


@pytest.fixture(scope="module")
def known():
    random = np.random.default_rng(3)
    probability = random.beta(2, 3, 4000).round(4)
    return made_evidence(
        (random.random(4000) < probability).astype(int), np.column_stack([1 - probability, probability])
    )


def test_the_areas_are_those_of_scikit_learn(known) -> None:
    curve = roc(known)
    assert np.trapezoid(curve["found"], curve["alarms"]) == pytest.approx(
        roc_auc_score(known.y, known.probability), abs=2e-3
    )
    curve = precision_recall(known)
    area = float((np.diff(curve["recall"], prepend=0.0) * curve["precision"]).sum())
    assert area == pytest.approx(average_precision_score(known.y, known.probability), abs=5e-3)


def test_a_calibrated_model_lies_within_its_intervals(known) -> None:
    curve = calibration(known)
    assert (np.diff(curve["predicted"]) > 0).all()
    inside = (curve["low"] <= curve["predicted"]) & (curve["predicted"] <= curve["high"])
    assert inside.sum() >= 8
    assert curve["rows"].sum() == known.n


def test_gain_ends_with_all_found_and_no_lift(known) -> None:
    curve = gains(known)
    assert curve["found"][-1] == pytest.approx(1.0)
    assert curve["lift"][-1] == pytest.approx(1.0)
    assert curve["lift"][1] > 1.2
    assert all(len(values) <= 300 for values in curve.values())


def test_every_row_is_in_the_table_of_confusions(known) -> None:
    assert confusion(known).sum() == known.n


def test_intervals_cover_what_they_promise() -> None:
    random = np.random.default_rng(5)
    dev = made_evidence(np.zeros(2000), random.normal(0, 1, (2000, 1)))
    unseen = made_evidence(np.zeros(2000), random.normal(0, 1, (2000, 1)))
    for row in coverage(dev, unseen):
        assert row["covered"] == pytest.approx(row["level"], abs=0.04)
        assert row["low"] <= row["covered"] <= row["high"]
