"""The folder of a prediction log: what lies where, and which of it is read.

::

    DIR/                                      log.json, models/, labels/, reports/
    └── log/date=YYYY-MM-DD/                  UTC date of the records
        ├── open-<pid>.jsonl                  being written; may end in a torn line
        ├── open-<pid>-<time_ms>-<n>.jsonl    complete, about to be sealed
        ├── part-<time_ms>-<pid>-<n>.parquet  sealed (or .jsonl.gz)
        └── rollups/part-….json               cells of that part

An open file whose part exists is one that a killed process did not remove: readers pass over it
(`list_files`).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.schema import Schema, label_text
from ..errors import InputError, shown
from ..files.atomic_write import atomic_path
from .masking import Masks
from .records import SCHEMA_VERSION, Identity
from .reference import Reference

FORMAT = 1
LOG_FILE, LOG_FOLDER, MODELS, ROLLUPS, LABELS = "log.json", "log", "models", "rollups", "labels"
PART_ENDINGS = (".parquet", ".jsonl.gz")
_OPEN = re.compile(r"open-(?P<pid>\w+)(?:-(?P<time>\d+)-(?P<n>\d+))?\.jsonl")
_PART = re.compile(r"part-(?P<time>\d+)-(?P<pid>\w+)-(?P<n>\d+)(?:\.parquet|\.jsonl\.gz)")
#: What may lie in a folder before its first record: an endpoint's own files.
_OWN = frozenset(
    ["endpoint.toml", "history.jsonl", "lost+found", LOG_FOLDER, MODELS, LABELS, "reports", "alerts.toml"]
)


@dataclass(frozen=True, slots=True)
class LogFiles:
    """The files of a log, by name.

    Attributes
    ----------
    parts : list of Path
        Sealed files.
    open : list of Path
        JSON lines that are not sealed yet; the last line of each may be torn.
    rollups : list of Path
        Of the sealed files.
    """

    parts: list[Path]
    open: list[Path]
    rollups: list[Path]


def check_folder(folder: Path) -> dict[str, Any]:
    """Return what ``log.json`` holds; nothing if there is none yet.

    Raises
    ------
    InputError
        If the folder holds other things than a log, or a log of a newer format.
    OSError
        If it cannot be read.
    """
    path = folder / LOG_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        other = _foreign(folder)
        if other:
            raise InputError(
                f"{folder} is not a log folder",
                found=f"{shown(other)} and no {LOG_FILE}",
                expected="an empty folder, one that does not exist, or the folder of a log or endpoint",
            ) from None
        return {}
    except ValueError as error:
        raise InputError(f"{path} cannot be read", found=str(error)) from error
    version = document.get("format") if isinstance(document, dict) else None
    if type(version) is not int or version < 1:
        raise InputError(f"{path}, key 'format'", found=shown(version), expected=f"1 to {FORMAT}")
    if version > FORMAT:
        raise InputError(
            f"{folder} is a log of format {version}",
            expected=f"at most {FORMAT}",
            hint="Use a newer version, or another folder.",
        )
    return dict(document)


def _foreign(folder: Path) -> str:
    try:
        names = sorted(each.name for each in folder.iterdir())
    except OSError:
        return ""
    return next((name for name in names if name not in _OWN and not name.startswith(".")), "")


def prepare(folder: Path, schema: Schema, identity: Identity, reference: Reference, masks: Masks) -> None:
    """Make the folder (mode 0700), and note the model in ``log.json`` and ``models/``.

    Raises
    ------
    InputError
        As for `check_folder`.
    OSError
        If the folder cannot be written.
    """
    document = check_folder(folder)
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in (LOG_FOLDER, MODELS):
        _private(folder / name)
    digest = identity.model_id or f"{identity.model}@{identity.version}"
    model = {
        "format": FORMAT,
        "name": identity.model,
        "version": identity.version,
        "model_id": identity.model_id,
        "task": schema.output.task,
        "classes": [label_text(label) for label in schema.output.classes],
        "columns": [
            {"name": column.name, "kind": column.kind, **_mask(column.name, masks)}
            for column in schema.columns
        ],
        "reference": reference.to_json(),
    }
    _write(model_path(folder, digest), json.dumps(model, ensure_ascii=False))
    entry = {"name": identity.model, "version": identity.version, "model_id": identity.model_id}
    if not document:
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        document = {"format": FORMAT, "schema": SCHEMA_VERSION, "created": now, "bundle": entry}
        document |= {"columns": model["columns"], "bundles": []}
    if entry not in document.get("bundles", []):
        document["bundles"] = [*document.get("bundles", []), entry]
        _write(folder / LOG_FILE, json.dumps(document, ensure_ascii=False, indent=1))


def model_path(folder: Path, model_id: str) -> Path:
    """Return where a model's columns and bins are stored."""
    return folder / MODELS / f"{re.sub(r'[^A-Za-z0-9._@-]', '_', model_id)[:64]}.json"


