"""The progress of a search, read from the end of ``events.jsonl``."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.families import BASELINE

_TAIL_BYTES, _HISTORY_BYTES = 65_536, 4_000_000


@dataclass(frozen=True, slots=True)
class Progress:
    """The latest progress of a run; None means "not known".

    Attributes
    ----------
    elapsed_s, budget_s : float or None
    trials, ok, failed : int
    best_score : float or None
    best_family : str
    trials_budget : int or None
        Maximum number of candidates.
    messages : tuple of str
        Latest last.
    """

    elapsed_s: float | None = None
    budget_s: float | None = None
    trials: int = 0
    ok: int = 0
    failed: int = 0
    best_score: float | None = None
    best_family: str = ""
    trials_budget: int | None = None
    messages: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Completed share of the search, 0 to 1."""
        by_clock = self.elapsed_s / self.budget_s if self.elapsed_s and self.budget_s else 0.0
        by_count = self.trials / self.trials_budget if self.trials_budget else 0.0
        return min(1.0, max(by_clock, by_count))

    @property
    def left_s(self) -> float | None:
        """Estimated seconds left, from the time budget or the number of candidates."""
        left = []
        if self.elapsed_s is not None and self.budget_s:
            left.append(max(0.0, self.budget_s - self.elapsed_s))
        if self.elapsed_s and self.trials_budget and self.trials:
            left.append(self.elapsed_s / self.trials * max(0, self.trials_budget - self.trials))
        return min(left, default=None)


def read_progress(folder: Path, messages: int = 6) -> Progress:
    """Read the progress of a run; incomplete lines are skipped.

    Parameters
    ----------
    folder : pathlib.Path
        The run.
    messages : int
        Number of latest messages to return.
    """
    events = _last_events(folder / "events.jsonl")
    latest: dict[str, Any] = {}
    for event in events:
        latest |= {key: value for key, value in event.items() if value is not None}
    texts = [str(event["message"]) for event in events if event.get("message")]
    return Progress(
        elapsed_s=_number(latest.get("elapsed_s")),
        budget_s=_number(latest.get("budget_s")),
        trials=int(_number(latest.get("trials")) or 0),
        ok=int(_number(latest.get("ok")) or 0),
        failed=int(_number(latest.get("failed")) or 0),
        best_score=_number(latest.get("best_score")),
        best_family=str(latest.get("best_family", "")),
        trials_budget=int(_number(latest.get("trials_budget")) or 0) or None,
        messages=tuple(texts[-messages:]),
    )


def read_history(folder: Path) -> list[tuple[float, float]]:
    """Return the time in seconds and the score of each improvement of the best score."""
    out: list[tuple[float, float]] = []
    for event in _last_events(folder / "events.jsonl", _HISTORY_BYTES):
        seconds, best = _number(event.get("elapsed_s")), _number(event.get("best_score"))
        if seconds is None or best is None or event.get("best_family") == BASELINE:
            continue
        if not out or best > out[-1][1]:
            out.append((seconds, best))
    return out


def _last_events(path: Path, most: int = _TAIL_BYTES) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            start = max(0, end - most)
            file.seek(start)
            lines = file.read().splitlines()
    except OSError:
        return []
    if start:
        lines = lines[1:]  # probably truncated
    events = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
