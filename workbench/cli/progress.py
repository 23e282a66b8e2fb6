"""The progress of a command: a live bar on a terminal, plain lines in a log."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from workbench.automl.interrupts import finish_on_signal
from workbench.automl.progress_lines import Event, ProgressLines

from .console import Console, debugging, one_line
from .text_table import rounded, seconds


class Progress:
    """Prints the events of a search; `progress_lines` selects them.

    Parameters
    ----------
    console : Console
        Lines go to its standard error, above a bar if that is a terminal.

    Examples
    --------
    >>> import io
    >>> console = Console(io.StringIO(), io.StringIO())
    >>> with Progress(console) as progress:
    ...     progress({"kind": "data", "message": "1,000 rows, 7 columns", "elapsed_s": 3.2})
    >>> print(console.err.getvalue(), end="")
    [3 s] 1,000 rows, 7 columns
    """

    def __init__(self, console: Console) -> None:
        self._console, self._lines = console, ProgressLines()
        self._level = logging.DEBUG if console.verbosity > 0 else logging.INFO
        self._bar: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, event: Event) -> None:
        """Print one event; its keys are those of `status_line`, kind and message.

        With ``WORKBENCH_DEBUG=1`` the traceback of a failed candidate is printed too.
        """
        if self._console.is_quiet:
            return
        lines = [self._console.flagged(text) for level, text in self._lines(event) if level >= self._level]
        if self._console.is_terminal:
            self._draw(event, lines)
        else:
            for line in lines:
                self._console.note(f"[{float(event.get('elapsed_s') or 0):.0f} s] {line}")
        if event.get("traceback") and debugging():
            with suppress(OSError):
                self._console.err.write(Path(str(event["traceback"])).read_text(encoding="utf-8"))

    def _draw(self, event: Event, lines: Sequence[str]) -> None:
        done, total = _share(event)
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(
                total=total,
                file=self._console.err,
                bar_format=_BAR if total else "{desc} {postfix}",
                desc="search",
                leave=False,
                dynamic_ncols=True,
            )
        for line in lines:
            self._bar.write(one_line(line), file=self._console.err)
        self._bar.n = min(done, total) if total else done
        self._bar.set_postfix_str(status_line(event), refresh=True)


_LINE_EVERY_S = 10.0
_BAR = "{desc} {percentage:3.0f}%|{bar:20}| {postfix}"


def _share(event: Event) -> tuple[float, float | None]:
    """Return the completed amount and the total, in seconds or, without a time limit,
    candidates.
    """
    if event.get("budget_s"):
        return float(event.get("elapsed_s") or 0), float(event["budget_s"])
    total = event.get("trials_budget")
    return float(event.get("trials") or 0), float(total) if total else None


def status_line(event: Event) -> str:
    """Summarise the state of a search.

    Examples
    --------
    >>> status_line({"elapsed_s": 12, "budget_s": 300, "trials": 9, "failed": 1, "best_score": 0.914,
    ...              "best_family": "lightgbm"})
    '12 s of 5 min 0 s, 9 candidates, 1 failed, best 0.9140 lightgbm'
    """
    elapsed, budget = float(event.get("elapsed_s") or 0), event.get("budget_s")
    parts = [seconds(elapsed) + (f" of {seconds(float(budget))}" if budget else "")]
    if event.get("trials") is not None:
        parts.append(f"{event['trials']} candidates")
    if event.get("failed"):
        parts.append(f"{event['failed']} failed")
    if event.get("best_score") is not None:
        parts.append(
            f"best {rounded(float(event['best_score']), 4)} {event.get('best_family') or ''}".rstrip()
        )
    return ", ".join(parts)


class RowProgress:
    """Prints the progress of scoring a file: a bar on a terminal, else a line every ten seconds.

    Parameters
    ----------
    console : Console
    clock : callable
        Returns seconds.

    Examples
    --------
    >>> import io
    >>> console = Console(io.StringIO(), io.StringIO())
    >>> with RowProgress(console, clock=iter([0.0, 4.0, 11.0]).__next__) as progress:
    ...     progress(8192, 0.3)
    ...     progress(16384, 0.6)
    >>> print(console.err.getvalue(), end="")
    16,384 rows scored, 60 % of the input read
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock = console, clock
        self._last = clock()
        self._bar: Any = None

    def __enter__(self) -> RowProgress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, rows: int, share: float) -> None:
        """Print the number of scored rows and the fraction (0 to 1) of the input that is read."""
        if self._console.is_quiet:
            return
        if self._console.is_terminal:
            self._draw(rows, share)
            return
        now = self._clock()
        if now - self._last >= _LINE_EVERY_S:
            self._last = now
            self._console.note(f"{rows:,} rows scored, {share:.0%} of the input read".replace("%", " %"))

    def _draw(self, rows: int, share: float) -> None:
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(
                total=1.0,
                file=self._console.err,
                bar_format=_BAR,
                desc="predict",
                leave=False,
                dynamic_ncols=True,
            )
        self._bar.n = min(share, 1.0)
        self._bar.set_postfix_str(f"{rows:,} rows", refresh=True)


@contextmanager
def stopping(console: Console) -> Iterator[Callable[[], str]]:
    """Finish a search on the first Ctrl-C or SIGTERM, and stop it at once on the second.

    Parameters
    ----------
    console : Console
        Gets a line at the first signal.

    Yields
    ------
    callable
        The ``stop`` argument of a search; see `workbench.automl.interrupts.finish_on_signal`.
    """
    with finish_on_signal(console.note, (signal.SIGINT, signal.SIGTERM)) as stop:
        yield stop
