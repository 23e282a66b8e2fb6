"""What the families share that LightGBM trains: the binned data, the loop around it, and the reader of its models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.errors import FitError

from ..base import Params, Problem, Sample
from ..forms.additive_tables import collapse
from ..forms.links import Link, apply_link
from ..forms.trees import Trees, floor32
from .base_family import FitOptions
from .boosting import boost, rounds_allowed
from .targets import TargetScale, number_link, scale_for

_OBJECTIVE = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}
_LINK: dict[str, Link] = {"binary": "sigmoid", "multiclass": "softmax"}
_CATEGORICAL, _DEFAULT_LEFT, _MISSING_ZERO, _MISSING_NAN = 1, 2, 4, 8  # bits of decision_type
_SMALL, _WIDE = 1_000, 200  # few rows of few features: a bin for each distinct value; many features: few bins


@dataclass(frozen=True, slots=True, eq=False)
class FittedLightGBM:
    """A trained booster, the scale of its target, and whether each of its trees asks for one feature alone."""

    booster: Any
    link: Link
    n_raw: int
    scale: TargetScale
    rounds: int
    stopped: bool
    additive: bool = False
    trained: int = 0
    unseen: None = None

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return the library's own raw scores; see `workbench.families.base.Fitted.raw`."""
        kept = min(rounds or self.rounds, self.rounds)
        raw = self.booster.predict(X, num_iteration=kept, raw_score=True, num_threads=1)
        return self.scale.unscaled(np.asarray(raw, dtype=np.float64).reshape(len(X), self.n_raw))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the library's own prediction; see `workbench.families.base.Fitted.predict`."""
        return apply_link(self.raw(X), self.link)

    def form(self) -> Trees:
        """Return the trees, or one tree a feature where each asks for one feature alone."""
        return collapse(self.uncut()) if self.additive else self.uncut()

    def uncut(self) -> Trees:
        """Return the trees as they were grown, of which later rounds can be cut off."""
        text = self.booster.model_to_string(num_iteration=self.rounds)
        return read_trees(text, self.n_raw, self.link, self.scale)


# ---------------------------------------------------------------- training


def grow(
    settings: Mapping[str, Any],
    params: Params,
    train: Sample,
    problem: Problem,
    options: FitOptions,
) -> FittedLightGBM:
    """Train a booster; see `workbench.families.base.Family.fit` for the arguments.

    Parameters
    ----------
    settings : mapping
        LightGBM's own, beside those that every fit here has. With ``interaction_constraints`` each tree asks for one
        feature alone.
    params : mapping
        Of them ``n_estimators``, ``learning_rate`` and, where there are such, ``target`` and ``categories`` are read.

    Raises
    ------
    FitError
        Where there is nothing to learn from, or LightGBM fails.
    """
    import lightgbm

    valid = options.valid
    scale, rate = scale_for(train, problem, params), params["learning_rate"]
    guided = valid is not None and len(valid.y) > 0
    every = {**_binning(train), **_every_fit(problem, len(train.y)), "learning_rate": rate, **settings}
    native = params.get("categories") == "native"
    try:
        booster = _booster(lightgbm, every, scale, train, valid if guided else None, native=native)
        boosted = boost(
            lambda at: not booster.update(),
            (lambda: float(booster.eval_valid()[0][2])) if guided else None,
            most=rounds_allowed(params["n_estimators"], rate, options.rounds, guided),
            learning_rate=rate,
            deadline=options.deadline,
        )
    except lightgbm.basic.LightGBMError as error:
        raise FitError("LightGBM failed", found=str(error).splitlines()[0]) from error
    booster.free_dataset()
    additive = "interaction_constraints" in settings
    n_raw = problem.n_classes if problem.task == "multiclass" else 1
    link = number_link(problem, scale) if problem.task == "regression" else _LINK[problem.task]
    return FittedLightGBM(
        booster, link, n_raw, scale, boosted.rounds, boosted.stopped, additive, boosted.trained
    )


