"""Retrain a candidate: on all rows for export, or on the same rows to reproduce it."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import FitError, RunError
from workbench.runtime.model.predictor import Predictor

from ..features.vocabulary import WordTables
from ..records.candidate import Candidate, averaged
from ..records.family_packages import require_package
from ..records.messages import (
    AssembleTask,
    BuildTask,
    Config,
    DistillTask,
    FoldTask,
    RefitTask,
    Setup,
    TeacherTask,
)
from ..records.run_folder import RunFolder
from ..scoring.metrics import Metric
from .assemble import assemble
from .ensembling.distillation import distill, fit_teacher
from .ensembling.ensembles import build_ensemble
from .exported_candidate import Served, serve_measured, served_from
from .fit import run_fold
from .full_fit import refit
from .matrix_cache import MatrixCache
from .parity import TOLERANCE
from .workspace import Workspace

_GROWTH = 1.1  # most rounds of a model of more rows, relative to those of the rows it was tried on


def serve_all_rows(run: RunFolder, candidate: Candidate) -> Served:
    """Retrain a candidate on all rows, the held-out set included.

    Without a held-out set its own artifact has learned from all rows and is returned.

    Raises
    ------
    FitError
        If the fit or the parity check fails.
    """
    if not run.can_refit:
        return serve_measured(run, candidate)
    with _separate_workspace(run, np.arange(run.dataset().n_rows), np.arange(0), np.arange(0)) as space:
        grown = space.dev.n_rows / max(len(run.dev_rows), 1)
        made = _again(space, run, candidate, grown)
        folder = space.candidates / made.id
        return served_from(run, folder, made.parity or 0.0, space.holdout_rows, trained_again=True)


@dataclass(frozen=True, slots=True)
class Reproduced:
    """The comparison of a retrained candidate with the stored one.

    Attributes
    ----------
    id : str
    rows : int
        Rows whose predictions were compared.
    largest : float
        The largest difference: of a probability, or in standard deviations of predicted numbers.
    same : bool
        Whether they agree within the precision of float32.
    """

    id: str
    rows: int
    largest: float
    same: bool

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return asdict(self)

    def to_text(self) -> str:
        """Return the report as one line."""
        verdict = "agree" if self.same else "do not agree"
        return (
            f"{self.id}: the predictions of {self.rows:,} rows {verdict}; largest difference {self.largest:.2g} "
            f"(at most {TOLERANCE:g} counts as the same)"
        )


def reproduce(run: RunFolder, name: str) -> Reproduced:
    """Retrain a candidate on the same rows and compare its predictions with the stored ones.

    Raises
    ------
    RunError
        If there is no such candidate, or it has no model.
    FitError
        If it cannot be retrained.
    """
    candidate = run.candidate(name)
    if candidate.status != "ok":
        raise RunError(f"{name} has no model", found=f"{candidate.status}: {candidate.reason}")
    with _separate_workspace(run, run.dev_rows, run.holdout_rows, run.reserve_rows) as space:
        made = _again(space, run, candidate, 1.0)
        after = Predictor.load(space.candidates / made.id / "predictor")
        before = run.predictor(name)
        rows = space.dev.columns
        one, two = (each.predict_columns(rows).astype(np.float64) for each in (before, after))
    scale = max(float(one.std()), 1e-30) if space.problem.task == "regression" else 1.0
    largest = float(np.abs(one - two).max(initial=0.0)) / scale
    return Reproduced(name, len(one), largest, largest <= TOLERANCE)


@contextmanager
def _separate_workspace(
    run: RunFolder, rows: np.ndarray, held_out: np.ndarray, reserve: np.ndarray
) -> Iterator[Workspace]:
    """Open a workspace in a temporary folder; the run is not changed."""
    plan, problem, settings = run.info["plan"], run.problem, run.settings
    data = run.dataset()
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        base = Path(folder)
        (base / "cache").mkdir()
        (base / "candidates").mkdir()
        setup = Setup(
            base,
            problem,
            run.info["metric"],
            plan["folds"],
            "trained again",
            settings.seed,
            plan.get("repeats", 1),
            plan.get("refits", False),
            settings.payoff_for(problem.task),
            plan.get("crossed", False),
        )
        yield Workspace(
            data=data,
            dev_rows=rows,
            holdout_rows=held_out,
            setup=setup,
            metric=Metric(setup.metric, problem.task, problem.n_classes, setup.seed),
            cache=MatrixCache(base / "cache"),
            tables=WordTables(data, base / "cache"),
            reserve_rows=reserve,
            compared=run.compared if len(rows) == len(run.dev_rows) else None,
        )


def _again(space: Workspace, run: RunFolder, candidate: Candidate, grown: float) -> Candidate:
    """Retrain a candidate, after those that it is made of."""
    require_package(run.info, candidate.family)
    if candidate.kind == "blend":
        for name in candidate.members:
            _again(space, run, run.candidate(name), grown)
        config = Config(candidate.id, candidate.family, {}, candidate.origin, space.setup.seed)
        share = candidate.meta_share
        weights = averaged(candidate)
        stacker_only = tuple(name for name in candidate.members if name not in weights)
        blend = BuildTask(config, weights, math.inf if share else 0.0, share or None, stacker_only)
        return _stored(space, build_ensemble(blend, space))
    if candidate.taught:
        for name in candidate.members:
            _again(space, run, run.candidate(name), grown)
        for split in range(space.folds):
            teacher = fit_teacher(TeacherTask(candidate.members, split), space)
            if teacher.wrong:
                raise FitError(f"the teachers of {candidate.id} failed", found=teacher.wrong)
        return _stored(space, distill(DistillTask(_config(candidate, space), candidate.members), space))
    if candidate.kind == "single" and candidate.members:
        parent = run.candidate(next(iter(candidate.members)))
        _again(space, run, parent, grown)
        task = RefitTask(_config(parent, space), {candidate.id: candidate.cut})
        return _stored(space, refit(task, space)[0])
    config = _config(candidate, space)
    folds = len(candidate.fold_rounds) or len(space.splits)
    for split in range(folds):
        done = run_fold(_fold(config, candidate, split, grown), space)
        if isinstance(done, Candidate):
            return _stored(space, done)
    return _stored(space, assemble(AssembleTask(config, folds=folds), space))


def _fold(config: Config, candidate: Candidate, split: int, grown: float) -> FoldTask:
    """Return a fold to fit again: with early stopping, or for given rounds on more rows."""
    rounds = candidate.fold_rounds[split] if split < len(candidate.fold_rounds) else None
    trained = candidate.fold_trained[split] if split < len(candidate.fold_trained) else 0
    if rounds is None or (trained and grown <= 1.0):
        return FoldTask(config, split, rounds=trained or None)
    if grown > 1.0:
        rounds = max(1, round(rounds * min(grown**0.5, _GROWTH)))
    return FoldTask(config, split, rounds=rounds, early_stopping=False)


def _config(candidate: Candidate, space: Workspace) -> Config:
    return Config(
        candidate.id,
        candidate.family,
        candidate.params,
        candidate.origin,
        space.setup.seed,
        candidate.more_rows,
    )


def _stored(space: Workspace, made: Candidate) -> Candidate:
    if made.status != "ok":
        raise FitError(f"{made.id} ({made.family}) failed at {made.stage}", found=made.reason, hint=made.hint)
    RunFolder(space.setup.run, {}).write_candidate(made)
    return made
