"""A config fitted once on all rows: single models, as they are and cut off after fewer rounds."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from workbench.families.forms.forms import Form
from workbench.families.forms.links import Link, apply_link
from workbench.families.forms.trees import Trees

from ..calibration.target_range import within
from ..records.candidate import Candidate
from ..records.messages import RefitTask
from ..records.run_folder import read_candidate
from .assemble import GROWTH, Draft, calibrated_oof, calibration_note, finish_candidate, with_calibration
from .fit import Stage, encoding_of, failure, fit_on, keep_traceback
from .workspace import Workspace


def _stage_scores(space: Workspace, name: str, link: Link) -> dict[int, np.ndarray]:
    """Return out-of-fold predictions of one model, as it is (0) and as if it had ended at each stage."""
    with np.load(space.candidates / name / "stages.npz") as stored:
        return {
            int(rounds): within(space.problem, apply_link(stored[rounds], link)) for rounds in stored.files
        }


def refit(task: RefitTask, space: Workspace) -> list[Candidate]:
    """Fit a config once on all rows and make a candidate of each number of rounds asked for."""
    started, cpu = time.monotonic(), time.process_time()
    stage, config = Stage(), task.config
    try:
        parent = read_candidate(space.candidates / config.id)
        encoding = encoding_of(config, space)
        with stage("encode"):
            encoder, sample = space.encoded(encoding).encoder, space.whole(encoding)
        most = max(1, round((parent.rounds or 1) * GROWTH))
        needed = most if 0 in task.cuts.values() else max(task.cuts.values())
        with stage("fit"):
            fitted = fit_on(config, space, sample, needed, task.deadline)
        whole = fitted.form()
        gate_rows = np.asarray(space.gate(encoding))
        staged = _stage_scores(space, config.id, whole.link)
    except Exception as error:  # as in `assemble`
        for name in task.cuts:
            keep_traceback(space.candidates / name, error)
        return [failure(replace(config, id=name), error, stage, started, cpu) for name in task.cuts]
    fit_s = time.process_time() - cpu
    out: list[Candidate] = []
    for name, rounds in task.cuts.items():
        own = replace(config, id=name, origin="derived")
        stage = Stage() if out else stage  # the fit counts with the first candidate
        try:
            form: Form = whole.truncate(rounds) if rounds and isinstance(whole, Trees) else whole
            raw = fitted.raw(gate_rows, rounds or None)
            # not the parent's predictions, which are averages over repeats and calibrated already
            calibration, oof = calibrated_oof(space, staged[rounds])
            form, gate = with_calibration(form, apply_link(raw, form.link), raw, calibration)
            base = Candidate(
                id=name,
                family=config.family,
                params=dict(config.params),
                origin="derived",
                status="ok",
                kind="single",
                members={config.id: 1.0},
                rounds=rounds or fitted.rounds,
                cut=rounds,
            )
            draft = Draft(encoder, form, gate, oof, notes=calibration_note(space, calibration))
            done = finish_candidate(base, draft, space, stage)
            measured = done.measured and replace(done.measured, train_cpu_s=fit_s)
            seconds = time.monotonic() - started
            out.append(replace(done, measured=measured, seconds=seconds, cpu_s=fit_s, spent=stage.spent))
        except Exception as error:  # as in `assemble`
            keep_traceback(space.candidates / name, error)
            out.append(failure(own, error, stage, started, cpu))
    return out
