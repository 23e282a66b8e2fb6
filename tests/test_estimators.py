"""The estimators keep scikit-learn's contract."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from workbench.estimators import WorkbenchClassifier, WorkbenchRegressor

QUICK = {"time": None, "trials": 1, "workers": 1, "families": ("linear",)}
#: Which checks are expected to fail, and why: none.
EXPECTED: dict[str, str] = {}


CHECKS = parametrize_with_checks(
    [WorkbenchClassifier(**QUICK), WorkbenchRegressor(**QUICK)],
    expected_failed_checks=lambda estimator: EXPECTED,
)
#: Checks that run a search many times over.
MANY_SEARCHES = (
    "check_classifier_data_not_an_array", "check_classifiers_classes", "check_classifiers_train", "check_dtype_object",
    "check_estimators_dtypes", "check_estimators_pickle", "check_f_contiguous_array_estimator",
    "check_fit2d_1feature", "check_fit2d_predict1d", "check_fit_check_is_fitted", "check_fit_idempotent",
    "check_methods_sample_order_invariance", "check_methods_subset_invariance", "check_n_features_in",
    "check_pipeline_consistency", "check_readonly_memmap_input", "check_regressor_data_not_an_array",
    "check_regressors_int", "check_regressors_train", "check_supervised_y_2d",
)  # fmt: skip


def slow(*values: Any) -> Any:
    return pytest.param(*values, marks=pytest.mark.slow)


def marked(estimator: Any, check: Any) -> Any:
    return slow(estimator, check) if check.func.__name__ in MANY_SEARCHES else pytest.param(estimator, check)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
@pytest.mark.parametrize(
    ("estimator", "check"), [marked(*pair) for pair in CHECKS.mark.args[1]], ids=CHECKS.mark.kwargs["ids"]
)
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of inputs that the checks make wrong on purpose
        check(estimator)


@pytest.mark.parametrize(
    "labels",
    [
        ["NA", "lo", "hi"],
        [" yes", "no "],
        slow(["no", "NO", "Yes"]),
        slow(["n", "y", "yes"]),
        slow(["", "x"]),
        slow([0.0, 1.0]),
        [True, False],
        slow([7, 3]),
    ],
    ids=repr,
)
def test_labels_come_back_as_they_were_given(labels: list[Any]) -> None:
    """A file's texts are read with care; a target in memory is what it is."""
    X = np.random.default_rng(0).normal(size=(200, 2))
    y = np.array(labels)[np.digitize(X[:, 0], [-0.4, 0.4][: len(labels) - 1])]
    model = WorkbenchClassifier(**QUICK).fit(X, y)
    assert model.classes_.dtype == y.dtype and model.classes_.tolist() == np.unique(y).tolist()
    assert model.predictor_.classes == tuple(np.unique(y).tolist())
    assert model.predict_proba(X).shape == (200, len(labels))
    assert model.predict(X).dtype == y.dtype
    assert model.score(X, y) > 0.85


@pytest.mark.parametrize("estimator", [WorkbenchClassifier, WorkbenchRegressor])
def test_a_target_with_holes_is_refused(estimator: Any) -> None:
    frame = pd.DataFrame({"a": np.arange(20.0)})
    y = np.array([1.0, 2.0] * 9 + [2.0, np.nan])
    with pytest.raises(ValueError, match="y contains NaN"):
        estimator(**QUICK).fit(frame, y)
