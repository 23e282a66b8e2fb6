"""A run is a folder: everything about one search, readable while it runs.

::

    runs/NAME/
    ├── run.json          settings, data fingerprint, library versions, machine, state
    ├── optuna.journal    the Optuna study
    ├── events.jsonl      what happened, one line each
    ├── data/             the rows of the search as plain arrays, and how they were split: split.npz, folds.npz
    ├── cache/            encoded matrices, removed when the search ends
    └── candidates/c0017/
        ├── candidate.json
        ├── traceback.txt of a failure, where Python raised it
        ├── oof.npy       out-of-fold predictions of the development rows (NaN: not predicted), those of the score
        ├── decided.npy   the classes decided for them, where the metric is one of decisions
        ├── holdout.npy   predictions of the hold-out, where there is one
        ├── gate.npy      the training library's own predictions of the rows of the parity gate
        ├── arena.npy     predictions of some rows by each fold's model
        ├── first.npy     the same of the first repeat alone, not calibrated
        ├── stages.npz    out-of-fold scores of a booster cut off earlier
        ├── form.npz      the model as plain arrays, what blends are made of
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
"""Version of the run folder. Raise it when an older reader would misread a run, and keep reading the older ones."""

TRACEBACK_FILE = "traceback.txt"
"""In a candidate's folder: where in the code the error was raised that ended it."""

_LIBRARIES = ("numpy", "scikit-learn", "optuna", "onnx", "onnxruntime", "pandas")


