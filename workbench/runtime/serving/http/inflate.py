"""Compressed bodies, unpacked as they arrive and never further than a body may be long."""

from __future__ import annotations

import zlib

#: Content-Encoding, and what zlib calls it.
_WINDOW = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
CODINGS = frozenset([*_WINDOW, b"identity", b""])
_MAX_MEMBERS = 10_000


class InflateError(ValueError):
    """Bytes that are not of their coding."""


class TooLongError(ValueError):
    """More bytes, packed or unpacked, than a body may have."""


class Inflater:
    """Unpacks one body.

    Parameters
    ----------
    coding : bytes
        Of `CODINGS`.
    most : int
        Bytes that may come in, and that may come out.

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
        """Return what a piece of the body holds.

        Raises
        ------
        InflateError, TooLongError
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
        """Refuse a body that is cut off.

        Raises
        ------
        InflateError
        """
        if self._window is not None and self._packed and not self._stream.eof:
            raise InflateError("it is cut off")
