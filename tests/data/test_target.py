"""The target: its task, its labels, its positive label."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from workbench.data.target import Target, read_target
from workbench.errors import DataError, SettingsError


def read(values: list[Any], kind: Any = None, **options: Any) -> Target:
    return read_target("y", pa.chunked_array([pa.array(values, kind)]), **options)


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (["yes", "no"] * 20, "binary", ("no", "yes")),
        (["y", "n", "y"] * 20, "binary", ("n", "y")),
        (["T", "F", "T"] * 20, "binary", ("F", "T")),
        (["Yes ", "No"] * 20, "binary", ("No", "Yes")),
        (["True", "False"] * 20, "binary", (False, True)),
        ([True, False] * 20, "binary", (False, True)),
        (["0", "1"] * 20, "binary", (0, 1)),
        ([1.0, 0.0] * 20, "binary", (0, 1)),
        ([-1, 1] * 20, "binary", (-1, 1)),
        ([1, 2, 2] * 20, "binary", (2, 1)),
        ([0.5, 1.5] * 20, "binary", (0.5, 1.5)),
        (["good", "bad"] * 20, "binary", ("good", "bad")),
        (["PD", "control"] * 20, "binary", ("control", "PD")),
        (["x", "y", "y"] * 20, "binary", ("y", "x")),
        (["3", "5", "4"] * 20, "multiclass", (3, 4, 5)),
        (["c", "a", "b"] * 20, "multiclass", ("a", "b", "c")),
        (["01", "02", "03"] * 20, "multiclass", ("01", "02", "03")),
        ([0.5, 1.0, 1.5] * 20, "regression", ()),
        (list(range(25)) * 9, "regression", ()),
        (list(range(12)) * 2, "regression", ()),
        (["$1,500", "$2,250.50", "$870"] * 9, "regression", ()),
    ],
)
def test_tasks_and_labels(values: list[Any], task: str, classes: tuple[Any, ...]) -> None:
    output = read(values).output
    assert (output.task, output.classes) == (task, classes)
    assert [type(label) for label in output.classes] == [type(label) for label in classes]


def test_codes_are_positions_of_labels() -> None:
    values = ["b", None, "a", "c", "?", "a"] * 3
    target = read(values)
    assert target.known.tolist() == [True, False, True, True, False, True] * 3
    labels = [target.output.classes[code] for code in target.y[target.known]]
    assert labels == [value for value in values if value not in (None, "?")]


def test_numbers_that_are_not_finite_are_no_target() -> None:
    target = read([1.5, np.inf, np.nan, 2.5, 3.25] * 10)
    assert target.known.tolist() == [True, False, False, True, True] * 10
    assert np.isnan(target.y[~target.known]).all()


@pytest.mark.parametrize(
    ("values", "positive", "classes"),
    [
        (["a", "b"] * 9, "a", ("b", "a")),
        (["Yes", "No"] * 9, "no", ("Yes", "No")),
        ([0, 1] * 9, "0", (1, 0)),
        ([0, 1] * 9, 0, (1, 0)),
        ([0, 1] * 9, "0.0", (1, 0)),
        ([True, False] * 9, "false", (True, False)),
        ([True, False] * 9, True, (False, True)),
    ],
)
def test_the_positive_label_can_be_chosen(
    values: list[Any], positive: object, classes: tuple[Any, ...]
) -> None:
    assert read(values, positive=positive).output.classes == classes


def test_the_task_can_be_chosen() -> None:
    assert read([3, 4, 5] * 20, task="regression").output.task == "regression"
    assert read(list(range(30)) * 3, task="multiclass").output.classes == tuple(range(30))
    two = read(["a", "b"] * 19, task="multiclass")
    assert two.output.task == "binary"
    assert [finding.code for finding in two.findings] == ["task"]


def test_a_metric_decides_where_the_task_is_open() -> None:
    values = [3, 4, 5] * 20
    assert read(values, metric_hint="neg_mean_absolute_error").output.task == "regression"
    assert read(values, metric_hint="r2").output.task == "regression"
    assert read(list(range(30)) * 3, metric_hint="neg_log_loss").output.task == "multiclass"
    assert read(values, metric_hint="neg_log_loss").output.task == "multiclass"


def test_rare_classes_and_imbalance_are_told() -> None:
    target = read(["a"] * 200 + ["b"])
    assert target.output.classes == ("a", "b")
    assert [finding.code for finding in target.findings] == ["rare_class", "imbalance"]
    assert "'b' (1)" in target.findings[0].message


@pytest.mark.parametrize(
    ("values", "options", "error", "words"),
    [
        ([1] * 20, {}, DataError, "target 'y' is constant: found 1 in every row"),
        (["yes"] * 20, {}, DataError, "constant"),
        ([1.5] * 20, {"task": "regression"}, DataError, "constant"),
        ([None] * 20, {}, DataError, "no value in any row"),
        (["", "?"] * 20, {}, DataError, "no value in any row"),
        ([np.inf, np.nan] * 20, {}, DataError, "no value in any row"),
        ([f"n{at}" for at in range(60)], {}, DataError, "60 distinct values in 60 rows"),
        (["2024-01-01", "2024-01-02"] * 9, {}, DataError, "holds dates"),
        (["a", "b"] * 9, {"task": "regression"}, DataError, "found 'a'; expected numbers"),
        (["a", "b"] * 9, {"task": "ranking"}, SettingsError, "no such task"),
        (["a", "b", "c"] * 9, {"task": "binary"}, SettingsError, "is not binary: found 3 classes"),
        (["a", "b"] * 9, {"positive": "c"}, SettingsError, "found 'c'; expected 'a' and 'b'"),
        (["a", "b", "c"] * 9, {"positive": "a"}, SettingsError, "only a binary task"),
        ([1.5, 2.5, 3.5] * 9, {"positive": "a"}, SettingsError, "regression has no positive label"),
    ],
)
def test_what_cannot_be_learned(
    values: list[Any], options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as caught:
        read(values, **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (1e9 + np.arange(40) % 7, "is too far from zero for float32"),
        (np.arange(1, 41) * 1e200, "out of the range of float32"),
        (np.arange(1, 41) * 1e-200, "out of the range of float32"),
    ],
)
def test_numbers_that_float32_cannot_hold_are_refused(values: np.ndarray, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(values.tolist(), task="regression")


def test_few_digits_are_told() -> None:
    (finding,) = read((1e6 + np.arange(40) % 7).tolist(), task="regression").findings
    assert finding.code == "few_digits" and "rounded to 0.06" in finding.message
    assert read((1e4 + np.arange(40) % 7).tolist(), task="regression").findings == ()


def test_words_that_were_taken_as_one_class_are_told() -> None:
    target = read(["no", "NO", "no", "Yes"] * 10)
    assert target.output.classes == ("no", "Yes")
    assert [each.message for each in target.findings] == ["'no' and 'NO' are treated as one class"]


def test_a_type_that_cannot_be_learned() -> None:
    with pytest.raises(DataError, match="type list"):
        read([[1], [2]], pa.list_(pa.int8()))


def test_a_target_with_a_unit_is_a_number_in_it() -> None:
    values = [f"€{at}.5M" for at in range(1, 40)]
    target = read_target("value", pa.chunked_array([values]))
    assert (target.output.task, target.output.unit) == ("regression", "€")
    assert target.y[:2].tolist() == [1.5e6, 2.5e6]
    assert "unit" not in read_target("y", pa.chunked_array([["a", "b"] * 9])).output.to_json()


def test_words_for_no_value_in_a_target_are_missing_and_named() -> None:
    values = [*(f"{at}.5" for at in range(40)), *["..", "n.a."] * 30]
    target = read_target("life", pa.chunked_array([values]))
    assert target.output.task == "regression"
    assert int(target.known.sum()) == 40
    [finding] = target.findings
    assert finding.code == "stray_words"
    assert "'..', 'n.a.' among numbers in 60 rows" in finding.message
    stars = read_target("stars", pa.chunked_array([["1", "2", "3", "Not rated"] * 10]))
    assert stars.output.classes == (1, 2, 3)
    grade = read_target("grade", pa.chunked_array([["good", "bad", "Not available", "unknown"] * 15]))
    assert grade.output.classes == ("bad", "good", "unknown")
    assert [finding.code for finding in grade.findings] == ["stray_words", "doubtful_class"]


def test_a_padded_target_is_a_number_for_a_regression_and_a_code_otherwise() -> None:
    values = [f"{at % 30:03d}" for at in range(300)]
    assert read_target("y", pa.chunked_array([values]), task="regression").y[:3].tolist() == [0, 1, 2]
    assert read_target("y", pa.chunked_array([values]), kind="number").output.task == "regression"
    assert read_target("y", pa.chunked_array([values])).output.classes[:2] == ("000", "001")
    plain = [str(at % 30) for at in range(300)]
    assert read_target("y", pa.chunked_array([plain]), kind="category").output.classes[:2] == (0, 1)
