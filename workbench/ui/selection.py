"""What a page's link says: the run, how to pick from it, and the limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from workbench.errors import SettingsError
from workbench.tradeoff import RULES, Limits, Weights

BY_WEIGHTS = "weights"
_LIMITS: Mapping[str, str] = {
    "max_latency_us": "max_latency_us",
    "max_price": "max_price_usd",
    "max_size_mb": "max_size_mb",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice in the making, small enough for a link.

    Attributes
    ----------
    run : str
        The run's name; empty where none is named.
    how : str
        A rule of `tradeoff.pick`, a candidate's id, or "weights".
    limits : Limits or None
        None where the link does not say: then those of the search count (`within`).
    weights : Weights or None
        How much accuracy, speed and price matter, where `how` is "weights".
    max_loss : float or None
        How much lower than the best a score may be.
    """

    run: str = ""
    how: str = "balanced"
    limits: Limits | None = None
    weights: Weights | None = None
    max_loss: float | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Selection:
        """Read the parameters of a link; what makes no sense in them counts as not given.

        Examples
        --------
        >>> Selection.from_query({"run": "churn", "pick": "best", "max_price": "0.1", "max_size_mb": "much"}).to_query()
        {'run': 'churn', 'pick': 'best', 'max_price': '0.1'}
        """
        limits = Limits(**{column: _positive(query.get(name, "")) for name, column in _LIMITS.items()})
        said = limits if limits or query.get("limits") == "none" else None
        how = query.get("pick", "") or "balanced"
        weights = (_weights(query.get("weights", "")) or Weights()) if how == BY_WEIGHTS else None
        return cls(query.get("run", ""), how, said, weights, _positive(query.get("max_loss", "")))

    def to_query(self) -> dict[str, str]:
        """Return the parameters of a link to this selection."""
        query = {"run": self.run, "pick": self.how} if self.run else {}
        if self.run and self.weights is not None and self.how == BY_WEIGHTS:
            given = (self.weights.accuracy, self.weights.speed, self.weights.price)
            query["weights"] = "-".join(f"{each:g}" for each in given)
        if self.run and self.max_loss is not None:
            query["max_loss"] = f"{self.max_loss:.6g}"
        if self.limits is None:
            return query
        bounds = {name: getattr(self.limits, column) for name, column in _LIMITS.items()}
        named = {name: f"{value:.12g}" for name, value in bounds.items() if value is not None}
        return query | (named or {"limits": "none"})

    def within(self, default: Limits) -> Limits:
        """Return the limits that were selected, or else the default."""
        return default if self.limits is None else self.limits

    def for_run(self, name: str) -> Selection:
        """Return the same selection in another run: an id means nothing there, a rule and limits do."""
        if name == self.run:
            return self
        known = self.how in RULES or self.how == BY_WEIGHTS
        return replace(self, run=name, how=self.how if known else "balanced")


def _positive(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value > 0 and math.isfinite(value) else None


def _weights(text: str) -> Weights | None:
    try:
        accuracy, speed, price = (float(part) for part in text.split("-"))
        return Weights(accuracy, speed, price)
    except (ValueError, SettingsError):
        return None
