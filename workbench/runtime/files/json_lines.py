"""JSON files to score: an object a line, a list of objects, or ``{"rows": [objects]}``."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from ..core.rows import check_row
from ..errors import BadFileError, MissingColumnError, shown
from .formats import MAX_LINE_LENGTH, Chunk, Unpacked, read_lines, reading
from .json_text import JsonError, read_json

_BLOCK_CHARACTERS = 1 << 20
_BETWEEN = " \t\r\n,"
_LIST_START = r'\s*(?:\{\s*"rows"\s*:\s*)?\['


class JsonSource:
    """A file of JSON objects, read twice: first for the names and types of all columns.

    A row that lacks one of `names` is a defect, even if other rows have it.
    """

    def __init__(self, path: Path, names: Sequence[str] = (), encoding: str | None = None) -> None:
        self._path, self._names, self._encoding = path, names, encoding
        self._file: Unpacked | None = None
        found: dict[str, set[type]] = {}
        for row, _ in self._rows():
            for name, value in row.items():
                found.setdefault(name, set()).add(type(value))
        self.header = list(found)
        self.kinds = [_json_kind(kinds - {type(None)}) for kinds in found.values()]

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """Yield chunks of at most `rows` rows."""
        batch: list[Mapping[str, Any]] = []
        defects: dict[int, str] = {}
        with reading(self._path):
            for row, defect in self._rows():
                why = defect or self._lacks(row)
                if why:
                    defects[len(batch)] = why
                batch.append(row)
                if len(batch) == rows:
                    yield self._chunk(batch, defects)
                    batch, defects = [], {}
            if batch:
                yield self._chunk(batch, defects)

    def _lacks(self, row: Mapping[str, Any]) -> str:
        if len(row) == len(self.header):
            return ""
        try:
            check_row(row, self._names)
        except MissingColumnError as error:
            return str(error)
        return ""

    def _chunk(self, rows: Sequence[Mapping[str, Any]], defects: dict[int, str]) -> Chunk:
        return Chunk([[row.get(name) for row in rows] for name in self.header], len(rows), defects)

    def _rows(self) -> Iterator[tuple[Mapping[str, Any], str]]:
        is_list = _is_list(self._path, self._encoding)
        self._file = Unpacked(self._path, self._encoding)
        try:
            if is_list:
                yield from map(_json_row, _list_items(self._file.stream, self._path))
                return
            for line in read_lines(self._file.stream, self._path):
                text = line.removeprefix(b"\xef\xbb\xbf").strip()
                if text:
                    yield _json_row(text)
        finally:
            self._file.close()

    def share(self) -> float:
        """Return the share of the file read so far."""
        return self._file.share() if self._file else 0.0


def _json_row(text: bytes) -> tuple[Mapping[str, Any], str]:
    try:
        row = read_json(text)
    except JsonError as error:
        return {}, f"the line is not JSON: {error}"
    return _as_row(row)


def _as_row(value: Any) -> tuple[Mapping[str, Any], str]:
    if not isinstance(value, dict):
        return {}, f"found {shown(value)}; expected an object"
    return value, ""


def _is_list(path: Path, encoding: str | None) -> bool:
    """Return whether a file is one list, not an object a line."""
    file = Unpacked(path, encoding)
    try:
        return (
            re.match(_LIST_START.encode(), file.stream.read(4096).removeprefix(b"\xef\xbb\xbf")) is not None
        )
    finally:
        file.close()


def _list_items(stream: IO[bytes], path: Path) -> Iterator[bytes]:
    """Yield the text of each item of a JSON list, with no more than one item in memory."""
    text = io.TextIOWrapper(stream, "utf-8-sig")
    decode = json.JSONDecoder().raw_decode
    buffer, count, more = text.read(_BLOCK_CHARACTERS), 0, True
    start = re.match(_LIST_START, buffer)
    at = start.end() if start else 0
    while True:
        while at < len(buffer) and buffer[at] in _BETWEEN:
            at += 1
        if buffer[at : at + 1] == "]":
            return
        try:
            _, end = decode(buffer, at)
            whole = end < len(buffer)  # a number may continue in the next block
        except (ValueError, RecursionError) as error:
            whole = False
            if not more or len(buffer) - at > MAX_LINE_LENGTH:
                raise BadFileError(f"{path.name}, record {count}, is not JSON", found=str(error)) from error
        if whole:
            yield buffer[at:end].encode()
            at, count = end, count + 1
        elif more:
            block = text.read(
                _BLOCK_CHARACTERS + len(buffer) - at
            )  # doubles, so that a long item is parsed few times
            buffer, at, more = buffer[at:] + block, 0, bool(block)
        else:
            raise BadFileError(
                f"{path.name} is truncated", found=f"the end of the file after record {count}", expected="]"
            )


def _json_kind(kinds: set[type]) -> str:
    if kinds == {bool}:
        return "bool"
    if kinds == {int}:
        return "int"
    return "float" if kinds and kinds <= {int, float} else "text"
