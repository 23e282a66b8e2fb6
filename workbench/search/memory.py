"""The memory of a search: the highest that all its processes have held together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import psutil

_TICK_S = 0.5


class MemoryWatch:
    """Looks at the memory of some processes twice a second, and keeps the highest sum.

    Parameters
    ----------
    processes : callable
        Returns the ids of the processes at this moment.

    Examples
    --------
    >>> import os
    >>> with MemoryWatch(lambda: [os.getpid()]) as watch:
    ...     pass
    >>> watch.peak_mb > 1.0
    True
    """

    def __init__(self, processes: Callable[[], Iterable[int]]) -> None:
        self.peak_mb = 0.0
        self._processes = processes
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="memory of the search", daemon=True)

    def __enter__(self) -> MemoryWatch:
        self.look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def look(self) -> float:
        """Look once more and return the highest sum so far, MB (10⁶ bytes)."""
        self.peak_mb = max(self.peak_mb, sum(proportional_mb(each) for each in self._processes()))
        return self.peak_mb

    def _look_on(self) -> None:
        while not self._ended.wait(_TICK_S):
            self.look()


def proportional_mb(process: int) -> float:
    """Return a process's memory in MB (10⁶ bytes); of what it shares with others its part (Linux), else all of it.

    A process that has gone holds none.
    """
    with suppress(OSError, ValueError, IndexError):
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
        return int(rollup.split("\nPss:", 1)[1].split(None, 1)[0]) * 1024 / 1e6
    with suppress(psutil.Error):
        return float(psutil.Process(process).memory_info().rss / 1e6)
    return 0.0
