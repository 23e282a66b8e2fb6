"""Pick one candidate: by a rule within limits, or by id."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.automl import arguments
from workbench.errors import PickError, SettingsError, nearest, shown
from workbench.families import BASELINE

from .leaderboard_row import LeaderboardRow, ServableRow, servable
from .limits import Limits
from .pareto import front_of, knee
from .prices import PriceSheet
from .sentences import compare, describe, label, machines_text
from .terms import Terms
from .ties import beats, within_noise

#: The rules of `pick`; anything else is the id of a candidate.
RULES = ("best", "balanced", "fastest", "cheapest", "lowest-cost")
_CHEAPER = 0.9  # a saving below a tenth is not worth a sentence


@dataclass(frozen=True, slots=True)
class Choice:
    """A picked candidate with its alternatives.

    Attributes
    ----------
    row : ServableRow
        The candidate's row of the leaderboard.
    how : str
        The rule, or "id".
    limits : Limits
    sheet : PriceSheet or None
        The prices that the rows were computed with.
    faster, more_accurate : ServableRow or None
        The neighbours on the front: the next faster row and the next more accurate one.
    cheaper_equal : ServableRow or None
        The cheapest row that is statistically tied with this one on score and costs less. None if
        costs of mistakes are known, or if every candidate needs the same machines.
    least_cost : ServableRow or None
        The row with the lowest total cost a month. None if costs of mistakes are not known, or if
        it is this row.
    same_machines : bool
        Whether every candidate needs the same number of machines, so that compute cost does not
        decide.
    considered, meeting_limits : int
        Number of candidates that can be served, and of those within the limits.
    sentences : tuple of str
        The choice and its alternatives, one sentence each.
    warnings : tuple of str
        Caveats of this choice.
    terms : Terms or None
        Threshold, payoff and traffic of the choice, with their sources. `export` writes them into
        the bundle.
    """

    row: ServableRow
    how: str
    limits: Limits = field(default_factory=Limits)
    sheet: PriceSheet | None = None
    faster: ServableRow | None = None
    more_accurate: ServableRow | None = None
    cheaper_equal: ServableRow | None = None
    least_cost: ServableRow | None = None
    same_machines: bool = False
    considered: int = 1
    meeting_limits: int = 1
    sentences: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    terms: Terms | None = None

    def __repr__(self) -> str:
        score = f"{self.row.metric} {self.row.score:.4g}"
        return f"<Choice {self.id} {self.row.family}, {score}, picked by {self.how}>"

    @property
    def id(self) -> str:
        """The candidate's id."""
        return self.row.id

    def to_json(self) -> dict[str, Any]:
        """Return the choice as a JSON object, the rows in full."""
        neighbours = {
            "faster": self.faster,
            "more_accurate": self.more_accurate,
            "cheaper_equal": self.cheaper_equal,
            "least_cost": self.least_cost,
        }
        return {
            "chosen": self.row.to_dict(),
            "how": self.how,
            "limits": self.limits.to_json(),
            "prices": self.sheet.to_json() if self.sheet else None,
            "considered": self.considered,
            "meeting_limits": self.meeting_limits,
            "neighbours": {name: row.to_dict() if row else None for name, row in neighbours.items()},
            "sentences": list(self.sentences),
            "warnings": list(self.warnings),
            "same_machines": self.same_machines,
            **_served_under(self.terms),
        }


def _served_under(terms: Terms | None) -> dict[str, Any]:
    """Return payoff, traffic, unit and sources. `Decision` writes the threshold of a bundle."""
    if terms is None:
        return {}
    document = terms.to_json()
    return {name: document[name] for name in ("payoff", "traffic", "unit", "sources", "revision")}


def pick(
    rows: Sequence[LeaderboardRow],
    how: str = "balanced",
    limits: Limits | None = None,
    sheet: PriceSheet | None = None,
    *,
    terms: Terms | None = None,
) -> Choice:
    """Pick one candidate.

    "best" is the highest score, "fastest" the lowest p50 latency, "cheapest" the lowest price, and
    "balanced" the knee (`pareto.balance`), each on the Pareto front of the candidates within the
    limits. "fastest", "cheapest" and "balanced" skip candidates that do not beat the baseline by
    more than noise, unless there are no others. "lowest-cost" is the lowest total cost a month, of
    mistakes and machines, among all candidates within the limits.

    Parameters
    ----------
    rows : sequence of LeaderboardRow
        The leaderboard (`leaderboard.leaderboard_rows`).
    how : str
        One of `RULES`, or the id of a candidate.
    limits : Limits, optional
    sheet : PriceSheet, optional
        The prices that the rows were computed with; stored with the choice.
    terms : Terms, optional
        The terms that the rows were computed under; stored with the choice. `api.Run.pick` passes
        them.

    Returns
    -------
    Choice

    Raises
    ------
    PickError
        If no candidate is within the limits, or the named one cannot be served.
    SettingsError
        If `how` is neither a rule nor an id.

    Examples
    --------
    >>> row = ServableRow("c1", "linear", quiet=True, metric="roc_auc", score=0.9, score_low=0.88,
    ...                   score_high=0.92, latency_p50_us=12.0, latency_p99_us=20.0, cpu_us_per_row=12.0,
    ...                   price_per_million_usd=0.002)
    >>> pick([row], "best").id
    'c1'
    >>> pick([row], "best", Limits(max_latency_us=10))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    workbench.errors.PickError: no candidate meets the limits: found nearest is c1 (linear): p99 latency ...
    """
    arguments.text("how", how)
    limits = limits or Limits()
    found = _pick(rows, how, limits, sheet or (terms.sheet if terms else None))
    return replace(found, terms=terms)


