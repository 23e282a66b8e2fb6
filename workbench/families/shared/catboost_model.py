"""Input and output of CatBoost: rows with categories as strings, and model documents as trees."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import FitError

from ..base import Problem, Sample
from ..forms.ctr_lookups import lookup_trees, places_of
from ..forms.links import Link
from ..forms.trees import Trees
from .targets import TargetScale

_FEW_LEVELS = 2  # a category of two levels is used as a number
RAREST = 1e-6  # share of a class without training rows


def catboost_library() -> Any:
    """Import CatBoost.

    Raises
    ------
    FitError
        If it is not installed; the hint shows how to install it.
    """
    try:
        import catboost
    except ImportError as error:
        raise FitError(
            "CatBoost cannot be imported",
            found=str(error),
            hint='Install it: pip install "workbench-automl[catboost]".',
        ) from error
    return catboost


@dataclass(frozen=True, slots=True)
class Inputs:
    """Features that CatBoost treats as categories, with the number of codes of each.

    All features are also given as numbers: a target statistic has few distinct values and may merge
    levels that the code separates, and codes follow the order of the levels' names, which often is
    informative.
    """

    categories: tuple[int, ...]
    sizes: tuple[int, ...]
    width: int

    @classmethod
    def of(cls, sample: Sample) -> Inputs:
        """Use coded features as categories if more than two codes occur."""
        sizes = {}
        for at in sample.codes:
            codes = sample.X[:, at]
            found = np.unique(codes[np.isfinite(codes) & (codes >= 0)])
            if len(found) > _FEW_LEVELS:
                sizes[at] = int(found[-1]) + 1
        return cls(tuple(sizes), tuple(sizes.values()), sample.width)

    def pool(self, X: np.ndarray, **more: Any) -> Any:
        """Return a `catboost.Pool`, in which a category is a string of its position."""
        import catboost

        if not self.categories:
            return catboost.Pool(np.ascontiguousarray(X), **more)
        places = [places_of(X[:, at], size) for at, size in zip(self.categories, self.sizes, strict=True)]
        return self._pool(X, places, **more)

    def table(self) -> Any:
        """Return one row for each position of the largest table.

        Smaller tables repeat the position of other values.
        """
        rows = np.arange(max(self.sizes) + 2)
        places = [np.where(rows < size, rows, size) for size in self.sizes]
        for own, size in zip(places, self.sizes, strict=True):
            own[-1] = size + 1
        return self._pool(np.zeros((len(rows), self.width), np.float32), places)

    def _pool(self, numbers: np.ndarray, places: Sequence[np.ndarray], **more: Any) -> Any:
        import catboost

        strings = np.empty((len(numbers), len(places)), dtype=object)
        for column, (own, size) in enumerate(zip(places, self.sizes, strict=True)):
            names = [*(b"%d" % code for code in range(size)), b"other", b"missing"]
            strings[:, column] = np.asarray(names, dtype=object)[own]
        numbers = np.ascontiguousarray(numbers, dtype=np.float32)
        return catboost.Pool(
            catboost.FeaturesData(num_feature_data=numbers, cat_feature_data=strings), **more
        )


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Raw scores that the model predicts; classes without training rows get a low constant score.

    Attributes
    ----------
    count : int
        Raw scores of the problem.
    classes : numpy.ndarray of int64
        Raw scores of the model: classes that occur in training.
    """

    count: int
    classes: np.ndarray

    @classmethod
    def of(cls, train: Sample, problem: Problem) -> Outputs:
        """Return one score per class that occurs; a single one for two classes or a number."""
        if problem.task != "multiclass":
            return cls(1, np.zeros(1, dtype=np.int64))
        return cls(problem.n_classes, np.unique(train.y))

    def whole(self, raw: np.ndarray) -> np.ndarray:
        """Return all scores, float64 (n, count), from those of the model, (n, classes) or (n,)."""
        out = np.full((len(raw), self.count), np.log(RAREST))
        out[:, self.classes] = np.asarray(raw, dtype=np.float64).reshape(len(raw), len(self.classes))
        return out


