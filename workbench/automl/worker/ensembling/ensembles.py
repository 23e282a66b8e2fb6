"""Blends of candidates: which are worth having, and how one becomes a candidate of its own, with one model file."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.families import ENSEMBLE
from workbench.families.forms.forms import Blend, Form
from workbench.runtime.core.encoder import Encoder

from ...calibration.calibration import Calibration
from ...features.feature_pruning import union
from ...records.candidate import Candidate
from ...records.messages import Blends, BlendTask, BuildTask
from ...records.run_folder import read_candidate
from ...scoring.ensemble_selection import cross_fitted, greedy_path
from ..assemble import Draft, calibrated_oof, calibration_note, finish_candidate, load_form
from ..fit import Stage, failure, keep_traceback
from ..workspace import Workspace
from .stacker import Meta, learn_meta


def find_blends(task: BlendTask, space: Workspace) -> Blends:
    """Return the path of blends from few and cheap members to the best one."""
    names = list(task.costs)
    outputs = [_oof(space, name) for name in names]
    known = np.flatnonzero(np.isfinite(np.stack([each[:, 0] for each in outputs])).all(axis=0))
    weight = None if space.dev.weight is None else space.dev.weight[known]
    path = greedy_path(
        space.dev.y[known],
        [each[known] for each in outputs],
        space.problem.loss,
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
        learned = _learn(task, space, stage)
        with stage("convert"):
            encoder, form = _put_together(space, learned)
        known = [read_candidate(space.candidates / name) for name in learned.members]
        base = Candidate(
            id=task.config.id,
            family=ENSEMBLE,
            params={},
            origin="derived",
            status="ok",
            kind="blend",
            members=learned.members,
            meta_share=learned.meta.share if learned.meta else 0.0,
            models=sum(each.models for each in known),
        )
        notes = (*_meta_note(learned.meta), *calibration_note(space, learned.calibration))
        draft = Draft(encoder, form, learned.gate, learned.oof, learned.arena, notes)
        done = finish_candidate(base, draft, space, stage, hold=True)
    except Exception as error:  # a failure is an answer: it ends this candidate, never the search
        keep_traceback(space.candidates / task.config.id, error)
        return failure(task.config, error, stage, started, cpu)
    spent = time.process_time() - cpu
    fits = sum(each.measured.train_cpu_s for each in known if each.measured) + stage.spent.get("fit", 0.0)
    done = replace(done, measured=done.measured and replace(done.measured, train_cpu_s=fits))
    return replace(done, seconds=time.monotonic() - started, cpu_s=spent, spent=stage.spent)


@dataclass(frozen=True, slots=True, eq=False)
class _Learned:
    """What a blend learns beside its weights, and what its parts then answer: see `Draft`.

    `members` has a weight of 0 for those that the network alone sees.
    """

    members: dict[str, float]
    meta: Meta | None
    calibration: Calibration | None
    oof: np.ndarray
    gate: np.ndarray
    arena: np.ndarray | None


def _learn(task: BuildTask, space: Workspace, stage: Stage) -> _Learned:
    """Learn the network over the members, where there is to be one, and the calibration, from out-of-fold rows."""
    # by name, as the record has them: a network learned again must see its members in the same order
    members = {**dict(sorted(task.weights.items())), **dict.fromkeys(sorted(task.beside), 0.0)}
    with stage("predict"):
        outputs = [_oof(space, name) for name in members]
        fold, weight, seed = space.fold_of(), space.dev.weight, space.setup.seed
        own = outputs[: len(task.weights)]
        oof = cross_fitted(space.dev.y, own, space.problem.loss, fold, weight, seed=seed)
    meta = None
    if task.meta_s:
        with stage("fit"):
            until = time.monotonic() + task.meta_s
            meta, oof = learn_meta(space, outputs, oof, share=task.meta_share, deadline=until) or (None, oof)
    with stage("predict"):
        if meta is None:
            members = dict(sorted(task.weights.items()))
        names, shares = list(members), list(members.values())
        calibration, oof = calibrated_oof(space, oof, mixing=True)
        gates = [np.load(space.candidates / name / "gate.npy") for name in names]
        gate = _mixed(gates, shares)
        arenas = [_arena(space, name) for name in names]
        there = [each for each in arenas if each is not None]
        arena = _mixed(there, shares) if len(there) == len(names) else None
        if meta is not None:
            gate = meta.of(gate, gates)
            arena = None if arena is None else meta.of_each(arena, there)
        if calibration is not None:
            gate = calibration.apply(gate)
            arena = None if arena is None else np.stack([calibration.apply(each) for each in arena])
    return _Learned(members, meta, calibration, oof, gate, arena)


def _put_together(space: Workspace, learned: _Learned) -> tuple[Encoder, Form]:
    """Return one encoder of all members' steps, and one form with all members in it."""
    members = [_member(space, name) for name in learned.members]
    encoder, places = union([each for each, _ in members])
    form = Blend(
        tuple(form for _, form in members),
        tuple(learned.members.values()),
        tuple(_columns(place, encoder) for place in places),
    )
    if learned.meta is not None:
        form = replace(form, meta=learned.meta.network, meta_share=learned.meta.share)
    if learned.calibration is not None:
        offset = np.asarray(learned.calibration.offset, dtype=np.float64)
        form = replace(form, scale=learned.calibration.served, offset=offset)
    return encoder, form


def _meta_note(meta: Meta | None) -> tuple[str, ...]:
    if meta is None:
        return ()
    return (
        f"a small network over the members' answers counts for {meta.share:.0%}, their average for the rest",
    )


def _mixed(outputs: Sequence[np.ndarray], shares: Sequence[float]) -> np.ndarray:
    return np.asarray(
        sum(share * each.astype(np.float64) for share, each in zip(shares, outputs, strict=True))
    )


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
