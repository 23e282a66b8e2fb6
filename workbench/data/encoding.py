"""Which characters the bytes of a text file stand for, and whether they are text at all."""

from __future__ import annotations

import codecs
import re

import charset_normalizer

from workbench.errors import DataError

_MAGIC = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
    b"\x1f\x8b": "a gzip file inside a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x7fELF": "a program",
    b"ARROW1": "an Arrow file",
}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1a"))
_FOREIGN_WORD = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_HINT = "Save the table as CSV (UTF-8), Parquet or JSON lines."


def guess_encoding(head: bytes, name: str) -> str:
    """Return the name of a Python codec for a file that begins with `head`.

    "utf-8" is what no byte of `head` contradicts; bytes further on still may.

    Parameters
    ----------
    head : bytes
    name : str
        The file's name, for messages.

    Raises
    ------
    DataError
        Where the bytes are no text.

    Examples
    --------
    >>> guess_encoding("städte;größe".encode("latin-1"), "a.csv")
    'latin-1'
    >>> guess_encoding("städte;größe".encode("utf-16"), "a.csv")
    'utf-16'
    """
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise DataError(f"{name} is no text file", found=what, hint=_HINT)
    for mark, codec in _BOMS:
        if head.startswith(mark):
            return codec
    if b"\0" in head:
        return _two_byte(head, name)
    if len(head) > 0 and len(head) - len(head.translate(None, _CONTROLS)) > 0.01 * len(head):
        raise _binary(name)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return legacy_encoding(head, name)
    return "utf-8"


def legacy_encoding(sample: bytes, name: str) -> str:
    """Return a codec for bytes that are not UTF-8.

    Words that are mostly ASCII with a few high bytes are Western European: there a statistical guess is worse than
    Windows-1252 or, where that leaves a byte undefined, Latin-1.
    """
    foreign = b"".join(_FOREIGN_WORD.findall(sample))
    high = len(foreign) - len(foreign.translate(None, bytes(range(0x80, 0x100))))
    if high <= 0.5 * len(foreign):
        if any(code in sample for code in range(0x80, 0xA0)):
            try:
                sample.decode("cp1252")
            except UnicodeDecodeError:
                return "latin-1"
            return "cp1252"
        return "latin-1"
    best = charset_normalizer.from_bytes(b" ".join(_FOREIGN_WORD.findall(sample))[:65536]).best()
    if best is None or best.encoding == "ascii":
        raise _binary(name)
    return str(best.encoding)


def _two_byte(head: bytes, name: str) -> str:
    """UTF-16 without a mark has a zero in every other byte of its ASCII characters."""
    for codec, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        if zeros.count(0) > 0.5 * len(zeros):
            return codec
    raise _binary(name)


def _binary(name: str) -> DataError:
    return DataError(
        f"{name} is no text file", found="bytes that are no characters of any encoding", hint=_HINT
    )
