"""LightGBM: gradient boosting of leaf-wise grown trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from workbench.errors import FitError

from .base import Encoding, Fitted, Params, Problem, Sample, Suggester
from .boosting import boost, rounds_allowed
from .forms import Link, Trees, apply_link, floor32
from .space import Choice, Real, Space, Whole, complete, distinct, draw, with_defaults
from .targets import TargetScale, check_sample, scale_for, target_choice

_OBJECTIVE = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}
_LINK: dict[str, Link] = {"binary": "sigmoid", "multiclass": "softmax", "regression": "identity"}
_CATEGORICAL, _DEFAULT_LEFT, _MISSING_ZERO, _MISSING_NAN = 1, 2, 4, 8  # bits of decision_type
_SMALL, _WIDE = 1_000, 200  # few rows of few features: a bin for each distinct value; many features: few bins
_MOST_TEXTS = 1_000_000  # texts whose words are affordable as features

#: Complementary defaults, the strongest single ones first, then points of the fast end of the front.
_DEFAULTS: tuple[dict[str, Any], ...] = (
    {},
    {"learning_rate": 0.03, "num_leaves": 68, "min_data_in_leaf": 1, "feature_fraction": 0.62,
     "bagging_fraction": 0.96, "lambda_l1": 0.16, "lambda_l2": 0.69, "wide": "code+mean"},
    {"n_estimators": 50, "learning_rate": 0.2, "num_leaves": 8, "terms": 0},
    {"learning_rate": 0.03, "num_leaves": 128, "min_data_in_leaf": 3, "feature_fraction": 0.9},
    {"extra_trees": True, "learning_rate": 0.05, "num_leaves": 16, "min_data_in_leaf": 27,
     "feature_fraction": 0.72, "lambda_l1": 0.9, "lambda_l2": 1.7},
    {"learning_rate": 0.05, "num_leaves": 89, "min_data_in_leaf": 56, "feature_fraction": 0.62, "wide": "code+mean"},
    {"extra_trees": True, "learning_rate": 0.05, "num_leaves": 127, "min_data_in_leaf": 6, "feature_fraction": 0.83},
    {"n_estimators": 20, "learning_rate": 0.3, "num_leaves": 6, "terms": 0},
)  # fmt: skip
#: Tried early where there are categories: which levels go together is found at each split, rather than by their order.
_NATIVE_DEFAULTS: tuple[dict[str, Any], ...] = (
    {"categories": "native"},
    {"categories": "native", "cat_smooth": 50.0, "learning_rate": 0.03, "num_leaves": 128, "min_data_in_leaf": 20,
     "feature_fraction": 0.9},
)  # fmt: skip
_LOG_DEFAULTS: tuple[dict[str, Any], ...] = (
    {"target": "log"},
    {"target": "log", "learning_rate": 0.03, "num_leaves": 68, "min_data_in_leaf": 1, "feature_fraction": 0.62,
     "bagging_fraction": 0.96, "lambda_l1": 0.16, "lambda_l2": 0.69, "wide": "code+mean"},
)  # fmt: skip


def _space(problem: Problem) -> Space:
    rows = problem.n_rows
    space: Space = {
        "n_estimators": Whole(20, 1500, default=1000),
        "learning_rate": Real(0.03, 0.3, default=0.05, log=True),
        "num_leaves": Whole(4, min(255, max(8, rows // 10)), default=31),
        "min_data_in_leaf": Whole(1, min(200, max(2, rows // 10)), default=5),
        "feature_fraction": Real(0.3, 1.0, default=0.9),
        "bagging_fraction": Real(0.6, 1.0, default=1.0),
        "lambda_l1": Real(1e-4, 10.0, default=1e-4, log=True),
        "lambda_l2": Real(1e-4, 30.0, default=1e-4, log=True),
        "extra_trees": Choice((False, True)),
    }
    categories: Space = {}
    if problem.has_categories:
        categories = {
            "categories": Choice(("ordered", "native")),
            "cat_smooth": Real(1.0, 200.0, default=10.0, log=True),
        }
    wide = {"wide": Choice(("code", "code+mean"))} if problem.n_wide else {}
    terms = (
        {"terms": Choice((100, 0) if rows * problem.n_text <= _MOST_TEXTS else (0,))}
        if problem.n_text
        else {}
    )
    return {**space, **categories, **wide, **terms, **target_choice(problem)}


@dataclass(frozen=True, slots=True, eq=False)
class FittedLightGBM:
    """A trained booster, and the scale of its target."""

    booster: Any
    link: Link
    n_raw: int
    scale: TargetScale
    rounds: int
    stopped: bool

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return the library's own raw scores; see `workbench.families.base.Fitted.raw`."""
        kept = min(rounds or self.rounds, self.rounds)
        raw = self.booster.predict(X, num_iteration=kept, raw_score=True, num_threads=1)
        return self.scale.unscaled(np.asarray(raw, dtype=np.float64).reshape(len(X), self.n_raw))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the library's own prediction; see `workbench.families.base.Fitted.predict`."""
        return apply_link(self.raw(X), self.link)

    def form(self) -> Trees:
        """Return the trees."""
        text = self.booster.model_to_string(num_iteration=self.rounds)
        return read_trees(text, self.n_raw, self.link, self.scale)


