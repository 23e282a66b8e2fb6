"""Tables by path or URL: only from the folders and addresses that whoever runs the app allows."""

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
    """Where tables may be brought from.

    Attributes
    ----------
    folders : tuple of pathlib.Path
        Files in them and in folders below, links followed.
    urls : tuple of str
        What a URL has to begin with: scheme, host, port, and whole parts of its path.
    private : bool
        Whether those URLs may lead to addresses that are not of the public internet.
    """

    folders: tuple[Path, ...] = ()
    urls: tuple[str, ...] = ()
    private: bool = False

    def __bool__(self) -> bool:
        return bool(self.folders or self.urls)

    @property
    def names(self) -> list[str]:
        """The places, for people."""
        return [*(folder.as_posix() for folder in self.folders), *self.urls]

    def has_url(self, url: str) -> bool:
        """Tell whether a URL lies in one of the places.

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
    """Read what `allow` was given: folders and beginnings of URLs.

    A folder that is not there is an error, or passed over where `strict` is off: it may come back.

    Raises
    ------
    SettingsError
        Where one is neither.

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
            raise SettingsError("allow", found=shown(each), expected="a folder that is there, or a URL")
    return Places(tuple(folders), tuple(urls), private)


def bring(text: str, places: Places, own: Path, session: str, most_bytes: int) -> Source:
    """Bring a table from a path or a URL: a copy of its own for this session, as an upload is.

    Parameters
    ----------
    text : str
        What somebody typed: a path, absolute or below one of the folders, or a URL.
    places : Places
    own : pathlib.Path
        The app's folder.
    session : str
        A random token of the session.
    most_bytes : int

    Raises
    ------
    DataError
        Where it lies nowhere that is allowed, cannot be had, or is too large.
    """
    text = text.strip()
    if "://" in text:
        if not places.has_url(text):
            raise DataError(
                "URL",
                found=shown(text),
                expected=f"one below {', '.join(places.urls) or 'none: no URL is allowed'}",
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
    """Return the file that a path means, if it lies in one of the folders once all links are followed.

    A file elsewhere and one that is not there get the same answer, which tells nothing of what is
    elsewhere.
    """
    for folder in folders:
        try:
            path = (folder / text).resolve(strict=True)
            inside = path.is_relative_to(folder) and path.is_file()
        except (OSError, ValueError, RuntimeError):
            continue
        if inside:
            return path
    where = ", ".join(folder.as_posix() for folder in folders) or "none is allowed"
    raise DataError("path", found=shown(text), expected=f"a file in a folder that is allowed: {where}")


def _read(path: Path, most_bytes: int) -> Iterator[bytes]:
    expected = f"at most {most_bytes / 1e6:,.0f} MB"
    try:
        # O_NONBLOCK: a pipe in the place of the file must not hold up the page.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except OSError as error:
        raise DataError(f"{path.name} cannot be read", found=error.strerror) from None
    with file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise DataError(f"{path.name} is no file")
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
    """Tell whether a URL's path has no part that leads upwards, however it is written."""
    plain = unquote(unquote(path))
    signs = any(ord(letter) < 0x21 for letter in path) or "\\" in plain
    return not signs and not {"..", "."} & set(plain.split("/"))
