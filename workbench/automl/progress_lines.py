"""The lines of a search that are printed or logged, with their levels.

A search reports one event for each thing that happens. INFO, the default: findings about the data,
each phase, each new best candidate, each failure, and counts of the candidates so far. DEBUG: every
other candidate. The command line prints these lines; the Python functions log them with the logger
``workbench``, which prints nothing until the application configures logging.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workbench.errors import shown

Event = Mapping[str, Any]

LOGGER = logging.getLogger("workbench")

_COUNTED_BEFORE = ("phase", "done")


class ProgressLines:
    """Turns the events of one search into lines.

    Examples
    --------
    >>> lines = ProgressLines()
    >>> tried = {"kind": "trial", "status": "ok", "message": "c0001 linear: roc_auc 0.91, new best", "new_best": True}
    >>> raced = {"kind": "trial", "status": "stopped", "message": "c0002 mlp stopped early: …"}
    >>> for event in (tried, raced, {"kind": "phase", "message": "building ensembles"}):
    ...     print([text for level, text in lines(event) if level >= logging.INFO])
    ['c0001 linear: roc_auc 0.91, new best']
    []
    ['2 candidates so far: 1 complete, 1 stopped early', 'building ensembles']
    """

    def __init__(self) -> None:
        self._tried: Counter[str] = Counter()
        self._counted = 0
        self._last = ""

    def __call__(self, event: Event) -> Iterator[tuple[int, str]]:
        """Yield the lines of an event with their levels; a repeated message is skipped."""
        kind, message = event.get("kind"), event_line(event)
        if kind in _COUNTED_BEFORE and self._tried.total() > self._counted:
            self._counted = self._tried.total()
            yield logging.INFO, self._count()
        if kind == "trial":
            self._tried[str(event.get("status"))] += 1
        if message and message != self._last:
            yield _level(event), message
        self._last = message

    def _count(self) -> str:
        words = {"ok": "complete", "stopped": "stopped early", "failed": "failed"}
        parts = [f"{self._tried[status]} {word}" for status, word in words.items() if self._tried[status]]
        total = self._tried.total()
        return f"{total} candidate{'s' * (total != 1)} so far: {', '.join(parts)}"


def _level(event: Event) -> int:
    if event.get("kind") != "trial" or event.get("status") == "failed" or event.get("new_best"):
        return logging.INFO
    return logging.DEBUG


def event_line(event: Event) -> str:
    """Return an event's message on one line, prefixed with its column.

    Examples
    --------
    >>> event_line({"kind": "finding", "message": "left out: it never changes", "column": "country"})
    "column 'country': left out: it never changes"
    """
    message, column = " ".join(str(event.get("message") or "").split()), event.get("column")
    return f"column {shown(column)}: {message}" if message and column is not None else message


def logged(progress: Callable[[Event], object] | None) -> Callable[[Event], None]:
    """Return a ``progress`` argument that logs each event before it passes it on."""
    if not LOGGER.handlers:
        LOGGER.addHandler(logging.NullHandler())  # a library prints nothing by default
    lines = ProgressLines()

    def report(event: Event) -> None:
        for level, text in lines(event):
            LOGGER.log(level, "%s", text)
        if progress is not None:
            progress(event)

    return report
