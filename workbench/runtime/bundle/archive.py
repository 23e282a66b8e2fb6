"""Zips of bundles, from whoever sent them: damaged or hostile ones are refused by name, and never fill the memory."""

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
    """A file of which no more is read at once than a zip's list of files may take."""

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
    """Open a zip; whatever goes wrong in the block is an error that names the file.

    Python's `zipfile` answers damage with a dozen types of exceptions (of struct, zlib, codecs, even IndexError), so
    all of them are taken for it.

    Raises
    ------
    TamperedBundleError
        Where it is damaged, encrypted or packed by a method that bundles are not.
    BundleError
        Where it cannot be read, or what is unpacked not be written.
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
    """Tell whether a file says that it is a zip; a damaged one may."""
    try:
        return zipfile.is_zipfile(path)
    except Exception:  # as above: damage in many types
        return True


def checked_entries(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Return the files of a zip, having refused what a bundle's zip never has.

    Raises
    ------
    TamperedBundleError
        Naming a path that leads elsewhere, a link, a second file of one name, an encrypted file, a method of packing
        that may take any memory, or more files and bytes than a bundle has.
    """
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    for entry in entries:
        is_link = (entry.external_attr >> 16) & _KIND == _LINK
        if name_fault(entry.orig_filename) or name_fault(entry.filename) or is_link:
            raise TamperedBundleError(
                f"{name} holds {shown(entry.orig_filename)}", expected="paths inside the bundle, no links"
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
            expected=f"at most {MAX_PACKED} times as many",
        )
    twice = colliding_names(entry.filename for entry in entries)
    if twice is not None:
        raise TamperedBundleError(
            f"{name} holds two files of one name", found=f"{shown(twice[0])} and {shown(twice[1])}"
        )
    return entries


def unpack(path: Path, target: Path) -> None:
    """Unpack a zip into an existing folder; never more bytes than its list of files says.

    Raises
    ------
    BundleError
        As `reading` and `checked_entries`.
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
                    f"{entry.filename} unpacks to more than the {entry.file_size} bytes declared"
                )
            out.write(chunk)


def read_entry(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return the content of one file of a zip, which says that it has at most so many bytes.

    Raises
    ------
    TamperedBundleError
        Where it is not there or longer.
    """
    entries = {entry.filename: entry for entry in checked_entries(archive, Path(archive.filename or "").name)}
    if name not in entries:
        raise TamperedBundleError(f"there is no {shown(name)}")
    if entries[name].file_size > most:
        raise TamperedBundleError(f"{name} is too long", expected=f"at most {most:,} bytes")
    with archive.open(entries[name]) as source:
        content = source.read(most + 1)
    if len(content) > most:
        raise TamperedBundleError(f"{name} is too long", expected=f"at most {most:,} bytes")
    return content
