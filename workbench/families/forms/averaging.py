"""Combine forms: the average of the folds' models, and calibrated models.

If possible the result is again a plain form (concatenated trees, averaged weights), which takes one
operator to serve. Only forms that cannot be merged become a `Blend`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from .additive_tables import collapse, is_additive
from .forms import Blend, Form, Linear, Network, OnnxGraph
from .trees import Trees


def bag(forms: Sequence[Form]) -> Form:
    """Average models of one family with common columns: the mean of their raw scores.

    Parameters
    ----------
    forms : sequence of Trees, Linear, Network or OnnxGraph
        At least one, all of one type and one link.

    Returns
    -------
    Form

    Examples
    --------
    >>> one, two = Linear(np.eye(1), np.zeros(1), "identity"), Linear(3 * np.eye(1), np.ones(1), "identity")
    >>> bag([one, two]).apply(np.ones((1, 1))).tolist()
    [[2.5]]
    """
    if len(forms) == 1:
        (form,) = forms
        return collapse(form) if isinstance(form, Trees) and form.n_trees and is_additive(form) else form
    if all(isinstance(form, Trees) for form in forms):
        trees = _bag_trees([form for form in forms if isinstance(form, Trees)])
        return collapse(trees) if is_additive(trees) else trees
    if all(isinstance(form, Linear) for form in forms):
        linear = [form for form in forms if isinstance(form, Linear)]
        weights = np.mean([form.weights for form in linear], axis=0)
        return Linear(weights, np.mean([form.bias for form in linear], axis=0), linear[0].link)
    if all(isinstance(form, Network) and len(form.weights) == 2 for form in forms):
        return _bag_shallow([form for form in forms if isinstance(form, Network)])
    share = 1.0 / len(forms)
    return Blend(tuple(forms), (share,) * len(forms), (None,) * len(forms), of="raw")


def _bag_shallow(forms: Sequence[Network]) -> Network:
    """Concatenate single hidden layers: one wide network, whose scores are the mean."""
    inside = [np.concatenate([form.weights[0] for form in forms], axis=1)]
    out = [np.concatenate([form.weights[1] for form in forms]) / len(forms)]
    biases = [
        np.concatenate([form.biases[0] for form in forms]),
        np.mean([form.biases[1] for form in forms], axis=0),
    ]
    return replace(forms[0], weights=[*inside, *out], biases=biases)


def _bag_trees(forms: Sequence[Trees]) -> Trees:
    """Concatenate the trees, with leaf weights such that the scores are the mean."""
    total = sum(form.n_trees for form in forms)
    shares = [_share(form, total, len(forms)) for form in forms]
    parts = [form.before for form in forms if form.before is not None]
    starts = np.cumsum([0] + [form.before.n_raw if form.before is not None else 0 for form in forms])
    feature = [
        np.where(form.feature < 0, form.feature - start, form.feature)
        for form, start in zip(forms, starts, strict=False)
    ]
    return replace(
        _concatenated(forms),
        feature=np.concatenate(feature),
        weight=np.concatenate([form.weight * share for form, share in zip(forms, shares, strict=True)]),
        base=np.mean([form.base for form in forms], axis=0),
        before=_concatenated_outputs(parts) if parts else None,
    )


def _concatenated_outputs(parts: Sequence[Trees]) -> Trees:
    """Return the trees of all parts, with the outputs of all."""
    starts = np.cumsum([0] + [part.n_raw for part in parts])
    target = [part.target + start for part, start in zip(parts, starts, strict=False)]
    base = np.concatenate([part.base for part in parts])
    return replace(_concatenated(parts), target=np.concatenate(target), base=base)


def _concatenated(forms: Sequence[Trees]) -> Trees:
    """Return the first form with the nodes, leaves and entries of all forms."""
    nodes = np.cumsum([0] + [len(form.feature) for form in forms])
    leaves = np.cumsum([0] + [len(form.entry_offsets) - 1 for form in forms])
    entries = np.cumsum([0] + [len(form.weight) for form in forms])

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(form, name) for form in forms])

    def offsets(name: str, starts: np.ndarray) -> np.ndarray:
        parts = [getattr(form, name)[:-1] + start for form, start in zip(forms, starts, strict=False)]
        return np.concatenate([*parts, starts[-1:]])

    def children(name: str) -> np.ndarray:
        parts = []
        for at, form in enumerate(forms):
            child = getattr(form, name)
            parts.append(np.where(child >= 0, child + nodes[at], child - leaves[at]))
        return np.concatenate(parts)

    whole = all(form.reach is not None for form in forms)
    with_codes = any(form.code_offsets is not None for form in forms)
    return replace(
        forms[0],
        feature=joined("feature"),
        threshold=joined("threshold"),
        missing_yes=joined("missing_yes"),
        target=joined("target"),
        weight=joined("weight"),
        node_offsets=offsets("node_offsets", nodes),
        leaf_offsets=offsets("leaf_offsets", leaves),
        yes=children("yes"),
        no=children("no"),
        entry_offsets=offsets("entry_offsets", entries),
        reach=joined("reach") if whole else None,
        **(_joined_codes(forms) if with_codes else {}),
    )


def _joined_codes(forms: Sequence[Trees]) -> dict[str, Any]:
    """Return the category codes of the nodes of all forms; nodes with a threshold have none."""
    counts = [
        np.zeros(len(form.feature), dtype=np.int64)
        if form.code_offsets is None
        else np.diff(form.code_offsets)
        for form in forms
    ]
    return {
        "code_offsets": np.concatenate([[0], np.cumsum(np.concatenate(counts))]),
        "codes": np.concatenate([form.codes for form in forms if form.codes is not None]),
    }


def _share(form: Trees, total: int, models: int) -> float:
    """Return the weight of a model's leaves; averaged trees are later divided by the tree count."""
    if not form.averaged:
        return 1.0 / models
    return total / (models * max(form.n_trees, 1))


