"""Signal handlers for a block of code or for a whole process: the one place that installs them.

Python runs signal handlers in the main thread only and refuses to install them in another one.
Outside the main thread `signal_handler` therefore installs nothing: the code that started the
thread decides how it stops.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: SIGHUP, or None on Windows, which does not have it.
HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)

Handler = Callable[[int, FrameType | None], Any] | signal.Handlers


def in_main_thread() -> bool:
    """Return whether this thread may install signal handlers."""
    return threading.current_thread() is threading.main_thread()


def install_signal_handler(handler: Handler, *numbers: signal.Signals | None) -> dict[signal.Signals, Any]:
    """Install one handler for some signals until another one replaces it.

    Parameters
    ----------
    handler : callable or signal.Handlers
        Called with the signal number and the stack frame.
    *numbers : signal.Signals or None
        None stands for a signal that this system does not have, and is skipped.

    Returns
    -------
    dict
        The handlers that were installed before, by signal.

    Raises
    ------
    ValueError
        If this is not the main thread.
    """
    return {number: signal.signal(number, handler) for number in numbers if number is not None}


@contextmanager
def signal_handler(handler: Handler, *numbers: signal.Signals | None) -> Iterator[None]:
    """Install one handler for some signals while the block runs, then restore the previous ones.

    Outside the main thread nothing is installed.

    Parameters
    ----------
    handler, *numbers
        As for `install_signal_handler`.

    Examples
    --------
    >>> received = []
    >>> with signal_handler(lambda number, frame: received.append(number), signal.SIGTERM):
    ...     signal.raise_signal(signal.SIGTERM)
    >>> received == [signal.SIGTERM]
    True
    """
    before = install_signal_handler(handler, *numbers) if in_main_thread() else {}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
