"""What CatBoost takes and what it has learned: rows with categories as texts, and a model document read into trees."""

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

_FEW_LEVELS = 2  # two levels are a number
RAREST = 1e-6  # share of a class that is not met at all


def catboost_library() -> Any:
    """Return the module, or raise the FitError that says how to get it."""
    try:
        import catboost
    except ImportError as error:
        raise FitError(
            "CatBoost cannot be trained here",
            found=str(error),
            hint='Install it: pip install "workbench-automl[catboost]".',
        ) from error
    return catboost


@dataclass(frozen=True, slots=True)
class Inputs:
    """Which features are categories to CatBoost, with the size of each one's table of codes.

    All features are numbers to it besides. A statistic of a category is kept in a few steps, in which levels mix that a
    code tells apart, and codes are in the order of their levels' names, which often means something.
    """

    categories: tuple[int, ...]
    sizes: tuple[int, ...]
    width: int

    @classmethod
    def of(cls, sample: Sample) -> Inputs:
        """Take features with codes for categories where more than two codes occur."""
        sizes = {}
        for at in sample.codes:
            codes = sample.X[:, at]
            met = np.unique(codes[np.isfinite(codes) & (codes >= 0)])
            if len(met) > _FEW_LEVELS:
                sizes[at] = int(met[-1]) + 1
        return cls(tuple(sizes), tuple(sizes.values()), sample.width)

    def pool(self, X: np.ndarray, **more: Any) -> Any:
        """Return rows as CatBoost takes them: a category is the text of its place."""
        import catboost

        if not self.categories:
            return catboost.Pool(np.ascontiguousarray(X), **more)
        places = [places_of(X[:, at], size) for at, size in zip(self.categories, self.sizes, strict=True)]
        return self._pool(X, places, **more)

    def table(self) -> Any:
        """Return a row for each place of the largest table; smaller ones repeat their place for others."""
        rows = np.arange(max(self.sizes) + 2)
        places = [np.where(rows < size, rows, size) for size in self.sizes]
        for own, size in zip(places, self.sizes, strict=True):
            own[-1] = size + 1
        return self._pool(np.zeros((len(rows), self.width), np.float32), places)

    def _pool(self, numbers: np.ndarray, places: Sequence[np.ndarray], **more: Any) -> Any:
        import catboost

        texts = np.empty((len(numbers), len(places)), dtype=object)
        for column, (own, size) in enumerate(zip(places, self.sizes, strict=True)):
            names = [*(b"%d" % code for code in range(size)), b"other", b"missing"]
            texts[:, column] = np.asarray(names, dtype=object)[own]
        numbers = np.ascontiguousarray(numbers, dtype=np.float32)
        return catboost.Pool(catboost.FeaturesData(num_feature_data=numbers, cat_feature_data=texts), **more)


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Which of the raw scores the model gives: those of classes that the rows lack are low, and the same for all."""

    count: int
    met: np.ndarray

    @classmethod
    def of(cls, train: Sample, problem: Problem) -> Outputs:
        """Give each class met a score of its own; two classes, and a number, have one in all."""
        if problem.task != "multiclass":
            return cls(1, np.zeros(1, dtype=np.int64))
        return cls(problem.n_classes, np.unique(train.y))

    def whole(self, raw: np.ndarray) -> np.ndarray:
        """Return all scores, float64 (n, count), from the model's own, (n, met) or (n,)."""
        out = np.full((len(raw), self.count), np.log(RAREST))
        out[:, self.met] = np.asarray(raw, dtype=np.float64).reshape(len(raw), len(self.met))
        return out


# ---------------------------------------------------------------- the model's document


