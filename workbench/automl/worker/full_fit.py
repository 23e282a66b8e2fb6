"""A config fitted once on all rows: single models, with all rounds and cut off after fewer."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from workbench.families.base import Encoding, Fitted
from workbench.families.forms.forms import Form
from workbench.families.forms.links import apply_link
from workbench.families.forms.trees import Trees

from ..calibration.target_range import within
from ..records.candidate import Candidate
from ..records.messages import Config, RefitTask
from ..records.run_folder import read_candidate
from .assemble import GROWTH
from .attempt import Stage, attempt, failure, keep_traceback
from .candidate_builder import FittedModel, build_candidate
from .fit import encoding_of, fit_on
from .workspace import Workspace


def refit(task: RefitTask, space: Workspace) -> list[Candidate]:
    """Fit a config once on all rows and make a candidate of each number of rounds asked for."""
    started, cpu, stage = time.monotonic(), time.process_time(), Stage()
    try:
        whole = _fit(task, space, stage)
    except Exception as error:  # as in `attempt`: each candidate fails
        for name in task.cuts:
            keep_traceback(space.candidates / name, error)
        return [failure(replace(task.config, id=name), error, stage, started, cpu) for name in task.cuts]
    fit_s = time.process_time() - cpu
    done: list[Candidate] = []
    for name, rounds in task.cuts.items():
        config = replace(task.config, id=name, origin="derived")
        made = _cut(config, whole, rounds, fit_s, space)
        if made.status == "ok":
            spent = made.spent if done else {**stage.spent, **made.spent}  # the fit counts once
            made = replace(made, seconds=time.monotonic() - started, cpu_s=fit_s, spent=spent)
        done.append(made)
    return done


@dataclass(frozen=True, slots=True, eq=False)
class _Whole:
    """A config fitted on all rows.

    `oof` has the folds' predictions by the round they end after, 0 for all.
    """

    parent: Config
    encoding: Encoding
    fitted: Fitted
    form: Form
    gate_rows: np.ndarray
    oof: dict[int, np.ndarray]


def _fit(task: RefitTask, space: Workspace, stage: Stage) -> _Whole:
    config, folder = task.config, space.candidates / task.config.id
    encoding = encoding_of(config, space)
    with stage("encode"):
        sample = space.whole(encoding)
    most = max(1, round((read_candidate(folder).rounds or 1) * GROWTH))
    needed = most if 0 in task.cuts.values() else max(task.cuts.values())
    with stage("fit"):
        fitted = fit_on(config, space, sample, needed, task.deadline)
    form = fitted.form()
    # Not the parent's predictions: those are averages over repeats, and calibrated.
    with np.load(folder / "stages.npz") as stored:
        oof = {
            int(rounds): within(space.problem, apply_link(stored[rounds], form.link))
            for rounds in stored.files
        }
    return _Whole(config, encoding, fitted, form, np.asarray(space.gate(encoding)), oof)


def _cut(config: Config, whole: _Whole, rounds: int, fit_s: float, space: Workspace) -> Candidate:
    """Make a candidate of the model after some rounds; 0 is all of them."""

    def build(stage: Stage) -> Candidate:
        form = whole.form.truncate(rounds) if rounds and isinstance(whole.form, Trees) else whole.form
        gate_raw = whole.fitted.raw(whole.gate_rows, rounds or None)
        model = FittedModel(
            encoder=space.encoded(whole.encoding).encoder,
            form=form,
            oof=whole.oof[rounds],
            gate=apply_link(gate_raw, form.link),
            gate_raw=gate_raw,
            train_cpu_s=fit_s,
        )
        base = Candidate(
            id=config.id,
            family=config.family,
            params=dict(config.params),
            origin="derived",
            status="ok",
            kind="single",
            members={whole.parent.id: 1.0},
            rounds=rounds or whole.fitted.rounds,
            cut=rounds,
        )
        return build_candidate(base, model, space, stage)

    return attempt(config, space.candidates / config.id, build)
