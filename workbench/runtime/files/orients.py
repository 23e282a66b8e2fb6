"""JSON documents with one table, in the shapes that pandas and web services write.

The readers accept a list of objects, an object a line and ``{"rows": […]}``. This module converts
other shapes to rows: ``{"data": […]}`` and similar keys, and pandas' orients split, table, columns,
index and values. pandas itself is not in the runtime.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_LISTS = ("data", "rows", "records", "items", "results", "instances", "dataframe_records")
_FIRST_LINE, _STREAMED_BYTES = 1 << 20, 1 << 28
_ROWS = re.compile(rb'\{\s*"rows"\s*:\s*\[')


def json_records(path: Path) -> list[dict[str, Any]] | None:
    """Return the rows of a JSON document; None if the readers accept it, or it is not JSON.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
    ...     _ = file.write('{"columns": ["a"], "data": [[1], [2]]}')
    ...     file.flush()
    ...     json_records(Path(file.name))
    [{'a': 1}, {'a': 2}]
    """
    with path.open("rb") as file:
        first = file.readline(_FIRST_LINE).removeprefix(b"\xef\xbb\xbf").strip()
        second = file.readline(_FIRST_LINE).strip()
    if first.startswith(b"[") and first[1:].lstrip()[:1] not in (b"[", b""):
        return None  # a list of objects
    if (first == b"[" and second.startswith(b"{")) or (
        _ROWS.match(first) and path.stat().st_size > _STREAMED_BYTES
    ):
        return None  # the readers stream these
    if second and _loads(first) is not None:
        return None  # an object a line
    try:
        document = json.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return None
    rows = list(rows_of(document))
    return rows or None


def is_json(head: bytes) -> bool:
    """Return whether a text starts like JSON rows: an object on one line, or a list of objects."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return isinstance(_loads(text.split(b"\n", 1)[0]), (dict, list)) or text[1:].lstrip()[:2] in (
        b'{"',
        b"{}",
    )


def _loads(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def rows_of(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a document in one of pandas' orients; nothing for other documents.

    Examples
    --------
    >>> list(rows_of({"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}}))
    [{'a': 1, 'b': 3}, {'a': 2, 'b': 4}]
    >>> list(rows_of({"r1": {"a": 1}, "r2": {"a": 2}, "data": 5}))
    []
    """
    if isinstance(document, list):
        if document and all(isinstance(each, list) for each in document):
            yield from ({str(at): value for at, value in enumerate(row)} for row in document)
        return
    if not isinstance(document, dict):
        return
    columns, data = document.get("columns"), document.get("data")
    if isinstance(columns, list) and isinstance(data, list) and all(isinstance(row, list) for row in data):
        yield from (dict(zip(map(str, columns), row, strict=False)) for row in data)
        return
    for name in _LISTS:
        inner = document.get(name)
        if isinstance(inner, list) and inner and all(isinstance(each, dict) for each in inner):
            yield from inner
            return
        if isinstance(inner, dict) and len(document) == 1:
            yield from rows_of(inner)
            return
    values = list(document.values())
    if values and all(isinstance(each, dict) for each in values):
        yield from _of_objects(document)
    elif (
        values and all(isinstance(each, list) for each in values) and len({len(each) for each in values}) == 1
    ):
        yield from (dict(zip(document, row, strict=True)) for row in zip(*values, strict=True))


def _of_objects(document: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Read {column: {row: value}}, or {row: {column: value}} if only outer names are numbers."""
    inner = list(dict.fromkeys(name for each in document.values() for name in each))
    if all(name.isdigit() for name in document) and not all(name.isdigit() for name in inner):
        yield from map(dict, document.values())
        return
    for row in inner:
        yield {column: values.get(row) for column, values in document.items()}
