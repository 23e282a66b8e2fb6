"""CatBoost: gradient boosting of symmetric trees, with statistics of the target for each category."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from workbench.errors import FitError

from .base import Encoding, Fitted, Params, Problem, Sample, Suggester
from .boosting import Watch, rounds_allowed
from .forms import Link, Trees, apply_link, constant_trees
from .lookups import lookup_trees, places_of
from .space import Choice, Real, Space, Whole, complete, distinct, draw, with_defaults
from .targets import TargetScale, check_sample, class_shares, scale_for, target_choice

_LOSS = {"binary": "Logloss", "multiclass": "MultiClass", "regression": "RMSE"}
_LINK: dict[str, Link] = {"binary": "sigmoid", "multiclass": "softmax", "regression": "identity"}
_WIDE = 200  # features from which fewer borders keep a round quick
_MOST_TEXTS = 1_000_000  # texts whose words are affordable as features
_RAREST = 1e-6  # share of a class that is not met at all
_FEW_LEVELS = 2  # two levels are a number
_FEW_ROWS = 100  # of which CatBoost may refuse to draw a part

#: Symmetric trees err differently from the other boosters' whatever their depth; depth and rate are what matters most.
_DEFAULTS: tuple[dict[str, Any], ...] = (
    {"learning_rate": 0.12},
    {"learning_rate": 0.07, "l2_leaf_reg": 2.2, "one_hot_max_size": 10},
    {"learning_rate": 0.09, "depth": 5, "l2_leaf_reg": 3.7, "one_hot_max_size": 2},
    {"n_estimators": 60, "learning_rate": 0.3, "depth": 4, "terms": 0},
    {"learning_rate": 0.06, "depth": 4, "l2_leaf_reg": 3.4, "one_hot_max_size": 10},
    {"learning_rate": 0.07, "depth": 7, "l2_leaf_reg": 1.7, "one_hot_max_size": 10},
)  # fmt: skip
_LOG_DEFAULT: dict[str, Any] = {"target": "log", "learning_rate": 0.12}


def _space(problem: Problem) -> Space:
    space: Space = {
        "n_estimators": Whole(20, 1500, default=1000),
        "learning_rate": Real(0.03, 0.3, default=0.1, log=True),
        "depth": Whole(3, 8, default=6, log=False),
        "l2_leaf_reg": Real(0.1, 30.0, default=3.0, log=True),
        "random_strength": Real(0.1, 10.0, default=1.0, log=True),
        "subsample": Real(0.6, 1.0, default=0.8),
        "colsample_bylevel": Real(0.3, 1.0, default=1.0),
    }
    categories: Space = {"one_hot_max_size": Whole(2, 30, default=5)} if problem.has_categories else {}
    affordable = problem.n_rows * problem.n_text <= _MOST_TEXTS
    terms: Space = {"terms": Choice((100, 0) if affordable else (0,))} if problem.n_text else {}
    return {**space, **categories, **terms, **target_choice(problem)}


@dataclass(frozen=True, slots=True)
class _Inputs:
    """Which features are categories to CatBoost, with the size of each one's table of codes, and which are numbers."""

    categories: tuple[int, ...]
    sizes: tuple[int, ...]
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, sample: Sample) -> _Inputs:
        """Take features with codes for categories where more than two codes occur."""
        sizes = {}
        for at in sample.codes:
            codes = sample.X[:, at]
            met = np.unique(codes[np.isfinite(codes) & (codes >= 0)])
            if len(met) > _FEW_LEVELS:
                sizes[at] = int(met[-1]) + 1
        numbers = tuple(at for at in range(sample.width) if at not in sizes)
        return cls(tuple(sizes), tuple(sizes.values()), numbers)

    def pool(self, X: np.ndarray, **more: Any) -> Any:
        """Return rows as CatBoost takes them: a category is the text of its place."""
        import catboost

        if not self.categories:
            return catboost.Pool(np.ascontiguousarray(X), **more)
        places = [places_of(X[:, at], size) for at, size in zip(self.categories, self.sizes, strict=True)]
        return self._pool(X[:, self.numbers], places, **more)

    def table(self) -> Any:
        """Return a row for each place of the largest table; smaller ones repeat their place for others."""
        rows = np.arange(max(self.sizes) + 2)
        places = [np.where(rows < size, rows, size) for size in self.sizes]
        for own, size in zip(places, self.sizes, strict=True):
            own[-1] = size + 1
        return self._pool(np.zeros((len(rows), len(self.numbers)), np.float32), places)

    def _pool(self, numbers: np.ndarray, places: Sequence[np.ndarray], **more: Any) -> Any:
        import catboost

        texts = np.empty((len(numbers), len(places)), dtype=object)
        for column, (own, size) in enumerate(zip(places, self.sizes, strict=True)):
            names = [*(b"%d" % code for code in range(size)), b"other", b"missing"]
            texts[:, column] = np.asarray(names, dtype=object)[own]
        numeric = np.ascontiguousarray(numbers, dtype=np.float32) if self.numbers else None
        return catboost.Pool(catboost.FeaturesData(num_feature_data=numeric, cat_feature_data=texts), **more)


