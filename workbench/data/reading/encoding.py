"""Detect the encoding of a text file, and files that are not text."""

from __future__ import annotations

import codecs
import re

import charset_normalizer

from workbench.errors import DataError

from .letters import USUAL_LETTERS

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
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, because it begins with its mark
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Two-byte encodings, each with the codec that reads most files labelled with it.
_TWO_BYTE = {
    "shift_jis": "cp932",
    "shift_jis_2004": "cp932",
    "shift_jisx0213": "cp932",
    "cp932": "cp932",
    "euc_jp": "euc_jp",
    "euc_jis_2004": "euc_jp",
    "euc_jisx0213": "euc_jp",
    "big5": "cp950",
    "big5hkscs": "big5hkscs",
    "cp950": "cp950",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "euc_kr": "cp949",
    "cp949": "cp949",
    "johab": "johab",
}
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1a"))
_FOREIGN_WORD = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_LEAST_USUAL, _MARGIN = 0.3, 0.05
_JUDGED_BYTES, _FEW_BYTES = 1 << 16, 1 << 12
_LONGEST_CHARACTER = 4  # bytes
_HINT = "Save the table as CSV (UTF-8), Parquet or JSON lines."


def guess_encoding(head: bytes, name: str) -> str:
    """Return the name of a Python codec for a file that begins with `head`.

    "utf-8" means that all of `head` is UTF-8; later bytes may not be.

    Parameters
    ----------
    head : bytes
    name : str
        The file's name, for messages.

    Raises
    ------
    DataError
        If the bytes are not text.

    Examples
    --------
    >>> guess_encoding("städte;größe".encode("latin-1"), "a.csv")
    'latin-1'
    >>> guess_encoding("städte;größe".encode("utf-16"), "a.csv")
    'utf-16'
    """
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise DataError(f"{name} is not a text file", found=what, hint=_HINT)
    for mark, codec in _BOMS:
        if head.startswith(mark):
            return codec
    if b"\0" in head:
        return _two_byte(head, name)
    if b"\x1b$" in head and _fits(head, "iso2022_jp"):
        return "iso2022_jp"
    if len(head) > 0 and len(head) - len(head.translate(None, _CONTROLS)) > 0.01 * len(head):
        raise _binary(name)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return legacy_encoding(head, name)
    return "utf-8"


def legacy_encoding(sample: bytes, name: str) -> str:
    """Return a codec for bytes that are not UTF-8.

    The whole sample is used, not only its bytes above 0x7F: the second byte of a Shift-JIS, Big5 or
    GBK character may be an ASCII letter. Words that are mostly ASCII with a few high bytes are
    Western European; for them a statistical guess is worse than Windows-1252 or, if a byte is
    undefined in that, Latin-1.

    Examples
    --------
    >>> legacy_encoding("機能,表示\\n十,能力\\nソート,予約\\n".encode("cp932"), "a.csv")
    'cp932'
    """
    whole = sample[: sample.rfind(b"\n") + 1] or sample  # the last line may end within a character
    lines = whole if len(whole) <= _FEW_BYTES else _telling(whole)
    best = charset_normalizer.from_bytes(lines).best()
    if best is not None and best.encoding in _TWO_BYTE and _fits(lines, best.encoding):
        return _two_byte_letters(lines, _TWO_BYTE[best.encoding])
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
    best = (
        charset_normalizer.from_bytes(b" ".join(_FOREIGN_WORD.findall(sample))[:_JUDGED_BYTES]).best() or best
    )
    if best is None or best.encoding == "ascii":
        raise _binary(name)
    return str(best.encoding)


def _telling(content: bytes) -> bytes:
    """Return the first lines and all other lines that are not ASCII, so that a few words among many
    numbers count.
    """
    first, rest = content[:_FEW_BYTES].rpartition(b"\n")[0], content[_FEW_BYTES:]
    return b"\n".join([first, *(line for line in rest.split(b"\n")[1:] if not line.isascii())])[
        :_JUDGED_BYTES
    ]


def _two_byte_letters(content: bytes, guess: str) -> str:
    """Return the encoding in which most letters are common ones, or else `guess`.

    A few words in one of these encodings are valid in others too, but consist of rare letters
    there.
    """
    shares = {}
    for codec, usual in USUAL_LETTERS.items():
        if _fits(content, codec):
            letters = [letter for letter in content.decode(codec, "ignore") if not letter.isascii()]
            shares[codec] = sum(letter in usual for letter in letters) / max(len(letters), 1)
    best = max(shares, key=lambda codec: (shares[codec], codec == guess), default=guess)
    share = shares.get(best, 0.0)
    return best if share >= _LEAST_USUAL or share > 2 * shares.get(guess, 0.0) + _MARGIN else guess


def _fits(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start >= len(content) - _LONGEST_CHARACTER  # cut within a character
    return True


def _two_byte(head: bytes, name: str) -> str:
    """Return whether bytes look like UTF-16 without a mark: every other byte of ASCII characters is
    zero.
    """
    for codec, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        if zeros.count(0) > 0.5 * len(zeros):
            return codec
    raise _binary(name)


def _binary(name: str) -> DataError:
    return DataError(
        f"{name} is not a text file", found="bytes that are invalid in every encoding", hint=_HINT
    )
