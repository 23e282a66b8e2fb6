"""Read JSON from outside: one reader for HTTP, streams and files, with or without orjson.

=========================================  ===================================================================
a byte order mark before the document      skipped bytes that are not UTF-8
refused ``NaN`` (Python's, Triton's, MLServer's)   ``null``: a missing value ``Infinity``,
``-Infinity``, ``1e999``     refused: JSON has no such number ``"NaN"``, ``"Infinity"`` as strings
strings: the column decides, see below ``"\\ud800"``, half of a surrogate pair     refused, as a
value and as a key a repeated key in an object                the last one counts an integer beyond
64 bits                  kept with all digits, for categories; beyond a float: refused nested deeper
than 1,024 levels            refused (some levels earlier by Python 3.11 without orjson)
=========================================
===================================================================

A string in a number column is read like a cell of a CSV file, so that a row means the same in JSON,
in CSV and in training: ``"NaN"`` is a missing value; ``"Infinity"``, ``"inf"`` and ``"1e999"`` are
numbers, as in files that pandas writes, and the encoder clips them. They are reported as
``out_of_range``, and refused in strict mode. The literal ``Infinity`` is refused because it is not
JSON.

These rules are our own because no library has them: orjson rounds long integers and refuses
``NaN``, and Python's json accepts ``Infinity``.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

_BOM = b"\xef\xbb\xbf"
_FLOAT_DIGITS = 308  # integers with at most this many digits are in the range of a float
_DIGITS = bytes(48 if 48 <= each <= 57 else 32 for each in range(256))  # digits become 0, other bytes blanks
_DEEPEST = 1024  # levels that orjson reads; those that json reads depend on the version of Python
_LONG = b"0" * 19  # from 19 digits on, orjson may round an integer to a float
#: A string (an unterminated one extends to the end, so that no byte is scanned twice), or NaN and
#: Infinity as Python writes them.
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"?+|(?<![\w.+-])(?:NaN|-?Infinity)(?!\w)', re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?+', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


class JsonError(ValueError):
    """A document that is not JSON; the message holds none of its content."""


def read_json(content: bytes) -> Any:
    """Read one document.

    Raises
    ------
    JsonError
        If the document is not JSON by the rules of this module.

    Examples
    --------
    >>> read_json(b'{"age": NaN}')
    {'age': None}
    >>> read_json(b"[Infinity]")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ...
    JsonError: Infinity is not JSON; expected a finite number, or null for a missing value
    """
    content = content.removeprefix(_BOM)
    try:
        return _loads(content)
    except JsonError:
        if b"NaN" not in content and b"Infinity" not in content:
            raise
        plain = _TOKENS.sub(_without_nan, content)
        if plain == content:
            raise
        return _loads(plain)


def _without_nan(token: re.Match[bytes]) -> bytes:
    text = token[0]
    if text.startswith(b'"'):
        return text
    if text == b"NaN":
        return b"null"
    expected = "expected a finite number, or null for a missing value"
    raise JsonError(f"{text.decode()} is not JSON; {expected}")


def _loads(content: bytes) -> Any:
    if _LONG in content.translate(_DIGITS):
        return loads_plainly(content)
    try:
        import orjson
    except ImportError:
        return loads_plainly(content)
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise JsonError(str(error)) from None


def loads_plainly(content: bytes) -> Any:
    """Read one document with the standard library: as orjson does, but with all digits of integers.

    Raises
    ------
    JsonError
        If the document is not JSON by the rules of this module.
    """
    try:
        text = content.decode()
        if _is_too_deep(text):
            raise JsonError("it is nested too deeply")
        document = json.loads(text, parse_constant=_refuse, parse_float=_float, parse_int=_int)
        if "\\ud" in text.lower():
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise JsonError("half of a surrogate pair in a string") from None
    except UnicodeDecodeError as error:
        raise JsonError(f"the text is not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise JsonError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise JsonError(f"{error.msg}: line {error.lineno} column {error.colno}") from None
    return document


def _is_too_deep(text: str) -> bool:
    """Return whether a document is nested deeper than orjson reads; skips brackets in strings."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return False
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > _DEEPEST:
            return True
    return False


def _refuse(text: str) -> None:
    raise JsonError(f"{text} is not JSON")


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise JsonError("a number is beyond the range of a float")
    return value


def _int(text: str) -> int:
    if len(text) > _FLOAT_DIGITS:
        _float(text)
    return int(text)
