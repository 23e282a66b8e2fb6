"""A run is a folder: everything about one search, readable while it runs.

::

    runs/NAME/ ├── run.json          settings, data fingerprint, library versions, machine, state
    ├── optuna.journal    the Optuna study ├── events.jsonl      the events, one a line ├── data/
    the rows of the search as plain arrays, and their split: split.npz, folds.npz ├── cache/
    encoded matrices, removed when the search ends └── candidates/c0017/
        ├── candidate.json
        ├── traceback.txt the traceback of a failure
        ├── oof.npy       out-of-fold predictions of the development rows, which the score is of
        ├── decided.npy   their predicted classes, if the metric is one of classes
        ├── holdout.npy   predictions of the held-out set, if there is one
        ├── gate.npy      the training library's predictions of the rows of the parity check
        ├── arena.npy     predictions of the comparison rows by each fold's model
        ├── first.npy     uncalibrated out-of-fold predictions of the first repeat
        ├── stages.npz    out-of-fold raw scores of a booster cut off earlier
        ├── form.npz      the model as plain arrays, which ensembles are built from
        └── predictor/    schema.json, encoder.json, model.onnx
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.dataset import Dataset
from workbench.data.store import load_arrays, save_arrays
from workbench.errors import RunError, shown
from workbench.families import family_names, outside_packages, training_packages
from workbench.families.base import Problem
from workbench.runtime.core.json_documents import dump_json
from workbench.runtime.files.atomic_write import write_atomically
from workbench.runtime.model.predictor import Predictor
from workbench.version import __version__

from .candidate import Candidate
from .run_lock import LOCK_FILE, is_of_this_process, removed
from .scored_rows import read_compared, read_scored, write_folds
from .settings import Settings

RUN_FORMAT = 1
"""Version of the run folder. Increase it if an older reader would misread a run.

All older versions stay readable.
"""

TRACEBACK_FILE = "traceback.txt"
"""The traceback of a candidate's failure, in its folder."""

_LIBRARIES = ("numpy", "scikit-learn", "optuna", "onnx", "onnxruntime", "pandas")


