"""Tables by path or URL, from folders and URLs that the operator allows."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from workbench.errors import DataError, SettingsError, shown

from .download import fetch
from .uploads import UNPACKED_TIMES, Source, keep_upload, suffix_of

_CHUNK = 1 << 20
_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class Places:
    """Allowed sources of tables.

    Attributes
    ----------
    folders : tuple of pathlib.Path
        Allowed folders, including subfolders; links are resolved.
    urls : tuple of str
        Allowed URL prefixes: scheme, host, port, and complete path segments.
    private : bool
        Whether these URLs may resolve to addresses outside the public internet.
    """

    folders: tuple[Path, ...] = ()
    urls: tuple[str, ...] = ()
    private: bool = False

    def __bool__(self) -> bool:
        return bool(self.folders or self.urls)

    @property
    def names(self) -> list[str]:
        """The sources, for display."""
        return [*(folder.as_posix() for folder in self.folders), *self.urls]

    def has_url(self, url: str) -> bool:
        """Return whether a URL is below one of the allowed prefixes.

        Examples
        --------
        >>> places = Places(urls=("https://data.example.com/open",))
        >>> places.has_url("https://data.example.com/open/a.csv"), places.has_url("https://data.example.com/opened.csv")
        (True, False)
        >>> places.has_url("https://data.example.com/open/../a.csv"), places.has_url("https://data.example.com@evil.org/")
        (False, False)
        """
        return any(_inside(url, prefix) for prefix in self.urls)


def read_places(given: Sequence[str], private: bool = False, *, strict: bool = True) -> Places:
    """Parse the values of `allow`: folders and URL prefixes.

    A missing folder is an error, or skipped if `strict` is False.

    Raises
    ------
    SettingsError
        If a value is not a folder or a URL.

    Examples
    --------
    >>> read_places(["https://data.example.com/open/"]).urls
    ('https://data.example.com/open',)
    """
    folders, urls = [], []
    for each in given:
        if "://" in each:
            parts = urlsplit(each)
            plain = not (parts.username or parts.password or parts.query or parts.fragment)
            if parts.scheme not in _SCHEMES or not parts.hostname or not plain or not _straight(parts.path):
                raise SettingsError(
                    "allow", found=shown(each), expected="a URL such as https://data.example.com/open/"
                )
            urls.append(each.rstrip("/"))
        elif Path(each).is_dir():
            folders.append(Path(each).resolve())
        elif strict:
            raise SettingsError("allow", found=shown(each), expected="an existing folder, or a URL")
    return Places(tuple(folders), tuple(urls), private)


def bring(text: str, places: Places, own: Path, session: str, most_bytes: int) -> Source:
    """Copy a table from a path or URL for this session, like an upload.

    Parameters
    ----------
    text : str
        User input: a path, absolute or relative to one of the folders, or a URL.
    places : Places
    own : pathlib.Path
        Folder of the app.
    session : str
        Random token of the session.
    most_bytes : int

    Raises
    ------
    DataError
        If the source is not allowed, cannot be read, or is too large.
    """
    text = text.strip()
    if "://" in text:
        if not places.has_url(text):
            raise DataError(
                "URL",
                found=shown(text),
                expected=f"a URL below {', '.join(places.urls) or 'none: no URL is allowed'}",
            )
        name = unquote(urlsplit(text).path).rsplit("/", 1)[-1]
        suffix_of(name)
        return keep_upload(
            fetch(text, places.has_url, most_bytes, private=places.private),
            name,
            own,
            session,
            UNPACKED_TIMES * most_bytes,
        )
    path = _find(text, places.folders)
    suffix_of(path.name)
    return keep_upload(_read(path, most_bytes), path.name, own, session, UNPACKED_TIMES * most_bytes)


def _find(text: str, folders: Sequence[Path]) -> Path:
    """Return the file of a path, if it is in one of the folders after resolving links.

    A file elsewhere and a missing file give the same error, which reveals nothing about other
    folders.
    """
    for folder in folders:
        try:
            path = (folder / text).resolve(strict=True)
            inside = path.is_relative_to(folder) and path.is_file()
        except (OSError, ValueError, RuntimeError):
            continue
        if inside:
            return path
    where = ", ".join(folder.as_posix() for folder in folders) or "none: no folder is allowed"
    raise DataError("path", found=shown(text), expected=f"a file in an allowed folder: {where}")


def _read(path: Path, most_bytes: int) -> Iterator[bytes]:
    expected = f"at most {most_bytes / 1e6:,.0f} MB"
    try:
        # O_NONBLOCK, so that a named pipe does not block the page.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except OSError as error:
        raise DataError(f"{path.name} cannot be read", found=error.strerror) from None
    with file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise DataError(f"{path.name} is not a file")
        if about.st_size > most_bytes:
            raise DataError(
                f"{path.name} is too large", found=f"{about.st_size / 1e6:,.0f} MB", expected=expected
            )
        got = 0
        while chunk := file.read(_CHUNK):
            got += len(chunk)
            if got > most_bytes:
                raise DataError(f"{path.name} is too large", expected=expected)
            yield chunk


def _inside(url: str, prefix: str) -> bool:
    try:
        one, other = urlsplit(url), urlsplit(prefix)
        same = (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)
    except ValueError:
        return False
    if not same or one.username is not None or one.password is not None or not _straight(one.path):
        return False
    return not other.path or one.path == other.path or one.path.startswith(f"{other.path}/")


def _straight(path: str) -> bool:
    """Return whether a URL path has no parent segments, also after decoding."""
    plain = unquote(unquote(path))
    signs = any(ord(letter) < 0x21 for letter in path) or "\\" in plain
    return not signs and not {"..", "."} & set(plain.split("/"))
