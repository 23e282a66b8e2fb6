"""Combined forms predict what their parts predict together, in numpy and in ONNX Runtime."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.families.small_trees import stumps
from workbench.families.forms.averaging import bag, calibrated, from_arrays, to_arrays
from workbench.families.forms.forms import Blend, Form, Linear, Network
from workbench.families.forms.links import Link, apply_link, calibrate
from workbench.families.forms.trees import Trees
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.model.onnx_model import OnnxModel

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(60, 3)).astype(np.float32)


def linear(link: Link, k: int) -> Linear:
    return Linear(RANDOM.normal(size=(3, k)), RANDOM.normal(size=k), link)


def network(link: Link, k: int) -> Network:
    sizes = [(3, 4), (4, k)]
    return Network(
        [RANDOM.normal(size=each) for each in sizes],
        [RANDOM.normal(size=each[1]) for each in sizes],
        "relu",
        link,
    )


def trees(link: Link, k: int, count: int = 6) -> Trees:
    return replace(
        stumps(RANDOM.normal(size=count * k), link, classes=k, threshold=0.1), base=RANDOM.normal(size=k)
    )


KINDS: list[Form] = [
    linear("softmax", 3),
    trees("sigmoid", 1),
    network("softmax", 3),
    bag([network("sigmoid", 1), network("sigmoid", 1)]),
]


def served(form: Form) -> np.ndarray:
    return OnnxModel(to_onnx(form, 3)).run(ROWS).astype(np.float64)


def raw(form: Form) -> np.ndarray:
    assert not isinstance(form, Blend)
    return served(replace(form, link="identity"))


@pytest.mark.parametrize(("link", "k"), [("identity", 1), ("sigmoid", 1), ("softmax", 3), ("expm1", 1)])
@pytest.mark.parametrize("make", [linear, network, trees])
def test_a_bag_is_the_mean_of_raw_scores(make: object, link: Link, k: int) -> None:
    parts = [make(link, k) for _ in range(3)]  # type: ignore[operator]  # one of the three above
    whole = bag(parts)
    expected = apply_link(np.mean([raw(part) for part in parts], axis=0), link)
    np.testing.assert_allclose(served(whole), expected, rtol=1e-4, atol=1e-6)
    assert whole.n_outputs == expected.shape[1]


def test_a_bag_of_forests_of_different_sizes_is_the_mean_of_their_predictions() -> None:
    parts = [replace(trees("identity", 1, count), averaged=True) for count in (2, 5)]
    np.testing.assert_allclose(
        served(bag(parts)), np.mean([served(part) for part in parts], axis=0), atol=1e-6
    )


@pytest.mark.parametrize(
    "form",
    [linear("softmax", 3), trees("sigmoid", 1), network("softmax", 3), bag([network("sigmoid", 1)] * 2)],
)
def test_calibration_is_part_of_the_model(form: Form) -> None:
    offset = np.linspace(-0.5, 0.5, form.n_outputs)
    expected = calibrate(served(form), 1.7, offset)
    np.testing.assert_allclose(served(calibrated(form, 1.7, offset)), expected, atol=2e-5)


def test_probabilities_without_scores_are_calibrated() -> None:
    shares = Linear(np.array([[0.05], [0.02], [0.01]]), np.array([0.4]), "probability")
    expected = calibrate(served(shares), 0.6, np.array([0.0, 0.3]))
    np.testing.assert_allclose(served(calibrated(shares, 0.6, np.array([0.0, 0.3]))), expected, atol=1e-5)


@pytest.mark.parametrize("of", ["prediction", "log"])
def test_a_blend_takes_its_members_columns(of: str) -> None:
    one, two = linear("softmax", 3), trees("softmax", 3)
    places = np.array([2, 0, 1])
    form = Blend((one, two), (0.3, 0.7), (places, None), of=of)  # type: ignore[arg-type]  # one of the kinds
    first = apply_link(ROWS[:, places].astype(np.float64) @ one.weights + one.bias, "softmax")
    parts = [0.3 * first, 0.7 * served(two)]
    if of == "prediction":
        expected = parts[0] + parts[1]
    else:
        expected = apply_link(0.3 * np.log(first) + 0.7 * np.log(served(two)), "softmax")
    np.testing.assert_allclose(served(form), expected, atol=1e-5)
    back = from_arrays(to_arrays(form))
    np.testing.assert_array_equal(served(back), served(form))


def test_a_blend_may_be_calibrated_by_a_matrix() -> None:
    members = (linear("softmax", 3), trees("softmax", 3))
    matrix, offset = np.eye(3) + 0.2 * RANDOM.normal(size=(3, 3)), np.array([0.1, 0.0, -0.2])
    plain = Blend(members, (0.3, 0.7), (None, None))
    form = replace(plain, scale=matrix, offset=offset)
    np.testing.assert_allclose(served(form), calibrate(served(plain), matrix, offset), atol=2e-5)
    np.testing.assert_array_equal(served(from_arrays(to_arrays(form))), served(form))


@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_a_blend_may_have_a_stacker(task: str) -> None:
    link, k = ("softmax", 3) if task == "classes" else ("identity", 1)
    members = (linear(link, k), trees(link, k))  # type: ignore[arg-type]  # one of the links
    predictions = np.concatenate([served(each) for each in members], axis=1)
    seen = np.log(np.clip(predictions, 1e-4, 1.0)) if task == "classes" else predictions
    meta = Network(
        [RANDOM.normal(size=(2 * k, 5)), RANDOM.normal(size=(5, k))],
        [RANDOM.normal(size=5), RANDOM.normal(size=k)],
        "relu",
        link,  # type: ignore[arg-type]
    )
    plain = Blend(members, (1.0, 0.0), (None, None))
    form = replace(plain, meta=meta, meta_share=0.3)
    expected = 0.7 * served(plain) + 0.3 * meta.apply(seen)
    np.testing.assert_allclose(served(form), expected, rtol=1e-4, atol=2e-5)
    np.testing.assert_array_equal(served(from_arrays(to_arrays(form))), served(form))


def test_networks_of_one_hidden_layer_become_one() -> None:
    whole = bag([network("softmax", 3) for _ in range(3)])
    assert isinstance(whole, Network) and whole.weights[0].shape == (3, 12)


def test_shared_leaves_and_other_trees_in_one_model() -> None:
    several = trees("identity", 3)
    # two entries a leaf, and half the leaves: every node ends in one
    shared = replace(several, entry_offsets=several.entry_offsets[::2], averaged=True)
    leaf = -1 - np.arange(len(shared.feature))
    shared = replace(shared, leaf_offsets=shared.leaf_offsets // 2, yes=leaf, no=leaf)
    form = Blend((shared, trees("softmax", 3)), (0.5, 0.5), (None, None))
    np.testing.assert_allclose(served(form), 0.5 * served(shared) + 0.5 * served(form.members[1]), atol=1e-6)


def test_stages_add_up() -> None:
    form = trees("softmax", 3, 10)
    total = sum(raw(form.between(start, stop)) for start, stop in ((0, 4), (4, 7), (7, 10)))
    np.testing.assert_allclose(total, raw(form), atol=1e-5)