class RunFolder:
    """A run on disk. Opening a run does not change it.

    Parameters
    ----------
    path : Path
    info : mapping
        The content of ``run.json``.
    """

    def __init__(self, path: Path, info: Mapping[str, Any]) -> None:
        self.path, self.info = path, dict(info)

    # ------------------------------------------------------------ making and opening

    @classmethod
    def create(cls, path: Path, settings: Settings) -> RunFolder:
        """Create the folder of a new run.

        Raises
        ------
        RunError
            If the folder exists and is not empty.
        """
        make_room(path)
        families = settings.families or family_names()
        run = cls(path, {"format": RUN_FORMAT, "name": settings.name or path.name, "state": "running"})
        try:
            (path / "candidates").mkdir(parents=True)
            (path / "cache").mkdir()
            run.update(
                created=_now(),
                settings=settings.to_json(),
                libraries=library_versions(families),
                families=outside_packages(families),
                python=platform.python_version(),
                **this_process(),
            )
        except OSError:
            _clear(path)  # for example, the disk is full
            raise
        return run

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """Open the folder of a run.

        Raises
        ------
        RunError
            If there is none, it cannot be read, or it has a newer format.
        """
        path = Path(path)
        document = path / "run.json"
        if not document.is_file():
            found = "no such folder" if not path.exists() else "no run.json in it"
            raise RunError(
                f"{path} is not a run",
                found=found,
                hint="Pass the folder of a run, as a search creates it.",
            )
        try:
            info = json.loads(document.read_text(encoding="utf-8"))
            number = int(info["format"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{document} cannot be read", found=shown(str(error))) from error
        if number > RUN_FORMAT:
            raise RunError(
                f"{path} was written by a newer version",
                found=f"run format {number}",
                expected=f"{RUN_FORMAT} or older",
                hint="Upgrade workbench.",
            )
        return cls(path, info)

    # ------------------------------------------------------------ reading

    @property
    def settings(self) -> Settings:
        """The settings of the search."""
        return Settings.from_json(self.info["settings"])

    @property
    def state(self) -> str:
        """One of "running", "done", "failed", "stopped".

        A run whose process has ended is "stopped".
        """
        state = str(self.info.get("state", "failed"))
        if state == "running" and not _alive(self.info.get("process"), self.info.get("process_started")):
            return "stopped"
        return state

    @property
    def problem(self) -> Problem:
        """The properties of the data that search spaces depend on."""
        known = dict(self.info["problem"])
        pairs = tuple((first, second) for first, second in known.pop("pairs", ()))
        return Problem(**known, pairs=pairs)

    def candidates(self) -> list[Candidate]:
        """Return all candidates so far, ordered by id; incomplete ones are skipped."""
        out = []
        for document in sorted((self.path / "candidates").glob("*/candidate.json")):
            try:
                out.append(read_candidate(document.parent))
            except (OSError, ValueError, TypeError):
                continue  # being written, or damaged: the run's other candidates are not affected
        return out

    def candidate(self, name: str) -> Candidate:
        """Return one candidate.

        Raises
        ------
        RunError
            If the run has none with this id.
        """
        # A name is not a path.
        folders = {each.name for each in (self.path / "candidates").glob("*")}
        with suppress(OSError, ValueError, TypeError):  # as in `candidates`
            if name in folders:
                return read_candidate(self._candidate_folder(name))
        raise RunError(f"{self.path} has no candidate {shown(name)}", hint="The leaderboard lists them.")

    def predictor(self, name: str) -> Predictor:
        """Return the measured artifact of a candidate, trained on the development rows."""
        return Predictor.load(self._candidate_folder(self.candidate(name).id) / "predictor")

    def out_of_fold(self, name: str) -> np.ndarray:
        """Return a candidate's out-of-fold predictions, float32 (development rows, k).

        NaN if not predicted.
        """
        out: np.ndarray = np.load(self._candidate_folder(self.candidate(name).id) / "oof.npy")
        return out

    def traceback_path(self, name: str) -> Path:
        """Return the file of the traceback of a failed candidate.

        It exists if an error was raised.
        """
        return self._candidate_folder(name) / TRACEBACK_FILE

    def scored(self, name: str) -> np.ndarray:
        """Return the predictions that a score was computed on, float64 (development rows, k).

        These are the out-of-fold predictions; for a metric of classes, the predicted classes as
        probabilities of 0 and
        1. NaN if a row was not predicted.
        """
        return read_scored(self._candidate_folder(self.candidate(name).id))

    def form_path(self, name: str) -> Path:
        """Return the file of a candidate's model as plain arrays; it may have been removed."""
        return self._candidate_folder(name) / "form.npz"

    def dataset(self) -> Dataset:
        """Return all rows with a target: development rows and the held-out set."""
        try:
            return load_arrays(self.path / "data")
        except (OSError, ValueError, KeyError) as error:
            raise RunError(f"{self.path / 'data'} cannot be read", found=shown(str(error))) from error

    @property
    def dev_rows(self) -> np.ndarray:
        """Positions of the development rows, which the search learned from."""
        return self._split("dev")

    @property
    def holdout_rows(self) -> np.ndarray:
        """Positions of the held-out set."""
        return self._split("holdout")

    @property
    def reserve_rows(self) -> np.ndarray:
        """Positions of rows for the best configs only, if configs are tried on a sample."""
        return self._split("reserve")

    @property
    def compared(self) -> np.ndarray | None:
        """A number for each development row: metrics of ranking compare rows of equal numbers.

        Rows that the same models predicted have equal numbers; -1 if a row always trains. None: the
        run was made before folds were stored, and its scores compare all rows.
        """
        return read_compared(self.path)

    @property
    def can_refit(self) -> bool:
        """Whether a candidate can be retrained on more rows, those of the held-out set.

        It cannot without a held-out set, nor if configs were tried on a sample: then the best were
        fitted on as many rows as the time allowed, and the few held-out rows do not matter.
        """
        return len(self.holdout_rows) > 0 and not len(self.reserve_rows)

    def _split(self, part: str) -> np.ndarray:
        return read_split(self.path)[part]

    def events(self) -> list[dict[str, Any]]:
        """Return the events so far."""
        path = self.path / "events.jsonl"
        if not path.exists():
            return []
        out = []
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                out.append(json.loads(line))
            except ValueError:
                continue  # the last line of a killed search may be incomplete
        return out

    def _candidate_folder(self, name: str) -> Path:
        return self.path / "candidates" / name

    # ------------------------------------------------------------ writing

    def update(self, **values: Any) -> None:
        """Change ``run.json`` atomically."""
        self.info.update(values)
        write_atomically(self.path / "run.json", dump_json(self.info))

    def write_candidate(self, candidate: Candidate) -> None:
        """Write ``candidate.json``."""
        folder = self._candidate_folder(candidate.id)
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "candidate.json", dump_json(candidate.to_json()))

    def write_data(
        self, data: Dataset, dev: np.ndarray, holdout: np.ndarray, reserve: np.ndarray | None = None
    ) -> None:
        """Store the rows and their split."""
        save_arrays(data, self.path / "data")
        self.write_split(dev, holdout, reserve)

    def write_split(self, dev: np.ndarray, holdout: np.ndarray, reserve: np.ndarray | None = None) -> None:
        """Store the positions of the development rows, the held-out set and the reserve."""
        further = np.arange(0) if reserve is None else reserve
        np.savez(self.path / "data" / "split.npz", dev=dev, holdout=holdout, reserve=further)

    def write_folds(self, fold: np.ndarray, compared: np.ndarray) -> None:
        """Store the fold of each development row in each repeat, and the rows to compare."""
        write_folds(self.path, fold, compared)

    def record(self, event: Mapping[str, Any]) -> None:
        """Append an event.

        Raises
        ------
        SearchError
            If the folder was removed, or another search began in it.
        """
        if not is_of_this_process(self.path, self.info.get("created")):
            raise removed(self.path)
        with (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": _now(), **event}, ensure_ascii=False) + "\n")

    def tidy(self) -> None:
        """Remove the incomplete candidates and temporary files of a killed search."""
        for folder in (self.path / "candidates").iterdir():
            if not (folder / "candidate.json").exists():
                shutil.rmtree(folder, ignore_errors=True)
                continue
            self.drop_parts(folder.name)
            _drop_temporary(folder)
        _drop_temporary(self.path)
        events = self.path / "events.jsonl"
        if events.exists() and not events.read_bytes().endswith(b"\n"):
            with events.open("a", encoding="utf-8") as file:
                file.write("\n")  # else the next event would be lost with the incomplete line

    def drop_parts(self, name: str) -> None:
        """Remove the stored folds of a candidate that will not be assembled."""
        shutil.rmtree(self._candidate_folder(name) / "parts", ignore_errors=True)

    def drop_cache(self) -> None:
        """Remove the encoded matrices."""
        shutil.rmtree(self.path / "cache", ignore_errors=True)


def read_candidate(folder: Path) -> Candidate:
    """Read the record of a candidate from its folder."""
    return Candidate.from_json(json.loads((folder / "candidate.json").read_text(encoding="utf-8")))


def read_split(run: Path) -> dict[str, np.ndarray]:
    """Return the positions of a run's rows: "dev", "holdout" and "reserve"."""
    with np.load(run / "data" / "split.npz") as split:
        return {"reserve": np.arange(0), **{name: split[name] for name in split.files}}


def check_room(path: Path) -> None:
    """Check that a run can be created in a folder: it is empty, or of a search without candidates.

    Raises
    ------
    RunError
        If the folder has other content.
    """
    if not path.exists() or (path.is_dir() and (not _content(path) or _never_began(path))):
        return
    hint = "Choose another `out`, or resume this run: workbench resume."
    raise RunError(
        f"{path} exists already", hint=hint if (path / "run.json").exists() else "Choose another `out`."
    )


def make_room(path: Path) -> None:
    """Clear a folder for a new run, if `check_room` allows it."""
    check_room(path)
    _clear(path)


def _content(path: Path) -> list[Path]:
    return [each for each in path.iterdir() if each.name != LOCK_FILE] if path.is_dir() else []


def _clear(path: Path) -> None:
    for each in _content(path):
        shutil.rmtree(each) if each.is_dir() else each.unlink()


def _never_began(path: Path) -> bool:
    """Return whether a folder has only the files of a search without candidates."""
    names = {each.name for each in _content(path) if not each.name.startswith(".run.json.")}
    if not names <= {"run.json", "candidates", "cache", "data"} or "candidates" not in names:
        return False
    if any((path / "candidates").iterdir()):
        return False
    if "run.json" not in names:
        return names <= {"candidates", "cache"}
    try:
        run = RunFolder.open(path)
    except RunError:
        return False
    return "metric" not in run.info and run.state != "running"


def _drop_temporary(folder: Path) -> None:
    for path in folder.glob(".*.json.*"):  # of `write_atomically`
        path.unlink(missing_ok=True)


def library_versions(families: Iterable[str] = ()) -> dict[str, str]:
    """Return the versions of Workbench and of the libraries that shape a result.

    Parameters
    ----------
    families : iterable of str
        Families whose packages count too, besides those of the built-in families.
    """
    out = {"workbench-automl": __version__}
    for name in (*_LIBRARIES, *training_packages(families)):
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out


def process_started(process: int) -> float | None:
    """Return the start time of a process, in seconds since 1970, or None if it has ended."""
    import psutil

    try:
        found = psutil.Process(process)
        started: float = found.create_time()
        if found.status() == psutil.STATUS_ZOMBIE:  # ended, not yet reaped by its parent
            return None
    except (psutil.Error, ValueError, TypeError):
        return None
    return started


def this_process() -> dict[str, Any]:
    """Return the entries of ``run.json`` that identify this process."""
    return {"process": os.getpid(), "process_started": process_started(os.getpid())}


def _alive(process: Any, started: Any) -> bool:
    """Return whether the process that wrote the run is running (its id may have been reused)."""
    now = process_started(process) if isinstance(process, int) else None
    return now is not None and (started is None or abs(now - float(started)) < 2.0)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
