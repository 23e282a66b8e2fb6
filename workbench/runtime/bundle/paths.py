"""Paths of a bundle's files: relative, normalised and unambiguous on every file system."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

COMPILED_SUFFIXES = (".pyc", ".pyo")
CACHE_FOLDER = "__pycache__"


def name_fault(name: str) -> str:
    """Return why a name cannot be the path of a bundle's file, or an empty string.

    Examples
    --------
    >>> name_fault("runtime/model.py"), name_fault("../model.py"), name_fault("runtime//model.py")
    ('', 'it leads out of the bundle', 'it is not normalised')
    """
    path = PurePosixPath(name)
    if not path.parts or name.startswith("/") or ".." in path.parts or "\\" in name or ":" in name:
        return "it leads out of the bundle"
    if "\0" in name or any(0xD800 <= ord(letter) < 0xE000 for letter in name):
        return "it has invalid characters"
    return "it is not normalised" if path.as_posix() != name else ""


def is_compiled(name: str) -> bool:
    """Return whether a path is compiled Python, which is not part of a bundle.

    Examples
    --------
    >>> is_compiled("runtime/__pycache__/model.cpython-311.pyc"), is_compiled("runtime/model.py")
    (True, False)
    """
    path = PurePosixPath(name)
    return CACHE_FOLDER in path.parts or path.suffix.lower() in COMPILED_SUFFIXES


def colliding_names(names: Iterable[str]) -> tuple[str, str] | None:
    """Return two names that are the same file on some file systems, or None.

    Examples
    --------
    >>> colliding_names(["a.py", "README.md", "readme.md"])
    ('README.md', 'readme.md')
    """
    seen: dict[str, str] = {}
    for name in names:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        if key in seen:
            return seen[key], name
        seen[key] = name
    return None