@dataclass(frozen=True, slots=True)
class LightGBM:
    """Gradient boosting with early stopping on log loss or squared error.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2)).astype(np.float32)
    >>> train = Sample(X, (X[:, 0] > 0).astype(np.int64))
    >>> fitted = LightGBM().fit({"n_estimators": 20}, train, Problem("binary", 2, n_rows=200, n_columns=2))
    >>> bool((fitted.predict(X).argmax(axis=1) == train.y).mean() > 0.95)
    True
    """

    name: ClassVar[str] = "lightgbm"

    def supports(self, problem: Problem) -> bool:
        """Return True: it learns anything."""
        return True

    def encoding(self, params: Params, problem: Problem) -> Encoding:
        """Return raw numbers with missing ones kept, and categories as codes."""
        params = with_defaults(_space(problem), params)
        return Encoding(wide=params.get("wide", "code"), terms=params.get("terms", 0))

    def suggest(self, trial: Suggester, problem: Problem) -> dict[str, Any]:
        """Draw params; see `workbench.families.base.Family.suggest`."""
        return draw(_space(problem), self.name, trial)

    def portfolio(self, problem: Problem) -> list[dict[str, Any]]:
        """Return defaults; see `workbench.families.base.Family.portfolio`."""
        space = _space(problem)
        points = list(_DEFAULTS)
        if problem.n_wide:
            points[1:1], points[5:5] = _NATIVE_DEFAULTS[:1], _NATIVE_DEFAULTS[1:]
        elif problem.has_categories:
            points[5:5] = _NATIVE_DEFAULTS[:1]
        if problem.skewed:
            points[1:1], points[4:4] = _LOG_DEFAULTS[:1], _LOG_DEFAULTS[1:]
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
        import lightgbm

        check_sample(train)
        params = with_defaults(_space(problem), params)
        scale = scale_for(train, problem, params)
        rate = params["learning_rate"]
        guided = valid is not None and len(valid.y) > 0 and rounds is None
        try:
            native = params.get("categories") == "native"
            settings = _settings(params, problem, train, seed)
            booster = _booster(lightgbm, settings, scale, train, valid if guided else None, native=native)
            boosted = boost(
                lambda at: not booster.update(),
                (lambda: float(booster.eval_valid()[0][2])) if guided else None,
                most=rounds_allowed(params["n_estimators"], rate, rounds, guided),
                learning_rate=rate,
                deadline=deadline,
            )
        except lightgbm.basic.LightGBMError as error:
            raise FitError("LightGBM failed", found=str(error).splitlines()[0]) from error
        booster.free_dataset()
        n_raw = problem.n_classes if problem.task == "multiclass" else 1
        link: Link = "expm1" if scale.log else _LINK[problem.task]
        return FittedLightGBM(booster, link, n_raw, scale, boosted.rounds, boosted.stopped)


def _settings(params: Params, problem: Problem, train: Sample, seed: int) -> dict[str, Any]:
    settings = {
        **_binning(train),
        "cat_smooth": params.get("cat_smooth", 10.0),
        "min_data_per_group": min(100, max(len(train.y) // 20, 2)),
        "objective": _OBJECTIVE[problem.task],
        "learning_rate": params["learning_rate"],
        "num_leaves": params["num_leaves"],
        "min_data_in_leaf": params["min_data_in_leaf"],
        "feature_fraction": params["feature_fraction"],
        "bagging_fraction": params["bagging_fraction"],
        "bagging_freq": 1 if params["bagging_fraction"] < 1.0 else 0,
        "lambda_l1": params["lambda_l1"],
        "lambda_l2": params["lambda_l2"],
        "extra_trees": params["extra_trees"],
        "force_col_wise": True,
        "deterministic": True,
        "num_threads": 1,
        "seed": seed,
        "verbosity": -1,
    }
    return {**settings, "num_class": problem.n_classes} if problem.task == "multiclass" else settings


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
