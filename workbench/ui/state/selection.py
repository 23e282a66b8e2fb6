"""The selection in a page's link: the run, the rule, and the limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.automl.records.payoff import Payoff, parse_payoff
from workbench.errors import SettingsError
from workbench.tradeoff import RULES, Limits, Traffic, Weights

BY_WEIGHTS = "weights"
_LIMITS: Mapping[str, str] = {
    "max_latency_us": "max_latency_us",
    "max_price": "max_price_usd",
    "max_size_mb": "max_size_mb",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection, small enough for a link; missing parts are as decided in the run.

    Attributes
    ----------
    run : str
        Name of the run; empty if the link has none.
    how : str
        A rule of `tradeoff.pick`, a candidate's id, or "weights"; empty if the link has none.
    limits : Limits or None
        None if the link has none.
    weights : Weights or None
        Weights of accuracy, speed and price, if `how` is "weights".
    max_loss : float or None
        Maximum distance from the best score.
    threshold : float or None
        Probability from which a binary model predicts yes.
    payoff : Payoff or None
        Value of right and wrong predictions.
    traffic : Traffic or None
    """

    run: str = ""
    how: str = ""
    limits: Limits | None = None
    weights: Weights | None = None
    max_loss: float | None = None
    threshold: float | None = None
    payoff: Payoff | None = None
    traffic: Traffic | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Selection:
        """Parse the parameters of a link; values that are not valid are ignored.

        Examples
        --------
        >>> Selection.from_query({"run": "churn", "pick": "best", "max_price": "0.1", "max_size_mb": "much"}).to_query()
        {'run': 'churn', 'pick': 'best', 'max_price': '0.1'}
        >>> Selection.from_query({"run": "churn", "threshold": "0.1", "payoff": "FP=-5,FN=-40"}).to_query()
        {'run': 'churn', 'threshold': '0.1', 'payoff': 'TP=0,FP=-5,FN=-40,TN=0'}
        """
        limits = Limits(**{column: _positive(query.get(name, "")) for name, column in _LIMITS.items()})
        given_limits = limits if limits or query.get("limits") == "none" else None
        how = query.get("pick", "")
        weights = (_weights(query.get("weights", "")) or Weights()) if how == BY_WEIGHTS else None
        return cls(
            query.get("run", ""),
            how,
            given_limits,
            weights,
            _positive(query.get("max_loss", "")),
            _probability(query.get("threshold", "")),
            _payoff(query.get("payoff", "")),
            _traffic(query.get("traffic", "")),
        )

    def to_query(self) -> dict[str, str]:
        """Return the parameters of a link to this selection."""
        if not self.run:
            return {}
        query = {"run": self.run} | ({"pick": self.how} if self.how else {})
        if self.weights is not None and self.how == BY_WEIGHTS:
            given = (self.weights.accuracy, self.weights.speed, self.weights.price)
            query["weights"] = "-".join(f"{each:g}" for each in given)
        if self.max_loss is not None:
            query["max_loss"] = f"{self.max_loss:.6g}"
        if self.threshold is not None:
            query["threshold"] = f"{self.threshold:.12g}"
        if self.payoff is not None:
            query["payoff"] = payoff_text(self.payoff)
        if self.traffic is not None:
            query["traffic"] = f"{self.traffic.calls_per_month:.12g},{self.traffic.peak_calls_per_s:.12g}"
        if self.limits is None:
            return query
        bounds = {name: getattr(self.limits, column) for name, column in _LIMITS.items()}
        named = {name: f"{value:.12g}" for name, value in bounds.items() if value is not None}
        return query | (named or {"limits": "none"})

    def terms_now(self) -> dict[str, Any]:
        """Return payoff, threshold and traffic, as arguments of `api.Run.terms`."""
        values = {"payoff": self.payoff, "threshold": self.threshold, "traffic": self.traffic}
        return {name: value for name, value in values.items() if value is not None}

    def within(self, default: Limits) -> Limits:
        """Return the limits of the selection, or the default."""
        return default if self.limits is None else self.limits

    def for_run(self, name: str) -> Selection:
        """Return the part of the selection that applies to another run: rule and limits."""
        if name == self.run:
            return self
        known = self.how in RULES or self.how == BY_WEIGHTS
        return Selection(
            name, self.how if known else "", self.limits, self.weights if known else None, self.max_loss
        )


def _positive(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value > 0 and math.isfinite(value) else None


def _probability(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 <= value <= 1.0 else None


def payoff_text(payoff: Payoff) -> str:
    """Format a payoff for `parse_payoff`."""
    return ",".join(f"{outcome}={value:g}" for outcome, value in payoff.to_json().items())


def _payoff(text: str) -> Payoff | None:
    try:
        return parse_payoff(text) if text else None
    except SettingsError:
        return None


def _traffic(text: str) -> Traffic | None:
    try:
        calls, peak = (float(part) for part in text.split(","))
    except ValueError:
        return None
    sound = all(math.isfinite(each) and each >= 0 for each in (calls, peak))
    return Traffic(calls, peak) if sound else None


def _weights(text: str) -> Weights | None:
    try:
        accuracy, speed, price = (float(part) for part in text.split("-"))
        return Weights(accuracy, speed, price)
    except (ValueError, SettingsError):
        return None
