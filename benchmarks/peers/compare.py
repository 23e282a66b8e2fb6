"""The figures of the report: ranks, win rates, noise of one test set, hypervolume. Needs numpy
only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Z95 = 1.96
FASTEST_US, SLOWEST_US = 1.0, 1e6
_RESAMPLES = 2000

Line = Mapping[str, Any]
Task = tuple[str, int]


def read_lines(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Read JSON lines; of two of one cell the later counts. The predictions kept beside a file are
    noted.
    """
    cells: dict[tuple[Any, ...], dict[str, Any]] = {}
    for path in paths:
        for text in path.read_text(encoding="utf-8").splitlines():
            if not text.strip():
                continue
            line = json.loads(text)
            name = f"{line['system']}-{line['data']}-{line['budget_s']:g}s-{line['seed']}.npz"
            line["predictions"] = str(path.with_suffix(".predictions") / name)
            cells[line["system"], line["data"], line["budget_s"], line["seed"]] = line
    return list(cells.values())


def loss(line: Line) -> float:
    """What is to be low: 1 - AUC, log loss or RMSE; infinite for a cell that failed."""
    score = line.get("score")
    if score is None or not math.isfinite(score):
        return math.inf
    return 1 - score if line["metric"] == "auc" else float(score)


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of one budget: losses of every task (a data set and a seed) by every system that has
    all of them.

    Attributes
    ----------
    systems : list of str
    tasks : list of (data set, seed)
    lines : mapping from (system, task) to line
    losses : numpy.ndarray, shape (tasks, systems)
    """

    systems: list[str]
    tasks: list[Task]
    lines: Mapping[tuple[str, Task], Line]
    losses: np.ndarray

    def ranks(self) -> np.ndarray:
        """Rank of each system on each task, 1 the best, ties averaged, shape (tasks, systems)."""
        better = (self.losses[:, None, :] < self.losses[:, :, None]).sum(axis=2)
        equal = (self.losses[:, None, :] == self.losses[:, :, None]).sum(axis=2)
        return np.asarray(better + (equal + 1) / 2)

    def normalised(self) -> np.ndarray:
        """1 for the best system of a task, 0 for the worst that gave a score (and for a
        failure).
        """
        finite = np.where(np.isfinite(self.losses), self.losses, np.nan)
        best, worst = np.nanmin(finite, axis=1, keepdims=True), np.nanmax(finite, axis=1, keepdims=True)
        return np.asarray(np.nan_to_num((worst - finite) / np.where(worst > best, worst - best, 1), nan=0.0))

    def gaps(self) -> np.ndarray:
        """Loss above the best of the task, as a share of it."""
        best = self.losses.min(axis=1, keepdims=True)
        return np.asarray(self.losses / best - 1)


def grid(lines: Sequence[Line], systems: Sequence[str]) -> Grid:
    """Put lines of one budget into a grid: the tasks that all systems were run on."""
    by_cell = {(str(line["system"]), (str(line["data"]), int(line["seed"]))): line for line in lines}
    order = list(dict.fromkeys(task for _, task in by_cell))
    tasks = [task for task in order if all((system, task) in by_cell for system in systems)]
    losses = np.array([[loss(by_cell[system, task]) for system in systems] for task in tasks])
    return Grid(list(systems), tasks, by_cell, losses.reshape(len(tasks), len(systems)))


def mean_with_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean of values over tasks and its 95 % interval, by resampling the tasks (seeded)."""
    random = np.random.default_rng(0)
    draws = values[random.integers(0, len(values), (_RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


def wilson(wins: float, of: int) -> tuple[float, float]:
    """95 % interval of a rate (Wilson, 1927); half a win counts for a tie.

    Examples
    --------
    >>> low, high = wilson(5, 10)
    >>> round(low, 3), round(high, 3)
    (0.237, 0.763)
    """
    if of == 0:
        return 0.0, 1.0
    rate, z2 = wins / of, Z95**2
    middle = (rate + z2 / (2 * of)) / (1 + z2 / of)
    half = Z95 / (1 + z2 / of) * math.sqrt(rate * (1 - rate) / of + z2 / (4 * of * of))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def z_of_difference(ours: Line, theirs: Line) -> float | None:
    """How many standard errors of this test set our loss is below theirs, paired by row; None if
    not known.

    AUC: DeLong et al. (1988). Log loss and squared error: mean and spread of the difference row by
    row.
    """
    paths = [Path(str(each["predictions"])) for each in (ours, theirs)]
    if not all(path.exists() for path in paths):
        return None
    a, b = (np.load(path) for path in paths)
    if len(a["truth"]) != len(b["truth"]) or not np.array_equal(a["truth"], b["truth"]):
        return None
    truth = a["truth"]
    if ours["metric"] == "auc":
        return _delong(truth == truth.max(), a["output"][:, 1], b["output"][:, 1])
    difference = _row_losses(b["output"], truth, ours["metric"]) - _row_losses(
        a["output"], truth, ours["metric"]
    )
    spread = float(difference.std(ddof=1)) / math.sqrt(len(difference))
    return float(difference.mean()) / spread if spread > 0 else 0.0


def z_if_independent(ours: Line, theirs: Line) -> float | None:
    """How many standard errors our loss is below theirs, as if theirs were of other rows with an
    error like ours.

    For a cell of theirs whose predictions are not kept. On the same rows errors go together, so the
    true standard error is smaller and this figure nearer to 0 than that of `z_of_difference`. None
    where ours are not kept either.
    """
    path = Path(str(ours["predictions"]))
    if not path.exists() or not math.isfinite(loss(ours)) or not math.isfinite(loss(theirs)):
        return None
    own = np.load(path)
    truth, metric = own["truth"], ours["metric"]
    power = 2 if metric == "rmse" else 1  # the error is that of a mean of rows, which a root is not
    if metric == "auc":
        variance = _variance_of_means(
            *_placements(truth == truth.max(), own["output"][:, 1].astype(np.float64))
        )
    else:
        variance = _variance_of_means(_row_losses(own["output"], truth, metric))
    gap = loss(theirs) ** power - loss(ours) ** power
    return gap / math.sqrt(2 * variance) if variance > 0 else 0.0


def _row_losses(output: np.ndarray, truth: np.ndarray, metric: str) -> np.ndarray:
    """Log losses or squared errors row by row."""
    if metric != "log_loss":
        return np.asarray((output - truth) ** 2)
    wide = output.astype(np.float64)
    shares = wide[np.arange(len(truth)), truth] / wide.sum(axis=1)
    return np.asarray(-np.log(np.clip(shares, 1e-15, 1)))


def _variance_of_means(*samples: np.ndarray) -> float:
    """Variance of the sum of the means of independent samples."""
    return float(sum(each.var(ddof=1) / len(each) for each in samples))


def _delong(positive: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> float:
    """Difference of two AUCs on the same rows over its standard error."""
    parts = [_placements(positive, np.asarray(each, dtype=np.float64)) for each in (ours, theirs)]
    auc = [float(above.mean()) for above, _ in parts]
    above = parts[0][0] - parts[1][0]
    below = parts[0][1] - parts[1][1]
    variance = _variance_of_means(above, below)
    return (auc[0] - auc[1]) / math.sqrt(variance) if variance > 0 else 0.0


def _placements(positive: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each positive the share of negatives below it, for each negative the share of positives
    above it.
    """
    ups, downs = np.sort(values[positive]), np.sort(values[~positive])
    left, right = (np.searchsorted(downs, values[positive], side=side) for side in ("left", "right"))
    above = (left + right) / 2 / len(downs)
    left, right = (np.searchsorted(ups, values[~positive], side=side) for side in ("left", "right"))
    below = 1 - (left + right) / 2 / len(ups)
    return above, below


def points(line: Line) -> list[tuple[float, float]]:
    """What a system offers for one task: (loss, one-row latency in microseconds), a peer one, we
    the front.
    """
    more = [*dict(line.get("picks") or {}).values(), *(line.get("front") or [])]
    offered = [
        (loss({**each, "metric": line["metric"]}), each.get("latency_p50_us")) for each in (line, *more)
    ]
    return [(value, float(us)) for value, us in offered if us and math.isfinite(value)]


def hypervolume(offered: Sequence[tuple[float, float]], constant: float, best: float) -> float:
    """Share of the plane of score and latency that something offered is at least as good as.

    Score: 0 for a constant prediction, 1 for the best system of the task. Latency: 0 for a second,
    1 for a microsecond, by its logarithm.

    Examples
    --------
    >>> hypervolume([(0.1, 1000.0)], constant=0.5, best=0.1)
    0.5
    """
    span = math.log10(SLOWEST_US / FASTEST_US)
    scaled = []
    for value, us in offered:
        score = (constant - value) / (constant - best) if constant > best else 0.0
        speed = math.log10(SLOWEST_US / us) / span
        scaled.append((min(max(score, 0.0), 1.0), min(max(speed, 0.0), 1.0)))
    area, reached = 0.0, 0.0
    for score, speed in sorted(scaled, key=lambda each: (-each[1], -each[0])):
        if score > reached:
            area += (score - reached) * speed
            reached = score
    return area