@dataclass(frozen=True, slots=True, eq=False)
class _Outputs:
    """Which of the raw scores the model gives: those of classes that the rows lack are low, and the same for all."""

    count: int
    met: np.ndarray

    @classmethod
    def of(cls, train: Sample, problem: Problem) -> _Outputs:
        """Give each class met a score of its own; two classes, and a number, have one in all."""
        if problem.task != "multiclass":
            return cls(1, np.zeros(1, dtype=np.int64))
        return cls(problem.n_classes, np.unique(train.y))

    def whole(self, raw: np.ndarray) -> np.ndarray:
        """Return all scores, float64 (n, count), from the model's own, (n, met) or (n,)."""
        out = np.full((len(raw), self.count), np.log(_RAREST))
        out[:, self.met] = np.asarray(raw, dtype=np.float64).reshape(len(raw), len(self.met))
        return out


@dataclass(frozen=True, slots=True, eq=False)
class FittedCatBoost:
    """A trained model, and the scale of its target."""

    model: Any
    inputs: _Inputs
    outputs: _Outputs
    link: Link
    scale: TargetScale
    rounds: int
    stopped: bool

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return the library's own raw scores; see `workbench.families.base.Fitted.raw`."""
        kept = min(rounds or self.rounds, self.rounds)
        raw = self.model.predict(
            self.inputs.pool(X), prediction_type="RawFormulaVal", ntree_end=kept, thread_count=1
        )
        return self.scale.unscaled(self.outputs.whole(raw))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the library's own prediction; see `workbench.families.base.Fitted.predict`."""
        return apply_link(self.raw(X), self.link)

    def form(self) -> Trees:
        """Return the trees."""
        document = _document(self.model)
        document["oblivious_trees"] = document["oblivious_trees"][: self.rounds]
        return read_trees(document, self.inputs, self.outputs, self.link, self.scale)


@dataclass(frozen=True, slots=True, eq=False)
class _Constant:
    """One answer for every row, where there is nothing that CatBoost accepts."""

    answer: Trees
    rounds: int = 1
    stopped: bool = False

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return the same scores for each row."""
        return np.tile(self.answer.base, (len(X), 1))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the same prediction for each row."""
        return apply_link(self.raw(X), self.answer.link)

    def form(self) -> Trees:
        """Return an ensemble of no trees."""
        return self.answer