def _every_fit(problem: Problem, rows: int) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "objective": problem.deviance or ("regression_l1" if problem.absolute else _OBJECTIVE[problem.task]),
        "min_data_per_group": min(100, max(rows // 20, 2)),
        "force_col_wise": True,
        "deterministic": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    return {**settings, "num_class": problem.n_classes} if problem.task == "multiclass" else settings


def one_feature_a_tree(width: int) -> dict[str, Any]:
    """Return the settings under which each tree asks for one of so many features alone.

    Examples
    --------
    >>> one_feature_a_tree(2)
    {'interaction_constraints': [[0], [1]]}
    """
    return {"interaction_constraints": [[at] for at in range(width)]}


def _binning(sample: Sample) -> dict[str, Any]:
    """Return the settings that shape the binned data; they depend on the whole matrix, so that its parts agree."""
    rows = len(sample.shared.y) if sample.shared is not None else len(sample.y)
    return {
        "max_bin": 255 if sample.width <= _WIDE else 63,
        "min_data_in_bin": 1 if rows < _SMALL and sample.width <= _WIDE else 3,
        "bin_construct_sample_cnt": 50_000,
        "feature_pre_filter": False,
        "num_threads": 1,
        "verbosity": -1,
    }


def _booster(
    lightgbm: Any,
    settings: dict[str, Any],
    scale: TargetScale,
    train: Sample,
    valid: Sample | None,
    *,
    native: bool,
) -> Any:
    if train.shared is None:
        codes = list(train.codes) if native else []
        data = lightgbm.Dataset(
            train.X, scale.scaled(train.y), weight=train.weight, categorical_feature=codes, params=settings
        )
    else:
        data = _cut(lightgbm, train, scale, native=native)
    booster = lightgbm.Booster(settings, data)
    if valid is None:
        return booster
    if train.shared is not None and valid.shared is train.shared:
        watched = _cut(lightgbm, valid, scale, native=native)
    else:
        watched = data.create_valid(valid.X, scale.scaled(valid.y), weight=valid.weight, params=settings)
    booster.add_valid(watched, "valid")
    return booster


def _cut(lightgbm: Any, sample: Sample, scale: TargetScale, *, native: bool) -> Any:
    """Cut rows out of the shared matrix's binned form, which is made once: 0.03 s instead of 1.3 s for 100,000 rows."""
    shared = sample.shared
    assert shared is not None
    codes = list(shared.codes) if native else []

    def binned() -> Any:
        label = np.zeros(len(shared.y), dtype=np.float32)
        data = lightgbm.Dataset(shared.X, label, categorical_feature=codes, params=_binning(sample))
        return data.construct()

    part = shared.once(("lightgbm", bool(codes)), binned).subset(sample.rows).construct()
    part.set_label(scale.scaled(sample.y))
    part.set_weight(sample.weight)
    return part


# ---------------------------------------------------------------- the model's text


def read_trees(text: str, n_raw: int, link: Link, scale: TargetScale) -> Trees:
    """Read a LightGBM model text.

    Parameters
    ----------
    text : str
        What `lightgbm.Booster.model_to_string` returns.
    n_raw : int
        Trees of one round, one for each raw score.
    link : Link
    scale : TargetScale
        Of the target that the trees were trained on; the scores are given in the target's own unit.

    Returns
    -------
    Trees

    Raises
    ------
    FitError
        Where the model has splits that this reader does not know (none that `LightGBM.fit` makes).

    Notes
    -----
    A value goes left where ``value <= threshold`` in float64, so thresholds are rounded down to float32. NaN follows
    the split's default where the split knows missing values, and counts as 0 where it does not
    (``Tree::NumericalDecision`` in LightGBM's ``include/LightGBM/tree.h``). A split of categories sends the codes of
    its bit set left and all else right (``Tree::CategoricalDecision``).
    """
    trees = [_fields(block) for block in text.split("\nTree=")[1:]]
    split = [_numbers(tree, "split_feature", np.int64) for tree in trees]
    sizes = np.asarray([len(each) for each in split], dtype=np.int64)
    values = [_numbers(tree, "leaf_value", np.float64) for tree in trees]
    node_offsets, leaf_offsets = _offsets(sizes), _offsets(np.asarray([len(each) for each in values]))
    of_node = np.repeat(np.arange(len(trees)), sizes)
    threshold = _joined(trees, "threshold", np.float64)
    kind = _joined(trees, "decision_type", np.int64)
    is_set = (kind & _CATEGORICAL) > 0
    if (kind[~is_set] & _MISSING_ZERO).any() or "is_linear=1" in text:
        raise FitError(
            "a LightGBM model has splits that cannot be served", found=f"decision types {set(kind.tolist())}"
        )
    knows_missing = (kind & _MISSING_NAN) > 0

    def child(name: str) -> np.ndarray:
        local = _joined(trees, name, np.int64)
        return np.asarray(np.where(local >= 0, local + node_offsets[of_node], local - leaf_offsets[of_node]))

    counts = _joined(trees, "internal_count", np.float64)
    tops = counts[node_offsets[of_node]]
    leaves = np.concatenate(values)
    return Trees(
        node_offsets=node_offsets,
        leaf_offsets=leaf_offsets,
        feature=np.concatenate(split),
        threshold=floor32(np.where(is_set, 0.0, threshold)),
        yes=child("left_child"),
        no=child("right_child"),
        missing_yes=~is_set & np.where(knows_missing, (kind & _DEFAULT_LEFT) > 0, threshold >= 0.0),
        entry_offsets=np.arange(len(leaves) + 1),
        target=np.repeat(np.arange(len(trees)) % n_raw, np.diff(leaf_offsets)),
        weight=leaves * scale.spread,
        base=np.full(n_raw, scale.center),
        link=link,
        trees_per_round=n_raw,
        reach=counts / np.maximum(tops, 1.0),
        **(_members(trees, threshold, is_set, sizes) if is_set.any() else {}),
    )


def _members(
    trees: list[dict[str, str]], threshold: np.ndarray, is_set: np.ndarray, sizes: np.ndarray
) -> dict[str, Any]:
    """Return the codes that each split of categories sends left; its threshold says which of the tree's sets it is."""
    found: list[np.ndarray] = []
    for tree, own, chosen in zip(
        trees,
        np.split(threshold, np.cumsum(sizes)[:-1]),
        np.split(is_set, np.cumsum(sizes)[:-1]),
        strict=True,
    ):
        bounds, words = _numbers(tree, "cat_boundaries", np.int64), _numbers(tree, "cat_threshold", np.uint32)
        for at, is_member in zip(own.tolist(), chosen.tolist(), strict=True):
            bits = words[bounds[int(at)] : bounds[int(at) + 1]] if is_member else words[:0]
            found.append(np.flatnonzero(np.unpackbits(bits.view(np.uint8), bitorder="little")))
    return {
        "code_offsets": np.concatenate([[0], np.cumsum([len(each) for each in found])]),
        "codes": np.concatenate(found).astype(np.float32),
    }


def _fields(block: str) -> dict[str, str]:
    lines = block.split("\n\n", 1)[0].split("\n")[1:]
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _numbers(tree: dict[str, str], name: str, dtype: type) -> np.ndarray:
    return np.asarray(tree.get(name, "").split(), dtype=dtype)


def _joined(trees: list[dict[str, str]], name: str, dtype: type) -> np.ndarray:
    return np.asarray(" ".join(tree.get(name, "") for tree in trees).split(), dtype=dtype)


def _offsets(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
