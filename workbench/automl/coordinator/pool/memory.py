"""The memory of a search: the highest that all its processes have held together.

What processes share counts once, and finding that out makes the system walk through all their pages: some 30 ms a look,
which the fits would pay for. So it is asked only where the sum of what each holds, shared or not, is the highest so
far, and now and then beside that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import psutil

_TICK_S = 0.5
_MARGIN = 1.01  # of the highest sum: less is no new peak worth a look
_SURE_TICKS = 20  # after so many the pages are walked in any case: what was shared may have become two copies


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
        self._highest_mb = 0.0
        self._ticks = 0
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
            self.tick()

    def tick(self) -> None:
        """Look, if there may be a new peak."""
        self._ticks += 1
        held = sum(resident_mb(each) for each in self._processes())
        if held > self._highest_mb * _MARGIN or self._ticks % _SURE_TICKS == 0:
            self._highest_mb = max(self._highest_mb, held)
            self.look()


def resident_mb(process: int) -> float:
    """Return a process's memory in MB (10⁶ bytes), what it shares with others included; 0 where it has gone."""
    with suppress(psutil.Error):
        return float(psutil.Process(process).memory_info().rss / 1e6)
    return 0.0


def proportional_mb(process: int) -> float:
    """Return a process's memory in MB (10⁶ bytes); of what it shares with others its part (Linux), else all of it.

    A process that has gone holds none.
    """
    with suppress(OSError, ValueError, IndexError):
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
        return int(rollup.split("\nPss:", 1)[1].split(None, 1)[0]) * 1024 / 1e6
    return resident_mb(process)
