"""Optuna storages in files: opening a moved run must not create a new one."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import RunError

_FILE = "sqlite:///"


def fixed_storage(url: str | None) -> str | None:
    """Return a storage URL with an absolute file path, valid from every working directory.

    Examples
    --------
    >>> fixed_storage("sqlite:////data/study.db"), fixed_storage("redis://cache:6379")
    ('sqlite:////data/study.db', 'redis://cache:6379')
    """
    path = _path_of(url)
    return url if path is None or url is None else f"{_FILE}{path.resolve()}{_rest(url)}"


def check_storage(url: str | None) -> None:
    """Check that the file of a run's storage exists: Optuna would create an empty one in its place.

    Raises
    ------
    RunError
        If the file does not exist.
    """
    path = _path_of(url)
    if path is not None and not path.is_file():
        raise RunError(
            "the Optuna storage of the run does not exist",
            found=f"no file {path}",
            expected="the storage of the search",
            hint="Restore it, or start from the folder that a relative path refers to.",
        )


def _path_of(url: str | None) -> Path | None:
    if url is None or not url.startswith(_FILE):
        return None
    name = url.removeprefix(_FILE).partition("?")[0]
    return None if name in ("", ":memory:") or name.startswith("file:") else Path(name)


def _rest(url: str) -> str:
    _, mark, rest = url.partition("?")
    return mark + rest
