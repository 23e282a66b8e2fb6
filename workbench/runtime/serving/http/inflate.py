"""Decompress request bodies as they arrive, up to the largest size of a body."""

from __future__ import annotations

import zlib

#: Values of Content-Encoding, and zlib's window bits for them.
_WINDOW = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
CODINGS = frozenset([*_WINDOW, b"identity", b""])
_MAX_MEMBERS = 10_000


class InflateError(ValueError):
    """Bytes that are not valid in their encoding."""


class TooLongError(ValueError):
    """More bytes, compressed or not, than the largest body."""


class Inflater:
    """Decompresses one body.

    Parameters
    ----------
    coding : bytes
        One of `CODINGS`.
    most : int
        The most bytes of input, and of output.

    Examples
    --------
    >>> import gzip
    >>> body = Inflater(b"gzip", 100)
    >>> body.feed(gzip.compress(b"a" * 100)) == b"a" * 100
    True
    >>> body.check_end()
    """

    def __init__(self, coding: bytes, most: int) -> None:
        self._window, self._most = _WINDOW.get(coding), most
        self._packed = self._unpacked = self._members = 0
        self._stream = self._fresh()

    def _fresh(self) -> zlib._Decompress:
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise InflateError(f"more than {_MAX_MEMBERS} members")
        return zlib.decompressobj(self._window or 0)

    def feed(self, part: bytes) -> bytes:
        """Return the decompressed content of a part of the body.

        Raises
        ------
        InflateError
            If the bytes are not valid in their encoding.
        TooLongError
            If input or output exceed the limit.
        """
        self._packed += len(part)
        if self._packed > self._most:
            raise TooLongError
        if self._window is None:
            return part
        out: list[bytes] = []
        while part:
            if self._stream.eof:
                self._stream = self._fresh()
            try:
                out.append(self._stream.decompress(part, self._most - self._unpacked + 1))
            except zlib.error as error:
                raise InflateError(str(error)) from None
            self._unpacked += len(out[-1])
            if self._unpacked > self._most:
                raise TooLongError
            part = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        return b"".join(out)

    def check_end(self) -> None:
        """Check that the body is complete.

        Raises
        ------
        InflateError
            If it is truncated.
        """
        if self._window is not None and self._packed and not self._stream.eof:
            raise InflateError("it is truncated")
