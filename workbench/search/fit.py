"""One candidate: folds, the fit on all development rows, the served artifact, the gate, the measuring."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from workbench.data.dataset import Dataset
from workbench.data.split import folds as split_folds
from workbench.errors import FitError, WorkbenchError
from workbench.families import all_families
from workbench.families.base import Encoding, Family, Fitted, Problem, Sample
from workbench.families.forms import Form
from workbench.families.onnx import to_onnx
from workbench.runtime.encoder import Encoder
from workbench.runtime.model import OnnxModel
from workbench.runtime.predictor import Predictor

from . import parity
from .encode import learn
from .machine import machine_name
from .matrices import MatrixCache
from .measure import folder_mb, measure
from .metrics import Metric
from .records import Candidate, Measurements, Score
from .tasks import Job
from .texts import WordTables

_TRIAL_MEASURE_S = 0.08
_TAIL_SHARE = 0.12  # of a trial's time: conversion, gate, measuring
_GROWTH = 1.1  # rounds of a refit over those that early stopping found on fewer rows


@dataclass(frozen=True, slots=True, eq=False)
class Workspace:
    """What all trials of a run share."""

    data: Dataset
    dev_rows: np.ndarray
    holdout_rows: np.ndarray
    problem: Problem
    metric: Metric
    folds: int
    score_data: str
    seed: int
    candidates: Path
    cache: MatrixCache
    tables: WordTables

    def splits(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the folds as positions in `dev_rows`."""
        return split_folds(self.data, self.dev_rows, self.folds, self.seed)


