"""Ensembles of candidates: select them, and build each into a candidate with one model file."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from workbench.families import ENSEMBLE
from workbench.families.forms.forms import Blend, Form
from workbench.runtime.core.encoder import Encoder

from ...features.feature_pruning import union
from ...records.candidate import Candidate
from ...records.messages import BuildTask, Ensembles, EnsembleTask
from ...records.run_folder import read_candidate
from ...scoring.ensemble_selection import cross_fitted, greedy_path
from ..attempt import Stage, attempt
from ..candidate_builder import FittedModel, build_candidate, load_form
from ..workspace import Workspace
from .stacker import Meta, learn_meta


def find_ensembles(task: EnsembleTask, space: Workspace) -> Ensembles:
    """Return the path of ensembles, from few cheap members to the best."""
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
        {names[at]: share for at, share in ensemble.weights.items()}
        for ensemble in path
        if len(ensemble.weights) > 1
    ]
    return Ensembles(tuple(found))


def _oof(space: Workspace, name: str) -> np.ndarray:
    out: np.ndarray = np.load(space.candidates / name / "oof.npy")
    return out


def build_ensemble(task: BuildTask, space: Workspace) -> Candidate:
    """Make a candidate of an ensemble: one encoder and one model of all members."""
    folder = space.candidates / task.config.id
    return attempt(task.config, folder, lambda stage: _build(task, space, stage))


def _build(task: BuildTask, space: Workspace, stage: Stage) -> Candidate:
    # By name, as in the record: a stacker that is learned again must see its members in the same
    # order.
    members = {**dict(sorted(task.weights.items())), **dict.fromkeys(sorted(task.stacker_only), 0.0)}
    with stage("predict"):
        outputs = [_oof(space, name) for name in members]
        own, fold, weight = outputs[: len(task.weights)], space.fold_of(), space.dev.weight
        oof = cross_fitted(space.dev.y, own, space.problem.loss, fold, weight, seed=space.setup.seed)
    meta = None
    if task.meta_s:
        with stage("fit"):
            until = time.monotonic() + task.meta_s
            meta, oof = learn_meta(space, outputs, oof, share=task.meta_share, deadline=until) or (None, oof)
    if meta is None:
        members = dict(sorted(task.weights.items()))
    with stage("predict"):
        gate, comparison = _predictions(space, members, meta)
    with stage("convert"):
        encoder, form = _joined(space, members, meta)
    known = [read_candidate(space.candidates / name) for name in members]
    fits = sum(each.measured.train_cpu_s for each in known if each.measured)
    model = FittedModel(
        encoder=encoder,
        form=form,
        oof=oof,
        gate=gate,
        comparison=comparison,
        train_cpu_s=fits + stage.spent.get("fit", 0.0),
        notes=_meta_note(meta),
    )
    base = Candidate(
        id=task.config.id,
        family=ENSEMBLE,
        params={},
        origin="derived",
        status="ok",
        kind="blend",
        members=members,
        meta_share=meta.share if meta else 0.0,
        models=sum(each.models for each in known),
    )
    return build_candidate(base, model, space, stage, keep_open=True)


def _predictions(
    space: Workspace, members: Mapping[str, float], meta: Meta | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the ensemble's predictions of the parity rows and of the comparison rows.

    The latter are None unless all members have them.
    """
    shares = list(members.values())
    gates = [np.load(space.candidates / name / "gate.npy") for name in members]
    every = [_comparison(space, name) for name in members]
    known = [each for each in every if each is not None]
    gate = _mixed(gates, shares)
    comparison = _mixed(known, shares) if len(known) == len(every) else None
    if meta is not None:
        gate = meta.of(gate, gates)
        comparison = None if comparison is None else meta.of_each(comparison, known)
    return gate, comparison


def _joined(space: Workspace, members: Mapping[str, float], meta: Meta | None) -> tuple[Encoder, Form]:
    """Return one encoder of all members' steps, and one form with all members in it."""
    parts = [_member(space, name) for name in members]
    encoder, places = union([each for each, _ in parts])
    form = Blend(
        tuple(form for _, form in parts),
        tuple(members.values()),
        tuple(_columns(place, encoder) for place in places),
    )
    if meta is not None:
        form = replace(form, meta=meta.network, meta_share=meta.share)
    return encoder, form


def _meta_note(meta: Meta | None) -> tuple[str, ...]:
    if meta is None:
        return ()
    return (
        f"a small network over the members' predictions has weight {meta.share:.0%}, their average the rest",
    )


def _mixed(outputs: Sequence[np.ndarray], shares: Sequence[float]) -> np.ndarray:
    return np.asarray(
        sum(share * each.astype(np.float64) for share, each in zip(shares, outputs, strict=True))
    )


def _comparison(space: Workspace, name: str) -> np.ndarray | None:
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
