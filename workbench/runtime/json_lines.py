"""JSON lines to score: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import shown
from .files import Chunk, Unpacked, read_lines, reading


class JsonSource:
    """One JSON object a line. Read twice: a first time for the names and types of all columns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Unpacked | None = None
        found: dict[str, set[type]] = {}
        for row, _ in self._rows():
            for name, value in row.items():
                found.setdefault(name, set()).add(type(value))
        self.header = list(found)
        self.kinds = [_json_kind(kinds - {type(None)}) for kinds in found.values()]

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """Yield chunks of at most `rows` rows."""
        held: list[Mapping[str, Any]] = []
        defects: dict[int, str] = {}
        with reading(self._path):
            for row, defect in self._rows():
                if defect:
                    defects[len(held)] = defect
                held.append(row)
                if len(held) == rows:
                    yield self._chunk(held, defects)
                    held, defects = [], {}
            if held:
                yield self._chunk(held, defects)

    def _chunk(self, rows: Sequence[Mapping[str, Any]], defects: dict[int, str]) -> Chunk:
        return Chunk([[row.get(name) for row in rows] for name in self.header], len(rows), defects)

    def _rows(self) -> Iterator[tuple[Mapping[str, Any], str]]:
        self._file = Unpacked(self._path)
        try:
            for line in read_lines(self._file.stream, self._path):
                text = line.removeprefix(b"\xef\xbb\xbf").strip()
                if text:
                    yield _json_row(text)
        finally:
            self._file.close()

    def share(self) -> float:
        """Return the share of the file that is read so far."""
        return self._file.share() if self._file else 0.0


def _json_row(text: bytes) -> tuple[Mapping[str, Any], str]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        return {}, f"the line is no JSON: {error}"
    if not isinstance(row, dict):
        return {}, f"found {shown(row)}; expected an object"
    return row, ""


def _json_kind(kinds: set[type]) -> str:
    if kinds == {bool}:
        return "bool"
    if kinds == {int}:
        return "int"
    return "float" if kinds and kinds <= {int, float} else "text"