class RunFolder:
    """A run on disk. Opening one never changes it.

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
        """Make the folder of a new run.

        Raises
        ------
        RunError
            Where something is in the way.
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
            _clear(path)  # a disk that is full: nothing is left on it
            raise
        return run

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """Open the folder of a run.

        Raises
        ------
        RunError
            Where there is none, it cannot be read, or it has a newer format.
        """
        path = Path(path)
        document = path / "run.json"
        if not document.is_file():
            found = "no such folder" if not path.exists() else "no run.json in it"
            raise RunError(
                f"{path} is no run",
                found=found,
                hint="Name the folder of a run; workbench search makes one.",
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
        """What was asked."""
        return Settings.from_json(self.info["settings"])

    @property
    def state(self) -> str:
        """One of "running", "done", "failed", "stopped"; a run whose process has gone is "stopped"."""
        state = str(self.info.get("state", "failed"))
        if state == "running" and not _alive(self.info.get("process"), self.info.get("process_started")):
            return "stopped"
        return state

    @property
    def problem(self) -> Problem:
        """What the search spaces saw."""
        known = dict(self.info["problem"])
        pairs = tuple((first, second) for first, second in known.pop("pairs", ()))
        return Problem(**known, pairs=pairs)

    def candidates(self) -> list[Candidate]:
        """Return all candidates so far, in order of their ids; half-written ones are passed over."""
        out = []
        for document in sorted((self.path / "candidates").glob("*/candidate.json")):
            try:
                out.append(read_candidate(document.parent))
            except (OSError, ValueError, TypeError):
                continue  # being written, or broken: the run's other candidates are unharmed
        return out

    def candidate(self, name: str) -> Candidate:
        """Return one candidate.

        Raises
        ------
        RunError
            Where the run has none of that id.
        """
        folders = {each.name for each in (self.path / "candidates").glob("*")}  # a name is no path
        with suppress(OSError, ValueError, TypeError):  # being written, or broken, as in `candidates`
            if name in folders:
                return read_candidate(self._candidate_folder(name))
        raise RunError(
            f"{self.path} has no candidate {shown(name)}", hint="workbench leaderboard lists them."
        )

    def predictor(self, name: str) -> Predictor:
        """Return a candidate's artifact as it was measured: learned on the development rows."""
        return Predictor.load(self._candidate_folder(self.candidate(name).id) / "predictor")

    def out_of_fold(self, name: str) -> np.ndarray:
        """Return a candidate's out-of-fold predictions, float32 (development rows, k); NaN where there is none."""
        out: np.ndarray = np.load(self._candidate_folder(self.candidate(name).id) / "oof.npy")
        return out

    def traceback_path(self, name: str) -> Path:
        """Return where the traceback of a candidate that failed is kept, if it failed by an error."""
        return self._candidate_folder(name) / TRACEBACK_FILE

    def scored(self, name: str) -> np.ndarray:
        """Return what a candidate's score was computed on, float64 (development rows, k); NaN where there is none.

        These are the out-of-fold predictions; of a metric of decisions the decisions, as probabilities of 0 and 1.
        """
        return read_scored(self._candidate_folder(self.candidate(name).id))

    def form_path(self, name: str) -> Path:
        """Return where a candidate's model is kept as plain arrays, if it still is."""
        return self._candidate_folder(name) / "form.npz"

    def dataset(self) -> Dataset:
        """Return all rows with a target, development and hold-out."""
        try:
            return load_arrays(self.path / "data")
        except (OSError, ValueError, KeyError) as error:
            raise RunError(f"{self.path / 'data'} cannot be read", found=shown(str(error))) from error

    @property
    def dev_rows(self) -> np.ndarray:
        """Positions of the rows that the search learned from."""
        return self._split("dev")

    @property
    def holdout_rows(self) -> np.ndarray:
        """Positions of the rows that no choice has seen."""
        return self._split("holdout")

    @property
    def reserve_rows(self) -> np.ndarray:
        """Positions of rows that only the best configs are fitted on: where configs are tried on a sample."""
        return self._split("reserve")

    @property
    def compared(self) -> np.ndarray | None:
        """A number for each development row: metrics of ranking compare rows of equal numbers.

        Rows that the same models predicted have equal numbers; -1 where a row always trains. None: the run was made
        before folds were kept, and its scores compare all rows.
        """
        return read_compared(self.path)

    @property
    def can_refit(self) -> bool:
        """Whether a candidate can be trained again on more rows: those held out.

        It cannot where nothing was held out, and where configs were tried on a sample: there the best were fitted on
        as many rows as the time allowed, and the few held out are not missed.
        """
        return len(self.holdout_rows) > 0 and not len(self.reserve_rows)

    def _split(self, part: str) -> np.ndarray:
        return read_split(self.path)[part]

    def events(self) -> list[dict[str, Any]]:
        """Return what happened so far."""
        path = self.path / "events.jsonl"
        if not path.exists():
            return []
        out = []
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                out.append(json.loads(line))
            except ValueError:
                continue  # the last line of a killed search may be cut short
        return out

    def _candidate_folder(self, name: str) -> Path:
        return self.path / "candidates" / name

    # ------------------------------------------------------------ writing

    def update(self, **values: Any) -> None:
        """Change ``run.json``; readers see the old or the new one, never a half."""
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
        """Keep the rows and their split."""
        save_arrays(data, self.path / "data")
        self.write_split(dev, holdout, reserve)

    def write_split(self, dev: np.ndarray, holdout: np.ndarray, reserve: np.ndarray | None = None) -> None:
        """Keep which rows are learned from, and which no choice sees."""
        further = np.arange(0) if reserve is None else reserve
        np.savez(self.path / "data" / "split.npz", dev=dev, holdout=holdout, reserve=further)

    def write_folds(self, fold: np.ndarray, compared: np.ndarray) -> None:
        """Keep which fold predicts each development row in each repeat, and which rows may be compared."""
        write_folds(self.path, fold, compared)

    def record(self, event: Mapping[str, Any]) -> None:
        """Append an event.

        Raises
        ------
        SearchError
            Where the folder was removed, or another search began in it: the first thing to notice it.
        """
        if not is_of_this_process(self.path, self.info.get("created")):
            raise removed(self.path)
        with (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": _now(), **event}, ensure_ascii=False) + "\n")

    def tidy(self) -> None:
        """Remove what a killed search left half done: it is made anew, or nobody asks for it again."""
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
                file.write("\n")  # else the next event would be lost with the line that was cut short

    def drop_parts(self, name: str) -> None:
        """Remove what the folds of a candidate left, once nothing will be made of it."""
        shutil.rmtree(self._candidate_folder(name) / "parts", ignore_errors=True)

    def drop_cache(self) -> None:
        """Remove the encoded matrices."""
        shutil.rmtree(self.path / "cache", ignore_errors=True)


def read_candidate(folder: Path) -> Candidate:
    """Return what a candidate's folder says of it."""
    return Candidate.from_json(json.loads((folder / "candidate.json").read_text(encoding="utf-8")))


def read_split(run: Path) -> dict[str, np.ndarray]:
    """Return the positions of a run's rows: "dev", "holdout" and "reserve"."""
    with np.load(run / "data" / "split.npz") as split:
        return {"reserve": np.arange(0), **{name: split[name] for name in split.files}}


def check_room(path: Path) -> None:
    """Check that a run can be made in a folder: it is empty, or was left by a search that never began.

    Raises
    ------
    RunError
        Where something else is in the way.
    """
    if not path.exists() or (path.is_dir() and (not _content(path) or _never_began(path))):
        return
    hint = "Choose another `out`, or resume this run: workbench resume."
    raise RunError(
        f"{path} exists already", hint=hint if (path / "run.json").exists() else "Choose another `out`."
    )


def make_room(path: Path) -> None:
    """Clear a folder for a new run, where `check_room` allows it."""
    check_room(path)
    _clear(path)


def _content(path: Path) -> list[Path]:
    return [each for each in path.iterdir() if each.name != LOCK_FILE] if path.is_dir() else []


def _clear(path: Path) -> None:
    for each in _content(path):
        shutil.rmtree(each) if each.is_dir() else each.unlink()


def _never_began(path: Path) -> bool:
    """Tell whether a folder holds nothing but the beginning of a search that has gone."""
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
    """Return when a process began, seconds since 1970, or None where it has gone."""
    import psutil

    try:
        found = psutil.Process(process)
        started: float = found.create_time()
        if found.status() == psutil.STATUS_ZOMBIE:  # it ended, and its parent has not asked how
            return None
    except (psutil.Error, ValueError, TypeError):
        return None
    return started


def this_process() -> dict[str, Any]:
    """Return what ``run.json`` says of the process at work, so that readers see when it has gone."""
    return {"process": os.getpid(), "process_started": process_started(os.getpid())}


def _alive(process: Any, started: Any) -> bool:
    """Tell whether the process that wrote the run still runs (its number may have been given to another)."""
    now = process_started(process) if isinstance(process, int) else None
    return now is not None and (started is None or abs(now - float(started)) < 2.0)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
