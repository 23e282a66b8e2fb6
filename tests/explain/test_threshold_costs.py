from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.automl.records.payoff import ClassPayoff
from workbench.explain import Evidence, cheapest_threshold, decisions, threshold_table
from workbench.explain.evidence import made_evidence


def evidence_of(marks: list[float], answers: list[int]) -> Evidence:
    yes = np.array(marks)
    return made_evidence(answers, np.column_stack([1 - yes, yes]))


cases = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=2, max_size=60)


@settings(deadline=None, max_examples=60)
@given(cases, st.floats(0, 100), st.floats(0, 100))
def test_the_table_agrees_with_counting(
    rows: list[tuple[float, int]], wrong_yes: float, wrong_no: float
) -> None:
    known = evidence_of([round(mark, 3) for mark, _ in rows], [answer for _, answer in rows])
    costs = ClassPayoff(fp=-wrong_yes, fn=-wrong_no)
    table = threshold_table(known, costs)
    for at, threshold in enumerate(table["threshold"].tolist()):
        counted = decisions(known, costs, threshold)
        assert table["cost"][at] == pytest.approx(counted.cost, abs=1e-6)
        if counted.recall is not None:
            assert table["recall"][at] == pytest.approx(counted.recall)


@settings(deadline=None, max_examples=60)
@given(cases, st.floats(0.1, 100), st.floats(0.1, 100))
def test_no_threshold_of_the_table_is_cheaper(
    rows: list[tuple[float, int]], wrong_yes: float, wrong_no: float
) -> None:
    known, costs = evidence_of(*map(list, zip(*rows, strict=True))), ClassPayoff(fp=-wrong_yes, fn=-wrong_no)
    best = decisions(known, costs, cheapest_threshold(known, costs)).cost
    assert best <= threshold_table(known, costs)["cost"].min() + 1e-6


def test_a_thousand_cases_are_a_thousand_and_the_interval_holds_the_cost() -> None:
    random = np.random.default_rng(0)
    marks = random.random(500)
    known = evidence_of(marks.tolist(), (random.random(500) < marks).astype(int).tolist())
    made = decisions(known, ClassPayoff(fp=-1, fn=-4), 0.2)
    assert made.yes_right + made.yes_wrong + made.no_right + made.no_wrong == pytest.approx(1000)
    assert made.cost_low < made.cost < made.cost_high
    assert cheapest_threshold(known, ClassPayoff(fp=-1, fn=-4)) == pytest.approx(0.2, abs=0.08)  # 1 / (1 + 4)


def test_weights_count_as_rows_do() -> None:
    twice = evidence_of([0.2, 0.8, 0.8], [0, 0, 0])
    once = evidence_of([0.2, 0.8], [0, 0])
    weighted = Evidence(once.task, once.classes, once.y, once.output, np.array([1.0, 2.0]), once.rows)
    costs = ClassPayoff(fp=-1, fn=-1)
    assert decisions(weighted, costs, 0.5).cost == pytest.approx(decisions(twice, costs, 0.5).cost)


def test_right_answers_count_where_they_pay() -> None:
    known = evidence_of([0.9, 0.6, 0.4, 0.1], [1, 0, 1, 0])
    payoff = ClassPayoff(tp=10, fp=-4, fn=-20, tn=1)
    made = decisions(known, payoff, 0.5)
    assert made.cost == pytest.approx(-(10 - 4 - 20 + 1) * 250)
    table = threshold_table(known, payoff)
    at = int(np.flatnonzero(table["threshold"] == 0.5)[0])
    assert table["cost"][at] == pytest.approx(made.cost)
