"""The picture of the report: score against one-row latency, and the clock that each system kept.
Needs matplotlib.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from compare import Grid, points
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart by colour-blind people too.
_COLOURS = ("#0072B2", "#D55E00", "#E69F00", "#009E73", "#CC79A7", "#6b6b6b", "#56B4E9", "#B5A000")


def draw(table: Grid, ours: str, name: Callable[[str], str], path: Path) -> None:
    """Draw the grid of one budget into a file."""
    mpl.rcParams.update({"svg.hashsalt": "workbench", "font.size": 9})
    mpl.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    colours = {system: _COLOURS[at % len(_COLOURS)] for at, system in enumerate(table.systems)}
    _scores(left, table, ours, name, colours)
    _clocks(right, table, name, colours)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)


def _scores(axes: Axes, table: Grid, ours: str, name: Callable[[str], str], colours: dict[str, str]) -> None:
    finite = np.where(np.isfinite(table.losses), table.losses, np.nan)
    best, worst = np.nanmin(finite, axis=1), np.nanmax(finite, axis=1)
    width = np.where(worst > best, worst - best, 1)
    for at, system in enumerate(table.systems):
        lines = [table.lines[system, task] for task in table.tasks]
        latency = np.array([float(line.get("latency_p50_us") or np.nan) for line in lines]) / 1000
        height = (worst - finite[:, at]) / width
        axes.scatter(latency, height, s=14, color=colours[system], alpha=0.45, linewidths=0)
        middle = (np.nanmedian(latency), np.nanmean(height))
        axes.scatter(*middle, s=110, color=colours[system], edgecolors="white", label=name(system), zorder=3)
        if system == ours:
            offered = [
                (us / 1000, (worst[row] - value) / width[row])
                for row, line in enumerate(lines)
                for value, us in points(line)
            ]
            shown = [(x, y) for x, y in offered if y >= 0]
            axes.scatter(*zip(*shown, strict=True), s=5, color=colours[system], alpha=0.3, linewidths=0)
    axes.set_xscale("log")
    axes.set_xlabel("one row, p50, ms (log)")
    axes.set_ylabel("score: 1 the best of a data set, 0 the worst")
    axes.set_title("Score and one-row latency; large: the middle of all data sets", fontsize=9, loc="left")


def _clocks(axes: Axes, table: Grid, name: Callable[[str], str], colours: dict[str, str]) -> None:
    random = np.random.default_rng(0)
    budget = next(iter(table.lines.values()))["budget_s"]
    for at, system in enumerate(table.systems):
        wall = [float(table.lines[system, task]["wall_s"]) for task in table.tasks]
        height = at + random.uniform(-0.18, 0.18, len(wall))
        axes.scatter(wall, height, s=14, color=colours[system], alpha=0.6, linewidths=0)
    axes.axvline(budget, color="black", linewidth=0.8, linestyle="--")
    axes.set_yticks(range(len(table.systems)), [name(system) for system in table.systems])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("wall clock of training, start-up included, s")
    axes.set_title(f"Asked for {budget:g} s", fontsize=9, loc="left")