def _mask(name: str, masks: Masks) -> dict[str, str]:
    if name in masks.removed:
        return {"mask": "removed"}
    return {"mask": "hash"} if name in masks.hashed else {}


def _private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(OSError):  # of another owner: the rights are theirs to give
        folder.chmod(0o700)
    probe = folder / f".{os.getpid()}.probe"  # a folder on a read-only file system exists, and takes nothing
    os.close(os.open(probe, os.O_WRONLY | os.O_CREAT, 0o600))
    probe.unlink()


def _write(path: Path, content: str) -> None:
    with atomic_path(path) as part:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode())
            stream.flush()
            os.fsync(stream.fileno())


def date_folder(folder: Path, time_s: float) -> Path:
    """Return the folder of the records of a moment."""
    date = dt.datetime.fromtimestamp(time_s, dt.UTC).date()
    return folder / LOG_FOLDER / f"date={date.isoformat()}"


def open_parts(path: Path) -> Mapping[str, str] | None:
    """Return the process, time and number in the name of an open file; time and number may lack."""
    found = _OPEN.fullmatch(path.name)
    return {key: value or "" for key, value in found.groupdict().items()} if found else None


def part_time_ms(path: Path) -> int | None:
    """Return the time in the name of a sealed file, in milliseconds since 1970; None if it is not
    one.
    """
    found = _PART.fullmatch(path.name)
    return int(found["time"]) if found else None


def stem_of(path: Path) -> str:
    """Return the name that a sealed file, its roll-up and its open file have in common.

    Examples
    --------
    >>> stem_of(Path("open-7-1700000000000-2.jsonl")), stem_of(Path("part-1700000000000-7-2.jsonl.gz"))
    ('part-1700000000000-7-2', 'part-1700000000000-7-2')
    """
    found = _OPEN.fullmatch(path.name)
    if found:
        return f"part-{found['time']}-{found['pid']}-{found['n']}" if found["time"] else path.stem
    return path.name.split(".", maxsplit=1)[0]


def list_files(folder: Path, dates: Sequence[str] | None = None) -> LogFiles:
    """Return the files of a log that hold each record once.

    Parameters
    ----------
    folder : Path
        Of the log.
    dates : sequence of str, optional
        The days to look at, such as "2026-12-01"; by default all.
    """
    parts: list[Path] = []
    tails: list[Path] = []
    rollups: list[Path] = []
    for day in sorted((folder / LOG_FOLDER).glob("date=*")):
        if dates is not None and day.name.removeprefix("date=") not in dates:
            continue
        waiting = [path for path in day.glob("open-*.jsonl") if open_parts(path) is not None]
        sealed = sorted(path for path in day.glob("part-*") if part_time_ms(path) is not None)
        stems = {stem_of(path) for path in sealed}
        parts += sealed
        tails += sorted(path for path in waiting if stem_of(path) not in stems)
        rollups += sorted(path for path in (day / ROLLUPS).glob("part-*.json") if path.stem in stems)
    return LogFiles(parts, tails, rollups)
