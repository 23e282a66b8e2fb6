"""Write the report of a run."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench import explain
from workbench.api import Run
from workbench.display.front import front_figure, money_shown
from workbench.display.insight import importance_figure
from workbench.display.numbers import (
    amount,
    count,
    duration,
    interval,
    latency,
    metric_words,
    moment,
    percent,
    score,
    significant,
    size,
)
from workbench.display.sentences import advice, limit_costs, limit_words, named, take_cheaper
from workbench.display.tables import failure_table, final_of, with_front
from workbench.display.words import TASKS, UNKNOWN, family_name
from workbench.errors import WorkbenchError
from workbench.runtime.files.atomic_write import write_atomically
from workbench.runtime.files.writer_lock import remove_leftovers, sole_writer
from workbench.tradeoff import (
    Choice,
    LeaderboardRow,
    PriceSheet,
    RunDecision,
    ServableRow,
    lead_score,
    monthly,
    servable,
)

from . import words
from .markup import as_json, chart, facts, listed, page, table, tag
from .quality import quality

_RACE = "race"  # the stage of candidates stopped early after their first fold


def write_report(run: Run, out: str | Path, choice: Choice | None = None) -> Path:
    """Write the report of a run into one HTML file and return its path.

    Parameters
    ----------
    run : Run
    out : path
    choice : Choice, optional
        The choice with its terms; by default as decided in the run.

    Raises
    ------
    RunError
        If the run cannot be read.
    PickError
        If no candidate is within the limits.
    BadFileError
        If another process writes a report to `out`.
    """
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    with sole_writer(path):
        remove_leftovers(path, ".part")
        write_atomically(path, report_html(run, choice))
    return path


def report_html(run: Run, choice: Choice | None = None) -> str:
    """Return the report of a run as one HTML document that loads nothing from elsewhere.

    Parameters
    ----------
    run : Run
    choice : Choice, optional
        By default as decided in the run, otherwise by the rule that fits the goal. The section on
        the cost of mistakes needs a payoff in the choice's terms.
    """
    picked = choice or run.pick()
    terms = picked.terms or run.terms()
    prices = picked.sheet or terms.sheet
    rows, _ = with_front(run.rows(terms=terms), picked.limits)
    title = words.TITLE.format(name=run.path.name)
    parts = [
        tag("h1", title),
        tag("p", _lead(run, rows), kind="soft"),
        _chosen(picked, rows, prices, run.decision),
        _front(picked, rows, prices),
        _guarded(words.QUALITY, lambda: quality(run.folder, picked.id, terms)),
        _guarded(words.DRIVERS, lambda: _drivers(run, picked.id)),
        _guarded(words.SEGMENTS, lambda: _segments(run, picked.id)),
        _failures(rows),
        _findings(run.info.get("findings") or []),
        _facts(run),
        tag("p", words.MADE.format(when=moment(dt.datetime.now(dt.UTC).isoformat())), kind="soft"),
    ]
    return page(title, "\n".join(parts))


def _lead(run: Run, rows: Sequence[LeaderboardRow]) -> str:
    info = run.info
    data, settings = info.get("data") or {}, info.get("settings") or {}
    task = str(info.get("task") or "")
    return words.LEAD.format(
        rows=count(data.get("rows")),
        data=data.get("name") or UNKNOWN,
        target=settings.get("target") or UNKNOWN,
        task=TASKS.get(task, task),
        candidates=count(len(rows)),
        seconds=duration(info.get("seconds_used")),
    )


def _chosen(
    choice: Choice, rows: Sequence[LeaderboardRow], sheet: PriceSheet, decision: RunDecision | None
) -> str:
    row, metric = choice.row, choice.row.metric
    named_metric = metric_words(metric)
    value, low, high, _ = lead_score(row)
    pairs = [
        (named_metric.label, score(value, metric)),
        ("95 % interval", interval(low, high, metric)),
        ("In the search", score(row.score, metric)),
        *_money(row, sheet),
        ("Latency (p50)", latency(row.latency_p50_us)),
        ("Latency (p99)", latency(row.latency_p99_us)),
        ("Machines a month", amount(monthly(row.cpu_us_per_row, sheet).usd, sheet.currency)),
        ("Size", size(row.artifact_mb)),
    ]
    out = [
        tag("h2", f"{words.CHOICE}: {named(row)}"),
        tag("p", f"{words.CHOSEN_BY.get(choice.how, choice.how)}.".capitalize(), kind="soft"),
        *([tag("p", words.DECIDED.format(decision=decision.to_text()), kind="soft")] if decision else []),
        facts(pairs),
        listed(
            [*choice.warnings, *advice(choice, rows, sheet), *filter(None, [take_cheaper(choice, sheet)])]
        ),
        tag("p", named_metric.explained, kind="soft"),
    ]
    if choice.limits:
        limits = [limit_words(name, value, sheet.currency) for name, value in choice.limits.to_json().items()]
        out.append(tag("p", words.LIMITS.format(limits=", ".join(limits))))
        found = limit_costs(rows, choice.how, choice.limits, sheet)
        out += [tag("h3", words.LIMIT_COSTS), listed(each.sentence for each in found)]
    return "\n".join(out)


def _money(row: ServableRow, sheet: PriceSheet) -> list[tuple[str, str]]:
    """Return the cost of mistakes and the total cost of a month, if they are known."""
    found = [
        ("Mistakes per 1,000 cases", row.expected_cost_per_1000),
        ("Total a month", row.total_cost_per_month_usd),
    ]
    return [(label, amount(round(value), sheet.currency)) for label, value in found if value is not None]


def _front(choice: Choice, rows: Sequence[LeaderboardRow], sheet: PriceSheet) -> str:
    front = [row for row in servable(rows) if row.on_front or row.id == choice.id]
    lines = [
        (
            "★" if row.id == choice.id else "≈ best" if row.equal_to_best else "",
            named(row),
            *_final(row),
            score(row.score, row.metric),
            latency(row.latency_p50_us),
            latency(row.latency_p99_us),
            amount(monthly(row.cpu_us_per_row, sheet).usd, sheet.currency),
            *(value for _, value in _money(row, sheet)),
        )
        for row in front
    ]
    at = next((position for position, row in enumerate(front) if row.id == choice.id), None)
    note = words.FRONT_NOTE.format(
        up=words.UP[money_shown(rows)],
        colour=words.COLOURS[money_shown(rows)],
        data=choice.row.score_data or UNKNOWN,
        machine=choice.row.machine or UNKNOWN,
    )
    if choice.row.expected_cost_data:
        note = f"{note} " + words.MISTAKES_NOTE.format(
            data=choice.row.expected_cost_data, total=choice.row.total_cost_data or UNKNOWN
        )
    columns = (*words.FRONT_COLUMNS, *(label for label, _ in _money(choice.row, sheet)))
    figure = front_figure(rows, choice.id, currency=sheet.currency)
    return "\n".join(
        [
            tag("h2", words.FRONT),
            chart(figure, "front", words.CHART_FRONT),
            tag("p", note, kind="soft"),
            table(columns, lines, at, numbers=2),
        ]
    )


def _final(row: ServableRow) -> tuple[str, str]:
    """Return the final score and its interval; a candidate that was never on the front has none."""
    value, low, high, _ = final_of(row) or (None, None, None, "")
    metric = row.metric
    return score(value, metric), interval(low, high, metric)


def _guarded(title: str, make: Callable[[], str]) -> str:
    """Return a section, or the reason why it cannot be computed; the rest of the report is kept."""
    try:
        content = make()
    except WorkbenchError as error:
        content = tag("p", words.NOT_COMPUTED.format(problem=error))
    return tag("h2", title) + "\n" + content


def _drivers(run: Run, candidate: str) -> str:
    found = explain.explanation(run.folder, candidate).importance
    note = words.DRIVERS_NOTE.format(
        repeats=found[0].repeats,
        rows=count(found[0].rows),
        which=words.UNSEEN if found[0].unseen else words.SEEN,
    )
    return chart(importance_figure(found), "drivers", words.DRIVERS) + tag("p", note, kind="soft")


def _segments(run: Run, candidate: str) -> str:
    known = explain.evidence_of(run.folder, candidate)
    found = explain.worst_segments(known, run.folder.dataset())
    if not found:
        return tag("p", words.SEGMENTS_NONE)
    classes = known.task != "regression"

    def write(loss: float) -> str:
        return percent(loss) if classes else significant(loss, 3)

    lines = [
        (
            f"{each.column} {each.condition}",
            count(each.rows),
            write(each.loss),
            write(each.rest),
            significant(each.times),
        )
        for each in found
    ]
    target = run.info.get("settings", {}).get("target", "")
    note = words.SEGMENTS_NOTE_CLASS if classes else words.SEGMENTS_NOTE_NUMBER.format(target=target)
    return table(words.SEGMENT_COLUMNS, lines, numbers=1) + tag("p", note, kind="soft")


def _failures(rows: Sequence[LeaderboardRow]) -> str:
    """Return the failed candidates, and counts of those stopped early by kind."""
    found = failure_table(rows)
    behind = [row for row in found if row["stage"] == _RACE]
    lines = [
        (row["id"], family_name(row["family"]), row["stage"] or row["status"], row["reason"], row["hint"])
        for row in found
        if row["stage"] != _RACE
    ]
    parts = [] if found else [tag("p", words.FAILURES_NONE)]
    if behind:
        kinds = Counter(family_name(row["family"]) for row in behind)
        named = ", ".join(f"{name} {number}" for name, number in kinds.most_common())
        parts.append(tag("p", words.BEHIND.format(count=count(len(behind)), kinds=named)))
    if lines:
        parts.append(table(words.FAILURE_COLUMNS, lines))
    return tag("h2", words.FAILURES) + "\n".join(parts)


def _findings(findings: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for each in findings:
        where = f"{each['column']}: " if each.get("column") else ""
        lines.append(f"{where}{each.get('message', '')}")
    return tag("h2", words.FINDINGS) + (listed(lines) if lines else tag("p", words.FINDINGS_NONE))


def _facts(run: Run) -> str:
    info = run.info
    asked = {key: value for key, value in (info.get("settings") or {}).items() if value not in (None, [], ())}
    plan = info.get("plan") or {}
    values = {
        "fingerprint": (info.get("data") or {}).get("fingerprint", UNKNOWN),
        "created": moment(info.get("created")),
        "machine": info.get("machine", UNKNOWN),
        "python": info.get("python", UNKNOWN),
        "libraries": ", ".join(
            f"{name} {version}" for name, version in (info.get("libraries") or {}).items()
        ),
        "validation": plan.get("reason", UNKNOWN),
        "settings": as_json(asked),
    }
    lines = [(words.FACT_NAMES[key], str(value)) for key, value in values.items()]
    return tag("h2", words.FACTS) + table(("", ""), lines)
