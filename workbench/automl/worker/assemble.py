"""Assemble a config's folds into a candidate: load them, average their models, build it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.families.base import Encoding
from workbench.families.forms.averaging import bag
from workbench.families.forms.links import Link, apply_link

from ..calibration.target_range import within
from ..records.candidate import Candidate
from ..records.messages import AssembleTask, Config
from .attempt import Stage, attempt
from .candidate_builder import FittedModel, build_candidate
from .equal_rounds import same_rounds
from .fit import STAGES, Part, encoding_of, fit_on, part_path
from .racing import FIRST
from .workspace import Workspace

GROWTH = 1.1  # rounds of a fit on all rows over those that early stopping found on a fold's


def assemble(task: AssembleTask, space: Workspace) -> Candidate:
    """Make the candidate of a config whose folds are all fitted."""
    folder = space.candidates / task.config.id
    return attempt(task.config, folder, lambda stage: _assemble(task, space, stage))


def _assemble(task: AssembleTask, space: Workspace, stage: Stage) -> Candidate:
    refits = space.setup.refits
    with stage("predict"):
        folds = _load_folds(task, space)
    with stage("fit" if refits else "predict"):
        model = _refit(folds, space, task.deadline) if refits else _average(folds, space)
    fits = sum(part.cpu_s for part in folds.parts) + stage.spent.get("fit", 0.0)
    model = replace(model, train_cpu_s=fits)
    done = build_candidate(_record(folds, space), model, space, stage, score_data=folds.score_data(space))
    with stage("score"):
        done = replace(done, stages=_save_stages(folds, space))
    shutil.rmtree(space.candidates / task.config.id / "parts", ignore_errors=True)
    return done


@dataclass(frozen=True, slots=True, eq=False)
class _Folds:
    """The fitted folds of a config.

    Attributes
    ----------
    config : Config
    encoding : Encoding
    parts : list of Part
        In the order of the folds, all after the same number of rounds (see `equal_rounds`).
    cut_at : int
        That number, if the time ended a fit; else 0.
    """

    config: Config
    encoding: Encoding
    parts: list[Part]
    cut_at: int

    @property
    def link(self) -> Link:
        """The link from raw scores to predictions."""
        return self.parts[0].form.link

    @property
    def mean_rounds(self) -> float:
        """The mean number of rounds of the folds."""
        return float(np.mean([part.rounds for part in self.parts]))

    def score_data(self, space: Workspace) -> str:
        """Return the description of the scored rows, with the effects of the time limit."""
        data = space.setup.score_data
        if len(self.parts) < len(space.splits):  # the first repeat alone
            data = ", ".join(part for part in data.split(", ") if not part.endswith(" times"))
        return f"{data}, after {self.cut_at} rounds: the time was up" if self.cut_at else data

    def notes(self, space: Workspace) -> tuple[str, ...]:
        """Return notes on fits that the time ended and folds that were not fitted."""
        notes = []
        if len(self.parts) < len(space.splits):
            notes.append(f"fitted in {len(self.parts)} of {len(space.splits)} folds: the time was up")
        stopped = sum(part.stopped for part in self.parts)
        if stopped:
            longest = max(part.trained for part in self.parts)
            ended = f"the time limit ended {stopped} of {len(self.parts)} fits"
            if len(self.parts) < 2:
                notes.append(f"{ended}, after {longest} rounds")
            elif longest <= self.cut_at:
                notes.append(f"{ended}, the first after {self.cut_at} rounds: all folds are cut there")
            else:
                others = f"others continued to {longest} and cannot be cut"
                notes.append(f"{ended}, the first after {self.cut_at} rounds: {others}")
        return tuple(notes)


def _load_folds(task: AssembleTask, space: Workspace) -> _Folds:
    count = task.folds or len(space.splits)
    parts = [Part.load(part_path(space.candidates, task.config.id, at)) for at in range(count)]
    encoding = encoding_of(task.config, space)
    parts, cut_at = same_rounds(space, encoding, parts)
    return _Folds(task.config, encoding, parts, cut_at)


def _average(folds: _Folds, space: Workspace) -> FittedModel:
    """Average the models of the folds: the mean of their raw scores."""
    parts, link = folds.parts, folds.link
    gate_raw = np.mean([part.gate for part in parts], axis=0)
    comparison = None
    if len(parts) == space.folds > 2 and all(len(part.comparison) for part in parts):
        comparison = np.stack([apply_link(part.comparison, link) for part in parts])
    notes = folds.notes(space)
    if len(space.reserve_rows):
        notes = (*notes, f"fitted on {len(space.splits[0][0]) + folds.config.more_rows:,} rows")
    return FittedModel(
        encoder=space.encoded(folds.encoding).encoder,
        form=bag([part.form for part in parts]),
        oof=_out_of_fold(folds, space),
        gate=apply_link(gate_raw, link),
        gate_raw=gate_raw,
        comparison=comparison,
        notes=notes,
    )


def _refit(folds: _Folds, space: Workspace, deadline: float) -> FittedModel:
    """Fit one model on all rows, for 1.1 times the mean rounds of the folds."""
    rounds = max(1, round(folds.mean_rounds * GROWTH))
    fitted = fit_on(folds.config, space, space.whole(folds.encoding), rounds, deadline)
    form, gate_raw = fitted.form(), fitted.raw(np.asarray(space.gate(folds.encoding)))
    return FittedModel(
        encoder=space.encoded(folds.encoding).encoder,
        form=form,
        oof=_out_of_fold(folds, space),
        gate=apply_link(gate_raw, form.link),
        gate_raw=gate_raw,
        notes=folds.notes(space),
    )


def _record(folds: _Folds, space: Workspace) -> Candidate:
    config, parts, single = folds.config, folds.parts, space.setup.refits
    return Candidate(
        id=config.id,
        family=config.family,
        params=dict(config.params),
        origin=config.origin,
        status="ok",
        kind="single" if single else "bag",
        models=1 if single else len(parts),
        rounds=round(folds.mean_rounds),
        more_rows=config.more_rows,
        fold_rounds=tuple(part.rounds for part in parts),
        fold_trained=tuple(part.chosen_among for part in parts),
        clock_rounds=folds.cut_at,
    )


# ---------------------------------------------------------------- out-of-fold predictions


def _out_of_fold(folds: _Folds, space: Workspace) -> np.ndarray:
    """Return predictions of all rows, (n, k): raw scores are averaged over repeats.

    NaN if no fold validates a row.
    """
    return _predictions(space, _mean_raw(space, [part.raw for part in folds.parts]), folds.link)


def _predictions(space: Workspace, raw: np.ndarray, link: Link) -> np.ndarray:
    """Return predictions of raw scores, none below the lowest sensible number."""
    return within(space.problem, apply_link(raw, link))


def _mean_raw(space: Workspace, raws: Sequence[np.ndarray]) -> np.ndarray:
    total = np.zeros((space.dev.n_rows, raws[0].shape[1]))
    times = np.zeros(space.dev.n_rows)
    for (_, valid), raw in zip(space.splits, raws, strict=False):
        total[valid] += raw
        times[valid] += 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(times[:, None] > 0, total / times[:, None], np.nan))


def _save_stages(folds: _Folds, space: Workspace) -> dict[str, float]:
    """Save raw scores of single models, after all rounds ("0") and each stage.

    Return the score of each.

    Saved are those of the first repeat, which single models are scored by: an average over repeats
    is already that of several models. The returned scores are means over the repeats.
    """
    link, folder = folds.link, space.candidates / folds.config.id
    first = folds.parts[: space.folds]
    oof = _predictions(space, _mean_raw(space, [part.raw for part in first]), link)
    np.save(folder / FIRST, oof.astype(np.float32))
    if space.setup.refits:
        return {}
    stages, scores = {}, {}
    for rounds in (0, *STAGES):
        if rounds > 0.75 * folds.mean_rounds or (rounds and not any(rounds in part.stages for part in first)):
            continue
        raws = [part.stages.get(rounds, part.raw) for part in folds.parts]
        repeats = [_one_repeat(space, raws, at) for at in range(len(raws) // space.folds)]
        stages[str(rounds)] = repeats[0].astype(np.float32)
        scores[str(rounds)] = float(
            np.mean([_plain_score(space, _predictions(space, raw, link)) for raw in repeats])
        )
    np.savez(folder / "stages.npz", **stages)  # type: ignore[arg-type]  # a name is not a keyword of savez
    return scores


def _one_repeat(space: Workspace, raws: Sequence[np.ndarray], repeat: int) -> np.ndarray:
    out = np.full((space.dev.n_rows, raws[0].shape[1]), np.nan)
    for at in range(repeat * space.folds, (repeat + 1) * space.folds):
        out[space.splits[at][1]] = raws[at]
    return out


def _plain_score(space: Workspace, oof: np.ndarray) -> float:
    """Return the score, without an interval, of the rows that were predicted."""
    known = np.isfinite(oof).all(axis=1)
    weight, compared = (None if each is None else each[known] for each in (space.dev.weight, space.compared))
    return space.metric.plain(space.dev.y[known], oof[known], weight, compared)
