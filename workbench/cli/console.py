"""Where output goes: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from workbench.runtime.parameters import Flag, with_flags

_MESSAGES = frozenset(
    {"detail", "error", "hint", "message", "reason"}
)  # keys of documents with messages of the library


@dataclass(frozen=True, slots=True)
class Console:
    """The output streams of a command and its output format.

    Attributes
    ----------
    out, err : text streams
    as_json : bool
        Whether the result is one JSON document (``--json``).
    verbosity : int
        1 with ``-v``: details too; -1 with ``-q``: errors and JSON documents alone.
    flags : callable
        Returns the flag of each parameter, to translate messages of the library
        (`runtime.parameters`). It is called only if a message names a parameter, since building the
        parser takes time.

    Examples
    --------
    >>> import io
    >>> console = Console(io.StringIO(), io.StringIO(), as_json=True)
    >>> console.result({"rows": 3}, "3 rows")
    >>> json.loads(console.out.getvalue())
    {'rows': 3}
    """

    out: TextIO
    err: TextIO
    as_json: bool = False
    flags: Callable[[], Mapping[str, Flag]] = dict
    verbosity: int = 0

    @classmethod
    def standard(cls, as_json: bool = False, flags: Callable[[], Mapping[str, Flag]] = dict) -> Console:
        """Return the console of this process; characters outside its encoding are replaced."""
        for stream in (sys.stdout, sys.stderr):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(errors="replace")
        return cls(sys.stdout, sys.stderr, as_json, flags)

    @property
    def is_terminal(self) -> bool:
        """Whether standard error is a terminal."""
        return self.err.isatty()

    @property
    def is_quiet(self) -> bool:
        """Whether only errors and JSON documents are written (``-q``)."""
        return self.verbosity < 0

    def result(self, document: Any, text: str) -> None:
        """Write the command's result: `document` as JSON with ``--json``, else `text`."""
        if self.as_json:
            shown = json.dumps(self.flagged(document), ensure_ascii=False, allow_nan=False, indent=2)
        else:
            shown = self.flagged(text)
        if self.is_quiet and not self.as_json:
            return
        self.out.write(shown.rstrip("\n") + "\n")
        self.out.flush()

    def say(self, text: str = "") -> None:
        """Write a line of progress: to standard output, or to standard error with ``--json``."""
        if self.is_quiet:
            return
        stream = self.err if self.as_json else self.out
        stream.write(self.flagged(text).rstrip("\n") + "\n")
        stream.flush()

    def note(self, text: str) -> None:
        """Write a line to the log, on standard error."""
        if not self.is_quiet:
            self._write_line(text)

    def _write_line(self, text: str) -> None:
        self.err.write(one_line(self.flagged(text)) + "\n")
        self.err.flush()

    def flagged(self, value: Any) -> Any:
        """Return a string, or the messages of a document, with parameters written as flags.

        Call it before laying out a table, since a flag and a parameter differ in length.
        """
        if isinstance(value, str):
            return with_flags(value, self.flags()) if "`" in value else value
        if isinstance(value, Mapping):
            return {
                key: self.flagged(each) if key in _MESSAGES or not isinstance(each, str) else each
                for key, each in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [each if isinstance(each, str) else self.flagged(each) for each in value]
        return value

    def error(self, message: str) -> None:
        """Write a failure as one line and, with ``--json``, as ``{"error": message}``."""
        self._write_line(f"workbench: error: {message}")
        if self.as_json:
            self.result({"error": one_line(message)}, "")


def one_line(text: str) -> str:
    r"""Put a string on one line, with control characters escaped.

    Examples
    --------
    >>> one_line("a\n  b\x1b[31m")
    'a b\\x1b[31m'
    """
    joined = " ".join(text.split())
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in joined)


def debugging() -> bool:
    """Return whether tracebacks are printed (environment variable ``WORKBENCH_DEBUG=1``)."""
    return os.environ.get("WORKBENCH_DEBUG", "") not in ("", "0")