@dataclass(frozen=True, slots=True)
class CatBoost:
    """Gradient boosting with early stopping on log loss or squared error; it needs the extra ``catboost``.

    Examples
    --------
    >>> problem = Problem("binary", 2, n_rows=200, n_columns=2, has_categories=True)
    >>> CatBoost().portfolio(problem)[0]["learning_rate"]
    0.12
    """

    name: ClassVar[str] = "catboost"

    def supports(self, problem: Problem) -> bool:
        """Return True: it learns anything."""
        return True

    def encoding(self, params: Params, problem: Problem) -> Encoding:
        """Return raw numbers with missing ones kept, and categories as codes."""
        return Encoding(terms=with_defaults(_space(problem), params).get("terms", 0))

    def suggest(self, trial: Suggester, problem: Problem) -> dict[str, Any]:
        """Draw params; see `workbench.families.base.Family.suggest`."""
        return draw(_space(problem), self.name, trial)

    def portfolio(self, problem: Problem) -> list[dict[str, Any]]:
        """Return defaults; see `workbench.families.base.Family.portfolio`."""
        space = _space(problem)
        points = list(_DEFAULTS)
        if problem.skewed:
            points.insert(1, _LOG_DEFAULT)
        return distinct([complete(space, point) for point in points])

    def fit(
        self,
        params: Params,
        train: Sample,
        problem: Problem,
        *,
        valid: Sample | None = None,
        rounds: int | None = None,
        seed: int = 0,
        deadline: float = float("inf"),
    ) -> Fitted:
        """Train; see `workbench.families.base.Family.fit`."""
        catboost = _library()
        check_sample(train)
        params = with_defaults(_space(problem), params)
        scale = scale_for(train, problem, params)
        link: Link = "expm1" if scale.log else _LINK[problem.task]
        if not _can_learn(train):
            return _Constant(constant_trees(_constant(train, problem, scale), link))
        rate = params["learning_rate"]
        inputs, outputs = _Inputs.of(train), _Outputs.of(train, problem)
        watched = None if valid is None or rounds is not None else _known(valid, outputs)
        guided = watched is not None
        most = rounds_allowed(params["n_estimators"], rate, rounds, guided)
        watch = _Callback(Watch(most, rate, deadline, guided=guided), _LOSS[problem.task] if guided else "")
        model = catboost.CatBoost(_settings(params, problem, train, seed) | {"iterations": most})
        try:
            model.fit(
                _pool(inputs, outputs, train, scale),
                eval_set=None if watched is None else _pool(inputs, outputs, watched, scale),
                callbacks=[watch],
                use_best_model=False,
            )
        except catboost.CatBoostError as error:
            raise FitError("CatBoost failed", found=str(error).strip().splitlines()[0]) from error
        boosted = watch.watch.boosted
        kept = max(min(boosted.rounds, model.tree_count_), 1)
        return FittedCatBoost(model, inputs, outputs, link, scale, kept, boosted.stopped)


def _library() -> Any:
    try:
        import catboost
    except ImportError as error:
        raise FitError(
            "CatBoost cannot be trained here",
            found=str(error),
            hint='Install it: pip install "workbench-automl[catboost]".',
        ) from error
    return catboost


@dataclass(slots=True)
class _Callback:
    """What CatBoost asks after each round."""

    watch: Watch
    loss: str

    def after_iteration(self, info: Any) -> bool:
        """Tell whether to go on."""
        return self.watch.goes_on(float(info.metrics["validation"][self.loss][-1]) if self.loss else None)


def _settings(params: Params, problem: Problem, train: Sample, seed: int) -> dict[str, Any]:
    sampled = params["subsample"] < 1.0 and len(train.y) >= _FEW_ROWS
    settings = {
        "loss_function": _LOSS[problem.task],
        "boosting_type": "Plain",
        "grow_policy": "SymmetricTree",
        "learning_rate": params["learning_rate"],
        "depth": params["depth"],
        "l2_leaf_reg": params["l2_leaf_reg"],
        "random_strength": params["random_strength"],
        "bootstrap_type": "Bernoulli" if sampled else "No",
        "rsm": params["colsample_bylevel"],
        "one_hot_max_size": params.get("one_hot_max_size", 2),
        "max_ctr_complexity": 1,  # a statistic of one category is a table of its codes, which can be served
        "border_count": 254 if train.width <= _WIDE else 64,
        "nan_mode": "Min",
        "thread_count": 1,
        "random_seed": seed,
        "allow_writing_files": False,
        "logging_level": "Silent",
    }
    if sampled:
        settings["subsample"] = params["subsample"]
    return settings


