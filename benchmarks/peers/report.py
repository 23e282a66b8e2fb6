"""Turn result lines into tables and a plot, and put them into a Markdown file between its two marks::

    environments/report/bin/python benchmarks/peers/report.py peers.jsonl ours.jsonl --into benchmarks/README.md

Needs numpy, and matplotlib for the plot.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from compare import (
    Z95,
    Grid,
    Line,
    grid,
    hypervolume,
    loss,
    mean_with_interval,
    points,
    read_lines,
    wilson,
    z_of_difference,
)

NAMES = {
    "workbench": "Workbench",
    "autogluon_medium": "AutoGluon medium",
    "autogluon_best": "AutoGluon best",
    "mljar": "mljar Compete",
    "flaml": "FLAML",
    "lightgbm": "LightGBM defaults",
}
ORDER = list(NAMES)
MARKS = ("<!-- figures: begin -->", "<!-- figures: end -->")
DUEL = ("wins – ties – losses", "win rate (95 %)", "beyond noise: better / worse")
METRICS = {"auc": "AUC ↑", "log_loss": "log loss ↓", "rmse": "RMSE ↓"}


def shown_name(system: str) -> str:
    """The name of a system for a reader."""
    return NAMES.get(system, system)


def report(lines: Sequence[Line], ours: str) -> tuple[str, dict[str, Any]]:
    """Write the Markdown of every budget, and gather the same figures as data."""
    parts, summary = [_conditions(lines)], {}
    for budget in sorted({float(line["budget_s"]) for line in lines}):
        at = [line for line in lines if float(line["budget_s"]) == budget]
        systems = sorted({str(line["system"]) for line in at}, key=_order)
        table = grid(at, systems)
        if len(systems) < 2 or not table.tasks:
            continue
        text, figures = _budget(table, budget, ours)
        parts.append(text)
        summary[f"{budget:g}"] = figures
    parts.extend(_less_time(lines, ours))
    return "\n\n".join(part for part in parts if part), summary


def _order(system: str) -> tuple[int, str]:
    return (ORDER.index(system) if system in ORDER else len(ORDER), system)


def _conditions(lines: Sequence[Line]) -> str:
    dates = sorted({str(line["started"])[:10] for line in lines})
    machines = sorted({f"{line['machine']}; {line['cores']} cores used" for line in lines})
    versions = sorted(
        {f"{shown_name(line['system'])} {line['version']}" for line in lines if line.get("version")}
    )
    commits = sorted({str(line["commit"]) for line in lines if line.get("commit")})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    disturbed = [line for line in lines if _share_of_others(line) > 0.1]
    return (
        f"Measured {when} on: {'; '.join(machines)}. {', '.join(versions)}; Workbench at {', '.join(commits) or '-'}. "
        f"{len(lines)} cells; in {len(disturbed)} of them other processes of normal priority took more than a tenth of "
        "the cores' time."
    )


def _share_of_others(line: Line) -> float:
    others = float(line.get("others_cpu_s") or 0)  # what ran at low priority took only what was left over
    return others / max(float(line.get("wall_s") or 0) * int(line["cores"]), 1e-9)


# ---------------------------------------------------------------- one budget


def _budget(table: Grid, budget: float, ours: str) -> tuple[str, dict[str, Any]]:
    head, overall = _overall(table)
    parts = [f"### {budget:g} s", _missing(table), head, _scores(table)]
    figures: dict[str, Any] = {"tasks": len(table.tasks), "systems": overall}
    if ours in table.systems:
        text, against = _against(table, ours)
        parts += [text, _losses(table, ours)]
        figures["against"] = against
    return "\n\n".join(part for part in parts if part), figures


def _missing(table: Grid) -> str:
    absent = sorted({task for _, task in table.lines} - set(table.tasks))
    if not absent:
        return ""
    names = ", ".join(name for name, _ in absent)
    return f"{len(table.tasks)} tasks that every system was run on; not counted, as some were not: {names}."


def _overall(table: Grid) -> tuple[str, dict[str, Any]]:
    ranks, normalised, gaps = table.ranks(), table.normalised(), table.gaps()
    volumes = np.array([[_volume(table, task, system) for system in table.systems] for task in table.tasks])
    rows, figures = [], {}
    for at, system in enumerate(table.systems):
        lines = [table.lines[system, task] for task in table.tasks]
        rank, norm = mean_with_interval(ranks[:, at]), mean_with_interval(normalised[:, at])
        known = volumes[:, at][np.isfinite(volumes[:, at])]
        volume = float(known.mean()) if len(known) else None
        facts = {
            "mean_rank": rank,
            "normalised": norm,
            "median_gap": float(np.median(gaps[:, at])),
            "first": int((ranks[:, at] < 2).sum()),
            "hypervolume": volume,
            "failed": sum(line["status"] != "ok" for line in lines),
            **{key: _median(lines, key) for key in ("wall_s", "cpu_s", "latency_p50_us", "artifact_mb")},
            "longest_wall_s": max(float(line["wall_s"]) for line in lines),
        }
        figures[system] = facts
        rows.append(
            [
                shown_name(system), _interval(rank), _interval(norm),
                _percent(facts["median_gap"]), str(facts["first"]), "–" if volume is None else f"{volume:.2f}",
                f"{_number(facts['wall_s'])} / {facts['longest_wall_s']:.0f}", _number(facts["cpu_s"]),
                _milliseconds(facts["latency_p50_us"]), _number(facts["artifact_mb"]), str(facts["failed"]),
            ]
        )  # fmt: skip
    header = [
        "system", "mean rank (95 %)", "normalised score (95 %)", "median loss above best", "first", "hypervolume",
        "wall s, median / longest", "CPU s", "one row p50, ms", "size MB", "failed",
    ]  # fmt: skip
    order = np.argsort(ranks.mean(axis=0))
    return _table(header, [rows[at] for at in order]), figures


def _volume(table: Grid, task: tuple[str, int], system: str) -> float:
    at = [line for (_, each), line in table.lines.items() if each == task]
    constants = [line["constant_score"] for line in at if "constant_score" in line]
    line = table.lines[system, task]
    best = min(loss(table.lines[each, task]) for each in table.systems)
    offered = points(line)
    if not constants or not offered:
        return 0.0 if constants else np.nan
    return hypervolume(offered, loss({"score": constants[0], "metric": line["metric"]}), best)


def _median(lines: Sequence[Line], key: str) -> float | None:
    values = [float(line[key]) for line in lines if line.get(key) is not None]
    return float(np.median(values)) if values else None


def _scores(table: Grid) -> str:
    rows = []
    for position, task in enumerate(table.tasks):
        lines = [table.lines[system, task] for system in table.systems]
        name = task[0] if task[1] == 0 else f"{task[0]}, seed {task[1]}"
        best = table.losses[position].min()
        cells = [
            f"**{_score(line)}**" if value == best else _score(line)
            for line, value in zip(lines, table.losses[position], strict=True)
        ]
        rows.append([f"{name} ({METRICS[lines[0]['metric']]})", *cells])
    return _table(["data set", *map(shown_name, table.systems)], rows)


def _score(line: Line) -> str:
    value = line.get("score")
    if value is None:
        return str(line["status"])
    return f"{value:.4f}" if line["metric"] != "rmse" else f"{value:.4g}"


def _against(table: Grid, ours: str) -> tuple[str, dict[str, Any]]:
    rows, figures = [], {}
    for system in table.systems:
        if system == ours:
            continue
        text, facts = _duel([(table.lines[ours, task], table.lines[system, task]) for task in table.tasks])
        figures[system] = facts
        rows.append([shown_name(system), *text])
    header = ["Workbench against", *DUEL]
    return _table(header, rows), figures


def _duel(pairs: Sequence[tuple[Line, Line]]) -> tuple[list[str], dict[str, Any]]:
    wins = sum(loss(a) < loss(b) for a, b in pairs)
    losses = sum(loss(a) > loss(b) for a, b in pairs)
    ties = len(pairs) - wins - losses
    rate = (wins + ties / 2) / len(pairs)
    low, high = wilson(wins + ties / 2, len(pairs))
    zs = [z_of_difference(a, b) for a, b in pairs]
    better, worse = (sum(z is not None and sign * z > Z95 for z in zs) for sign in (1, -1))
    unknown = sum(z is None for z in zs)
    noise = f"{better} / {worse}" + (f" ({unknown} not known)" if unknown else "")
    facts = {"wins": wins, "ties": ties, "losses": losses, "rate": rate, "interval": [low, high]}
    facts |= {"better_beyond_noise": better, "worse_beyond_noise": worse, "noise_unknown": unknown}
    return [f"{wins} – {ties} – {losses}", f"{rate:.0%} ({low:.0%}–{high:.0%})", noise], facts


def _losses(table: Grid, ours: str) -> str:
    at, found = table.systems.index(ours), []
    for position, task in enumerate(table.tasks):
        mine, best = table.losses[position, at], table.losses[position].min()
        if mine <= best:
            continue
        rival = table.systems[int(table.losses[position].argmin())]
        line, theirs = table.lines[ours, task], table.lines[rival, task]
        z = z_of_difference(line, theirs)
        noise = (
            "not known against noise"
            if z is None
            else f"{-z:.1f} standard errors, " + ("beyond noise" if -z > Z95 else "within noise")
        )
        found.append((mine / best - 1, f"- {task[0]}: {_score(line)} against {_score(theirs)} of {shown_name(rival)} "
                                       f"({_percent(mine / best - 1)} more loss; {noise})"))  # fmt: skip
    if not found:
        return "Workbench is first on every task."
    lines = [text for _, text in sorted(found, reverse=True)]
    return "\n".join(
        [f"Where Workbench is not first ({len(found)} of {len(table.tasks)} tasks):", "", *lines]
    )


# ---------------------------------------------------------------- less time against more


def _less_time(lines: Sequence[Line], ours: str) -> list[str]:
    """Compare us at a budget with the peers at a larger one, on the tasks that both have."""
    mine = [line for line in lines if line["system"] == ours]
    rows = []
    for budget in sorted({float(line["budget_s"]) for line in mine}):
        for other in sorted({float(line["budget_s"]) for line in lines if float(line["budget_s"]) > budget}):
            for system in sorted({str(line["system"]) for line in lines} - {ours}, key=_order):
                pairs = _pairs(mine, budget, [line for line in lines if line["system"] == system], other)
                if pairs:
                    text, _ = _duel(pairs)
                    rows.append(
                        [f"{budget:g} s", f"{shown_name(system)}, {other:g} s", str(len(pairs)), *text]
                    )
    if not rows:
        return []
    header = ["Workbench at", "against", "tasks", *DUEL]
    return ["### Less time against more", _table(header, rows)]


def _pairs(
    mine: Sequence[Line], budget: float, theirs: Sequence[Line], other: float
) -> list[tuple[Line, Line]]:
    found = {(line["data"], line["seed"]): line for line in theirs if float(line["budget_s"]) == other}
    at = [line for line in mine if float(line["budget_s"]) == budget]
    return [(line, found[line["data"], line["seed"]]) for line in at if (line["data"], line["seed"]) in found]


# ---------------------------------------------------------------- text


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _interval(values: tuple[float, float, float]) -> str:
    return f"{values[0]:.2f} ({values[1]:.2f}–{values[2]:.2f})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _milliseconds(us: float | None) -> str:
    return "–" if us is None else f"{us / 1000:.3g}"


def _percent(share: float) -> str:
    return "–" if not np.isfinite(share) else f"{share:.1%}"


def put(text: str, document: Path) -> None:
    """Replace what stands between the two marks of a document."""
    content = document.read_text(encoding="utf-8")
    begin, end = (content.find(mark) for mark in MARKS)
    if begin < 0 or end < begin:
        raise SystemExit(f"{document} lacks the lines {MARKS[0]} and {MARKS[1]}")
    document.write_text(f"{content[:begin]}{MARKS[0]}\n\n{text}\n\n{content[end:]}", encoding="utf-8")


def main() -> int:
    """Read result lines and write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, nargs="+", help="JSON lines files of run.py")
    parser.add_argument("--ours", default="workbench", help="the system to compare with the others")
    parser.add_argument("--systems", help="comma-separated: only these; default: all in the files")
    parser.add_argument("--into", type=Path, help="Markdown file with the two marks; default: print")
    parser.add_argument("--json", type=Path, help="write the figures as JSON, too")
    parser.add_argument("--plot", type=Path, help="write a plot, .svg or .png")
    parser.add_argument("--plot-budget", type=float, default=60.0, help="the budget to plot")
    options = parser.parse_args()
    lines = read_lines(options.results)
    if options.systems:
        wanted = options.systems.split(",")
        lines = [line for line in lines if line["system"] in wanted]
    text, summary = report(lines, options.ours)
    if options.plot:
        from plot import draw

        at = [line for line in lines if float(line["budget_s"]) == options.plot_budget]
        table = grid(at, sorted({str(line["system"]) for line in at}, key=_order))
        draw(table, options.ours, shown_name, options.plot)
    if options.into:
        put(text, options.into)
    else:
        print(text)
    if options.json:
        options.json.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
