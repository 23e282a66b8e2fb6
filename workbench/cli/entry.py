"""From ``argv`` to an exit code: 0 done, 1 a check or the work failed, 2 wrong usage."""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import sys
import textwrap
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from workbench.errors import (
    InputError,
    NoBundleError,
    SettingsError,
    UsageError,
    WorkbenchError,
    WorkbenchWarning,
    nearest,
    shown,
)
from workbench.runtime.parameters import Flag, flags_of, with_flags
from workbench.version import __version__

from . import (
    app,
    bundles,
    decide,
    demo,
    diff,
    export,
    front,
    inspect,
    leaderboard,
    load_test,
    predict,
    report,
    reproduce,
    resume,
    run,
    search,
    serve,
    verify,
)
from .command import Command, Parser
from .console import Console, debugging, one_line
from .options import add_verbosity

COMMANDS: tuple[Command, ...] = (
    demo.COMMAND,
    inspect.COMMAND,
    search.COMMAND,
    resume.COMMAND,
    reproduce.COMMAND,
    leaderboard.COMMAND,
    front.COMMAND,
    decide.COMMAND,
    export.COMMAND,
    report.COMMAND,
    verify.COMMAND,
    diff.COMMAND,
    bundles.COMMAND,
    predict.COMMAND,
    serve.COMMAND,
    load_test.COMMAND,
    run.COMMAND,
    app.COMMAND,
)
DONE, FAILED, WRONG_USAGE = 0, 1, 2
_START_FIELD = 19  # of /proc/self/stat, counted after the program's name

#: Parameters that have another name in the command line.
_CALLED_OTHERWISE = {"how": "pick"}

_DESCRIPTION = "Find, choose and serve a model for a table, by accuracy, latency and price."
_EPILOG = """\
Start with:  workbench demo
Then:        workbench inspect DATA --target COL
             workbench search DATA --target COL --time 5m
Help:        workbench COMMAND --help"""