def _pick(rows: Sequence[LeaderboardRow], how: str, limits: Limits, sheet: PriceSheet | None) -> Choice:
    usable = servable(rows)
    if how not in RULES:
        return _pick_id(rows, usable, how, limits, sheet)
    if not usable:
        raise PickError(
            "no candidate can be picked",
            found="no candidate that was trained and measured",
            hint=_failures(rows),
        )
    pool, warnings = _measured_alone(usable, limits)
    baseline = _baseline(usable)
    within = [row for row in pool if limits.meets(row)]
    if not within:
        raise _none_within(pool, limits)
    if how == "lowest-cost":
        _check_priced(within)
    front = front_of(within)
    row = _by_rule(front if how != "lowest-cost" else within, how, baseline)
    if baseline is not None and not beats(row, baseline):
        warnings.append(_not_better(row, baseline))
    every = pool if how == "lowest-cost" else front_of(pool)
    without_limits = _by_rule(every, how, baseline) if limits else None
    return _choice(row, how, limits, sheet, front, (usable, within), warnings, without_limits)


def _by_rule(front: Sequence[ServableRow], how: str, baseline: ServableRow | None) -> ServableRow:
    if how == "best":
        return min(front, key=lambda row: (-row.rank_score, row.price_per_million_usd, row.id))
    if how == "lowest-cost":
        return _least_cost(front) or front[0]
    worth = [row for row in front if baseline is None or beats(row, baseline)]
    pool = worth or list(front)
    if how == "balanced":
        return knee(pool)
    if how == "fastest":
        return min(pool, key=lambda row: (row.latency_p50_us, -row.score, row.id))
    return min(pool, key=lambda row: (row.price_per_million_usd, -row.score, row.id))


def _least_cost(rows: Sequence[ServableRow]) -> ServableRow | None:
    """Return the row with the lowest total cost a month; ties go to the higher score."""
    priced = [(row.total_cost.value, -row.score, row.id, row) for row in rows if row.total_cost]
    return min(priced, key=lambda each: each[:3])[3] if priced else None


def _check_priced(rows: Sequence[ServableRow]) -> None:
    if _least_cost(rows) is None:
        raise SettingsError(
            "pick",
            found="'lowest-cost' without costs of mistakes",
            expected="costs or a payoff",
            hint="Give `costs` or `payoff`, or store them in the run: workbench decide.",
        )


def same_machines(rows: Sequence[LeaderboardRow]) -> bool:
    """Return whether there are several candidates and all need the same number of machines.

    Examples
    --------
    >>> one, two = LeaderboardRow("a", "mlp", replicas=1), LeaderboardRow("b", "mlp", replicas=2)
    >>> same_machines([one, one]), same_machines([one, two])
    (True, False)
    """
    needed = {row.replicas for row in rows}
    return len(rows) > 1 and len(needed) == 1 and None not in needed


def _pick_id(
    rows: Sequence[LeaderboardRow],
    usable: list[ServableRow],
    wanted: str,
    limits: Limits,
    sheet: PriceSheet | None,
) -> Choice:
    by_id = {row.id: row for row in rows}
    if wanted not in by_id:
        close = nearest(wanted, [*RULES, *by_id])
        hint = f"Did you mean {', '.join(close)}?" if close else "The leaderboard lists the candidates."
        raise SettingsError(
            "how", found=shown(wanted), expected=f"{', '.join(RULES)} or the id of a candidate", hint=hint
        )
    row = by_id[wanted]
    if not isinstance(row, ServableRow):
        raise PickError(f"{label(row)} cannot be picked", found=_why_not(row), hint=row.hint or None)
    misses = limits.shortfalls(row)
    if misses:
        raise PickError(
            f"{label(row)} does not meet the limits", found="; ".join(str(miss) for miss in misses)
        )
    warnings: list[str] = []
    if not row.quiet:
        warnings.append(
            f"{label(row)} was measured while other trials ran: its latency may be overestimated."
        )
    pool, _ = _measured_alone(usable, limits)
    front = front_of([each for each in pool if limits.meets(each)])
    warnings += [_dominated(row, other) for other in front if row not in front and _dominates(other, row)][:1]
    baseline = _baseline(usable)
    if baseline is not None and not beats(row, baseline):
        warnings.append(_not_better(row, baseline))
    within = [each for each in usable if limits.meets(each)]
    return _choice(row, "id", limits, sheet, front, (usable, within), warnings, None)


