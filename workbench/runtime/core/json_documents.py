"""The JSON documents of a bundle, read with limits on size, depth and content.

A bundle may come from an untrusted source: a document must not exhaust the memory, and its texts
and numbers must be printable and finite.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ..errors import TamperedBundleError, shown
from ..resource_limits import MAX_CONTAINERS, MAX_DOCUMENT_BYTES, MAX_NESTED, MAX_VALUES

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_HUGE = re.compile(rb"[0-9][eE]\+?[0-9]{3}")


def read_bytes(path: Path) -> bytes:
    """Read a file of a bundle, or raise `TamperedBundleError` naming it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TamperedBundleError(
            f"{path.name} cannot be read", found=error.strerror or str(error)
        ) from error


def read_document(path: Path) -> bytes:
    """Read a JSON file, after checking its size.

    Raises
    ------
    TamperedBundleError
        If the file cannot be read or is too large.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise TamperedBundleError(
            f"{path.name} cannot be read", found=error.strerror or str(error)
        ) from error
    check_size(path.name, size)
    return read_bytes(path)


def check_size(what: str, size: int) -> None:
    """Raise `TamperedBundleError` if a document has more bytes than `MAX_DOCUMENT_BYTES`."""
    if size > MAX_DOCUMENT_BYTES:
        raise TamperedBundleError(
            f"{what} is too long", found=f"{size:,} bytes", expected=f"at most {MAX_DOCUMENT_BYTES:,}"
        )


def read_json(path: Path, *, once: bool = False) -> dict[str, Any]:
    """Read a JSON object of a bundle; errors are those of `read_document` and `parse_json`."""
    document = parse_json(read_document(path), path.name, once=once)
    if not isinstance(document, dict):
        raise TamperedBundleError(f"{path.name}", found=type(document).__name__, expected="a JSON object")
    return document


def check_values(content: bytes, what: str) -> None:
    """Refuse JSON that would take much more memory than its bytes.

    Raises
    ------
    TamperedBundleError
        If it may hold more values, or more lists and objects, than the limits.

    Examples
    --------
    >>> check_values(b"[]," * 5_000_000, "encoder.json")
    Traceback (most recent call last):
    ...
    workbench.runtime.errors.TamperedBundleError: encoder.json is too large: found 5,000,000 lists and objects; \
expected at most 4,194,304
    """
    containers = content.count(b"[") + content.count(b"{")
    values = containers + content.count(b",") + content.count(b":")
    for kind, found, most in (
        ("lists and objects", containers, MAX_CONTAINERS),
        ("values", values, MAX_VALUES),
    ):
        if found > most:
            raise TamperedBundleError(
                f"{what} is too large", found=f"{found:,} {kind}", expected=f"at most {most:,}"
            )


def parse_json(content: bytes, what: str, *, once: bool = False) -> Any:
    """Read one JSON document of a bundle.

    Parameters
    ----------
    content : bytes
    what : str
        The document's name in messages.
    once : bool
        Whether a repeated key is refused: two readers could use different values.

    Raises
    ------
    TamperedBundleError
        If it is not JSON; holds NaN, infinity or half of a surrogate pair; or is larger or nested
        deeper than the limits.

    Examples
    --------
    >>> parse_json(b"[" * 100_000, "schema.json")
    Traceback (most recent call last):
    ...
    workbench.runtime.errors.TamperedBundleError: schema.json is nested too deeply
    >>> parse_json(b'{"a": 1, "a": 2}', "manifest.json", once=True)
    Traceback (most recent call last):
    ...
    workbench.runtime.errors.TamperedBundleError: manifest.json: key 'a' is repeated
    """
    check_size(what, len(content))
    check_values(content, what)

    def no_number(text: str) -> NoReturn:
        raise TamperedBundleError(f"{what} holds {text}", expected="finite numbers")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, value in items:
            if key in out:
                raise TamperedBundleError(f"{what}: key {shown(key)} is repeated")
            out[key] = value
        return out

    try:
        document = json.loads(content, parse_constant=no_number, object_pairs_hook=pairs if once else None)
    except RecursionError as error:
        raise TamperedBundleError(f"{what} is nested too deeply") from error
    except ValueError as error:
        raise TamperedBundleError(f"{what} is not JSON", found=str(error)) from error
    _check_nesting(document, what)
    if _SURROGATE.search(content):
        _check_text(document, what)
    if _HUGE.search(content):
        _check_numbers(document, what)
    return document


def _containers(document: Any) -> list[list[Any]]:
    """Return the lists and objects of a document by level of nesting."""
    levels = [[document] if isinstance(document, list | dict) else []]
    while levels[-1] and len(levels) <= MAX_NESTED + 1:
        inner: list[Any] = []
        for each in levels[-1]:
            values = each.values() if isinstance(each, dict) else each
            inner += [value for value in values if value.__class__ is dict or value.__class__ is list]
        levels.append(inner)
    return levels


def _check_nesting(document: Any, what: str) -> None:
    if len(_containers(document)) > MAX_NESTED + 1:
        raise TamperedBundleError(f"{what} is nested too deeply")


def _check_text(document: Any, what: str) -> None:
    """Refuse half of a UTF-16 surrogate pair, which cannot be encoded."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        found = shown(error.object[error.start : error.end])
        raise TamperedBundleError(f"{what} holds half of a surrogate pair", found=found) from error


def _check_numbers(document: Any, what: str) -> None:
    for level in [[[document]], *_containers(document)]:
        for each in level:
            values = each.values() if isinstance(each, dict) else each
            if any(value.__class__ is float and math.isinf(value) for value in values):
                raise TamperedBundleError(f"{what} holds a number beyond the range of float64")


def dump_json(document: Any) -> str:
    """Return indented JSON with keys in the given order; NaN and infinity raise ValueError."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1, default=_plain) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def mapping(value: Any) -> Mapping[str, Any]:
    """Return `value` if it is an object, else an empty mapping."""
    return value if isinstance(value, Mapping) else {}
