"""Compressed files, unpacked to disk: bzip2, xz, zstd and zip archives of one table.

Gzip is not unpacked here, since the readers read it as a stream; `check_gzip_size` only
measures it.
"""

from __future__ import annotations

import gzip
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

from ..errors import BadFileError
from .table_formats import choose_table, import_library

_BLOCK_BYTES = 1 << 20
_MAX_DEPTH = 3  # a zip of an xz file of a table; deeper nesting is refused
#: The first bytes of a compressed file, and the suffix of its format.
SUFFIX_OF_MAGIC = {b"BZh": ".bz2", b"\xfd7zXZ\0": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}


def check_gzip_size(path: Path, most: int) -> None:
    """Raise `BadFileError` if a gzip file is damaged or holds more than `most` bytes."""
    got = 0
    try:
        with gzip.open(path, "rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                got += len(block)
                check_unpacked_size(got, path.name, most)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFileError(f"{path.name} cannot be unpacked", found=str(error)) from error


def check_unpacked_size(got: int, name: str, most: int | None) -> None:
    """Raise `BadFileError` if a file unpacks to more than `most` bytes; None is no limit."""
    if most is not None and got > most:
        expected = f"at most {most / 1e6:,.0f} MB"
        raise BadFileError(f"{name} is too large", found="more after decompression", expected=expected)


def next_depth(path: Path, depth: int) -> int:
    """Return the nesting level of a file inside `path`; raise `BadFileError` if it is too deep."""
    if depth >= _MAX_DEPTH:
        raise BadFileError(
            f"{path.name} is nested too deeply",
            found=f"more than {_MAX_DEPTH} layers of compression",
            hint="Unpack it first.",
        )
    return depth + 1


def copy_stream(stream: IO[bytes], path: Path, name: str, most: int | None) -> None:
    """Copy a stream to a file; raise `BadFileError`, naming `name`, beyond `most` bytes."""
    got = 0
    with path.open("wb") as out:
        while block := stream.read(_BLOCK_BYTES):
            got += len(block)
            check_unpacked_size(got, name, most)
            out.write(block)


def unpacked_path(folder: Path, name: str) -> Path:
    """Return a new path for an unpacked file; it keeps the suffix, which may name the format."""
    parent = Path(tempfile.mkdtemp(dir=folder))
    return parent / (Path(name.replace("\\", "/")).name or "table")


def decompress(path: Path, suffix: str, folder: Path, most: int | None) -> Path:
    """Unpack a bzip2, xz or zstd file into a folder and return the new path.

    Raises
    ------
    BadFileError
        If the file is damaged or unpacks to more than `most` bytes.
    """
    import bz2  # here: some small builds of Python lack these modules
    import lzma

    inner = unpacked_path(
        folder, path.name[: -len(suffix)] if path.name.lower().endswith(suffix) else path.name
    )
    try:
        if suffix == ".zst":
            arrow = import_library("pyarrow")
            with arrow.CompressedInputStream(arrow.OSFile(str(path)), "zstd") as stream:
                copy_stream(stream, inner, path.name, most)
        else:
            opener = bz2.open if suffix == ".bz2" else lzma.open
            with opener(path, "rb") as stream:
                copy_stream(stream, inner, path.name, most)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise BadFileError(f"{path.name} cannot be unpacked", found=str(error)) from error
    return inner


def extract_member(archive: zipfile.ZipFile, path: Path, table: str, folder: Path, most: int | None) -> Path:
    """Extract one file of a zip archive into a folder and return the new path.

    Raises
    ------
    BadFileError
        If `table` is not in the archive, or is empty and the archive holds several files; if the
        file is encrypted, damaged or unpacks to more than `most` bytes.
    """
    names = [
        each.filename
        for each in archive.infolist()
        if not each.is_dir()
        and not Path(each.filename).name.startswith(".")
        and "__MACOSX" not in each.filename
    ]
    chosen = choose_table(path, table, names, "file")
    inner = unpacked_path(folder, chosen)
    try:
        with archive.open(chosen) as stream:
            copy_stream(stream, inner, path.name, most)
    except (zipfile.BadZipFile, RuntimeError, EOFError, NotImplementedError) as error:
        raise BadFileError(f"{path.name} cannot be unpacked", found=str(error)) from error
    return inner
