"""The terms of a choice (rule, limits, payoff, threshold, traffic, prices), each with its source.

Precedence, for each setting separately:

1. **now**: a flag of the command, an argument, a click;
2. **decision**: the decision stored in the run (`run_decision`);
3. **search**: the settings of the search;
4. **default**: the built-in price sheet, no limits, the threshold of each candidate, and the rule
   that fits the goal (`default_rule`).

A payoff implies a threshold, so the source with the higher precedence decides for both. A payoff
given now replaces a stored threshold. A threshold given together with a payoff replaces the implied
one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from workbench.automl import arguments
from workbench.automl.records.payoff import Payoff, check_payoff, parse_costs, parse_payoff, payoff_of_costs
from workbench.automl.records.run_folder import RunFolder
from workbench.errors import RunError, SettingsError, shown

from .limits import Limits
from .prices import PriceSheet, Traffic, load_prices, read_prices
from .run_prices import run_prices
from .traffic import parse_traffic

Source = Literal["now", "decision", "search", "default"]
#: The parameters of `read_given`.
TERMS = (
    "pick", "limits", "max_latency", "max_price", "max_size", "costs", "payoff", "threshold", "traffic", "prices",
    "unit",
)  # fmt: skip
LIMITS = tuple(each.name for each in fields(Limits))


@dataclass(frozen=True, slots=True)
class Given:
    """The settings of one source: now, the decision or the search. None means "not set".

    Attributes
    ----------
    pick : str or None
        A rule, or a candidate's id.
    limits : mapping of str to float or None
        By field of `Limits`. The value None means "no limit"; a missing key means "not set".
    payoff : ClassPayoff, NumberPayoff or None
        Value of right and wrong predictions.
    threshold : float or None
        Probability from which a binary model predicts yes.
    traffic : Traffic or None
    prices : PriceSheet or None
    unit : str or None
        Unit of a numeric target.
    """

    pick: str | None = None
    limits: Mapping[str, float | None] = field(default_factory=dict)
    payoff: Payoff | None = None
    threshold: float | None = None
    traffic: Traffic | None = None
    prices: PriceSheet | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.limits if name not in LIMITS]
        if unknown:
            raise SettingsError("limits", found=shown(unknown[0]), expected=f"one of {', '.join(LIMITS)}")
        for name, value in self.limits.items():
            if value is not None and not (isinstance(value, (int, float)) and 0 < value < math.inf):
                raise SettingsError(
                    f"limits, {name}", found=shown(value), expected="a number above 0, or none"
                )
        if self.threshold is not None and not (
            isinstance(self.threshold, (int, float)) and 0.0 <= self.threshold <= 1.0
        ):
            raise SettingsError(
                "threshold", found=shown(self.threshold), expected="a probability from 0 to 1"
            )

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a JSON object; `from_json` reads it back."""
        return {
            "pick": self.pick,
            "limits": dict(self.limits),
            "payoff": self.payoff.to_json() if self.payoff else None,
            "threshold": self.threshold,
            "traffic": asdict(self.traffic) if self.traffic else None,
            "prices": self.prices.to_json() if self.prices else None,
            "unit": self.unit,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Given:
        """Read the output of `to_json`; unknown keys are ignored."""
        payoff, traffic, prices = (document.get(key) for key in ("payoff", "traffic", "prices"))
        return cls(
            pick=document.get("pick"),
            limits={key: value for key, value in (document.get("limits") or {}).items() if key in LIMITS},
            payoff=None if payoff is None else parse_payoff(payoff),
            threshold=document.get("threshold"),
            traffic=None if traffic is None else Traffic(**traffic),
            prices=None if prices is None else read_prices(prices),
            unit=document.get("unit"),
        )


def read_given(  # noqa: PLR0913 - one parameter per setting
    task: str,
    *,
    pick: str | None = None,
    limits: Limits | None = None,
    max_latency: str | None = None,
    max_price: str | float | None = None,
    max_size: str | None = None,
    costs: str | Sequence[float] | None = None,
    payoff: str | Mapping[str, float] | Payoff | None = None,
    threshold: float | None = None,
    traffic: str | Traffic | None = None,
    prices: Any = None,
    unit: str | None = None,
) -> Given:
    """Parse settings as users write them.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
    pick : str, optional
        A rule or a candidate's id.
    limits : Limits, optional
        All limits at once; None in it means no limit.
    max_latency, max_price, max_size : str, optional
        Limits as written, such as "2ms", or "none" for no limit.
    costs : str or (float, float), optional
        Cost of a false positive and a false negative; for regression, of each unit too high and too
        low.
    payoff : str, mapping or payoff, optional
        Such as "TP=0,FP=-5,FN=-40,TN=0", or "OVER=-2,UNDER=-5".
    threshold : float, optional
        A probability; binary tasks only.
    traffic : str or Traffic, optional
        Such as "100000/1d".
    prices : path, mapping or PriceSheet, optional
    unit : str, optional
        Unit of a numeric target.

    Raises
    ------
    SettingsError
        If a value is not valid, or does not fit the task.

    Examples
    --------
    >>> read_given("binary", costs="5,40", max_latency="2ms").payoff
    ClassPayoff(tp=0.0, fp=-5.0, fn=-40.0, tn=0.0)
    """
    if pick is not None:
        arguments.text("pick", pick)
    if unit is not None:
        arguments.string("unit", unit)
    if limits is not None and not isinstance(limits, Limits):
        raise arguments.wrong("limits", limits, "a `workbench.tradeoff.limits.Limits`")
    if traffic is not None and not isinstance(traffic, (str, Traffic)):
        raise arguments.wrong("traffic", traffic, "calls and times such as 100000/1d")
    bounds: dict[str, float | None] = dict(asdict(limits)) if limits is not None else {}
    written = {"max_latency": max_latency, "max_price": max_price, "max_size": max_size}
    for name, value in written.items():
        if value is not None:
            bounds |= _bound(name, value)
    if costs is not None and payoff is not None:
        raise SettingsError("costs and payoff", found="both", expected="one of them")
    if task == "auto" and any(each is not None for each in (costs, payoff, threshold)):
        raise RunError(
            "costs and threshold",
            found="a search that has not read its data yet",
            expected="a run with a known task",
            hint="Try again in a moment, or set costs in the search.",
        )
    paid = None
    if costs is not None:
        paid = payoff_of_costs(parse_costs(costs), task)
    elif payoff is not None:
        paid = parse_payoff(payoff)
        check_payoff(paid, task)
    if threshold is not None:
        check_threshold(threshold, task)
    return Given(
        pick=pick,
        limits=bounds,
        payoff=paid,
        threshold=threshold,
        traffic=parse_traffic(traffic) if isinstance(traffic, str) else traffic,
        prices=None if prices is None else sheet_of(prices),
        unit=unit,
    )


def check_threshold(value: float, task: str, name: str = "threshold") -> None:
    """Raise `SettingsError` if a task has no threshold, or `value` is not a probability."""
    if task != "binary":
        raise SettingsError(name, found=f"a {task} run", expected="a binary run", hint="Leave it out.")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value <= 1.0:
        raise SettingsError(name, found=shown(value), expected="a probability from 0 to 1")


def _bound(name: str, value: str | float) -> dict[str, float | None]:
    """Parse one limit; "none" means no limit."""
    field_name = {"max_latency": "max_latency_us", "max_price": "max_price_usd", "max_size": "max_size_mb"}[
        name
    ]
    if str(value).strip().lower() == "none":
        return {field_name: None}
    return {field_name: getattr(Limits.parse(**{name: value}), field_name)}  # type: ignore[arg-type]


def sheet_of(prices: Any) -> PriceSheet:
    """Return a price sheet from itself, its content, or the path of one."""
    if isinstance(prices, PriceSheet):
        return prices
    return read_prices(prices) if isinstance(prices, Mapping) else load_prices(prices)


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a choice.

    Attributes
    ----------
    pick : str
        A rule, or a candidate's id.
    limits : Limits
    payoff : ClassPayoff, NumberPayoff or None
        Value of right and wrong predictions, if known.
    threshold : float or None
        Probability from which any candidate predicts yes; None keeps the threshold of each
        candidate.
    sheet : PriceSheet
        The price sheet, with the traffic of the choice.
    unit : str
        Unit of a numeric target; empty if it is not set.
    sources : mapping of str to str
        The source ("now", "decision", "search" or "default") of pick, payoff, threshold, traffic,
        prices, unit and every limit.
    threshold_from : {"set", "payoff", "model"}
        Whether the threshold was set, follows from the payoff, or is the model's own.
    revision : int or None
        Revision of the stored decision; None if there is none.
    """

    pick: str = "best"
    limits: Limits = field(default_factory=Limits)
    payoff: Payoff | None = None
    threshold: float | None = None
    sheet: PriceSheet = field(default_factory=load_prices)
    unit: str = ""
    sources: Mapping[str, Source] = field(default_factory=dict)
    threshold_from: Literal["set", "payoff", "model"] = "model"
    revision: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the terms as a JSON object."""
        return {
            "pick": self.pick,
            "limits": self.limits.to_json(),
            "payoff": self.payoff.to_json() if self.payoff else None,
            "threshold": self.threshold,
            "threshold_from": self.threshold_from,
            "traffic": asdict(self.sheet.traffic),
            "prices": self.sheet.to_json(),
            "unit": self.unit,
            "sources": dict(self.sources),
            "revision": self.revision,
        }


def combine(layers: Sequence[tuple[Source, Given]], revision: int | None = None) -> Terms:
    """Combine the settings of several sources into terms, highest precedence first.

    Examples
    --------
    >>> search = Given(limits={"max_latency_us": 2000.0})
    >>> stored = Given(pick="fastest", limits={"max_latency_us": 500.0})
    >>> terms = combine([("now", Given(pick="best")), ("decision", stored), ("search", search)])
    >>> terms.pick, terms.limits.max_latency_us, terms.sources["pick"], terms.sources["max_latency_us"]
    ('best', 500.0, 'now', 'decision')
    """
    sources: dict[str, Source] = {}

    def first(name: str) -> Any:
        for source, given in layers:
            value = getattr(given, name)
            if value is not None:
                sources[name] = source
                return value
        sources[name] = "default"
        return None

    bounds: dict[str, float | None] = {}
    for limit in LIMITS:
        found = next(((source, each.limits[limit]) for source, each in layers if limit in each.limits), None)
        sources[limit], bounds[limit] = found or ("default", None)
    limits, payoff, unit = Limits(**bounds), first("payoff"), first("unit")
    threshold, how = None, "model"
    sources["threshold"] = "default"
    for source, given in layers:
        if given.threshold is not None:
            threshold, how, sources["threshold"] = given.threshold, "set", source
            break
        if given.payoff is not None and given.payoff.threshold is not None:
            threshold, how, sources["threshold"] = given.payoff.threshold, "payoff", source
            break
    sheet = first("prices") or load_prices()
    sheet = replace(sheet, traffic=_traffic(layers, sheet, sources))
    pick = first("pick") or default_rule(limits, payoff)
    return Terms(
        pick,
        limits,
        payoff,
        threshold,
        sheet,
        unit or "",
        sources,
        how,  # type: ignore[arg-type]  # one of the three
        revision,
    )


def _traffic(
    layers: Sequence[tuple[Source, Given]], sheet: PriceSheet, sources: dict[str, Source]
) -> Traffic:
    """Return the traffic of the first source that sets it, directly or in its price sheet."""
    for source, given in layers:
        if given.traffic is not None:
            sources["traffic"] = source
            return given.traffic
        if given.prices is not None and not given.prices.traffic.example:
            sources["traffic"] = source
            return given.prices.traffic
    sources["traffic"] = "default"
    return sheet.traffic


def default_rule(limits: Limits, payoff: Payoff | None) -> str:
    """Return the rule that fits the goal if no rule is set.

    With costs of mistakes it is "lowest-cost". With a limit on latency, price or size it is
    "balanced". Otherwise it is "best".

    Examples
    --------
    >>> default_rule(Limits(), None), default_rule(Limits(max_latency_us=2000.0), None)
    ('best', 'balanced')
    """
    if payoff is not None:
        return "lowest-cost"
    bounded = (limits.max_latency_us, limits.max_price_usd, limits.max_size_mb)
    return "best" if all(bound is None for bound in bounded) else "balanced"


def task_of(run: RunFolder) -> str:
    """Return the task of a run; "auto" until the search has detected it."""
    known = run.info.get("task") or (run.info.get("problem") or {}).get("task")
    return str(known or run.settings.task)


def given_to_search(run: RunFolder, *, prices_needed: bool = True) -> Given:
    """Return the settings of a search; `prices_needed` warns if its price sheet is missing."""
    settings = run.settings
    bounds = {
        "max_latency_us": settings.max_latency_us,
        "max_price_usd": settings.max_price,
        "max_size_mb": settings.max_size_mb,
    }
    task = task_of(run)
    return Given(
        limits={name: value for name, value in bounds.items() if value is not None},
        payoff=None if task == "auto" else settings.payoff_for(task),
        prices=run_prices(run, needed=prices_needed),
        unit=settings.unit,
    )
