"""The order in which families' good defaults are tried before the sampler takes over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.families.base import Family, Problem

BASELINE = "baseline"
_ORDER = ("lightgbm", "linear", "xgboost", "extra_trees", "random_forest", "mlp", "catboost")


def interleaved(families: Sequence[Family], problem: Problem) -> list[tuple[str, dict[str, Any]]]:
    """Return (family, params) of all portfolios: the first of each family, then the second of each, and so on.

    The first few seconds then already give a front with fast and with accurate members.
    """
    ranked = sorted(
        families, key=lambda family: _ORDER.index(family.name) if family.name in _ORDER else len(_ORDER)
    )
    lists = [(family.name, family.portfolio(problem)) for family in ranked if family.name != BASELINE]
    longest = max((len(entries) for _, entries in lists), default=0)
    return [(name, entries[at]) for at in range(longest) for name, entries in lists if at < len(entries)]