# ---------------------------------------------------------------- the model document


def model_document(model: Any) -> dict[str, Any]:
    """Return the model as CatBoost saves it in JSON."""
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def read_trees(
    document: Mapping[str, Any], inputs: Inputs, outputs: Outputs, link: Link, scale: TargetScale
) -> Trees:
    """Parse a CatBoost model document.

    Parameters
    ----------
    document : mapping
        A model saved with ``format="json"``.
    inputs : Inputs
    outputs : Outputs
    link : Link
    scale : TargetScale
        Scale of the target that the trees were trained on; scores are in the target's unit.

    Returns
    -------
    Trees
        Categorical splits use outputs of the trees `before`, which look up the code.

    Raises
    ------
    FitError
        If the model has splits that this parser does not support (`CatBoost.fit` makes none).

    Notes
    -----
    Split i of a tree gives bit i of the leaf index: whether ``value > border``, both float32, or
    whether the category equals the one of the split. NaN is below all borders unless the feature
    has ``AsTrue``.
    """
    trees = document["oblivious_trees"]
    factor, bias = document["scale_and_bias"]
    lookups = _read_lookups(document, inputs)
    bits = [
        [_read_split(split, document, inputs, lookups.places) for split in tree.get("splits") or ()]
        for tree in trees
    ]
    depth = np.asarray([len(each) for each in bits], dtype=np.int64)
    node_offsets = np.concatenate([[0], np.cumsum(2**depth - 1)])
    leaf_offsets = np.concatenate([[0], np.cumsum(2**depth)])
    parts = [
        _lay(each, int(node), int(leaf))
        for each, node, leaf in zip(bits, node_offsets, leaf_offsets, strict=False)
    ]
    feature, threshold, missing_yes, yes, no = (
        np.concatenate([part[at] for part in parts]) if parts else np.zeros(0) for at in range(5)
    )
    leaves, each_leaf = int(leaf_offsets[-1]), len(outputs.classes)
    values = np.concatenate([np.asarray(tree["leaf_values"], dtype=np.float64) for tree in trees])
    return Trees(
        node_offsets=node_offsets,
        leaf_offsets=leaf_offsets,
        feature=feature.astype(np.int64),
        threshold=threshold.astype(np.float32),
        yes=yes.astype(np.int64),
        no=no.astype(np.int64),
        missing_yes=missing_yes.astype(bool),
        entry_offsets=np.arange(leaves + 1) * each_leaf,
        target=np.tile(outputs.classes, leaves),
        weight=values * factor * scale.spread,
        base=scale.unscaled(outputs.whole(np.asarray([bias]))[0]),
        link=link,
        reach=np.concatenate([_reach(tree, len(each)) for tree, each in zip(trees, bits, strict=True)]),
        before=lookups.trees,
    )