def _choice(  # noqa: PLR0913, PLR0917 - the one place that assembles a choice
    row: ServableRow,
    how: str,
    limits: Limits,
    sheet: PriceSheet | None,
    front: Sequence[ServableRow],
    counted: tuple[Sequence[ServableRow], Sequence[ServableRow]],
    warnings: Sequence[str],
    without_limits: ServableRow | None,
) -> Choice:
    usable, within = counted
    currency, traffic = (sheet.currency, sheet.traffic) if sheet else ("$", None)
    faster = max(
        (each for each in front if each.latency_p50_us < row.latency_p50_us),
        key=lambda each: (each.latency_p50_us, each.score),
        default=None,
    )
    more_accurate = min(
        (each for each in front if each.score > row.score),
        key=lambda each: (each.score, each.price_per_million_usd),
        default=None,
    )
    alike, least = same_machines(usable), _least_cost(within)
    saving = 0.0 if alike or least is not None else _CHEAPER * row.price_per_million_usd
    equals = [each for each in front if each.price_per_million_usd < saving and within_noise(each, row)]
    cheaper_equal = min(equals, key=lambda each: (each.price_per_million_usd, -each.score), default=None)
    least = None if least is None or least.id == row.id else least
    sentences = [describe(row, currency, traffic)]
    others = _distinct(least, faster, more_accurate)
    sentences += [compare(each, row, currency, machines_alike=alike) for each in others]
    if alike:
        sentences.append(machines_text(row, sheet))
    if cheaper_equal is not None:
        sentences.append(
            f"{label(cheaper_equal)} is statistically tied with {label(row)} on score and cheaper. "
            f"{compare(cheaper_equal, row, currency)}"
        )
    if without_limits is not None and without_limits.id != row.id:
        sentences.append(
            "Without the limits the choice would be different: "
            + compare(without_limits, row, currency, machines_alike=alike)
        )
    return Choice(
        row=row,
        how=how,
        limits=limits,
        sheet=sheet,
        faster=faster,
        more_accurate=more_accurate,
        cheaper_equal=cheaper_equal,
        least_cost=least,
        same_machines=alike,
        considered=len(usable),
        meeting_limits=len(within),
        sentences=tuple(sentences),
        warnings=tuple(warnings),
    )


def _distinct(*rows: ServableRow | None) -> list[ServableRow]:
    return list({row.id: row for row in rows if row is not None}.values())


def _measured_alone(usable: list[ServableRow], limits: Limits) -> tuple[list[ServableRow], list[str]]:
    """Return the candidates measured uncontended, or all with a warning if none of them fits."""
    alone = [row for row in usable if row.quiet]
    if any(limits.meets(row) for row in alone) or not any(limits.meets(row) for row in usable):
        return alone or usable, []
    what = "Every candidate within the limits" if limits else "Every candidate"
    return usable, [f"{what} was measured while other trials ran: latencies may be overestimated."]


def _baseline(usable: Sequence[ServableRow]) -> ServableRow | None:
    floors = [row for row in usable if row.origin == "baseline" or row.family == BASELINE]
    return max(floors, key=lambda row: row.score, default=None)


def _not_better(row: ServableRow, baseline: ServableRow) -> str:
    if row.id == baseline.id:
        return f"{label(row)} is the baseline: it ignores the input."
    scores = f"{row.score:.4g} against {baseline.score:.4g}"
    return f"{label(row)} does not beat the baseline by more than noise ({scores})."


def _dominates(other: ServableRow, row: ServableRow) -> bool:
    return (
        other.id != row.id
        and other.rank_score >= row.rank_score
        and other.latency_p50_us <= row.latency_p50_us
        and other.price_per_million_usd <= row.price_per_million_usd
    )


def _dominated(row: ServableRow, other: ServableRow) -> str:
    return f"{label(row)} is not on the front: {label(other)} is at least as accurate, as fast and as cheap."


def _none_within(pool: Sequence[ServableRow], limits: Limits) -> PickError:
    """Return an error that names the candidate closest to the limits."""

    def worst(row: ServableRow) -> float:
        return max(miss.times if math.isfinite(miss.value) else math.inf for miss in limits.shortfalls(row))

    row = min(pool, key=lambda each: (worst(each), -each.score))
    misses = "; ".join(str(miss) for miss in limits.shortfalls(row))
    return PickError(
        "no candidate meets the limits",
        found=f"nearest is {label(row)}: {misses}",
        hint="Relax the limit, or search longer.",
    )


def _why_not(row: LeaderboardRow) -> str:
    if row.status != "ok":
        where = f" in {row.stage}" if row.stage else ""
        return f"status {row.status}{where}: {row.reason or 'no reason given'}"
    return "no score, latency or price measured"


def _failures(rows: Sequence[LeaderboardRow]) -> str:
    failed = [row for row in rows if row.status != "ok"]
    if not failed:
        return "Search first."
    return f"{len(failed)} of {len(rows)} failed; the first, {label(failed[0])}: {_why_not(failed[0])}."
