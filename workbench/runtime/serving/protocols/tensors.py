"""The binary tensor data extension of the v2 protocol: tensors as bytes after the JSON.

Triton's clients send it by default. ``Inference-Header-Content-Length`` is the length of the JSON,
and ``parameters.binary_data_size`` of each tensor the number of its bytes after that.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...errors import InputError, shown

HEADER = b"inference-header-content-length"
CONTENT_TYPE = b"application/octet-stream"
_DTYPES = {
    "BOOL": "?", "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "INT8": "<i1", "INT16": "<i2",
    "INT32": "<i4", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip


class Tail:
    """The bytes after the JSON, taken from the front."""

    def __init__(self, content: memoryview | None) -> None:
        self._rest = content

    def take(self, where: str, size: Any) -> memoryview:
        """Return the next `size` bytes.

        Raises
        ------
        InputError
            If there are fewer bytes.
        """
        left = len(self._rest) if self._rest is not None else 0
        if self._rest is None or type(size) is not int or not 0 <= size <= left:
            raise InputError(
                f"{where}, binary_data_size", found=shown(size), expected=f"at most the {left} bytes left"
            )
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def check_empty(self) -> None:
        """Raise `InputError` if bytes are left over."""
        if self._rest:
            raise InputError(
                "the bytes after the JSON",
                found=f"{len(self._rest)} bytes left over",
                expected="as many as the inputs' binary_data_size",
            )


def parameters_of(entry: Any) -> Mapping[str, Any]:
    """Return the parameters of a request or tensor; an empty mapping if it has none."""
    found = entry.get("parameters") if isinstance(entry, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def split_body(body: bytes, length: bytes | None) -> tuple[bytes, memoryview | None]:
    """Split a body into its JSON and the bytes after it.

    Raises
    ------
    InputError
        If the header is not a number, or larger than the body.

    Examples
    --------
    >>> head, tail = split_body(b'{}\\x01', b"2")
    >>> head, bytes(tail)
    (b'{}', b'\\x01')
    """
    if length is None:
        return body, None
    if not length.isdigit() or int(length[:20]) > len(body):
        expected = f"a number of at most {len(body)} bytes"
        raise InputError(
            "header Inference-Header-Content-Length", found=shown(length.decode("latin-1")), expected=expected
        )
    at = int(length)
    return body[:at], memoryview(body)[at:]


def read_tensor(where: str, datatype: str, content: memoryview) -> list[Any]:
    """Decode the values of a tensor; BYTES are strings.

    Raises
    ------
    InputError
        If the bytes do not match the datatype.

    Examples
    --------
    >>> read_tensor("input 'a'", "INT32", memoryview(b"\\x01\\0\\0\\0"))
    [1]
    >>> read_tensor("input 'a'", "BYTES", memoryview(b"\\x02\\0\\0\\0no"))
    ['no']
    """
    if datatype == "BYTES":
        return _texts(where, content)
    try:
        values: list[Any] = np.frombuffer(content, dtype=_DTYPES[datatype]).tolist()
    except ValueError as error:
        raise InputError(f"{where}, data", found=str(error), expected=f"whole {datatype} values") from None
    return values


def _texts(where: str, content: memoryview) -> list[str]:
    out: list[str] = []
    at = 0
    while at < len(content):
        if at + 4 > len(content):
            raise InputError(
                f"{where}, data", found="a truncated length", expected="4 bytes with the length of a string"
            )
        (size,) = struct.unpack_from("<I", content, at)
        end = at + 4 + size
        if end > len(content):
            raise InputError(
                f"{where}, data",
                found=f"a string of {size} bytes",
                expected=f"at most the {len(content) - at - 4} bytes left",
            )
        try:
            out.append(str(content[at + 4 : end], "utf-8"))
        except UnicodeDecodeError:
            raise InputError(
                f"{where}, data", found="bytes that are not UTF-8", expected="strings in UTF-8"
            ) from None
        at = end
    return out


def write_tensors(
    response: dict[str, Any], binary: frozenset[str], dumps: Callable[[Any], bytes]
) -> tuple[bytes, int]:
    """Return a response with some outputs as bytes after the JSON, and the length of the JSON."""
    tail: list[bytes] = []
    for output in response["outputs"]:
        if output["name"] in binary:
            content = _tensor_bytes(output["datatype"], output.pop("data"))
            output["parameters"] = {"binary_data_size": len(content)}
            tail.append(content)
    head = dumps(response)
    return b"".join([head, *tail]), len(head)


def _tensor_bytes(datatype: str, values: list[Any]) -> bytes:
    if datatype != "BYTES":
        return np.asarray(values, dtype=_DTYPES[datatype]).tobytes()
    texts = [str(value).encode() for value in values]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)