def _pool(inputs: _Inputs, outputs: _Outputs, sample: Sample, scale: TargetScale) -> Any:
    many = outputs.count > 1
    label = np.searchsorted(outputs.met, sample.y) if many else scale.scaled(sample.y)
    return inputs.pool(sample.X, label=label, weight=sample.weight)


def _known(valid: Sample, outputs: _Outputs) -> Sample | None:
    """Return the rows to stop early on whose class can be answered; None where none can."""
    kept = np.isin(valid.y, outputs.met) if outputs.count > 1 else np.ones(len(valid.y), dtype=bool)
    if not kept.any() or (valid.weight is not None and not valid.weight[kept].sum() > 0):
        return None
    if kept.all():
        return valid
    weight = None if valid.weight is None else valid.weight[kept]
    return Sample(valid.X[kept], valid.y[kept], weight, valid.codes)


def _can_learn(train: Sample) -> bool:
    """Tell whether the target and any feature take two values: CatBoost refuses to train where they do not."""
    if len(train.y) < 2 or train.y.min() == train.y.max():
        return False
    X = train.X
    differs = np.not_equal(X, X[:1]) & ~(np.isnan(X) & np.isnan(X[:1]))
    return bool(differs.any())


def _constant(train: Sample, problem: Problem, scale: TargetScale) -> np.ndarray:
    """Return the scores that answer the class shares, or the mean."""
    if problem.task == "regression":
        return np.asarray([scale.center])
    logs = np.log(np.maximum(class_shares(train, problem.n_classes), _RAREST))
    return logs if problem.task == "multiclass" else logs[1:] - logs[:1]


# ---------------------------------------------------------------- the model's document


def _document(model: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def read_trees(
    document: Mapping[str, Any], inputs: _Inputs, outputs: _Outputs, link: Link, scale: TargetScale
) -> Trees:
    """Read a CatBoost model document.

    Parameters
    ----------
    document : mapping
        What CatBoost saves with ``format="json"``.
    inputs : _Inputs
        Which features are categories and which are numbers.
    outputs : _Outputs
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
    """Return feature, threshold, where NaN goes and both children of a tree's nodes, by level from its last split on."""
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
    inputs: _Inputs,
    places: Mapping[int, tuple[int, float]],
) -> tuple[int, float, bool]:
    """Return feature, threshold and whether NaN goes with what lies below."""
    if split["split_type"] != "FloatFeature":
        feature, threshold = places[split["split_index"]]
        return feature, threshold, True
    at = split["float_feature_index"]
    treatment = document["features_info"]["float_features"][at].get("nan_value_treatment")
    return inputs.numbers[at], split["border"], treatment != "AsTrue"


# ---------------------------------------------------------------- splits of categories


@dataclass(frozen=True, slots=True)
class _Lookups:
    """Trees that answer for a code how many of a statistic's borders lie below it, and where each split finds that.

    `places` has, by a split's index in the document, the feature (below zero: an output of the trees) and threshold.
    """

    trees: Trees | None
    places: dict[int, tuple[int, float]]


def _read_lookups(document: Mapping[str, Any], inputs: _Inputs) -> _Lookups:
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


def _passed(document: Mapping[str, Any], splits: Sequence[Mapping[str, Any]], inputs: _Inputs) -> np.ndarray:
    """Return for each place of the table of codes whether it passes each split, by a model of one tree a split."""
    catboost = _library()
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
