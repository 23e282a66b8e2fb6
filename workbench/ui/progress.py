"""How far a search is: read from the end of a run's ``events.jsonl``."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TAIL_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Progress:
    """The latest that a run said of itself; None is "not said".

    Attributes
    ----------
    elapsed_s, budget_s : float or None
    trials, ok, failed : int
    best_score : float or None
    best_family : str
    messages : tuple of str
        The latest last.
    """

    elapsed_s: float | None = None
    budget_s: float | None = None
    trials: int = 0
    ok: int = 0
    failed: int = 0
    best_score: float | None = None
    best_family: str = ""
    messages: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The part of the time that is over, 0 to 1."""
        if not self.elapsed_s or not self.budget_s:
            return 0.0
        return min(1.0, self.elapsed_s / self.budget_s)


def read_progress(folder: Path, messages: int = 6) -> Progress:
    """Read a run's progress; a line that is still being written is passed over.

    Parameters
    ----------
    folder : pathlib.Path
        The run.
    messages : int
        How many of the latest messages to keep.
    """
    events = _last_events(folder / "events.jsonl")
    latest: dict[str, Any] = {}
    for event in events:
        latest |= {key: value for key, value in event.items() if value is not None}
    said = [str(event["message"]) for event in events if event.get("message")]
    return Progress(
        elapsed_s=_number(latest.get("elapsed_s")),
        budget_s=_number(latest.get("budget_s")),
        trials=int(_number(latest.get("trials")) or 0),
        ok=int(_number(latest.get("ok")) or 0),
        failed=int(_number(latest.get("failed")) or 0),
        best_score=_number(latest.get("best_score")),
        best_family=str(latest.get("best_family", "")),
        messages=tuple(said[-messages:]),
    )


def _last_events(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            start = max(0, end - _TAIL_BYTES)
            file.seek(start)
            lines = file.read().splitlines()
    except OSError:
        return []
    if start:
        lines = lines[1:]  # most likely cut
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