def model_document(model: Any) -> dict[str, Any]:
    """Return what CatBoost saves as JSON."""
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def read_trees(
    document: Mapping[str, Any], inputs: Inputs, outputs: Outputs, link: Link, scale: TargetScale
) -> Trees:
    """Read a CatBoost model document.

    Parameters
    ----------
    document : mapping
        What CatBoost saves with ``format="json"``.
    inputs : Inputs
        Which features are categories.
    outputs : Outputs
        Which raw scores each leaf answers.
    link : Link
    scale : TargetScale
        Of the target that the trees were trained on; the scores are given in the target's own unit.

    Returns
    -------
    Trees
        Splits of categories look at what the trees `before` them make of the code.

    Raises
    ------
    FitError
        Where the model has splits that this reader does not know (none that `CatBoost.fit` makes).

    Notes
    -----
    Split i of a tree gives bit i of its leaf's number: whether ``value > border``, both float32, or whether the
    category is the one asked for. NaN lies below all borders unless the feature says ``AsTrue``.
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
    leaves, each_leaf = int(leaf_offsets[-1]), len(outputs.met)
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
        target=np.tile(outputs.met, leaves),
        weight=values * factor * scale.spread,
        base=scale.unscaled(outputs.whole(np.asarray([bias]))[0]),
        link=link,
        reach=np.concatenate([_reach(tree, len(each)) for tree, each in zip(trees, bits, strict=True)]),
        before=lookups.trees,
    )


def _lay(
    splits: Sequence[tuple[int, float, bool]], node: int, leaf: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return feature, threshold, where NaN goes and both children of the nodes, by level from the last split on."""
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
    """Return feature, threshold and whether NaN goes with what lies below."""
    if split["split_type"] != "FloatFeature":
        feature, threshold = places[split["split_index"]]
        return feature, threshold, True
    at = split["float_feature_index"]
    treatment = document["features_info"]["float_features"][at].get("nan_value_treatment")
    return at, split["border"], treatment != "AsTrue"


# ---------------------------------------------------------------- splits of categories


@dataclass(frozen=True, slots=True)
class _Lookups:
    """Trees that answer for a code how many of a statistic's borders lie below it, and where each split finds that.

    `places` has, by a split's index in the document, the feature (below zero: an output of the trees) and threshold.
    """

    trees: Trees | None
    places: dict[int, tuple[int, float]]


def _read_lookups(document: Mapping[str, Any], inputs: Inputs) -> _Lookups:
    """Ask CatBoost itself which codes each split of a category sends up.

    Whatever it hashes, counts and rounds to get there, the answer is a table of the codes. Splits of one statistic
    are nested, so that one number, how many of them a code passes, answers them all.
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
        kept = np.concatenate([passed[: size + 1], passed[-1:]])[:, own].astype(np.int64)
        features.append(inputs.categories[owner[0]])
        tables.append(kept.sum(axis=1))
        for rank, at in enumerate(sorted(range(len(own)), key=lambda at: -int(kept[:, at].sum()))):
            if not np.array_equal(kept[:, at], tables[-1] > rank):
                raise FitError("a CatBoost model has splits that cannot be served", found="unordered borders")
            places[order[own[at]]] = (-len(tables), rank + 0.5)
    return _Lookups(lookup_trees(features, tables), places)


def _passed(document: Mapping[str, Any], splits: Sequence[Mapping[str, Any]], inputs: Inputs) -> np.ndarray:
    """Return for each place of the table of codes whether it passes each split, by a model of one tree a split."""
    catboost = catboost_library()
    stumps = [{"splits": [split], "leaf_values": [0.0, 1.0], "leaf_weights": [1, 1]} for split in splits]
    asked = {**document, "oblivious_trees": stumps, "scale_and_bias": [1.0, [0.0]]}
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        path = Path(folder) / "splits.json"
        path.write_text(json.dumps(asked), encoding="utf-8")
        model = catboost.CatBoost()
        model.load_model(str(path), format="json")
    return np.asarray(model.calc_leaf_indexes(inputs.table(), thread_count=1)) > 0


def _owners(document: Mapping[str, Any], order: Sequence[int]) -> dict[int, tuple[int, str, int]]:
    """Return for each split's index its category, and which statistic of it is asked (or which level).

    Indexes count the borders of all numbers first, then the levels asked for, then the borders of all statistics.
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
