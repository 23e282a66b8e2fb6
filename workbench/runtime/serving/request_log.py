"""The request log: one line of JSON for each request.

Keys: ``time`` (ISO 8601, UTC), ``id``, ``method``, ``route`` (the pattern, not the path),
``status``, ``rows``, ``ms``; ``model`` and ``version``; ``client`` if callers have keys;
``warnings``, the unseen values by kind; ``error`` and ``code`` if the request failed; ``inputs``
and ``outputs`` if rows are logged. If rows are not logged, no line holds a value of a row: an error
then names the place and what was expected, not what was found. Headers and query strings, which may
hold secrets, are never logged; neither are successful probes and scrapes. The logging module is not
used: its records and locks take more than twice the CPU time of a buffered line.
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
    """Print one line for the operator on standard error."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def plain_json(document: Any) -> bytes:
    """Write one JSON document with the standard library; NaN and infinity raise ValueError.

    Examples
    --------
    >>> plain_json({"a": [1, None]})
    b'{"a":[1,null]}'
    """
    return json.dumps(
        document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str
    ).encode()


def json_encoder() -> Encode:
    """Return the function that writes JSON: orjson's if it is installed."""
    try:
        import orjson
    except ImportError:
        return plain_json
    return lambda document: orjson.dumps(document, default=str)


class RequestLog:
    """Writes the lines of the request log.

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
        """Reopen the file after log rotation; if that fails, the old file stays in use."""
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
        """Append one line and flush. If the log cannot be written, one warning is printed."""
        self.append(entry)
        self.flush()

    def append(self, entry: Mapping[str, Any]) -> bool:
        """Buffer one line until `flush`; return whether it is the first in the buffer."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = self._line({"time": now, **entry})
        if line is None:
            return False
        self._buffered.append(line + b"\n")
        if len(self._buffered) >= _MAX_BUFFERED:
            self.flush()
        return len(self._buffered) == 1

    def _line(self, entry: Mapping[str, Any]) -> bytes | None:
        """Encode a line, without its rows if JSON cannot hold them, as when nested too deeply."""
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
        """Write the buffered lines."""
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
            except OSError:  # standard error is closed too
                return

    def close(self) -> None:
        """Write the buffered lines and close the file."""
        self.flush()
        if self._file is not None:
            os.close(self._file)
            self._file = None
