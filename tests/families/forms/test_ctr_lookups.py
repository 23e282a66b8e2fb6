from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.automl.features.feature_pruning import Encoder, prune
from workbench.families.forms.averaging import bag, from_arrays, to_arrays
from workbench.families.forms.ctr_lookups import lookup_trees, places_of
from workbench.families.forms.trees import Trees
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.core.encoder import Number
from workbench.runtime.model.onnx_model import OnnxModel

CODES = np.array([np.nan, -3.0, -1.0, 0.0, -0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1e9], dtype=np.float32)


def predictions(form: Trees, X: np.ndarray) -> np.ndarray:
    return OnnxModel(to_onnx(form, X.shape[1])).run(X)


@given(st.lists(st.lists(st.integers(0, 3), min_size=2, max_size=8), min_size=1, max_size=4))
def test_each_tree_returns_the_value_of_its_table_for_every_code(tables: list[list[int]]) -> None:
    made = lookup_trees([0] * len(tables), [np.array(each) for each in tables])
    expected = [np.array(each)[places_of(CODES, len(each) - 2)] for each in tables]
    assert np.array_equal(predictions(made, CODES[:, None]), np.stack(expected, axis=1))
    assert made.node_visits() is not None


def looking_up(feature: int, table: list[int], shift: float) -> Trees:
    """Trees that use a value of one of two tables twice, and the number in column 2 once."""
    before = lookup_trees([feature, feature], [np.array([9, 9, 9, 0, 0]), np.array(table)])
    return Trees(
        node_offsets=np.array([0, 1, 2, 3]),
        leaf_offsets=np.array([0, 2, 4, 6]),
        feature=np.array([2, -2, -2]),
        threshold=np.array([0.0, 0.5, 1.5], dtype=np.float32),
        yes=np.array([-1, -3, -5]),
        no=np.array([-2, -4, -6]),
        missing_yes=np.ones(3, dtype=bool),
        entry_offsets=np.arange(7),
        target=np.zeros(6, dtype=np.int64),
        weight=np.array([0.0, 1.0, 0.0, 10.0, 0.0, 100.0]) + shift,
        base=np.zeros(1),
        link="identity",
        reach=np.ones(3),
        before=before,
    )


X = np.array([[0, 2, 1], [1, 1, -1], [2, 0, 1], [7, np.nan, 0]], dtype=np.float32)


def test_trees_use_the_outputs_of_the_trees_before() -> None:
    assert predictions(looking_up(0, [2, 0, 1, 0, 0], 0.0), X)[:, 0].tolist() == [111.0, 0.0, 11.0, 0.0]


def test_a_bag_keeps_the_lookups_of_each_model() -> None:
    forms = [looking_up(0, [2, 0, 1, 0, 0], 0.0), looking_up(1, [0, 0, 2, 1, 2], 1.0)]
    assert np.allclose(predictions(bag(forms), X), np.mean([predictions(form, X) for form in forms], axis=0))


def test_unused_lookups_are_removed() -> None:
    form = looking_up(0, [2, 0, 1, 0, 0], 0.0)
    assert form.between(1, 3).before.n_trees == 1  # type: ignore[union-attr] # it has some
    assert np.array_equal(
        predictions(form.between(0, 1), X) + predictions(form.between(1, 3), X), predictions(form, X)
    )
    assert form.truncate(1).before is None
    assert form.truncate(2).before.n_trees == 1  # type: ignore[union-attr] # it has some
    assert np.array_equal(
        predictions(form.truncate(2), X) + predictions(form.between(2, 3), X), predictions(form, X)
    )


def test_arrays_and_an_encoder_without_the_unused_column() -> None:
    form = looking_up(1, [0, 0, 2, 1, 2], 0.0)
    again = from_arrays(to_arrays(form))
    assert np.array_equal(predictions(again, X), predictions(form, X))  # type: ignore[arg-type] # trees
    encoder, pruned = prune(Encoder((), (Number("a"), Number("b"), Number("c"))), form)
    assert encoder.feature_names() == ["b", "c"]
    assert np.array_equal(predictions(pruned, X[:, 1:]), predictions(form, X))  # type: ignore[arg-type] # trees
