from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from workbench.data.checks.extremes import missing_codes, outliers
from workbench.data.target import read_target

ROWS = np.arange(1, 61) / 10


@pytest.mark.parametrize("code", [-200.0, -999.0, -1.0, 9999.0, 99.0, 1e20, -9.97e36])
def test_codes_far_from_all_others_are_named(code: float) -> None:
    [found] = missing_codes("co", np.array([*ROWS, *[code] * 12]))
    assert found.code == "missing_code"
    assert found.message.startswith(f"{code:.10g} in 16.7% of the rows")


@pytest.mark.parametrize("code", [0.0, 7.0, 30.0, 100.0])
def test_usual_numbers_are_not(code: float) -> None:
    assert missing_codes("x", np.array([*ROWS, *[code] * 12])) == []


def test_the_only_negative_number_of_a_wide_column_is_named() -> None:
    wide = np.concatenate([np.arange(2.0, 1500.0, 7.0), np.full(40, -200.0)])
    assert [each.code for each in missing_codes("nox", wide)] == ["missing_code"]


def test_a_code_in_the_target_is_a_warning_and_the_values_stay() -> None:
    target = read_target("co", pa.chunked_array([[*ROWS, *[-200.0] * 12]]))
    [found] = target.findings
    assert (found.code, found.severity) == ("missing_code", "warning")
    assert (target.y == -200).sum() == 12


@pytest.mark.parametrize(
    ("values", "odd"),
    [
        (np.linspace(500, 9000, 300), 11_111_111.0),
        (np.linspace(1990, 2020, 300), 9999.0),
        (np.linspace(-3, 3, 300), -500.0),
        (np.exp(np.linspace(0, 4, 300)), 1e9),
    ],
)
def test_outliers_of_a_target_are_named(values: np.ndarray, odd: float) -> None:
    target = read_target("price", pa.chunked_array([[*values, odd]]))
    [found] = target.findings
    assert found.code == "outliers"
    assert f"{odd:,.10g}" in found.message


@pytest.mark.parametrize("draw", ["normal", "lognormal", "exponential", "pareto", "poisson"])
def test_long_tails_are_not_outliers(draw: str) -> None:
    random = np.random.default_rng(7)
    values = {
        "normal": random.normal(size=5000),
        "lognormal": random.lognormal(sigma=2, size=5000),
        "exponential": random.exponential(size=5000),
        "pareto": 1 + random.pareto(1.5, size=5000),
        "poisson": random.poisson(3, size=5000).astype(float),
    }[draw]
    assert outliers("y", values) == []


def test_zeros_apart_from_all_other_numbers_are_named() -> None:
    pressure = np.concatenate([np.arange(44.0, 122.0), np.zeros(5)])
    [found] = missing_codes("pressure", pressure)
    assert found.code == "zero_values"
    assert "0 in 5 rows" in found.message
    assert missing_codes("count", np.concatenate([np.arange(1.0, 80.0), np.zeros(5)])) == []
    assert (
        missing_codes("area", np.concatenate([np.arange(44.0, 122.0), np.zeros(500)])) == []
    )  # most have none
