"""The peak memory of a search, over all its processes together.

Shared pages count once. To find them, the operating system walks through all pages, which takes
about 30 ms per call and slows the fits down. So the exact value is read only if the sum of the
resident memory, shared or not, is the highest so far, and additionally every ten seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import psutil

_TICK_S = 0.5
_MARGIN = 1.01  # times the highest sum: below it there is no new peak
_SURE_TICKS = 20  # ticks between exact reads in any case: shared pages may have become copies


class MemoryWatch:
    """Reads the memory of some processes twice a second, and keeps the highest sum.

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
        """Read the memory now and return the highest sum so far, in MB (10⁶ bytes)."""
        self.peak_mb = max(self.peak_mb, sum(proportional_mb(each) for each in self._processes()))
        return self.peak_mb

    def _look_on(self) -> None:
        while not self._ended.wait(_TICK_S):
            self.tick()

    def tick(self) -> None:
        """Read the exact memory if there may be a new peak."""
        self._ticks += 1
        resident = sum(resident_mb(each) for each in self._processes())
        if resident > self._highest_mb * _MARGIN or self._ticks % _SURE_TICKS == 0:
            self._highest_mb = max(self._highest_mb, resident)
            self.look()


def resident_mb(process: int) -> float:
    """Return a process's resident memory in MB (10⁶ bytes), with shared pages; 0 if it ended."""
    with suppress(psutil.Error):
        return float(psutil.Process(process).memory_info().rss / 1e6)
    return 0.0


def proportional_mb(process: int) -> float:
    """Return a process's memory in MB (10⁶ bytes), with its part of shared pages; 0 if it ended.

    Outside Linux shared pages count in full.
    """
    with suppress(OSError, ValueError, IndexError):
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
        return int(rollup.split("\nPss:", 1)[1].split(None, 1)[0]) * 1024 / 1e6
    return resident_mb(process)
