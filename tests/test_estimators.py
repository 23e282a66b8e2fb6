"""The estimators keep scikit-learn's contract."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from workbench.errors import UsageError
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


Z = np.random.default_rng(3).normal(size=(200, 2))
SIDE = (Z[:, 0] > 0).astype(int)


@pytest.mark.parametrize(
    "labels",
    [
        ["target", "target_2"],
        ["weight", "group"],
        ["__weight__", "y"],
        [1, 0],
        [True, 2.5],
        [("a", 1), ("a", 2)],
        ["x1", "x0"],
        ["a", "a"],
        ["", " "],
        ["Unnamed: 0", "a.1"],
        ["x" * 5000, "a\n,b"],
    ],
    ids=lambda labels: str(labels)[:30],
)
def test_columns_may_have_any_names(labels: list[Any]) -> None:
    frame = pd.DataFrame(Z)
    frame.columns = pd.Index(labels, tupleize_cols=False)
    model = WorkbenchClassifier(**QUICK).fit(frame, SIDE)
    assert model.score(frame, SIDE) > 0.95 and len(model.predictor_.names) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(model.predict_proba(Z), model.predict_proba(frame))
    assert hasattr(model, "feature_names_in_") == all(isinstance(label, str) for label in labels)


def test_a_frame_goes_by_its_names_and_an_array_by_position() -> None:
    frame = pd.DataFrame(Z, columns=["a", "b"])
    model = WorkbenchClassifier(**QUICK).fit(frame, SIDE)
    expected = model.predict_proba(frame)
    np.testing.assert_array_equal(model.predict_proba(frame[["b", "a"]].assign(more=1)), expected)
    with pytest.warns(
        UserWarning, match="X does not have valid feature names, but WorkbenchClassifier was fitted"
    ):
        np.testing.assert_array_equal(model.predict_proba(Z), expected)
    with pytest.warns(
        UserWarning, match="X does not have valid feature names, but WorkbenchClassifier was fitted"
    ):
        np.testing.assert_array_equal(model.predict_proba(pd.DataFrame(Z)), expected)
    with pytest.raises(ValueError, match="should match those that were passed during fit"):
        model.predict(frame[["a"]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="X has 1 features, but WorkbenchClassifier is expecting 2"):
            model.predict(Z[:, :1])
    bare = WorkbenchClassifier(**QUICK).fit(Z, SIDE)
    with pytest.warns(UserWarning, match="X has feature names, but WorkbenchClassifier was fitted without"):
        np.testing.assert_array_equal(bare.predict(frame[["b", "a"]]), bare.predict(Z[:, ::-1]))


def test_columns_of_odd_types_are_read_as_a_search_reads_them() -> None:
    frame = pd.DataFrame(
        {
            "cut": pd.cut(Z[:, 0], 5),
            "span": pd.to_timedelta(Z[:, 0], unit="h"),
            "month": pd.period_range("1990-01", periods=400, freq="M")[(Z[:, 0] * 30 + 200).astype(int)],
            "notes": [[1]] * 200,
        }
    )
    model = WorkbenchClassifier(**QUICK).fit(frame, SIDE)
    assert model.predictor_.names == ["cut", "span", "month"] and model.score(frame, SIDE) > 0.9


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"random_state": "x"}, "random_state"),
        ({"pick": "fastes"}, "pick"),
        ({"metric": ["f1"]}, "metric"),
        ({"workers": 1.5}, "workers"),
        ({"families": 5}, "families"),
        ({"trials": "3"}, "trials"),
        ({"time": []}, "time"),
    ],
)
def test_a_wrong_parameter_is_named(wrong: dict[str, Any], name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name}: found "):
        WorkbenchClassifier(**{**QUICK, **wrong}).fit(Z, SIDE)


@pytest.mark.parametrize(
    ("given", "config", "workers"),
    [
        ({}, None, None),
        ({"workers": 0}, None, None),
        ({"workers": 3}, None, 3),
        ({"workers": 3}, 1, 3),
        ({"n_jobs": 2}, None, 2),
        ({"n_jobs": 2}, 1, 2),
        ({}, 1, 1),
        ({}, 2, 2),
        ({"n_jobs": -1}, None, joblib.cpu_count()),
        ({}, -1, joblib.cpu_count()),
    ],
)
def test_the_number_of_workers_is_that_of_scikit_learns_n_jobs(
    given: dict[str, Any], config: int | None, workers: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SearchedError(Exception):
        pass

    def search(*_: Any, **settings: Any) -> None:
        assert settings["workers"] == workers
        raise SearchedError

    monkeypatch.setattr("workbench.api.search", search)
    active = nullcontext() if config is None else joblib.parallel_config(n_jobs=config)
    with active, pytest.raises(SearchedError):
        WorkbenchRegressor(**given).fit(np.arange(20.0).reshape(10, 2), np.arange(10.0))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"n_jobs": 0}, "n_jobs"),
        ({"n_jobs": 1.5}, "n_jobs"),
        ({"n_jobs": 2, "workers": 2}, "workers and n_jobs"),
    ],
)
def test_a_wrong_number_of_jobs_is_refused_by_name(given: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=f"^{named}: found"):
        WorkbenchRegressor(**given).fit(np.arange(20.0).reshape(10, 2), np.arange(10.0))