def calibrated(form: Form, scale: float, offset: np.ndarray) -> Form:
    """Return the classifier whose probabilities are ``softmax(scale * log(p) + offset)``.

    Parameters
    ----------
    form : Form
    scale : float
        Positive.
    offset : numpy.ndarray, shape (k,)

    Examples
    --------
    >>> form = Linear(np.array([[1.0]]), np.zeros(1), "sigmoid")
    >>> calibrated(form, 2.0, np.array([0.0, 1.0])).apply(np.ones((1, 1))).round(4).tolist()
    [[0.0474, 0.9526]]
    """
    if form.link not in ("sigmoid", "softmax"):
        return Blend((form,), (1.0,), (None,), scale=scale, offset=np.asarray(offset, dtype=np.float64))
    shift = np.asarray(offset, dtype=np.float64)
    shift = shift[1:] - shift[:1] if form.link == "sigmoid" else shift
    if isinstance(form, Trees):
        return replace(form, weight=form.weight * scale, base=form.base * scale + shift)
    if isinstance(form, Linear):
        return replace(form, weights=form.weights * scale, bias=form.bias * scale + shift)
    if isinstance(form, Network):
        last = len(form.weights) - 1
        return replace(
            form,
            weights=[each * scale if at == last else each for at, each in enumerate(form.weights)],
            biases=[each * scale + shift if at == last else each for at, each in enumerate(form.biases)],
        )
    if isinstance(form, OnnxGraph):
        own = np.zeros(form.n_raw) if form.offset is None else form.offset
        return replace(form, scale=form.scale * scale, offset=own * scale + shift)
    share = 1.0 / sum(form.weights)
    return replace(form, members=tuple(calibrated(each, scale, offset) for each in form.members), weights=tuple(
        each * share for each in form.weights))  # fmt: skip


# ---------------------------------------------------------------- to and from plain arrays


def to_arrays(form: Form) -> dict[str, np.ndarray]:
    """Return a form as named arrays for `from_arrays`: the model as stored between processes.

    Examples
    --------
    >>> form = Linear(np.array([[2.0]]), np.array([1.0]), "identity")
    >>> from_arrays(to_arrays(form)).apply(np.ones((1, 1))).tolist()
    [[3.0]]
    """
    out: dict[str, np.ndarray] = {"kind": np.asarray(type(form).__name__)}
    for each in fields(form):
        value = getattr(form, each.name)
        if value is None:
            continue
        if isinstance(value, bytes):
            out[each.name] = np.frombuffer(value, dtype=np.uint8)
        elif isinstance(value, Trees | Network):
            out |= {f"{each.name}.{name}": array for name, array in to_arrays(value).items()}
        elif each.name in ("members", "columns"):
            for at, part in enumerate(value):
                if isinstance(part, np.ndarray):
                    out[f"{each.name}.{at}"] = part
                elif part is not None:
                    out |= {f"{each.name}.{at}.{name}": array for name, array in to_arrays(part).items()}
        elif each.name in ("weights", "biases") and isinstance(form, Network):
            out |= {f"{each.name}.{at}": np.asarray(part) for at, part in enumerate(value)}
        else:
            out[each.name] = np.asarray(value)
    return out


def from_arrays(arrays: dict[str, np.ndarray]) -> Form:
    """Return the form of arrays made by `to_arrays`."""
    kinds: dict[str, Any] = {kind.__name__: kind for kind in (Trees, Linear, Network, OnnxGraph, Blend)}
    kind = kinds[str(arrays["kind"])]
    values: dict[str, Any] = {}
    for each in fields(kind):
        if each.name in arrays:
            array = arrays[each.name]
            values[each.name] = array.item() if array.ndim == 0 else array
    for name in ("before", "meta"):
        if f"{name}.kind" in arrays:
            values[name] = from_arrays(_inside(arrays, f"{name}."))
    if kind is OnnxGraph:
        values["model"] = arrays["model"].tobytes()
    if kind is Network:
        for name in ("weights", "biases"):
            values[name] = [arrays[f"{name}.{at}"] for at in range(_count(arrays, name))]
    if kind is Blend:
        count = _count(arrays, "members")
        values["members"] = tuple(from_arrays(_inside(arrays, f"members.{at}.")) for at in range(count))
        values["columns"] = tuple(arrays.get(f"columns.{at}") for at in range(count))
        values["weights"] = tuple(float(each) for each in values["weights"])
    return kind(**values)  # type: ignore[no-any-return]  # one of the five


def _count(arrays: dict[str, np.ndarray], name: str) -> int:
    return len({key.split(".")[1] for key in arrays if key.startswith(f"{name}.")})


def _inside(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}
