"""Ctrl-C and SIGTERM in a search: the first finishes with the candidates so far, the second stops.

This is the only module that sets signal handlers for a search. The command line handles both
signals, the Python API only Ctrl-C: a library must not change what SIGTERM does to its host
process.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from workbench.runtime.signal_handlers import signal_handler

_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


@contextmanager
def finish_on_signal(
    report: Callable[[str], None], signals: tuple[signal.Signals, ...] = (signal.SIGINT,)
) -> Iterator[Callable[[], str]]:
    """Turn the first signal into a request to finish, and the second into `KeyboardInterrupt`.

    Outside the main thread no handler is set, because Python allows handlers in the main thread
    only.

    Parameters
    ----------
    report : callable
        Called with one line when the first signal arrives.
    signals : tuple of signal.Signals

    Yields
    ------
    callable
        Returns the name of the signal that asked to finish, or an empty string. Use it as the
        ``stop`` argument of a search.

    Examples
    --------
    >>> with finish_on_signal(print) as stop:
    ...     before = stop()
    ...     signal.raise_signal(signal.SIGINT)
    ...     (before, stop())
    Ctrl-C: finishing with the candidates so far; a second Ctrl-C stops at once
    ('', 'Ctrl-C')
    """
    received = ""

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal received
        if received:
            raise KeyboardInterrupt
        received = _NAMES[signal.Signals(number)]
        report(f"{received}: finishing with the candidates so far; a second {received} stops at once")

    with signal_handler(handle, *signals):
        yield lambda: received
