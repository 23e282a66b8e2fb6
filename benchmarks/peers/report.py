"""Turn result lines into tables and a plot, and put them into a Markdown file between its two
marks::

    environments/report/bin/python benchmarks/peers/report.py peers.jsonl ours.jsonl --into benchmarks/README.md

Needs numpy, and matplotlib for the plot.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
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
    z_if_independent,
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
_COVERED = 0.75
DUEL = ("wins – ties – losses", "win rate (95 %)", "beyond noise: better / worse")
#: What a run of ours says of its processor time, as columns.
SPENT = {
    "fitting": ("fit",),
    "predicting and scoring": ("predict", "score"),
    "served forms, parity": ("convert", "parity"),
    "measuring, and the core left idle for it": ("measure", "quiet"),
    "starting and reading": ("start",),
}
METRICS = {"auc": "AUC ↑", "log_loss": "log loss ↓", "rmse": "RMSE ↓"}


def shown_name(system: str) -> str:
    """The name of a system for a reader."""
    return NAMES.get(system, system)


def report(lines: Sequence[Line], ours: str) -> tuple[str, dict[str, Any]]:
    """Write the Markdown of every budget, and gather the same figures as data."""
    parts, summary = [_conditions(lines)], {}
    for budget in sorted({float(line["budget_s"]) for line in lines}):
        at = [line for line in lines if float(line["budget_s"]) == budget]
        if len({line["system"] for line in at}) > 1:
            text, summary[f"{budget:g}"] = _budget(at, budget, ours)
            parts.append(text)
    if not any(line["system"] == ours for line in lines):
        parts.insert(1, f"There is no cell of {shown_name(ours)} among these yet: the peers alone.")
    parts.extend(_less_time(lines, ours))
    parts.extend(_clock(lines, ours))
    parts.extend(_time_spent(lines, ours))
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
    at = f"Workbench at {', '.join(commits)}. " if commits else ""
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    disturbed = [line for line in lines if _share_of_others(line) > 0.1]
    return (
        f"Measured {when} on: {'; '.join(machines)}. {', '.join(versions)}. {at}"
        f"{len(lines)} cells; in {len(disturbed)} of them other processes of normal priority took more than a tenth of "
        "the cores' time."
    )


def _share_of_others(line: Line) -> float:
    others = float(line.get("others_cpu_s") or 0)  # what ran at low priority took only what was left over
    return others / max(float(line.get("wall_s") or 0) * int(line["cores"]), 1e-9)


# ---------------------------------------------------------------- one budget


def _budget(at: Sequence[Line], budget: float, ours: str) -> tuple[str, dict[str, Any]]:
    systems = sorted({str(line["system"]) for line in at}, key=_order)
    table = ranked_grid(at)
    ranked = len(table.systems) > 1
    counted = _counted(table, systems) if ranked else "Too few systems were run to be ranked."
    parts, figures = [f"### {budget:g} s", counted], {"tasks": len(table.tasks)}
    if table.tasks and ranked:  # first of one is no rank
        text, figures["systems"] = _overall(table)
        parts.append(text)
    parts.append(_scores(table, systems))
    if ours in systems:
        text, figures["against"] = _against(at, ours, systems)
        parts += [text, _losses(at, ours)]
    return "\n\n".join(part for part in parts if part), figures


def ranked_grid(at: Sequence[Line]) -> Grid:
    """The grid of those systems that were run on most tasks: one that was run on few would leave
    few to count.
    """
    counts = Counter(str(line["system"]) for line in at)
    enough = _COVERED * max(counts.values())
    return grid(at, sorted((system for system, count in counts.items() if count >= enough), key=_order))


def _counted(table: Grid, systems: Sequence[str]) -> str:
    left_out = [shown_name(system) for system in systems if system not in table.systems]
    absent = list(dict.fromkeys(task for _, task in table.lines if task not in table.tasks))
    texts = [f"The first table counts the {len(table.tasks)} data sets on which all of its systems were run."]
    if absent:
        texts.append(f"Not counted: {', '.join(name for name, _ in absent)}.")
    if left_out:
        texts.append(f"Run on too few of them to be ranked: {', '.join(left_out)}.")
    return " ".join(texts)


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


def _scores(table: Grid, systems: Sequence[str]) -> str:
    rows = []
    for task in dict.fromkeys(task for _, task in table.lines):
        lines = {system: table.lines[system, task] for system in systems if (system, task) in table.lines}
        best = min(loss(line) for line in lines.values())
        cells = [_cell(lines.get(system), best) for system in systems]
        name = task[0] if task[1] == 0 else f"{task[0]}, seed {task[1]}"
        rows.append([f"{name} ({METRICS[next(iter(lines.values()))['metric']]})", *cells])
    return _table(["data set", *map(shown_name, systems)], rows)


def _cell(line: Line | None, best: float) -> str:
    if line is None:
        return "not run"
    return f"**{_score(line)}**" if loss(line) == best and np.isfinite(best) else _score(line)


def _score(line: Line) -> str:
    value = line.get("score")
    if value is None:
        return str(line["status"])
    if line["metric"] != "rmse":
        return f"{value:.4f}"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _against(at: Sequence[Line], ours: str, systems: Sequence[str]) -> tuple[str, dict[str, Any]]:
    rows, figures = [], {}
    mine = [line for line in at if line["system"] == ours]
    for system in systems:
        pairs = _pairs(mine, [line for line in at if line["system"] == system])
        if system != ours and pairs:
            text, figures[system] = _duel(pairs)
            rows.append([shown_name(system), str(len(pairs)), *text])
    return _table(["Workbench against", "data sets", *DUEL], rows), figures


def _duel(pairs: Sequence[tuple[Line, Line]]) -> tuple[list[str], dict[str, Any]]:
    wins = sum(loss(a) < loss(b) for a, b in pairs)
    losses = sum(loss(a) > loss(b) for a, b in pairs)
    ties = len(pairs) - wins - losses
    rate = (wins + ties / 2) / len(pairs)
    low, high = wilson(wins + ties / 2, len(pairs))
    found = [_noise(a, b) for a, b in pairs]
    better, worse = (sum(z is not None and sign * z > Z95 for z, _ in found) for sign in (1, -1))
    unknown = sum(z is None for z, _ in found)
    unpaired = sum(not paired for z, paired in found if z is not None)
    notes = [f"{unknown} not known"] * bool(unknown) + [f"{unpaired} unpaired"] * bool(unpaired)
    noise = f"{better} / {worse}" + (f" ({', '.join(notes)})" if notes else "")
    facts = {"wins": wins, "ties": ties, "losses": losses, "rate": rate, "interval": [low, high]}
    facts |= {"better_beyond_noise": better, "worse_beyond_noise": worse}
    facts |= {"noise_unknown": unknown, "noise_unpaired": unpaired}
    return [f"{wins} – {ties} – {losses}", f"{rate:.0%} ({low:.0%}–{high:.0%})", noise], facts


def _noise(line: Line, other: Line) -> tuple[float | None, bool]:
    """Return the standard errors by which a line is better, and whether they are paired by row."""
    z = z_of_difference(line, other)
    return (z, True) if z is not None else (z_if_independent(line, other), False)


def _losses(at: Sequence[Line], ours: str) -> str:
    found, mine = [], [line for line in at if line["system"] == ours]
    for line in mine:
        best = min((each for each in at if _task(each) == _task(line)), key=loss)
        if loss(best) < loss(line):
            found.append((loss(line) / loss(best) - 1, _loss_sentence(line, best)))
    if not found:
        return f"Workbench is first on all of its {len(mine)} data sets."
    head = f"Where Workbench is not first ({len(found)} of {len(mine)} data sets):"
    return "\n".join([head, "", *(text for _, text in sorted(found, reverse=True))])


def _loss_sentence(line: Line, best: Line) -> str:
    z, paired = _noise(line, best)
    noise = "noise not known"
    if z is not None:
        kind = "" if paired else ", unpaired"
        noise = f"{-z:.1f} standard errors{kind}: {'beyond' if -z > Z95 else 'within'} noise"
    return (
        f"- {line['data']}: {_score(line)} against {_score(best)} of {shown_name(best['system'])} "
        f"({_percent(loss(line) / loss(best) - 1)} more loss; {noise})"
    )


# ---------------------------------------------------------------- less time against more


def _less_time(lines: Sequence[Line], ours: str) -> list[str]:
    """Compare us at a budget with the peers at a larger one, on the tasks that both have."""
    budgets, rows = sorted({float(line["budget_s"]) for line in lines}), []
    peers = sorted({str(line["system"]) for line in lines} - {ours}, key=_order)
    for budget, other in combinations(budgets, 2):
        for system in peers:
            pairs = _pairs(_of(lines, ours, budget), _of(lines, system, other))
            if pairs:
                text, _ = _duel(pairs)
                rows.append([f"{budget:g} s", f"{shown_name(system)}, {other:g} s", str(len(pairs)), *text])
    if not rows:
        return []
    header = ["Workbench at", "against", "data sets", *DUEL]
    return ["### Less time against more", _table(header, rows)]


def _clock(lines: Sequence[Line], ours: str) -> list[str]:
    """Return the table of what we took of each budget, over all data sets."""
    rows = []
    for budget in sorted({float(line["budget_s"]) for line in lines}):
        walls = [float(line["wall_s"]) for line in _of(lines, ours, budget)]
        if walls:
            figures = [float(np.median(walls)), min(walls), max(walls)]
            rows.append([f"{budget:g} s", str(len(walls)), *(f"{each:.1f}" for each in figures)])
    if not rows:
        return []
    header = ["Workbench asked for", "data sets", "median s", "shortest", "longest"]
    return ["### The clock", _table(header, rows)]


def _time_spent(lines: Sequence[Line], ours: str) -> list[str]:
    """Return the table of where our processor time went, as the runs say it."""
    rows = []
    for line in sorted(lines, key=lambda each: (float(each["budget_s"]), str(each["data"]))):
        spent = line.get("cpu_spent") if line["system"] == ours else None
        if not spent:
            continue
        shares = [sum(spent.get(key, 0.0) for key in keys) / spent["available"] for keys in SPENT.values()]
        shown = [f"{share:.0%}" for share in (shares[0] + shares[1], *shares, 1.0 - sum(shares))]
        rows.append([str(line["data"]), f"{float(line['budget_s']):g} s", *shown])
    if not rows:
        return []
    header = ["data set", "time", "fitting, predicting and scoring", *SPENT, "the rest"]
    return ["### Where the processor time went", _table(header, rows)]


def _of(lines: Sequence[Line], system: str, budget: float) -> list[Line]:
    return [line for line in lines if line["system"] == system and float(line["budget_s"]) == budget]


def _task(line: Line) -> tuple[str, int]:
    return str(line["data"]), int(line["seed"])


def _pairs(mine: Sequence[Line], theirs: Sequence[Line]) -> list[tuple[Line, Line]]:
    found = {_task(line): line for line in theirs}
    return [(line, found[_task(line)]) for line in mine if _task(line) in found]


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


def keep(lines: Sequence[Line], path: Path) -> None:
    """Write lines without what only this machine knows: of a failure's text the last line stays."""
    with path.open("w", encoding="utf-8") as file:
        for line in lines:
            kept = {
                key: value for key, value in line.items() if key not in {"predictions", "folder", "summary"}
            }
            if kept.get("reason"):
                kept["reason"] = str(kept["reason"]).strip().splitlines()[-1][:200]
            file.write(json.dumps(kept) + "\n")


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
    parser.add_argument("--lines", type=Path, help="write the result lines that count into one file, to keep")
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
        draw(ranked_grid(at), options.ours, shown_name, options.plot)
    if options.into:
        put(text, options.into)
    else:
        print(text)
    if options.lines:
        keep(lines, options.lines)
    if options.json:
        options.json.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