#: Errors of the operating system about a path that the user can fix.
_PLACE_ERRORS = frozenset(
    [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT,
     errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP]
)  # fmt: skip
_FULL = "Free some space or choose another folder; finished results are kept."
_FORBIDDEN = "Permission denied: choose another folder or change its permissions."
_HINTS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: "The file system is read-only: choose another folder.",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str or None
        The arguments after the program's name; None takes those of this process.

    Returns
    -------
    int
        0 done, 1 a check or the work failed, 2 wrong usage.

    Examples
    --------
    >>> main(["front", "no-such-run", "--json"])  # doctest: +ELLIPSIS
    {
      "error": "..."
    }
    2
    """
    started = _process_started() if argv is None else time.monotonic()
    arguments = list(sys.argv[1:] if argv is None else argv)
    console = Console.standard(as_json="--json" in arguments, flags=_flags)
    try:
        return _run(arguments, console, started)
    except SystemExit as leaving:  # argparse exits this way after --help and --version
        return leaving.code if isinstance(leaving.code, int) else WRONG_USAGE
    except BrokenPipeError:
        _let_go_of_output()
        return DONE
    except KeyboardInterrupt:
        console.error("stopped by Ctrl-C")
        return FAILED
    except Exception as error:
        return _fail(error, console)


@contextmanager
def _warnings_as_lines(console: Console) -> Iterator[None]:
    """Print each warning of the package once, as one line; other warnings are handled as before."""
    told: set[str] = set()
    before = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if not issubclass(category, WorkbenchWarning):
            before(message, category, *where, **more)
        elif str(message) not in told:
            told.add(str(message))
            console.note(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", WorkbenchWarning)
        warnings.showwarning = show
        yield


def parser() -> Parser:
    """Return the parser of the whole command line."""
    top = Parser(
        prog="workbench",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    verbs = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command in COMMANDS:
        own = verbs.add_parser(
            command.name,
            help=command.summary,
            description=textwrap.fill(command.description, 78),
            epilog=f"example:\n  {command.example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_options(own)
        if command.shows_progress:
            add_verbosity(own)
        own.add_argument("--json", action="store_true", help="one JSON document on stdout; logs go to stderr")
        own.set_defaults(_command=command)
    return top


def _run(arguments: list[str], console: Console, started: float) -> int:
    top = parser()
    if not arguments:
        top.print_help(console.err)
        return WRONG_USAGE
    _check_verb(arguments[0])
    options = top.parse_args(arguments, argparse.Namespace(started=started))
    if "_command" not in options:
        raise UsageError("no command given", hint="Try: workbench --help")
    command: Command = options._command
    console = replace(console, verbosity=getattr(options, "verbosity", 0))
    with _warnings_as_lines(console):
        code = command.run(options, console)
    console.out.flush()
    return code


def _check_verb(word: str) -> None:
    names = [command.name for command in COMMANDS]
    if not word.startswith("-") and word not in names:
        close = ", ".join(nearest(word, names))
        hint = f"Did you mean {close}?" if close else "Try: workbench --help"
        raise UsageError("command", found=shown(word), expected=f"one of {', '.join(names)}", hint=hint)


def _fail(error: Exception, console: Console) -> int:
    if debugging():
        traceback.print_exception(error, file=console.err)
    message, code = explain(error)
    try:
        console.error(message)
    except BrokenPipeError:
        _let_go_of_output()
    return code


def explain(error: Exception) -> tuple[str, int]:
    """Return the one-line error message and the exit code.

    Examples
    --------
    >>> explain(UsageError("--time", found="'0'", expected="a duration such as 5m"))
    ("--time: found '0'; expected a duration such as 5m", 2)
    >>> explain(PermissionError(errno.EACCES, "Permission denied", "runs"))[1]
    2
    >>> explain(RuntimeError("odd"))
    ('internal error: RuntimeError: odd. Please report it; WORKBENCH_DEBUG=1 shows where it happened.', 1)
    """
    if isinstance(error, (UsageError, InputError, NoBundleError)):
        return one_line(_with_flags(error)), WRONG_USAGE
    if isinstance(error, WorkbenchError):
        return one_line(_with_flags(error)), WRONG_USAGE if _is_place_error(error.__cause__) else FAILED
    if isinstance(error, OSError) and _is_place_error(error):
        where = f"{error.filename}: " if error.filename else ""
        reason = (error.strerror or os.strerror(error.errno or 0)).lower()
        return one_line(f"{where}{reason}. {_HINTS.get(error.errno or 0, '')}"), WRONG_USAGE
    if isinstance(error, MemoryError):
        return (
            "out of memory. Use fewer rows or columns, fewer --workers, or a machine with more memory.",
            FAILED,
        )
    kind = type(error).__name__
    where = "Please report it; WORKBENCH_DEBUG=1 shows where it happened."
    return one_line(f"internal error: {kind}: {error}. {where}"), FAILED


def _with_flags(error: Exception) -> str:
    """Return an error's message with the parameters that it names written as flags."""
    return with_flags(str(error), _flags(), head=isinstance(error, SettingsError))


@cache
def _flags() -> dict[str, Flag]:
    """Return the flag of each parameter that a command takes, by its name in Python."""
    flags = flags_of(parser())
    return flags | {name: flags[dest] for name, dest in _CALLED_OTHERWISE.items()}


def _is_place_error(error: BaseException | None) -> bool:
    """Return whether an error is about an unusable path; `shutil.Error` has no error number."""
    return isinstance(error, shutil.Error) or (isinstance(error, OSError) and error.errno in _PLACE_ERRORS)


def _process_started() -> float:
    """Return the start of this process (`time.monotonic()`); Python's start counts as search
    time.
    """
    age_s = _age_by_kernel_s()
    if age_s is None:
        import psutil

        age_s = time.time() - float(psutil.Process().create_time())
    return time.monotonic() - max(age_s, 0.0)


def _age_by_kernel_s() -> float | None:
    """Return the age of this process by Linux's clock; None on other systems.

    psutil adds the start to the boot time, which the kernel reports in whole seconds. The error of
    up to one second is 5 % of a search of 20 s.
    """
    try:
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        started_s = int(fields[_START_FIELD]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started_s
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def _let_go_of_output() -> None:
    """Redirect standard output to the null device, since its reader (``| head``) has exited."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


class _Version(argparse.Action):
    """Prints the version."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"workbench {__version__}\n")
        parser.exit()
