"""Masks: columns whose values are not written, or only as a keyed hash."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError, nearest, shown

_HASH = "=hash"
_KEY_BYTES = 16  # the shortest key: 128 bits
_DIGITS = 32  # of a hash: 128 bits


@dataclass(frozen=True, slots=True)
class Masks:
    """Which columns are masked, and how.

    Attributes
    ----------
    removed : frozenset of str
        Columns that are not written at all.
    hashed : frozenset of str
        Columns of which only a keyed hash is written: equal values have equal hashes, and without
        the key nobody can try out values.
    key : bytes
        Of the hash (HMAC-SHA256).

    Examples
    --------
    >>> masks = Masks(frozenset(["name"]), frozenset(["zip"]), b"0123456789abcdef")
    >>> masked = masks.apply({"age": 31, "name": "Ada", "zip": "00100"})
    >>> list(masked), masked["age"], len(masked["zip"])
    (['age', 'zip'], 31, 32)
    """

    removed: frozenset[str] = frozenset()
    hashed: frozenset[str] = frozenset()
    key: bytes = b""

    def __bool__(self) -> bool:
        return bool(self.removed or self.hashed)

    def __contains__(self, column: object) -> bool:
        return column in self.removed or column in self.hashed

    def apply(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row's values without the removed columns and with hashes of the hashed ones."""
        hashed, removed = self.hashed, self.removed
        return {
            name: self.digest(value) if name in hashed else value
            for name, value in inputs.items()
            if name not in removed
        }

    def digest(self, value: Any) -> str | None:
        """Return the keyed hash of a value, 32 hexadecimal digits; a missing value stays
        missing.
        """
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # 7 and 7.0 are one value of a number column
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        return hmac.new(self.key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_DIGITS]


def read_masks(given: Iterable[str], names: Sequence[str], key_file: str | Path | None = None) -> Masks:
    """Read masks as the options give them: ``COL`` removes a column, ``COL=hash`` hashes it.

    Parameters
    ----------
    given : iterable of str
    names : sequence of str
        The model's columns.
    key_file : str or Path, optional
        A file with the key of the hashes, at least 16 bytes; blanks around it do not count.

    Raises
    ------
    InputError
        If a column is unknown, a hash has no key, or the key cannot be read or is too short.

    Examples
    --------
    >>> read_masks(["name"], ["name", "age"]).removed
    frozenset({'name'})
    """
    removed: set[str] = set()
    hashed: set[str] = set()
    for text in given:
        column = text.removesuffix(_HASH) if text not in names else text
        if column not in names:
            close = nearest(column, names, 1)
            hint = f"Did you mean {shown(close[0])}?" if close else f"Columns: {', '.join(names)}."
            raise InputError("mask", found=shown(column), expected="a column of the model", hint=hint)
        (removed if column == text else hashed).add(column)
    hashed -= removed
    if hashed and key_file is None:
        raise InputError("`mask_key`", found="nothing", expected="a file with the key of the hashes")
    key = _key(Path(key_file)) if hashed and key_file is not None else b""
    return Masks(frozenset(removed), frozenset(hashed), key)


def _key(path: Path) -> bytes:
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise InputError(f"`mask_key` {path}", found=error.strerror or str(error)) from error
    if len(key) < _KEY_BYTES:
        raise InputError(
            f"`mask_key` {path}", found=f"{len(key)} bytes", expected=f"at least {_KEY_BYTES}, at random"
        )
    return key
