"""The folders of the app, with their runs and bundles."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.api import open_run
from workbench.errors import RunError, SettingsError, shown
from workbench.export.catalog import BundleEntry, list_bundles
from workbench.tradeoff.run_decision import DECISION_FILE

from .remote_sources import Places, read_places

RUN_FILE = "run.json"
MANIFEST_FILE = "manifest.json"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folders of runs, bundles and tables, set when the app starts.

    Attributes
    ----------
    runs, bundles : pathlib.Path
    tables : pathlib.Path or None
        Folder of tables to search, also for saved uploads; by default ``data`` next to the runs.
    roles : pathlib.Path or None
        File of user roles (see `access`); with None everyone may do everything.
    example : bool
        Whether to create an example run when a folder without runs is opened for the first time.
    places : Places
        Allowed sources of tables by path or URL; none by default.
    """

    runs: Path
    bundles: Path
    tables: Path | None = None
    roles: Path | None = None
    example: bool = False
    places: Places = field(default_factory=Places)

    @property
    def data(self) -> Path:
        """Folder of tables."""
        return self.tables or self.runs.parent / "data"

    @property
    def own(self) -> Path:
        """Folder for files of the app: uploads, drafts and logs of searches."""
        return self.runs / ".app"


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run in the list of runs.

    Attributes
    ----------
    name : str
        Name of the folder, used in links.
    folder : pathlib.Path
    state : str
        "running", "done", "stopped", "failed", or "broken".
    info : dict
        The content of ``run.json``; empty if it is broken.
    problem : str
        The error of a broken run.
    """

    name: str
    folder: Path
    state: str
    info: dict[str, Any]
    problem: str = ""


def workspace_from_arguments(arguments: Sequence[str]) -> Workspace:
    """Parse ``[RUNS_DIR [BUNDLES_DIR]]`` and the options of `launch`.

    Examples
    --------
    >>> workspace_from_arguments([]).bundles.as_posix()
    'bundles'
    >>> workspace_from_arguments(["team/runs"]).bundles.as_posix()
    'team/bundles'
    """
    reader = argparse.ArgumentParser(prog="app.py", allow_abbrev=False)
    reader.add_argument("runs", nargs="?", type=Path, default=Path("runs"))
    reader.add_argument("bundles", nargs="?", type=Path)
    reader.add_argument("--data", type=Path)
    reader.add_argument("--roles", type=Path)
    reader.add_argument("--no-example", action="store_true")
    reader.add_argument("--allow", action="append", default=[])
    reader.add_argument("--allow-private", action="store_true")
    given = reader.parse_args(list(arguments))
    return Workspace(
        given.runs,
        given.bundles or given.runs.parent / "bundles",
        given.data,
        given.roles,
        example=not given.no_example,
        places=read_places(given.allow, given.allow_private, strict=False),
    )


def list_runs(folder: Path) -> list[RunEntry]:
    """Return the runs in a folder, newest first; a run that cannot be read has its error.

    Folders without run files are skipped. If the folder itself is a run, it is the only one listed.
    """
    if not folder.is_dir():
        return []
    if (folder / RUN_FILE).exists():
        return [read_entry(folder.resolve())]
    entries = [read_entry(each) for each in folder.iterdir() if _looks_like_run(each)]
    return sorted(entries, key=lambda entry: (str(entry.info.get("created", "")), entry.name), reverse=True)


def find_run(entries: Sequence[RunEntry], name: str) -> RunEntry:
    """Return the run with this name; the name is never used as a path.

    Raises
    ------
    RunError
        If there is no run with this name.
    """
    for entry in entries:
        if entry.name == name:
            return entry
    raise RunError("run", found=shown(name), expected="one of the runs listed")


def newest_bundles(folder: Path) -> list[BundleEntry]:
    """Return the bundles in a folder, last changed first; none if the folder does not exist."""
    if not folder.is_dir():
        return []

    def changed(entry: BundleEntry) -> tuple[int, str]:
        return _modified_ns(manifest_file(Path(entry.path))), entry.path

    return sorted(list_bundles(folder), key=changed, reverse=True)


def bundle_label(folder: Path, entry: BundleEntry) -> str:
    """Return the path of a bundle relative to the folder of bundles.

    Examples
    --------
    >>> bundle_label(Path("bundles"), BundleEntry("bundles/team/churn"))
    'team/churn'
    """
    path = Path(entry.path)
    return path.name if path == folder else path.relative_to(folder).as_posix()


def manifest_file(bundle: Path) -> Path:
    """Return the file that changes with the bundle: its manifest, or the zip file."""
    return bundle / MANIFEST_FILE if bundle.is_dir() else bundle


def bundle_path(bundles: Path, name: str, version: str) -> Path:
    """Return the path of a bundle: always a folder directly in the bundles folder.

    Raises
    ------
    SettingsError
        If name or version has other characters than letters, digits, dot, underscore and hyphen.

    Examples
    --------
    >>> bundle_path(Path("bundles"), "churn", "1").as_posix()
    'bundles/churn-1'
    >>> bundle_path(Path("bundles"), "../churn", "1")
    Traceback (most recent call last):
    ...
    workbench.errors.SettingsError: name: found '../churn'; expected letters, digits and, ...
    """
    for what, text in (("name", name), ("version", version)):
        if not _NAME.fullmatch(text):
            raise SettingsError(
                what,
                found=shown(text),
                expected=("letters, digits and, between them, dots, underscores and hyphens, up to 64"),
            )
    return bundles / f"{name}-{version}"


def stamp(folder: Path) -> tuple[int, ...]:
    """Return a cache key that changes with the candidates and the decision of a run."""
    return tuple(
        _modified_ns(folder / part) for part in (RUN_FILE, DECISION_FILE, "events.jsonl", "candidates")
    )


def _looks_like_run(folder: Path) -> bool:
    if folder.name.startswith(".") or not folder.is_dir():
        return False
    return (
        (folder / RUN_FILE).exists() or (folder / "candidates").is_dir() or (folder / "events.jsonl").exists()
    )


def read_entry(folder: Path) -> RunEntry:
    """Read a folder as a run; if it cannot be read, the entry has the error."""
    try:
        info = open_run(folder).info
        return RunEntry(folder.name, folder, str(info["state"]), info)
    except RunError as error:
        return RunEntry(folder.name, folder, "broken", {}, str(error))


def _modified_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
