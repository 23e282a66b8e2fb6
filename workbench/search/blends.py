"""Blends of candidates: which are worth having, and how one becomes a candidate of its own, with one model file."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from workbench.families.forms import Blend, Form, Scale, calibrate
from workbench.runtime.encoder import Encoder

from .assemble import Draft, calibrated_oof, calibration_note, finish_candidate, load_form
from .blend import cross_fitted, greedy_path
from .fit import Stage, failure
from .prune import union
from .records import Candidate
from .run import read_candidate
from .tasks import Blends, BlendTask, BuildTask
from .workspace import Workspace

FAMILY = "blend"


def find_blends(task: BlendTask, space: Workspace) -> Blends:
    """Return the path of blends from few and cheap members to the best one."""
    names = list(task.costs)
    outputs = [_oof(space, name) for name in names]
    known = np.flatnonzero(np.isfinite(np.stack([each[:, 0] for each in outputs])).all(axis=0))
    weight = None if space.dev.weight is None else space.dev.weight[known]
    path = greedy_path(
        space.dev.y[known],
        [each[known] for each in outputs],
        space.problem.task,
        weight,
        costs=[task.costs[name] for name in names],
        seed=space.setup.seed,
    )
    found = [
        {names[at]: share for at, share in blend.weights.items()} for blend in path if len(blend.weights) > 1
    ]
    return Blends(tuple(found))


def _oof(space: Workspace, name: str) -> np.ndarray:
    out: np.ndarray = np.load(space.candidates / name / "oof.npy")
    return out


def build_blend(task: BuildTask, space: Workspace) -> Candidate:
    """Make a candidate of a blend: one encoder of all members' steps, one model with all members in it."""
    started, cpu = time.monotonic(), time.process_time()
    stage = Stage()
    try:
        with stage("predict"):
            names, shares = list(task.weights), list(task.weights.values())
            known = [read_candidate(space.candidates / name) for name in names]
            outputs = [_oof(space, name) for name in names]
            oof = cross_fitted(
                space.dev.y,
                outputs,
                space.problem.task,
                space.fold_of(),
                space.dev.weight,
                seed=space.setup.seed,
            )
            calibration, oof = calibrated_oof(space, oof, mixing=True)
            gates = [np.load(space.candidates / name / "gate.npy") for name in names]
            gate = _mixed(gates, shares)
            arenas = [_arena(space, name) for name in names]
            there = [each for each in arenas if each is not None]
            arena = _mixed(there, shares) if len(there) == len(names) else None
        with stage("convert"):
            members = [_member(space, name) for name in names]
            encoder, places = union([each for each, _ in members])
            form = Blend(
                tuple(form for _, form in members),
                tuple(shares),
                tuple(_columns(place, encoder) for place in places),
            )
            if calibration is not None:
                offset = np.asarray(calibration.offset, dtype=np.float64)
                form = replace(form, scale=calibration.served, offset=offset)
                gate = calibrate(gate, calibration.served, offset)
                arena = None if arena is None else calibrate_all(arena, calibration.served, offset)
        base = Candidate(
            id=task.config.id,
            family=FAMILY,
            params={},
            origin="derived",
            status="ok",
            kind="blend",
            members=dict(task.weights),
            models=sum(each.models for each in known),
        )
        draft = Draft(encoder, form, gate, oof, arena, calibration_note(space, calibration))
        done = finish_candidate(base, draft, space, stage, hold=True)
    except Exception as error:  # a failure is an answer: it ends this candidate, never the search
        return failure(task.config, error, stage, started, cpu)
    spent = time.process_time() - cpu
    fits = sum(each.measured.train_cpu_s for each in known if each.measured)
    done = replace(done, measured=done.measured and replace(done.measured, train_cpu_s=fits))
    return replace(done, seconds=time.monotonic() - started, cpu_s=spent, spent=stage.spent)


def _mixed(outputs: Sequence[np.ndarray], shares: Sequence[float]) -> np.ndarray:
    return np.asarray(
        sum(share * each.astype(np.float64) for share, each in zip(shares, outputs, strict=True))
    )


def calibrate_all(models: np.ndarray, scale: Scale, offset: np.ndarray) -> np.ndarray:
    """Calibrate the probabilities of several models, shape (models, n, k)."""
    return np.stack([calibrate(each, scale, offset) for each in models])


def _arena(space: Workspace, name: str) -> np.ndarray | None:
    path = space.candidates / name / "arena.npy"
    return np.load(path) if path.exists() else None


def _member(space: Workspace, name: str) -> tuple[Encoder, Form]:
    folder = space.candidates / name
    encoder = Encoder.from_json(
        json.loads((folder / "predictor" / "encoder.json").read_text(encoding="utf-8"))
    )
    return encoder, load_form(folder)


def _columns(places: np.ndarray, encoder: Encoder) -> np.ndarray | None:
    return None if np.array_equal(places, np.arange(encoder.width)) else places