class _Stage:
    """Remembers which step of a trial is under way, for the account of a failure."""

    def __init__(self) -> None:
        self.name = "start"

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self.name = name
        yield


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A fitted model in both its forms, with the encoder of its rows."""

    encoder: Encoder
    fitted: Fitted
    form: Form
    model: bytes


def run_trial(job: Job, space: Workspace) -> Candidate:
    """Train, convert, check and measure one candidate, and write its folder.

    A failure is an answer too: the candidate says at which stage and why.
    """
    started, cpu = time.monotonic(), time.process_time()
    stage = _Stage()
    base = Candidate(
        id=job.id, family=job.family, params=dict(job.params), origin=job.origin, status="failed"
    )
    try:
        done = _train(job, space, base, stage)
    except MemoryError:
        done = replace(base, stage=stage.name, reason="out of memory", hint="Allow more with --max-memory.")
    except WorkbenchError as error:
        done = replace(
            base,
            stage=stage.name,
            reason=error.what + (f": {error.found}" if error.found else ""),
            hint=error.hint or "",
        )
    except Exception as error:  # a library's failure ends this candidate, never the search
        line = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {line[0][:300] if line else ''}".rstrip(": ")
        done = replace(
            base, stage=stage.name, reason=reason, hint="Leave the family out with --families if it persists."
        )
    return replace(done, seconds=time.monotonic() - started, cpu_s=time.process_time() - cpu)


def _train(job: Job, space: Workspace, base: Candidate, stage: _Stage) -> Candidate:
    family = all_families()[job.family]
    cpu = time.process_time()
    with stage("fit"):
        out_of_fold, rounds, notes = _validate(job, space, family)
    with stage("score"):
        dev = space.data.take(space.dev_rows)
        score = _score(space, dev, out_of_fold)
    with stage("fit"):
        target = (
            None
            if not rounds
            else max(1, round(float(np.mean(rounds)) * (_GROWTH if space.folds > 1 else 1.15)))
        )
        part = _fit_rows(job, space, family, "dev", dev, rounds=target, deadline=_slice(job, 1))
        if part.fitted.stopped:
            notes.append(f"the clock ended the last fit after {part.fitted.rounds} rounds")
        train_cpu = time.process_time() - cpu
    with stage("convert"):
        predictor = Predictor(space.data.schema, part.encoder, part.model)
    with stage("parity"):
        gate = parity.check(predictor, part.fitted.predict, dev, seed=job.seed)
    with stage("measure"):
        folder = space.candidates / job.id
        (folder / "predictor").mkdir(parents=True, exist_ok=True)
        predictor.save(folder / "predictor")
        np.save(folder / "oof.npy", out_of_fold.astype(np.float32))
        if len(space.holdout_rows):
            np.save(
                folder / "holdout.npy", predictor.predict_columns(space.data.take(space.holdout_rows).columns)
            )
        measured = measure_folder(folder / "predictor", dev, seconds=_TRIAL_MEASURE_S, quiet=False)
        visits = part.form.node_visits()
    return replace(
        base,
        status="ok",
        score=score,
        measured=replace(measured, train_cpu_s=train_cpu, node_visits=visits),
        busy_cpu_us=measured.cpu_us_per_row,
        rounds=part.fitted.rounds,
        parity=gate.largest,
        notes=tuple(notes),
    )


def measure_folder(
    folder: Path, data: Dataset, *, seconds: float, quiet: bool, blocks: int = 5
) -> Measurements:
    """Measure an artifact as it lies on disk."""
    speed = measure(Predictor.load(folder), data, seconds=seconds)
    return Measurements(
        latency_p50_us=speed.p50_us,
        latency_p99_us=speed.p99_us,
        latency_p50_low_us=speed.p50_low_us,
        latency_p50_high_us=speed.p50_high_us,
        latency_p99_low_us=speed.p99_low_us,
        latency_p99_high_us=speed.p99_high_us,
        cpu_us_per_row=speed.cpu_us,
        rows_per_s=speed.rows_per_s,
        train_cpu_s=0.0,
        peak_memory_mb=0.0,
        artifact_mb=folder_mb(folder),
        node_visits=None,
        quiet=quiet,
        calls=speed.calls,
        blocks=speed.blocks,
        machine=machine_name(),
    )


def _slice(job: Job, fits_left: float) -> float:
    """Return the deadline of the next fit, where so many equal fits are still to come."""
    now = time.monotonic()
    if math.isinf(job.deadline):
        return job.deadline
    left = max(job.deadline - now, 0.0)
    return now + left * (1.0 - _TAIL_SHARE) / fits_left


def _validate(job: Job, space: Workspace, family: Family) -> tuple[np.ndarray, list[int], list[str]]:
    """Fit on each fold and predict the rest of the development rows through the served form."""
    splits = space.splits()
    out = np.full((len(space.dev_rows), space.problem.outputs), np.nan)
    rounds: list[int] = []
    stopped = 0
    for at, (train, valid) in enumerate(splits):
        rows, held = space.data.take(space.dev_rows[train]), space.data.take(space.dev_rows[valid])
        part = _fit_rows(
            job, space, family, f"fold{at}", rows, held=held, deadline=_slice(job, len(splits) - at + 1.25)
        )
        matrix = _held_matrix(job, space, family, f"fold{at}", part.encoder, held)
        out[valid] = _served(part.model, matrix)
        rounds.append(part.fitted.rounds)
        stopped += part.fitted.stopped
    notes = [f"the clock ended {stopped} of {len(splits)} validation fits"] if stopped else []
    return out, rounds, notes


def _served(model: bytes, matrix: np.ndarray) -> np.ndarray:
    session = OnnxModel(model)
    return np.concatenate([session.run(matrix[at : at + 16384]) for at in range(0, len(matrix), 16384)])


def _encoding(job: Job, space: Workspace, family: Family) -> Encoding:
    return family.encoding(job.params, space.problem)


def _held_matrix(
    job: Job, space: Workspace, family: Family, part: str, encoder: Encoder, held: Dataset
) -> np.ndarray:
    encoding = _encoding(job, space, family)
    return space.cache.matrix(encoding, f"{part}-held", lambda: encoder.encode_columns(held.columns))


def _fit_rows(  # noqa: PLR0913 - a fit is described by just these
    job: Job,
    space: Workspace,
    family: Family,
    part: str,
    rows: Dataset,
    *,
    held: Dataset | None = None,
    rounds: int | None = None,
    deadline: float,
) -> Part:
    encoding = _encoding(job, space, family)
    encoder, matrix = space.cache.learned(
        encoding, part, lambda: learn(encoding, rows, space.seed, space.tables)
    )
    valid = None
    if held is not None:
        valid = Sample(_held_matrix(job, space, family, part, encoder, held), held.y, held.weight)
    fitted = family.fit(
        job.params,
        Sample(matrix, rows.y, rows.weight),
        space.problem,
        valid=valid,
        rounds=rounds,
        seed=job.seed,
        deadline=deadline,
    )
    form = fitted.form()
    return Part(encoder, fitted, form, to_onnx(form, matrix.shape[1]))


def _score(space: Workspace, dev: Dataset, out_of_fold: np.ndarray) -> Score:
    try:
        return space.metric.score(dev.y, out_of_fold, dev.weight, space.score_data)
    except ValueError as error:
        raise FitError("the score cannot be computed", found=str(error)) from error


# ---------------------------------------------------------------- for export


@dataclass(frozen=True, slots=True, eq=False)
class Refitted:
    """A candidate trained again on more rows.

    Attributes
    ----------
    predictor : Predictor
    library : callable
        The training library's own prediction of an encoded matrix.
    parity : parity.Parity
        What the gate saw.
    rounds : int
    """

    predictor: Predictor
    library: Callable[[np.ndarray], np.ndarray]
    parity: parity.Parity
    rounds: int


def refit(data: Dataset, candidate: Candidate, problem: Problem, *, seed: int, learned_on: int) -> Refitted:
    """Train a candidate again on all rows of `data`, as many rounds as its size calls for.

    Parameters
    ----------
    data : Dataset
        All rows with a target.
    candidate : Candidate
    problem : Problem
        As in the search, so that the params mean the same.
    seed : int
        Of the search.
    learned_on : int
        Rows that the candidate's own fit had.

    Raises
    ------
    FitError
        Where the fit fails or the gate refuses it.
    """
    family = all_families()[candidate.family]
    encoding = family.encoding(candidate.params, problem)
    learned = learn(encoding, data, seed)
    rounds = candidate.rounds
    if rounds:
        rounds = max(1, round(rounds * min((data.n_rows / max(learned_on, 1)) ** 0.5, _GROWTH)))
    fitted = family.fit(
        candidate.params, Sample(learned.matrix, data.y, data.weight), problem, rounds=rounds, seed=seed
    )
    predictor = Predictor(data.schema, learned.encoder, to_onnx(fitted.form(), learned.matrix.shape[1]))
    gate = parity.check(predictor, fitted.predict, data, seed=seed)
    return Refitted(predictor, fitted.predict, gate, fitted.rounds)
