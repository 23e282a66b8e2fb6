"""One attempt at a candidate: an error ends the candidate, never the search."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from workbench.errors import OutOfTimeError, WorkbenchError
from workbench.runtime.files.atomic_write import write_atomically

from ..records.candidate import Candidate
from ..records.messages import Config
from ..records.run_folder import TRACEBACK_FILE


class Stage:
    """The current step of an attempt, and the CPU seconds of each step so far."""

    def __init__(self) -> None:
        self.name = "start"
        self.spent: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Attribute the block's CPU time, and an error in it, to a step."""
        self.name = name
        before = time.process_time()
        try:
            yield
        finally:
            self.spent[name] = self.spent.get(name, 0.0) + time.process_time() - before


def attempt(config: Config, folder: Path, build: Callable[[Stage], Candidate]) -> Candidate:
    """Build a candidate and record its time; an error makes it a failed candidate.

    Parameters
    ----------
    config : Config
    folder : pathlib.Path
        The candidate's folder, for the traceback of an error.
    build : callable
        Takes the stage, returns the candidate.
    """
    started, cpu, stage = time.monotonic(), time.process_time(), Stage()
    try:
        done = build(stage)
    except Exception as error:  # including a library's: the search goes on without this candidate
        keep_traceback(folder, error)
        return failure(config, error, stage, started, cpu)
    return replace(
        done,
        seconds=time.monotonic() - started,
        cpu_s=time.process_time() - cpu,
        spent=stage.spent,
    )


def keep_traceback(folder: Path, error: Exception) -> None:
    """Write an error's traceback into a candidate's folder.

    `OutOfTimeError` has none worth reading.
    """
    if isinstance(error, OutOfTimeError):
        return
    with suppress(OSError):  # a full disk is reported when the candidate's record is written
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / TRACEBACK_FILE, "".join(traceback.format_exception(error)))


def failure(config: Config, error: Exception, stage: Stage, started: float, cpu: float) -> Candidate:
    """Return the failed candidate of an error, with its step, the reason and what to do."""
    if isinstance(error, MemoryError):
        reason, hint = "out of memory", "Allow more with `max_memory`."
    elif isinstance(error, WorkbenchError):
        reason, hint = error.what + (f": {error.found}" if error.found else ""), error.hint or ""
    else:
        line = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {line[0][:300] if line else ''}".rstrip(": ")
        hint = "Leave the family out with `families` if it persists."
    return Candidate(
        id=config.id,
        family=config.family,
        params=dict(config.params),
        origin=config.origin,
        status="stopped" if isinstance(error, OutOfTimeError) else "failed",
        stage=stage.name,
        reason=reason,
        hint=hint,
        seconds=time.monotonic() - started,
        cpu_s=time.process_time() - cpu,
        spent=stage.spent,
    )
