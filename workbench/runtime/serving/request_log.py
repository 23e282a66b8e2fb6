"""The request log: one JSON object a line, for a request each.

Keys: ``time`` (ISO 8601, UTC), ``id``, ``method``, ``route`` (the pattern, not the path), ``status``, ``rows``, ``ms``;
``model`` and ``version``; ``client`` where callers have keys; ``warnings``, by kind, where training never met what was
answered; ``error`` and ``code`` where there was one; ``inputs`` and ``outputs`` where rows are logged. Where they are
not, no value of a row is in any line: an error says where it was and what was expected, not what was found. Headers and
query strings, where secrets travel, are never logged; neither are probes and scrapes that went well.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import ServeError

Encode = Callable[[Any], bytes]
_MAX_BUFFERED = 256


def print_notice(text: str) -> None:
    """Tell the operator something, in one line on standard error."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def plain_json(document: Any) -> bytes:
    """Write one JSON document with the standard library alone; non-finite floats are refused.

    Examples
    --------
    >>> plain_json({"a": [1, None]})
    b'{"a":[1,null]}'
    """
    return json.dumps(
        document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str
    ).encode()


def json_encoder() -> Encode:
    """Return how JSON is written: by orjson where it is installed."""
    try:
        import orjson
    except ImportError:
        return plain_json
    return lambda document: orjson.dumps(document, default=str)


class RequestLog:
    """Where lines about requests go.

    Parameters
    ----------
    path : str, Path or None
        A file to append to, which several processes may share; None is standard error.
    encode : callable
        Turns a document into JSON.

    Raises
    ------
    ServeError
        If the file cannot be opened.
    """

    def __init__(self, path: str | Path | None = None, encode: Encode = plain_json) -> None:
        self._encode = encode
        self._warned = False
        self._buffered: list[bytes] = []
        self._path = None if path is None else os.path.abspath(path)  # noqa: PTH100 - links stay as they are
        self._file: int | None = None
        if self._path is not None:
            try:
                self._file = self._opened()
            except OSError as error:
                raise ServeError(
                    f"the log {path} cannot be written", found=error.strerror or str(error)
                ) from error

    def _opened(self) -> int:
        return os.open(self._path or "", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)

    def reopen(self) -> None:
        """Open the file under its name anew, once it was moved away; where that fails the old one is kept."""
        if self._file is None:
            return
        self.flush()
        try:
            fresh = self._opened()
        except OSError as error:
            self._warn(error)
            return
        os.close(self._file)
        self._file = fresh

    def write(self, entry: Mapping[str, Any]) -> None:
        """Append one line, its time first. A log that cannot be written is said once and stops no request."""
        self.append(entry)
        self.flush()

    def append(self, entry: Mapping[str, Any]) -> bool:
        """Keep one line until `flush`; returns whether it is the first that is kept."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = self._line({"time": now, **entry})
        if line is None:
            return False
        self._buffered.append(line + b"\n")
        if len(self._buffered) >= _MAX_BUFFERED:
            self.flush()
        return len(self._buffered) == 1

    def _line(self, entry: Mapping[str, Any]) -> bytes | None:
        """Return a line, without rows that no JSON can hold: nested too deeply, say."""
        bare = {**entry, "inputs": None, "outputs": None} if entry.get("inputs") is not None else entry
        problem: Exception | None = None
        for encode, document in ((self._encode, entry), (plain_json, entry), (self._encode, bare)):
            try:
                return encode(document)
            except (ValueError, TypeError, RecursionError) as error:
                problem = problem or error
        assert problem is not None
        self._warn(problem)
        return None

    def flush(self) -> None:
        """Write the lines that are kept."""
        if not self._buffered:
            return
        lines, self._buffered = b"".join(self._buffered), []
        try:
            if self._file is None:
                sys.stderr.write(lines.decode())
                sys.stderr.flush()
            else:
                os.write(self._file, lines)  # one call in append mode: lines of several processes do not mix
        except (OSError, ValueError) as error:
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            try:
                sys.stderr.write(f"the request log cannot be written: {error}\n")
            except OSError:  # standard error is gone too: nobody is left to tell
                return

    def close(self) -> None:
        """Write what is kept and close the file."""
        self.flush()
        if self._file is not None:
            os.close(self._file)
            self._file = None
