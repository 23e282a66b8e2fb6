"""A config's folds become a candidate: averaged, calibrated, put into serving form, checked, scored, measured."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from workbench.errors import FitError
from workbench.families.forms.averaging import bag, calibrated, from_arrays, to_arrays
from workbench.families.forms.forms import Blend, Form
from workbench.families.forms.links import Link, apply_link
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.core.encoder import Encoder
from workbench.runtime.model.predictor import Predictor

from ..calibration.calibration import Calibration, choose_calibration
from ..calibration.target_range import within
from ..calibration.threshold_tuning import at_half
from ..features.feature_pruning import prune
from ..records.candidate import Candidate, Score
from ..records.messages import AssembleTask, Config
from ..records.scored_rows import DECIDED, as_sure
from ..scoring.bagging_gain import bagging_gain
from . import parity
from .decision_rules import Answers, learn_answers
from .equal_rounds import same_rounds
from .fit import STAGES, Part, Stage, encoding_of, failure, fit_on, keep_traceback, part_path
from .measure import measurements
from .racing import FIRST
from .workspace import Workspace

_TRIAL_MEASURE_S = 0.01
_MOST_GAIN = 0.04  # of the score's interval: it puts an average before one of its own models, no more
GROWTH = 1.1  # rounds of a fit on all rows over those that early stopping found on a fold's


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A candidate about to be put into serving form.

    Attributes
    ----------
    encoder : Encoder
    form : Form
        Calibrated.
    gate : numpy.ndarray of float64, shape (g, k)
        The library's own predictions of the rows of the parity gate.
    oof : numpy.ndarray, shape (n, k)
        Predictions of the rows of the search by models that have not seen them.
    arena : numpy.ndarray, shape (folds, a, k), or None
        Each fold's model's predictions of `Workspace.arena`; None where there is no bag.
    """

    encoder: Encoder
    form: Form
    gate: np.ndarray
    oof: np.ndarray
    arena: np.ndarray | None = None
    notes: tuple[str, ...] = field(default=())


def assemble(task: AssembleTask, space: Workspace) -> Candidate:
    """Make the candidate of a config whose folds are all there."""
    started, cpu = time.monotonic(), time.process_time()
    stage = Stage()
    config = task.config
    try:
        with stage("predict"):
            count = task.folds or len(space.splits)
            parts = [Part.load(part_path(space.candidates, config.id, at)) for at in range(count)]
            encoded = space.encoded(encoding_of(config, space))
            parts, cut_at = same_rounds(space, encoding_of(config, space), parts)
            link = parts[0].form.link
            oof = _predictions(space, _out_of_fold(space, [part.raw for part in parts]), link)
            calibration, oof = calibrated_oof(space, oof)
        if space.setup.refits:
            with stage("fit"):
                draft = _refit_draft(config, space, parts, calibration, oof, task.deadline)
                draft = replace(draft, notes=(*_notes(parts, cut_at), *draft.notes))
        else:
            form, gate = with_calibration(
                bag([part.form for part in parts]),
                apply_link(np.mean([part.gate for part in parts], axis=0), link),
                np.mean([part.gate for part in parts], axis=0),
                calibration,
            )
            arena = None
            if len(parts) == space.folds > 2 and all(len(part.arena) for part in parts):
                answers = [apply_link(part.arena, link) for part in parts]
                arena = np.stack(
                    [each if calibration is None else calibration.apply(each) for each in answers]
                )
            notes = (
                *_notes(parts, cut_at),
                *_rows_note(config, space),
                *calibration_note(space, calibration),
            )
            draft = Draft(encoded.encoder, form, gate, oof, arena, notes)
        mean_rounds = float(np.mean([part.rounds for part in parts]))
        base = Candidate(
            id=config.id,
            family=config.family,
            params=dict(config.params),
            origin=config.origin,
            status="ok",
            kind="single" if space.setup.refits else "bag",
            models=1 if space.setup.refits else len(parts),
            rounds=round(mean_rounds),
            more_rows=config.more_rows,
            fold_rounds=tuple(part.rounds for part in parts),
            fold_trained=tuple(part.judged for part in parts),
            clock_rounds=cut_at,
        )
        done = finish_candidate(base, draft, space, stage)
        if cut_at and done.score is not None:
            data = f"{done.score.data}, after {cut_at} rounds: the time was up"
            done = replace(done, score=replace(done.score, data=data))
        if count < len(space.splits):
            done = _of_fewer_folds(done, count, len(space.splits))
        with stage("score"):
            done = replace(done, stages=_keep_stages(space, config, parts, mean_rounds))
        shutil.rmtree(space.candidates / config.id / "parts", ignore_errors=True)
    except Exception as error:  # a failure is an answer: it ends this candidate, never the search
        keep_traceback(space.candidates / config.id, error)
        return failure(config, error, stage, started, cpu)
    fits = sum(part.cpu_s for part in parts)
    measured = done.measured and replace(done.measured, train_cpu_s=fits + stage.spent.get("fit", 0.0))
    return replace(
        done,
        measured=measured,
        seconds=time.monotonic() - started,
        cpu_s=time.process_time() - cpu,
        spent=stage.spent,
    )


