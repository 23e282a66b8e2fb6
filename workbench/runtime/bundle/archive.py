"""Zip archives of bundles from untrusted sources, unpacked in bounded memory and disk space."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import BundleError, TamperedBundleError, shown
from ..resource_limits import MAX_BYTES, MAX_DIRECTORY_BYTES, MAX_FILES, MAX_PACKED, SMALL_BYTES
from .paths import colliding_names, name_fault

_CHUNK_BYTES = 1 << 20
_LINK, _KIND = 0o120000, 0o170000
_ENCRYPTED = 0x1
_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}


class _Bounded(io.BufferedReader):
    """A file whose reads are bounded by the size that a zip's list of files may have."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0 or size > MAX_DIRECTORY_BYTES:
            at = self.tell()
            left = self.seek(0, io.SEEK_END) - at
            self.seek(at)
            size = left if size is None or size < 0 else min(size, left)
            if size > MAX_DIRECTORY_BYTES:
                raise TamperedBundleError(
                    "the zip's list of files is too long",
                    found=f"{size:,} bytes",
                    expected=f"at most {MAX_DIRECTORY_BYTES:,}",
                )
        return super().read(size)


@contextmanager
def reading(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip; any exception in the block becomes an error that names the file.

    Python's `zipfile` raises a dozen types of exceptions for damaged files (of struct, zlib,
    codecs, even IndexError), so all types are treated alike.

    Raises
    ------
    TamperedBundleError
        If the zip is damaged.
    BundleError
        If the zip cannot be read, or the unpacked files cannot be written.
    """
    try:
        with _Bounded(io.FileIO(path)) as file, zipfile.ZipFile(file) as archive:
            yield archive
    except BundleError:
        raise
    except OSError as error:
        raise BundleError(f"{path.name} cannot be unpacked", found=error.strerror or str(error)) from error
    except Exception as error:
        raise TamperedBundleError(
            f"{path.name} cannot be unpacked", found=str(error) or type(error).__name__
        ) from error


def is_zip_file(path: Path) -> bool:
    """Return whether a file has the signature of a zip; a damaged one may have it too."""
    try:
        return zipfile.is_zipfile(path)
    except Exception:  # as above: many types of exceptions
        return True


def checked_entries(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Return the files of a zip, after checking that they can be a bundle's.

    Raises
    ------
    TamperedBundleError
        If the zip has a path outside the bundle, a link, two files with the same name, an encrypted
        file, a compression method of unbounded memory, or more files or bytes than the limits.
    """
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    for entry in entries:
        is_link = (entry.external_attr >> 16) & _KIND == _LINK
        if name_fault(entry.orig_filename) or name_fault(entry.filename) or is_link:
            raise TamperedBundleError(
                f"{name} holds {shown(entry.orig_filename)}",
                expected="paths inside the bundle, without links",
            )
        if entry.flag_bits & _ENCRYPTED:
            raise TamperedBundleError(f"{name}: {shown(entry.filename)} is encrypted", expected="plain files")
        if entry.compress_type not in _METHODS:
            raise TamperedBundleError(
                f"{name}: {shown(entry.filename)}",
                found=f"compression method {entry.compress_type}",
                expected="stored or deflated files",
            )
    total = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_FILES or total > MAX_BYTES:
        raise TamperedBundleError(
            f"{name} is too large to be a bundle",
            found=f"{len(entries)} files of {total} bytes",
            expected=f"at most {MAX_FILES} files of {MAX_BYTES} bytes",
        )
    packed = sum(entry.compress_size for entry in entries)
    if total > SMALL_BYTES and total > MAX_PACKED * packed:
        raise TamperedBundleError(
            f"{name} is too large to be a bundle",
            found=f"{packed} bytes that unpack to {total}",
            expected=f"at most {MAX_PACKED} times their size",
        )
    twice = colliding_names(entry.filename for entry in entries)
    if twice is not None:
        raise TamperedBundleError(
            f"{name} holds two files with the same name", found=f"{shown(twice[0])} and {shown(twice[1])}"
        )
    return entries


def unpack(path: Path, target: Path) -> None:
    """Unpack a zip into an existing folder, writing no more bytes than its list of files declares.

    Raises
    ------
    BundleError
        As for `reading` and `checked_entries`.
    """
    with reading(path) as archive:
        for entry in checked_entries(archive, path.name):
            _write_entry(archive, entry, target / entry.filename)


def _write_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    left = entry.file_size
    with archive.open(entry) as source, path.open("xb") as out:
        while chunk := source.read(min(_CHUNK_BYTES, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise TamperedBundleError(
                    f"{entry.filename} unpacks to more bytes than declared",
                    expected=f"{entry.file_size} bytes",
                )
            out.write(chunk)


def read_entry(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return the content of one file of a zip, if it has at most `most` bytes.

    Raises
    ------
    TamperedBundleError
        If the file is missing or longer.
    """
    entries = {entry.filename: entry for entry in checked_entries(archive, Path(archive.filename or "").name)}
    if name not in entries:
        raise TamperedBundleError(f"the zip has no file {shown(name)}")
    if entries[name].file_size > most:
        raise TamperedBundleError(f"{name} is too large", expected=f"at most {most:,} bytes")
    with archive.open(entries[name]) as source:
        content = source.read(most + 1)
    if len(content) > most:
        raise TamperedBundleError(f"{name} is too large", expected=f"at most {most:,} bytes")
    return content
