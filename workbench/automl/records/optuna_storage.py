"""Optuna storages that are files: a run that is moved, or read from elsewhere, must not make a new one by accident."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import RunError

_FILE = "sqlite:///"


def fixed_storage(url: str | None) -> str | None:
    """Return a storage URL whose file is named from the root, so that it is the same one from every folder.

    Examples
    --------
    >>> fixed_storage("sqlite:////data/study.db"), fixed_storage("redis://cache:6379")
    ('sqlite:////data/study.db', 'redis://cache:6379')
    """
    path = _path_of(url)
    return url if path is None or url is None else f"{_FILE}{path.resolve()}{_rest(url)}"


def check_storage(url: str | None) -> None:
    """Raise `RunError` if the file of a run's storage is gone: Optuna would make an empty one in its place."""
    path = _path_of(url)
    if path is not None and not path.is_file():
        raise RunError(
            "the Optuna storage of the run is gone",
            found=f"no file {path}",
            expected="the one that the search was given",
            hint="Put it back, or start from the folder that a relative path was meant from.",
        )


def _path_of(url: str | None) -> Path | None:
    if url is None or not url.startswith(_FILE):
        return None
    name = url.removeprefix(_FILE).partition("?")[0]
    return None if name in ("", ":memory:") or name.startswith("file:") else Path(name)


def _rest(url: str) -> str:
    _, mark, rest = url.partition("?")
    return mark + rest
