"""False alarms and detection of the drift alarms, by simulation, beside the rules that are usual.

Twenty columns: ten of numbers (normal, skewed, mostly zero, counts) and ten of categories with 2 to
500 levels. A reference of 5,000 rows is drawn anew in each repeat; then a fortnight of hourly
looks, each at a fresh window. Windows are drawn as bin counts from the true probabilities of the
bins.

    python benchmarks/drift.py --repeats 1000

prints, for each size of the window, the share of fortnights with any alarm (with the upper end of
its 95 % interval), without a change; and how often a shift of one column is found at its first
look. Beside them the rules "PSI >= 0.1", "Kolmogorov-Smirnov p < 0.05" and "Jensen-Shannon >= 0.1",
on the same counts.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from workbench.export.documents.profile import numbers
from workbench.monitoring.alarms import TOLERANCE, rejected, spent
from workbench.monitoring.column_drift import changes
from workbench.monitoring.counts import Counts, reference_counts
from workbench.monitoring.effects import jensen_shannon, psi
from workbench.monitoring.evidence import ks_statistic

LOOKS = 14 * 24
REFERENCE = 5_000
WINDOWS = (100, 1_000, 10_000, 100_000, 1_000_000)
LEVELS = (2, 3, 5, 10, 20, 50, 100, 200, 350, 500)
NUMBERS = (
    "normal",
    "normal",
    "normal",
    "lognormal",
    "lognormal",
    "exponential",
    "zeros",
    "zeros",
    "counts",
    "counts",
)


def draw(kind: str, rng: np.random.Generator, rows: int) -> np.ndarray:
    """Return rows of a column of numbers."""
    if kind == "normal":
        return rng.normal(size=rows)
    if kind == "lognormal":
        return rng.lognormal(size=rows)
    if kind == "exponential":
        return rng.exponential(size=rows)
    if kind == "zeros":
        return np.where(rng.random(rows) < 0.8, 0.0, rng.exponential(size=rows))
    return rng.poisson(3.0, size=rows).astype(float)


def below(kind: str, points: np.ndarray, strict: bool, shift: float = 0.0) -> np.ndarray:
    """Return the probability of values up to each point (or below it, where `strict`)."""
    points = points - shift
    if kind == "normal":
        return stats.norm.cdf(points)
    if kind == "lognormal":
        return stats.lognorm.cdf(points, 1.0)
    if kind == "exponential":
        return stats.expon.cdf(points)
    if kind == "zeros":
        at_zero = 0.8 * ((points > 0) if strict else (points >= 0))
        return at_zero + 0.2 * stats.expon.cdf(points)
    return stats.poisson.cdf(np.ceil(points) - 1 if strict else np.floor(points), 3.0)


def number_column(kind: str, rng: np.random.Generator, shift: float = 0.0) -> tuple[Counts, np.ndarray]:
    """Return the reference of a column, and the true probabilities of its bins (shifted by standard
    deviations).
    """
    values = draw(kind, rng, REFERENCE)
    column = {"name": kind, "kind": "number", "missing": 0, **numbers(values)}
    counts = reference_counts({"columns": [column]})[kind]
    edges = counts.edges
    lower = below(kind, edges[:-1], True, shift * values.std())
    upper = np.append(lower[1:], below(kind, edges[-1:], False, shift * values.std()))
    return counts, np.concatenate([lower[:1], upper - lower, 1.0 - upper[-1:]])


def level_column(levels: int, rng: np.random.Generator) -> tuple[Counts, np.ndarray]:
    """Return the reference of a category whose levels follow Zipf's law, and the true probabilities
    of its bins.
    """
    chances = 1.0 / np.arange(1, levels + 1)
    chances /= chances.sum()
    found = rng.multinomial(REFERENCE, chances)
    order = np.argsort(-found, kind="stable")
    order = order[found[order] > 0]
    listed = order[:200]
    column = {
        "name": "levels",
        "kind": "category",
        "missing": 0,
        "levels": [[str(at), int(found[at])] for at in listed],
        "other": int(found[order[200:]].sum()),
        "distinct": len(order),
    }
    counts = reference_counts({"columns": [column]})["levels"]
    return counts, np.array([*chances[listed], chances[order[200:]].sum(), chances[found == 0].sum()])


def one_fortnight(window: int, rng: np.random.Generator) -> dict[str, bool]:
    """Return which rules raise any alarm in a fortnight without a change."""
    columns = [number_column(kind, rng) for kind in NUMBERS] + [level_column(each, rng) for each in LEVELS]
    level = spent(3600.0)
    p_values, lows = np.ones((LOOKS, len(columns))), np.zeros((LOOKS, len(columns)))
    usual = {"PSI >= 0.1": False, "Jensen-Shannon >= 0.1": False, "Kolmogorov-Smirnov p < 0.05": False}
    for at, (counts, chances) in enumerate(columns):
        drawn = rng.multinomial(window, chances / chances.sum(), size=LOOKS)
        p_values[:, at], effects = changes(counts, drawn, np.zeros(LOOKS, dtype=int))
        lows[:, at] = np.max([low for _, low in effects.values()], axis=0)
        old = np.broadcast_to(counts.bins, drawn.shape)
        raw = psi(old, drawn) + (drawn.shape[-1] - 1) * (1.0 / REFERENCE + 1.0 / window)
        usual["PSI >= 0.1"] |= bool((raw >= 0.1).any())
        if counts.kind == "category":
            usual["Jensen-Shannon >= 0.1"] |= bool(
                (jensen_shannon(old, drawn) * np.sqrt(np.log(2)) >= 0.1).any()
            )
        else:
            size = REFERENCE * window / (REFERENCE + window)
            found = stats.kstwobign.sf(np.sqrt(size) * ks_statistic(old, drawn))
            usual["Kolmogorov-Smirnov p < 0.05"] |= bool((found < 0.05).any())
    alarms = rejected(p_values, level) & (lows > TOLERANCE)
    return {"Workbench": bool(alarms.any()), **usual}


def detected(window: int, shift: float, rng: np.random.Generator) -> bool:
    """Tell whether the first look after one of twenty normal columns has shifted raises an alarm
    for it.
    """
    columns = [number_column("normal", rng, shift if at == 0 else 0.0) for at in range(20)]
    found = [
        changes(counts, rng.multinomial(window, chances / chances.sum(), size=1), np.zeros(1, dtype=int))
        for counts, chances in columns
    ]
    lows = np.array([max(float(low[0]) for _, low in effects.values()) for _, effects in found])
    p_values = np.array([float(p_value[0]) for p_value, _ in found])
    return bool((rejected(p_values, spent(3600.0)) & (lows > TOLERANCE))[0])


def upper_end(hits: int, repeats: int) -> float:
    """Return the upper end of Clopper and Pearson's 95 % interval."""
    return float(stats.binomtest(hits, repeats).proportion_ci(method="exact").high)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    started = time.monotonic()
    rules = ("Workbench", "PSI >= 0.1", "Jensen-Shannon >= 0.1", "Kolmogorov-Smirnov p < 0.05")
    print("fortnights with any alarm, no change (upper end of the 95 % interval)")
    print("| rows a window | " + " | ".join(rules) + " |")
    print("|---|" + "---|" * len(rules))
    for window in WINDOWS:
        found = [one_fortnight(window, rng) for _ in range(options.repeats)]
        hits = [sum(each[rule] for each in found) for rule in rules]
        cells = [f"{hit / options.repeats:.1%} ({upper_end(hit, options.repeats):.1%})" for hit in hits]
        print(f"| {window:,} | " + " | ".join(cells) + " |", flush=True)
    print("\none of 20 columns shifted, found at the first look after")
    print("| shift in standard deviations | rows | found |")
    print("|---|---|---|")
    for shift, window in ((0.02, 1_000_000), (0.25, 500), (0.25, 1_000), (0.5, 300), (0.5, 500)):
        hits = sum(detected(window, shift, rng) for _ in range(200))
        print(f"| {shift} | {window:,} | {hits / 200:.1%} |", flush=True)
    print(f"\n{options.repeats} repeats, seed {options.seed}, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
