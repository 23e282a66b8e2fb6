"""The order in which the families' defaults are tried before the sampler suggests parameters.

The first few seconds give a front with fast and accurate members: a strong booster and a linear
model. Families with different errors follow (trees with random splits, networks), before more
defaults of the same families, because they improve ensembles more. Each family states its positions
as the trait `turns`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.families.base import Family, Problem


def in_turn(families: Sequence[Family], problem: Problem) -> list[tuple[str, dict[str, Any]]]:
    """Return (family, params) of all portfolios, in the order to try them.

    Defaults at equal positions are tried in the order of the families. Those beyond a family's
    `turns` follow, one of each family in rotation.
    """
    waiting = {family.name: family.portfolio(problem) for family in families if not family.traits.baseline}
    turns = [(turn, family.name) for family in families for turn in family.traits.turns]
    order = [name for _, name in sorted(turns, key=lambda each: each[0]) if name in waiting]
    out = []
    while any(waiting.values()):
        out += [(name, waiting[name].pop(0)) for name in order or list(waiting) if waiting[name]]
        order = []  # after the turns: one of each in rotation
    return out
