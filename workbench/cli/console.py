"""Where output goes: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Any, TextIO


@dataclass(frozen=True, slots=True)
class Console:
    """The two streams of a command, and whether its result is for a program.

    Attributes
    ----------
    out, err : text streams
    as_json : bool
        Whether the result is one JSON document (``--json``).

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

    @classmethod
    def standard(cls, as_json: bool = False) -> Console:
        """Return the console of this process; characters that its encoding lacks are replaced."""
        for stream in (sys.stdout, sys.stderr):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(errors="replace")
        return cls(sys.stdout, sys.stderr, as_json)

    @property
    def is_terminal(self) -> bool:
        """Whether standard error is watched by a person."""
        return self.err.isatty()

    def result(self, document: Any, text: str) -> None:
        """Write the command's result: `document` as JSON with ``--json``, else `text`."""
        shown = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) if self.as_json else text
        self.out.write(shown.rstrip("\n") + "\n")
        self.out.flush()

    def say(self, text: str = "") -> None:
        """Write for a person who follows along: on standard output, or on standard error with ``--json``."""
        stream = self.err if self.as_json else self.out
        stream.write(text.rstrip("\n") + "\n")
        stream.flush()

    def note(self, text: str) -> None:
        """Write a line to the log, on standard error."""
        self.err.write(one_line(text) + "\n")
        self.err.flush()

    def error(self, message: str) -> None:
        """Write the one line of a failure and, with ``--json``, the document ``{"error": message}``."""
        self.note(f"workbench: error: {message}")
        if self.as_json:
            self.result({"error": one_line(message)}, "")


def one_line(text: str) -> str:
    r"""Put a text on one line, without characters that steer a terminal.

    Examples
    --------
    >>> one_line("a\n  b\x1b[31m")
    'a b\\x1b[31m'
    """
    joined = " ".join(text.split())
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in joined)


def debugging() -> bool:
    """Tell whether tracebacks are wanted (environment variable ``WORKBENCH_DEBUG=1``)."""
    return os.environ.get("WORKBENCH_DEBUG", "") not in ("", "0")
