"""Columns that give the answer away are found; honest ones are left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from workbench.data import load_dataset
from workbench.data.checks.leaks import Power, column_powers, find_leaks
from workbench.data.dataset import Dataset
from workbench.runtime.parameters import Flag, parameter, with_flags

N = 2000


def powers(**columns: Any) -> dict[str, Power]:
    data = load_dataset({name: list(values) for name, values in columns.items()}, target="y")
    return {power.column: power for power in column_powers(data)}


def labels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 2, N)


def test_a_copy_of_the_target_scores_one() -> None:
    y = labels()
    noise = np.random.default_rng(2).normal(size=N)
    found = powers(y=y, told=np.where(y == 1, "yes", "no"), shifted=y * 10 + noise, noise=noise)
    assert found["told"].score == pytest.approx(1.0)
    assert found["shifted"].score > 0.99
    assert abs(found["noise"].score - 0.5) < 0.06
    assert [each.column for each in find_leaks(list(found.values()))] == ["told", "shifted"]


def test_unique_texts_do_not_pass_for_knowledge() -> None:
    assert abs(powers(y=labels(), code=[f"k{at // 2}" for at in range(N)])["code"].score - 0.5) < 0.1


def test_the_score_is_an_honest_auc() -> None:
    rng = np.random.default_rng(3)
    y = labels()
    x = y + rng.normal(size=N)
    assert powers(y=y, x=x)["x"].score == pytest.approx(roc_auc_score(y, x), abs=0.03)


def test_missing_values_can_give_it_away() -> None:
    y = labels()
    closed = [None if each else "2024" for each in y]
    assert powers(y=y, closed=closed)["closed"].score == pytest.approx(1.0)


def test_several_classes() -> None:
    rng = np.random.default_rng(4)
    y = rng.integers(0, 5, N)
    found = powers(y=[f"class {each}" for each in y], told=y * 2.0 + 1, noise=rng.normal(size=N))
    assert found["told"].score == pytest.approx(1.0)
    assert abs(found["noise"].score - 0.5) < 0.06


def test_a_regression_with_a_column_that_is_the_target_times_something() -> None:
    rng = np.random.default_rng(5)
    y = rng.exponential(100, N)
    found = powers(y=y, gross=1.19 * y + rng.normal(size=N), weak=y + rng.normal(size=N) * 100)
    assert found["gross"].score > 0.99
    assert found["weak"].score < 0.6
    assert [each.code for each in find_leaks(list(found.values()))] == ["leak"]


def test_one_wild_target_does_not_hide_a_leak() -> None:
    y = np.random.default_rng(6).normal(size=N)
    y[7] = 1e9
    assert powers(y=y, copy=y)["copy"].score > 0.98


@pytest.mark.parametrize(
    ("scores", "code"),
    [((0.99, 0.97), "leak"), ((0.97, 0.6), "leak"), ((0.97, 0.9), "strong_column"), ((0.9, 0.5), None)],
)
def test_a_column_that_stands_out_is_judged_more_strictly(
    scores: tuple[float, float], code: str | None
) -> None:
    found = find_leaks([Power(name, score, "roc_auc") for name, score in zip("ab", scores, strict=True)])
    assert [each.code for each in found if each.column == "a"] == ([code] if code else [])


def test_the_message_says_what_to_type() -> None:
    for name, typed in (
        ("total paid", "--drop 'total paid'"),
        ("$(id)", "--drop '$(id)'"),
        ("-x", "--drop=-x"),
        ("a `b`", "--drop 'a `b`'"),
    ):
        [found] = find_leaks([Power(name, 1.0, "r2")])
        assert found.message.endswith(f": {parameter('drop', name)}")
        assert with_flags(found.message, {"drop": Flag("--drop")}).endswith(f": {typed}")


def test_large_data_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    original = Dataset.take

    def take(self: Dataset, rows: np.ndarray) -> Dataset:
        taken.append(len(rows))
        return original(self, rows)

    monkeypatch.setattr(Dataset, "take", take)
    y = np.random.default_rng(7).integers(0, 2, 30_000)
    data = load_dataset({"x": (y + 0.5).tolist(), "y": y.tolist()}, target="y")
    assert taken == [20_000]
    assert data.findings[0].code == "leak"
