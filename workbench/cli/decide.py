"""``workbench decide``: the decision stored in a run."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .command import Command
from .console import Console
from .options import add_limits, add_pick, add_run, add_terms, add_threshold, said
from .text_table import render

if TYPE_CHECKING:
    from workbench.tradeoff.terms import Terms

_LIMITS = ("max_latency_us", "max_price_usd", "max_size_mb")
_RESET = f"pick, limits, payoff, threshold, traffic, prices, unit, or one limit: {', '.join(_LIMITS)}"
_WHO = {
    "now": "this command",
    "decision": "decided",
    "search": "given to the search",
    "default": "default",
}


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    add_pick(parser)
    add_threshold(parser)
    add_limits(parser, of="on the choice; none lifts one")
    add_terms(parser)
    group = parser.add_argument_group("the decision")
    group.add_argument(
        "--note", metavar="TEXT", help="the reason, stored in the run and in bundles exported under it"
    )
    group.add_argument("--by", metavar="WHO", help="who decides; default: the user of this process")
    group.add_argument(
        "--reset", metavar="SETTING", action="append", help=f"no longer decided (repeatable): {_RESET}"
    )
    group.add_argument(
        "--if-revision",
        type=int,
        metavar="N",
        help="only if this revision is stored (0: none); else exit code 1 with the author of the change",
    )
    group.add_argument("--history", action="store_true", help="list every revision")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.api import open_run
    from workbench.errors import UsageError

    run = open_run(options.run)
    spoken = said(options) | ({} if options.pick is None else {"pick": options.pick})
    changing = bool(spoken) or bool(options.reset)
    if not changing and (options.note is not None or options.if_revision is not None):
        raise UsageError(
            "--note and --if-revision", found="nothing to decide", expected="a setting, such as --pick best"
        )
    before = run.decision
    if changing:
        run.decide(
            note=options.note or "",
            by=options.by,
            reset=tuple(options.reset or ()),
            revision=options.if_revision,
            **spoken,
        )
    stored, terms = run.decision, run.terms()
    rows = run.rows(terms=terms)
    ready = any(row.status == "ok" and row.score is not None for row in rows)
    choice = run.pick() if ready else None
    history = run.decisions() if options.history else []
    document = {
        "run": str(run.path),
        "decision": stored.to_json() if stored else None,
        "terms": terms.to_json(),
        "chosen": choice.row.to_dict() if choice else None,
        "sentences": list(choice.sentences) if choice else [],
        "history": [each.to_json() for each in history],
    }
    lines = [f"Decision: {stored.to_text() if stored else 'none stored'}"]
    if changing and before is not None:
        lines.append(f"Before: {before.to_text()}")
    lines += ["", _terms_table(terms, str(run.info.get("task") or "")), ""]
    lines += (
        [*choice.sentences, *(f"warning: {each}" for each in choice.warnings)]
        if choice
        else ["No candidate yet."]
    )
    if history:
        lines += ["", *(each.to_text() for each in history)]
    console.result(document, "\n".join(lines))
    return 0


def _terms_table(terms: Terms, task: str) -> str:
    """Return the terms that count, with their sources."""
    sheet, sources = terms.sheet, terms.sources
    rows = [["pick", terms.pick, _who(sources, "pick")]]
    limits = terms.limits.to_json()
    rows += [[name, f"{value:g}", _who(sources, name)] for name, value in limits.items()]
    if not limits:
        asked = next((name for name in _LIMITS if sources.get(name, "default") != "default"), "")
        rows.append(["limits", "none", _who(sources, asked)])
    amounts = terms.payoff.to_json() if terms.payoff else {}
    payoff = ", ".join(f"{name} {value:g}" for name, value in amounts.items()) or "not given"
    rows.append(["payoff", payoff, _who(sources, "payoff")])
    if terms.threshold is not None:
        follows = " (follows from the payoff)" if terms.threshold_from == "payoff" else ""
        rows.append(["threshold", f"{terms.threshold:.6g}{follows}", _who(sources, "threshold")])
    elif task == "binary":
        rows.append(["threshold", "each candidate's own", _who(sources, "threshold")])
    example = " (an example)" if sheet.traffic.example else ""
    calls = f"{sheet.traffic.calls_per_month:,.0f} calls a month"
    peak = f"at most {sheet.traffic.peak_calls_per_s:,.3g} a second"
    rows.append(["traffic", f"{calls}, {peak}{example}", _who(sources, "traffic")])
    price = f"{sheet.currency}{sheet.usd_per_hour:g} an hour, {sheet.instance}"
    rows.append(["prices", price, _who(sources, "prices")])
    if terms.unit:
        rows.append(["unit", terms.unit, _who(sources, "unit")])
    headers = ["setting", "value", "who"]
    return render(headers, rows, left=headers)


def _who(sources: Mapping[str, Any], name: str) -> str:
    return _WHO[sources.get(name, "default")]


COMMAND = Command(
    name="decide",
    summary="see or store the decision about a run: pick, threshold, costs, limits, traffic, prices",
    description="Show the terms of a choice from a run with their sources, or store a decision in the run. Export, "
    "report, leaderboard, front, the app and Python use it. An option of the command overrides the stored decision, "
    "the decision overrides the settings of the search, and those override the defaults.",
    example='workbench decide runs/churn --costs 5,40 --traffic 100000/1d --note "costs of the call centre"',
    add_options=_add_options,
    run=_run,
)