def _of_fewer_folds(done: Candidate, folds: int, of: int) -> Candidate:
    """Say that a candidate was scored in the folds of the first repeat alone, there being no time for others."""
    assert done.score is not None
    data = done.score.data.split(", ")
    said = ", ".join(part for part in data if not part.endswith(" times"))
    notes = (*done.notes, f"fitted in {folds} of {of} folds: the time was up")
    return replace(done, score=replace(done.score, data=said), notes=notes)


def _notes(parts: Sequence[Part], cut_at: int) -> tuple[str, ...]:
    stopped = sum(part.stopped for part in parts)
    if not stopped:
        return ()
    longest = max(part.trained for part in parts)
    said = f"the clock ended {stopped} of {len(parts)} fits"
    if len(parts) < 2:
        return (f"{said}, after {longest} rounds",)
    how = "all folds are cut there" if longest <= cut_at else f"others went on to {longest} and cannot be cut"
    return (f"{said}, the first after {cut_at} rounds: {how}",)


def _rows_note(config: Config, space: Workspace) -> tuple[str, ...]:
    if not len(space.reserve_rows):
        return ()
    return (f"fitted on {len(space.splits[0][0]) + config.more_rows:,} rows",)


def _predictions(space: Workspace, raw: np.ndarray, link: Link) -> np.ndarray:
    """Return predictions of raw scores, none of them below what makes sense."""
    return within(space.problem, apply_link(raw, link))


def _out_of_fold(space: Workspace, raws: Sequence[np.ndarray]) -> np.ndarray:
    """Return raw scores of all rows, float64 (n, k), averaged over repeats; NaN where no fold validates."""
    total = np.zeros((space.dev.n_rows, raws[0].shape[1]))
    times = np.zeros(space.dev.n_rows)
    for (_, valid), raw in zip(space.splits, raws, strict=False):
        total[valid] += raw
        times[valid] += 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(times[:, None] > 0, total / times[:, None], np.nan))


def calibrated_oof(
    space: Workspace, oof: np.ndarray, *, mixing: bool = False
) -> tuple[Calibration | None, np.ndarray]:
    """Choose a calibration by out-of-fold probabilities; those returned are calibrated without their own row.

    `mixing` allows one that mixes the classes, which plain trees cannot have inside them.
    """
    if space.problem.task == "regression":
        return None, oof
    known = np.isfinite(oof).all(axis=1)
    weight = None if space.dev.weight is None else space.dev.weight[known]
    fold = space.fold_of()[known]
    calibration, better = choose_calibration(space.dev.y[known], oof[known], fold, weight, mixing=mixing)
    out = np.full(oof.shape, np.nan)
    out[known] = better
    return calibration, out


def calibration_note(space: Workspace, calibration: Calibration | None) -> tuple[str, ...]:
    """Say whether the probabilities are calibrated, for whoever relies on them."""
    if space.problem.task == "regression":
        return ()
    if calibration is None:
        return (
            "probabilities as the model gives them: no calibration was better on rows it was not trained on",
        )
    return (f"probabilities calibrated on rows it was not trained on ({calibration.words})",)


