from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.families.small_trees import stumps
from workbench.families.forms.forms import Linear, Network
from workbench.families.forms.links import apply_link
from workbench.families.forms.trees import Trees, constant_trees, floor32


@given(st.floats(allow_nan=False), st.floats(width=32, allow_nan=False))
def test_a_threshold_rounded_down_is_equivalent(threshold: float, value: float) -> None:
    rounded = floor32(np.array([threshold]))[0]
    assert rounded.dtype == np.float32
    assert (np.float32(value) <= rounded) == (np.float64(np.float32(value)) <= threshold)


@given(st.lists(st.floats(-800, 800), min_size=3, max_size=3))
def test_links_give_probabilities(scores: list[float]) -> None:
    for link, raw in (
        ("softmax", [scores]),
        ("sigmoid", [scores[:1]]),
        ("probability", [[abs(scores[0]) / 800]]),
    ):
        out = apply_link(np.array(raw), link)  # type: ignore[arg-type] # one of the links
        assert out.min() >= 0.0
        assert abs(out.sum() - 1.0) < 1e-12


def test_truncation_keeps_the_first_rounds() -> None:
    trees = stumps(np.array([1.0, 10.0, 100.0]), link="identity")
    short = trees.truncate(2)
    assert (short.n_trees, short.rounds, len(short.feature), len(short.weight)) == (2, 2, 2, 4)
    assert short.node_visits() == 2.0
    assert trees.truncate(9).n_trees == 3
    assert trees.truncate(0).n_trees == 0


def test_truncation_counts_a_tree_for_each_class() -> None:
    trees = stumps(np.ones(6), link="softmax", classes=3)
    assert trees.rounds == 2
    assert trees.truncate(1).n_trees == 3


def test_outputs_follow_the_link() -> None:
    assert constant_trees(np.zeros(1), "sigmoid").n_outputs == 2
    assert constant_trees(np.zeros(3), "softmax").n_outputs == 3
    assert Linear(np.zeros((4, 1)), np.zeros(1), "identity").n_outputs == 1
    network = Network([np.zeros((4, 2)), np.zeros((2, 3))], [np.zeros(2), np.zeros(3)], "tanh", "softmax")
    assert network.n_outputs == 3
    assert network.node_visits() is None


def test_visits_are_unknown_without_counts() -> None:
    trees = stumps(np.ones(2), link="identity")
    assert (
        Trees(**{**{name: getattr(trees, name) for name in Trees.__slots__}, "reach": None}).node_visits()
        is None
    )