def _lay(
    splits: Sequence[tuple[int, float, bool]], node: int, leaf: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return feature, threshold, NaN direction and both children of the nodes of a symmetric tree.

    Nodes are ordered by level; the root is the last split.
    """
    depth = len(splits)
    widths = 2 ** np.arange(depth)
    columns = [np.repeat([split[at] for split in splits[::-1]], widths) for at in range(3)]
    place = np.arange(2**depth - 1)
    bottom = place >= 2 ** max(depth - 1, 0) - 1

    def child(side: int) -> np.ndarray:
        below = 2 * place + 1 + side
        return np.asarray(np.where(bottom, -1 - (leaf + below - (2**depth - 1)), node + below))

    return (*columns, child(0), child(1))  # type: ignore[return-value]  # three columns


def _reach(tree: Mapping[str, Any], depth: int) -> np.ndarray:
    weights = np.asarray(tree["leaf_weights"], dtype=np.float64)
    shares = weights / max(weights.sum(), 1e-300)
    levels = [shares.reshape(2**level, -1).sum(axis=1) for level in range(depth)]
    return np.concatenate(levels) if levels else np.zeros(0)


def _read_split(
    split: Mapping[str, Any],
    document: Mapping[str, Any],
    inputs: Inputs,
    places: Mapping[int, tuple[int, float]],
) -> tuple[int, float, bool]:
    """Return feature, threshold and whether NaN is treated as below the threshold."""
    if split["split_type"] != "FloatFeature":
        feature, threshold = places[split["split_index"]]
        return feature, threshold, True
    at = split["float_feature_index"]
    treatment = document["features_info"]["float_features"][at].get("nan_value_treatment")
    return at, split["border"], treatment != "AsTrue"


# ---------------------------------------------------------------- categorical splits


@dataclass(frozen=True, slots=True)
class _Lookups:
    """Trees that map a code to the number of borders of a statistic below it.

    `places` maps the index of a split in the document to a feature (negative: an output of the
    trees) and a threshold.
    """

    trees: Trees | None
    places: dict[int, tuple[int, float]]


def _read_lookups(document: Mapping[str, Any], inputs: Inputs) -> _Lookups:
    """Evaluate each categorical split in CatBoost, for every code.

    However CatBoost hashes, counts and rounds, the result is a table of codes. Splits of one
    statistic are nested, so the number of splits that a code passes determines all of them.
    """
    splits = {
        split["split_index"]: split
        for tree in document["oblivious_trees"]
        for split in tree.get("splits") or ()
        if split["split_type"] != "FloatFeature"
    }
    if not splits:
        return _Lookups(None, {})
    order = sorted(splits)
    owners = _owners(document, order)
    passed = _passed(document, [splits[index] for index in order], inputs)
    features, tables = [], []
    places: dict[int, tuple[int, float]] = {}
    for owner in dict.fromkeys(owners.values()):
        own = [at for at, index in enumerate(order) if owners[index] == owner]
        size = inputs.sizes[owner[0]]
        table = np.concatenate([passed[: size + 1], passed[-1:]])[:, own].astype(np.int64)
        features.append(inputs.categories[owner[0]])
        tables.append(table.sum(axis=1))
        for rank, at in enumerate(sorted(range(len(own)), key=lambda at: -int(table[:, at].sum()))):
            if not np.array_equal(table[:, at], tables[-1] > rank):
                raise FitError("a CatBoost model has splits that cannot be served", found="unordered borders")
            places[order[own[at]]] = (-len(tables), rank + 0.5)
    return _Lookups(lookup_trees(features, tables), places)


def _passed(document: Mapping[str, Any], splits: Sequence[Mapping[str, Any]], inputs: Inputs) -> np.ndarray:
    """Return whether each position of the table passes each split, by trees of one split."""
    catboost = catboost_library()
    stumps = [{"splits": [split], "leaf_values": [0.0, 1.0], "leaf_weights": [1, 1]} for split in splits]
    probe = {**document, "oblivious_trees": stumps, "scale_and_bias": [1.0, [0.0]]}
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        path = Path(folder) / "splits.json"
        path.write_text(json.dumps(probe), encoding="utf-8")
        model = catboost.CatBoost()
        model.load_model(str(path), format="json")
    return np.asarray(model.calc_leaf_indexes(inputs.table(), thread_count=1)) > 0


def _owners(document: Mapping[str, Any], order: Sequence[int]) -> dict[int, tuple[int, str, int]]:
    """Return, by split index, the category and the statistic (or the level) that a split uses.

    Indexes run over the borders of all numbers first, then the one-hot levels, then the borders of
    all statistics.
    """
    info = document["features_info"]
    at = sum(len(each.get("borders") or ()) for each in info.get("float_features", ()))
    known: dict[int, tuple[int, str, int]] = {}
    for each in info.get("categorical_features", ()):
        for _ in each.get("values") or ():
            known[at] = (each["feature_index"], "level", at)
            at += 1
    for number, each in enumerate(info.get("ctrs", ())):
        elements = each["elements"]
        for _ in each["borders"]:
            if len(elements) == 1:
                known[at] = (elements[0]["cat_feature_index"], "statistic", number)
            at += 1
    if any(index not in known for index in order):
        raise FitError("a CatBoost model has splits that cannot be served", found="combined categories")
    return {index: known[index] for index in order}