def with_calibration(
    form: Form, p: np.ndarray, raw: np.ndarray, calibration: Calibration | None
) -> tuple[Form, np.ndarray]:
    """Return the calibrated form and the library's predictions calibrated the same way."""
    if calibration is None:
        return form, p
    offset = np.asarray(calibration.offset, dtype=np.float64)
    made = calibrated(form, calibration.scale, offset)
    if form.link == "softmax":
        return made, apply_link(calibration.scale * raw + offset, "softmax")
    if form.link == "sigmoid":
        return made, apply_link(calibration.scale * raw + (offset[1:] - offset[:1]), "sigmoid")
    return made, calibration.apply(p)


# ---------------------------------------------------------------- a candidate, whatever it was made of


def finish_candidate(
    base: Candidate, draft: Draft, space: Workspace, stage: Stage, *, hold: bool = False
) -> Candidate:
    """Write, check, score and measure a candidate; `hold` keeps its artifact open if none is better.

    Raises
    ------
    FitError
        Where the served form does not answer what the library answers, or there is no score.
    """
    folder = space.candidates / base.id
    draft = _within_domain(draft, space)
    with stage("convert"):
        encoder, form = prune(draft.encoder, draft.form)
        # what is kept is what is scored, to the last digit
        draft = replace(draft, oof=draft.oof.astype(np.float32).astype(np.float64))
        answers = learn_answers(space, draft.oof)
        schema = replace(space.data.schema, output=answers.output)
        predictor = Predictor(schema, encoder, to_onnx(form, encoder.width), own=True)
    with stage("parity"):
        gate = parity.check(predictor, space.gate_rows(), draft.gate, space.data, space.setup.seed)
    with stage("score"):
        score, gain = _score(space, draft, answers)
    with stage("measure"):
        (folder / "predictor").mkdir(parents=True, exist_ok=True)
        predictor.save(folder / "predictor")
        save_arrays(folder, draft, form, answers.decided)
        measured = measurements(
            predictor,
            folder / "predictor",
            space.dev,
            seconds=_TRIAL_MEASURE_S,
            quiet=False,
            row_s=gate.row_s,
        )
    if len(space.holdout_rows):
        with stage("predict"):
            held = space.data.take(space.holdout_rows)
            np.save(folder / "holdout.npy", predictor.predict_columns(held.columns))
    if hold:
        space.hold(base.id, score.value + gain, predictor)
    return replace(
        base,
        score=score,
        measured=replace(measured, node_visits=form.node_visits()),
        busy_cpu_us=measured.cpu_us_per_row,
        averaging_gain=gain,
        parity=gate.largest,
        threshold=answers.output.threshold,
        notes=(*base.notes, *draft.notes, *answers.notes),
    )


def _within_domain(draft: Draft, space: Workspace) -> Draft:
    """Raise predictions to the lowest that makes sense, in the form that is served and in all that is kept of it."""
    floor = space.problem.floor
    if floor is None:
        return draft
    form = draft.form
    if not (isinstance(form, Blend) and form.of == "prediction" and form.meta is None):
        form = replace(form, floor=floor)  # an average of predictions that have the floor has it too
    oof, gate = (within(space.problem, each) for each in (draft.oof, draft.gate))
    arena = None if draft.arena is None else within(space.problem, draft.arena)
    return replace(draft, form=form, oof=oof, gate=gate, arena=arena)


def save_arrays(folder: Path, draft: Draft, form: Form, decided: np.ndarray | None) -> None:
    """Keep what later steps need of a candidate: predictions, decisions, and the form that a blend is made of."""
    np.save(folder / "oof.npy", draft.oof.astype(np.float32))
    if decided is not None:
        np.save(folder / DECIDED, decided)
    np.save(folder / "gate.npy", draft.gate)
    if draft.arena is not None:
        np.save(folder / "arena.npy", draft.arena.astype(np.float32))
    with (folder / "form.npz").open("wb") as file:
        np.savez(file, **to_arrays(form))  # type: ignore[arg-type]  # a name is no keyword of savez


