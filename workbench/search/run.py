"""A run is a folder: everything about one search, readable while it runs.

::

    runs/NAME/
    ├── run.json          settings, data fingerprint, library versions, machine, state
    ├── optuna.journal    the Optuna study
    ├── events.jsonl      what happened, one line each
    ├── data/             the rows of the search as plain arrays, and how they were split
    ├── cache/            encoded matrices, removed when the search ends
    └── candidates/c0017/
        ├── candidate.json
        ├── oof.npy       out-of-fold predictions of the development rows (NaN: not predicted)
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
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.dataset import Dataset
from workbench.errors import RunError, shown
from workbench.families.base import Problem
from workbench.runtime.predictor import Predictor, dump_json

from .records import Candidate
from .settings import Settings

RUN_FORMAT = 1
"""Version of the run folder. Raise it when an older reader would misread a run, and keep reading the older ones."""

_LIBRARIES = (
    "numpy",
    "scikit-learn",
    "lightgbm",
    "xgboost",
    "xgboost-cpu",
    "catboost",
    "optuna",
    "onnx",
    "onnxruntime",
    "pandas",
)


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
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            hint = "Choose another --out, or go on with this run: workbench resume."
            raise RunError(f"{path} exists already", hint=hint)
        (path / "candidates").mkdir(parents=True)
        (path / "cache").mkdir()
        run = cls(path, {"format": RUN_FORMAT, "name": settings.name or path.name, "state": "running"})
        run.update(
            created=_now(),
            settings=settings.to_json(),
            libraries=library_versions(),
            python=platform.python_version(),
            process=os.getpid(),
        )
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
                hint="workbench search DATA --target COL --out RUN makes one.",
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
        return Problem(**self.info["problem"])

    def candidates(self) -> list[Candidate]:
        """Return all candidates so far, in order of their ids; half-written ones are passed over."""
        out = []
        for document in sorted((self.path / "candidates").glob("*/candidate.json")):
            try:
                out.append(Candidate.from_json(json.loads(document.read_text(encoding="utf-8"))))
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
        for candidate in self.candidates():
            if candidate.id == name:
                return candidate
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

    def form_path(self, name: str) -> Path:
        """Return where a candidate's model is kept as plain arrays, if it still is."""
        return self._candidate_folder(name) / "form.npz"

    def dataset(self) -> Dataset:
        """Return all rows with a target, development and hold-out."""
        try:
            return Dataset.load(self.path / "data")
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

    def _split(self, part: str) -> np.ndarray:
        with np.load(self.path / "data" / "split.npz") as split:
            rows: np.ndarray = split[part]
            return rows

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
        write_whole(self.path / "run.json", dump_json(self.info))

    def write_candidate(self, candidate: Candidate) -> None:
        """Write ``candidate.json``."""
        folder = self._candidate_folder(candidate.id)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "candidate.json", dump_json(candidate.to_json()))

    def write_data(self, data: Dataset, dev: np.ndarray, holdout: np.ndarray) -> None:
        """Keep the rows and their split."""
        data.save(self.path / "data")
        np.savez(self.path / "data" / "split.npz", dev=dev, holdout=holdout)

    def record(self, event: Mapping[str, Any]) -> None:
        """Append an event."""
        with (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": _now(), **event}, ensure_ascii=False) + "\n")

    def drop_parts(self, name: str) -> None:
        """Remove what the folds of a candidate left, once nothing will be made of it."""
        shutil.rmtree(self._candidate_folder(name) / "parts", ignore_errors=True)

    def drop_cache(self) -> None:
        """Remove the encoded matrices."""
        shutil.rmtree(self.path / "cache", ignore_errors=True)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that readers see the old or the new content, never a half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that shape a result."""
    out = {}
    for name in _LIBRARIES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out


def process_started(process: int) -> float | None:
    """Return when a process began, seconds since 1970, or None where it has gone."""
    import psutil

    try:
        started: float = psutil.Process(process).create_time()
    except (psutil.Error, ValueError, TypeError):
        return None
    return started


def _alive(process: Any, started: Any) -> bool:
    """Tell whether the process that wrote the run still runs (its number may have been given to another)."""
    now = process_started(process) if isinstance(process, int) else None
    return now is not None and (started is None or abs(now - float(started)) < 2.0)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
