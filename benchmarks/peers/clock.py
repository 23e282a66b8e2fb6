"""Run one command and measure it from outside: wall clock, processor time of it and all it started,
and the company.

Used as a program, so that what the command leaves behind is counted and ended::

    python clock.py --out seconds.json --limit 180 --cores 2 -- python -c "print(1)"
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

_SET_CHILD_SUBREAPER = 36  # prctl: orphans of the command become ours, so their processor time is counted
_GRACE_S = 2.0


def busy_s() -> tuple[float, float] | None:
    """Seconds that all processes of the machine have run so far: at normal and at low priority;
    None if unknown.
    """
    try:
        first = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
    except OSError:
        return None
    user, nice, system = (int(value) / os.sysconf("SC_CLK_TCK") for value in first[1:4])
    return user + system, nice


def main() -> int:
    """Run, measure, write the figures, and pass on the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="file for the figures")
    parser.add_argument(
        "--limit", type=float, required=True, help="seconds after which the command is killed"
    )
    parser.add_argument("--cores", type=int, default=0, help="pin to that many cores; 0: all")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        if options.cores:
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    before, started = busy_s(), time.monotonic()
    child = subprocess.Popen(command, start_new_session=True)
    try:
        code: int | None = child.wait(timeout=options.limit)
    except subprocess.TimeoutExpired:
        code = None
    wall_s = time.monotonic() - started
    _end(child.pid)
    after, used = busy_s(), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = used.ru_utime + used.ru_stime
    figures = {
        "wall_s": round(wall_s, 3),
        "cpu_s": round(cpu_s, 2),
        "largest_process_mb": round(used.ru_maxrss / 1024, 1),
        "exit_code": code,
        "timed_out": code is None,
    }
    if before is not None and after is not None:
        figures["others_cpu_s"] = round(max(after[0] - before[0] - cpu_s, 0.0), 2)
        figures["others_low_priority_cpu_s"] = round(after[1] - before[1], 2)
    options.out.write_text(json.dumps(figures), encoding="utf-8")
    return 1 if code is None else code


def _end(session: int) -> None:
    """Kill what the command left running, and collect it, so that its processor time is counted."""
    deadline = time.monotonic() + _GRACE_S
    while True:
        for process in _descendants():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        if time.monotonic() > deadline:
            return
        time.sleep(0.02)


def _descendants() -> list[int]:
    """Every process below this one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text(encoding="utf-8", errors="replace")
            parents[int(entry.parent.name)] = int(text.rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError, ValueError):
            continue
    found, wave = [], [os.getpid()]
    while wave:
        wave = [process for process, parent in parents.items() if parent in wave]
        found += wave
    return found


if __name__ == "__main__":
    sys.exit(main())
