"""The estimators keep scikit-learn's contract."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from workbench.estimators import WorkbenchClassifier, WorkbenchRegressor

QUICK = {"time": None, "trials": 1, "workers": 1, "families": ("linear",)}
#: Which checks are expected to fail, and why: none.
EXPECTED: dict[str, str] = {}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
@parametrize_with_checks(
    [WorkbenchClassifier(**QUICK), WorkbenchRegressor(**QUICK)],
    expected_failed_checks=lambda estimator: EXPECTED,
)
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of inputs that the checks make wrong on purpose
        check(estimator)