def load_form(folder: Path) -> Form:
    """Read a candidate's form."""
    with np.load(folder / "form.npz") as stored:
        return from_arrays({name: stored[name] for name in stored.files})


def _score(space: Workspace, draft: Draft, answers: Answers) -> tuple[Score, float]:
    """Return the score of what is kept, and what averaging is estimated to add to it."""
    dev, metric = space.dev, space.metric
    seen = draft.oof if answers.decided is None else as_sure(answers.decided, draft.oof.shape[1])
    try:
        score = metric.score(
            dev.y, seen, dev.weight, space.setup.score_data, fold=space.compared, group=dev.group
        )
    except ValueError as error:
        raise FitError("the score cannot be computed", found=str(error)) from error
    if draft.arena is None:
        return score, 0.0
    rows = space.arena()
    weight, compared = (None if each is None else each[rows] for each in (dev.weight, space.compared))
    arena = np.stack([at_half(metric, each, answers.output.threshold) for each in draft.arena])
    fold, seed = space.fold_of()[rows], space.setup.seed
    gain = bagging_gain(metric, dev.y[rows], arena, fold, weight, seed, compared)
    return score, min(gain, _MOST_GAIN * (score.high - score.low))


# ---------------------------------------------------------------- one model of all rows


def _keep_stages(
    space: Workspace, config: Config, parts: Sequence[Part], mean_rounds: float
) -> dict[str, float]:
    """Keep raw scores of single models, all rounds ("0") and after each stage, and return how good each would be.

    Kept are those of the first repeat, which single models are scored by: the average of the predictions over repeats
    is already that of several models. How good they are is the mean over the repeats.
    """
    link, folder = parts[0].form.link, space.candidates / config.id
    first = parts[: space.folds]
    np.save(
        folder / FIRST,
        _predictions(space, _out_of_fold(space, [part.raw for part in first]), link).astype(np.float32),
    )
    if space.setup.refits:
        return {}
    stages, scores = {}, {}
    for rounds in (0, *STAGES):
        if rounds > 0.75 * mean_rounds or (rounds and not any(rounds in part.stages for part in first)):
            continue
        raws = [part.stages.get(rounds, part.raw) for part in parts]
        repeats = [_one_repeat(space, raws, at) for at in range(len(parts) // space.folds)]
        stages[str(rounds)] = repeats[0].astype(np.float32)
        scores[str(rounds)] = float(
            np.mean([plain_score(space, _predictions(space, raw, link)) for raw in repeats])
        )
    np.savez(folder / "stages.npz", **stages)  # type: ignore[arg-type]  # as in `save_arrays`
    return scores


def _one_repeat(space: Workspace, raws: Sequence[np.ndarray], repeat: int) -> np.ndarray:
    out = np.full((space.dev.n_rows, raws[0].shape[1]), np.nan)
    for at in range(repeat * space.folds, (repeat + 1) * space.folds):
        out[space.splits[at][1]] = raws[at]
    return out


def plain_score(space: Workspace, answers: np.ndarray) -> float:
    """Return the score alone of out-of-fold predictions, over the rows that were predicted."""
    known = np.isfinite(answers).all(axis=1)
    weight, compared = (None if each is None else each[known] for each in (space.dev.weight, space.compared))
    return space.metric.plain(space.dev.y[known], answers[known], weight, compared)


def _refit_draft(
    config: Config,
    space: Workspace,
    parts: Sequence[Part],
    calibration: Calibration | None,
    oof: np.ndarray,
    deadline: float,
) -> Draft:
    """Fit on all rows for as long as the folds called for."""
    encoding = encoding_of(config, space)
    encoded = space.encoded(encoding)
    rounds = max(1, round(float(np.mean([part.rounds for part in parts])) * GROWTH))
    fitted = fit_on(config, space, space.whole(encoding), rounds, deadline)
    form, raw = fitted.form(), fitted.raw(np.asarray(space.gate(encoding)))
    form, gate = with_calibration(form, apply_link(raw, form.link), raw, calibration)
    notes = calibration_note(space, calibration)
    return Draft(encoded.encoder, form, gate, oof, notes=notes)
