"""Columns that give a numeric target away together are found; columns that merely explain it are
not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.data import load_dataset
from workbench.data.checks.formula_leaks import find_formulas

N = 600
RNG = np.random.default_rng(0)
FARE, TIP, TOLL, SIZE = (RNG.gamma(2.0, 5.0, N) + 1.0 for _ in range(4))


def found(**columns: Any) -> list[tuple[str | None, str]]:
    data = load_dataset({name: np.asarray(each).tolist() for name, each in columns.items()}, target="y")
    return [(finding.column, finding.message) for finding in find_formulas(data)]


def test_a_total_and_its_parts() -> None:
    total = FARE + TIP + TOLL + RNG.choice([0.5, 1.0], N)
    [(column, message)] = found(tip=TIP, toll=TOLL, size=SIZE, total=total, y=FARE)
    assert column == "total"
    assert "'tip'" in message and "'toll'" in message and "'size'" not in message
    assert "a sum or difference" in message


def test_a_payment_and_its_count_and_another_and_its_rate() -> None:
    rate = RNG.uniform(0.1, 0.9, N)
    messages = found(paid=FARE * SIZE, size=SIZE, rate=rate, charged=FARE / rate, tip=TIP, y=FARE)
    named = {frozenset(name for name in ("paid", "size", "rate", "charged", "tip") if name in message + str(column))
             for column, message in messages}  # fmt: skip
    assert named == {frozenset({"paid", "size"}), frozenset({"rate", "charged"})}
    assert all("a product or ratio" in message for _, message in messages)


def test_what_merely_explains_the_target_is_left_alone() -> None:
    noise = RNG.normal(0.0, 4.0, N)
    assert found(size=SIZE, tip=TIP, y=3.0 * SIZE + TIP + noise) == []
    assert found(size=SIZE, tip=TIP, y=np.where(FARE > 8, "yes", "no")) == []
    assert found(size=np.where(RNG.uniform(size=N) < 0.3, np.nan, SIZE), tip=TIP, y=SIZE + TIP) == []


def test_one_column_alone_is_no_formula() -> None:
    assert found(double=2.0 * FARE, tip=TIP, y=FARE) == []
