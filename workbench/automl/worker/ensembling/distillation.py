"""Distillation: small, fast students of an ensemble of strong models, scored without label leakage.

A student learns the log-odds of ``0.8 * teacher + 0.2 * label``. The served student learns the
teacher's out-of-fold predictions. These cannot score the student: the teacher's models of the other
folds have seen the labels of the validation fold, and pass them on. The student's score would be
optimistic, by a tenth of the loss on small tables. So for each fold the teacher is fitted again on
the fold's training rows alone, out of fold among them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import OutOfTimeError
from workbench.families import family_named
from workbench.families.base import Fitted, Problem, Sample, unseen_raw
from workbench.families.forms.forms import Blend, Form
from workbench.families.forms.links import apply_link

from ...records.candidate import Candidate
from ...records.messages import Config, DistillTask, TeacherDone, TeacherTask
from ...records.run_folder import read_candidate
from ..assemble import GROWTH
from ..attempt import Stage, attempt
from ..candidate_builder import FittedModel, build_candidate
from ..fit import encoding_of
from ..racing import FIRST
from ..workspace import Workspace

_SHARE = 0.8  # of the teacher in the student's target
#: Of a target probability: log-odds of smaller ones carry little information and much weight.
_LEAST = 1e-3


def fit_teacher(task: TeacherTask, space: Workspace) -> TeacherDone:
    """Predict a fold's training rows out of fold by a teacher without the validation rows."""
    stage, began = Stage(), time.process_time()
    try:
        with stage("fit"):
            predictions = np.zeros(space.dev.n_rows)
            for name, share in task.weights.items():
                predictions += share * _teacher_predictions(_config(space, name), space, task)
            path = _path(space, task.weights, task.split)
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, predictions)
    except Exception as error:  # there is no student then; the search continues
        return TeacherDone(
            task.split, f"{type(error).__name__}: {error}"[:300], time.process_time() - began, stage.spent
        )
    return TeacherDone(task.split, "", time.process_time() - began, stage.spent)


def _teacher_predictions(config: Config, space: Workspace, task: TeacherTask) -> np.ndarray:
    """Return the probability of the second class, out of fold within a fold's training rows.

    0 for other rows.
    """
    encoding = encoding_of(config, space)
    X, codes, dev = space.matrix(encoding, task.split), space.encoded(encoding).codes, space.dev
    train = space.splits[task.split][0]
    inner = space.fold_of()[train]
    out = np.zeros(dev.n_rows)
    for number in np.unique(inner):
        inside, asked = train[inner != number], train[inner == number]
        parts = [
            Sample(X[rows], dev.y[rows], None if dev.weight is None else dev.weight[rows], codes)
            for rows in (inside, asked)
        ]
        fitted = family_named(config.family).fit(
            config.params, parts[0], space.problem, valid=parts[1], seed=config.seed, deadline=task.deadline
        )
        _whole(fitted)
        out[asked] = fitted.predict(np.ascontiguousarray(X[asked]))[:, 1]
    return out


def _whole(fitted: Fitted) -> None:
    if fitted.stopped:
        raise OutOfTimeError("the time limit ended a fit", hint="Give more `time`.")


def _config(space: Workspace, name: str) -> Config:
    known = read_candidate(space.candidates / name)
    return Config(name, known.family, known.params, known.origin, space.setup.seed)


def _path(space: Workspace, weights: Mapping[str, float], split: int) -> Path:
    return space.setup.run / "cache" / f"taught-{'-'.join(weights)}" / f"{split}.npy"


# ---------------------------------------------------------------- the student


def distill(task: DistillTask, space: Workspace) -> Candidate:
    """Fit a student in each fold, to score it, and on all rows, to serve it."""
    folder = space.candidates / task.config.id
    return attempt(task.config, folder, lambda stage: _distill(task, space, stage))


def _distill(task: DistillTask, space: Workspace, stage: Stage) -> Candidate:
    config = task.config
    with stage("fit"):
        fits = _StudentFits(task, space)
        raw = np.full((space.dev.n_rows, 1), np.nan)
        rounds = []
        for split in range(space.folds):
            fitted, valid = fits.fold(split)
            raw[valid] = unseen_raw(fitted, np.ascontiguousarray(fits.matrix(split)[valid]))
            rounds.append(fitted.rounds)
        served = fits.all_rows(max(1, round(float(np.mean(rounds)) * GROWTH)))
        gate_raw = served.raw(np.asarray(space.gate(fits.encoding)))
    model = FittedModel(
        encoder=space.encoded(fits.encoding).encoder,
        form=_as_probability(served.form()),
        oof=apply_link(raw, "sigmoid"),
        gate=apply_link(gate_raw, "sigmoid"),
        gate_raw=gate_raw,
        train_cpu_s=stage.spent.get("fit", 0.0),
    )
    base = Candidate(
        id=config.id,
        family=config.family,
        params=dict(config.params),
        origin="derived",
        status="ok",
        kind="single",
        members=dict(task.weights),
        taught=True,
        rounds=served.rounds,
        fold_rounds=tuple(rounds),
        notes=(f"distilled from {', '.join(task.weights)}",),
    )
    return build_candidate(base, model, space, stage)


class _StudentFits:
    """The fits of a student: one per fold and one on all rows."""

    def __init__(self, task: DistillTask, space: Workspace) -> None:
        self.task, self.space = task, space
        self.encoding = encoding_of(task.config, space)
        self.problem: Problem = replace(
            space.problem, task="regression", n_classes=0, skewed=False, absolute=False
        )
        shares = task.weights.items()
        firsts = [(share, np.load(space.candidates / name / FIRST)[:, 1]) for name, share in shares]
        self.teacher = self._odds(sum(share * each.astype(np.float64) for share, each in firsts))

    def _odds(self, teacher: Any) -> np.ndarray:
        p = np.clip(_SHARE * teacher + (1.0 - _SHARE) * self.space.dev.y, _LEAST, 1.0 - _LEAST)
        return np.asarray(np.log(p / (1.0 - p)))

    def matrix(self, split: int) -> np.ndarray:
        """Return all rows with a fold's target features."""
        return self.space.matrix(self.encoding, split)

    def _sample(self, X: np.ndarray, target: np.ndarray, rows: np.ndarray) -> Sample:
        weight = self.space.dev.weight
        codes = self.space.encoded(self.encoding).codes
        return Sample(
            np.ascontiguousarray(X[rows]), target[rows], None if weight is None else weight[rows], codes
        )

    def fold(self, split: int) -> tuple[Fitted, np.ndarray]:
        """Fit a fold on the teacher's predictions; return the model and the validation rows."""
        train, valid = self.space.splits[split]
        X = self.matrix(split)
        teacher = self._odds(np.load(_path(self.space, self.task.weights, split)))
        return self._fit(self._sample(X, teacher, train), self._sample(X, self.teacher, valid), None), valid

    def all_rows(self, rounds: int) -> Fitted:
        """Fit the model that is served."""
        X = np.asarray(self.space.encoded(self.encoding).X)
        return self._fit(self._sample(X, self.teacher, np.arange(len(X))), None, rounds)

    def _fit(self, train: Sample, valid: Sample | None, rounds: int | None) -> Fitted:
        config = self.task.config
        fitted = family_named(config.family).fit(
            config.params,
            train,
            self.problem,
            valid=valid,
            rounds=rounds,
            seed=config.seed,
            deadline=self.task.deadline,
        )
        _whole(fitted)
        return fitted


def _as_probability(form: Form) -> Form:
    """Return a model of log-odds as one of probabilities."""
    assert not isinstance(form, Blend)
    return replace(form, link="sigmoid")
