from __future__ import annotations

import numpy as np
import pytest

from tests.ui.made import NASTY
from workbench import explain
from workbench.automl.records.payoff import ClassPayoff
from workbench.display import insight, quality
from workbench.explain import Contribution, Importance
from workbench.explain.evidence import made_evidence


@pytest.fixture(scope="module")
def known():
    marks = np.linspace(0.01, 0.99, 200)
    return made_evidence((np.arange(200) % 3 == 0).astype(int), np.column_stack([1 - marks, marks]))


def clean(figure) -> bool:
    return "<script" not in figure.to_json().replace("\\u003c", "<")


def test_the_chosen_threshold_is_marked(known) -> None:
    table = explain.threshold_table(known, ClassPayoff(fp=-1, fn=-5))
    figure = quality.threshold_figure(table, 0.25, 0.5, NASTY)
    assert [line.x0 for line in figure.layout.shapes] == [25.0, 50.0]
    assert clean(figure)
    assert [line.x0 for line in quality.trade_figure(table, 0.25).layout.shapes] == [25.0]


def test_curves_are_drawn_in_percent(known) -> None:
    for figure in (
        quality.roc_figure(explain.roc(known)),
        quality.precision_recall_figure(explain.precision_recall(known), 0.33),
        quality.calibration_figure(explain.calibration(known)),
        quality.gain_figure(explain.gains(known)),
    ):
        assert max(figure.data[0].y) > 1.5
        assert figure.layout.yaxis.ticksuffix == " %"
        assert figure.layout.xaxis.title.text


def test_names_of_classes_and_columns_are_shown_and_not_read() -> None:
    made = [
        Importance(NASTY, 0.1, 0.05, 0.15, "roc_auc", 10, 5),
        Importance("b", 0.0, -0.1, 0.1, "r2", 10, 5),
    ]
    curve = {
        "column": NASTY,
        "kind": "category",
        "values": [NASTY, None],
        "mean": [1, 2],
        "low": [0, 1],
        "high": [2, 3],
    }
    assert clean(quality.confusion_figure(np.eye(2, dtype=int), [NASTY, "b"]))
    assert clean(insight.importance_figure(made))
    assert clean(insight.dependence_figure(curve, NASTY, percent=False))
    assert clean(insight.contribution_figure([Contribution(NASTY, NASTY, 0.2, 0.01)], percent=True))
    assert clean(insight.distribution_figure({"labels": [NASTY], "counts": [3]}))


def test_a_score_never_falls_in_the_history() -> None:
    figure = insight.history_figure([(1.0, 0.7), (2.0, 0.6), (3.0, 0.8)], "roc_auc")
    assert list(figure.data[0].y) == [70.0, 70.0, 80.0]


def test_numbers(known) -> None:
    numbers = made_evidence(np.arange(50.0), np.arange(50.0)[:, None] + 1)
    sample = explain.residual_sample(numbers)
    assert len(quality.predicted_figure(sample, "price").data[0].x) == 50
    assert quality.residual_figure(sample, "price").layout.xaxis.title.text.endswith("price")
