"""The order in which families' good defaults are tried before the sampler takes over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.families.base import Family, Problem

BASELINE = "baseline"
#: Whose models of one score answer a row without ONNX Runtime, several times faster than any other. Their average over
#: the folds is one such model again.
QUICK = frozenset(["linear", "additive"])
#: Whose turn it is: a strong booster and a linear model give a front at once, then what errs differently (trees of
#: random splits, networks) before more of the same, since blends gain more from that.
_TURNS = (
    "lightgbm", "linear", "extra_trees", "additive", "lightgbm", "xgboost", "catboost", "mlp", "lightgbm", "lightgbm",
    "xgboost", "linear", "lightgbm", "catboost", "mlp", "random_forest", "lightgbm", "extra_trees",
)  # fmt: skip


def in_turn(families: Sequence[Family], problem: Problem) -> list[tuple[str, dict[str, Any]]]:
    """Return (family, params) of all portfolios in the order in which they are to be tried.

    The first few seconds then already give a front with fast and with accurate members.
    """
    waiting = {family.name: family.portfolio(problem) for family in families if family.name != BASELINE}
    order = [name for name in _TURNS if name in waiting]
    out = []
    while any(waiting.values()):
        out += [(name, waiting[name].pop(0)) for name in order or list(waiting) if waiting[name]]
        order = []  # after the turns above: one of each in rotation
    return out
