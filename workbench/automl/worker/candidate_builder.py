"""From a fitted model to a candidate: calibrate, convert, check parity, score, save, measure.

Whatever a candidate is made of (the models of the folds, one model of all rows, an ensemble, a
distilled student), its maker hands over a `FittedModel` and `build_candidate` does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from workbench.errors import FitError
from workbench.families.forms.averaging import calibrated, from_arrays, to_arrays
from workbench.families.forms.forms import Blend, Form
from workbench.families.forms.links import apply_link
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.core.encoder import Encoder
from workbench.runtime.model.predictor import Predictor

from ..calibration.calibration import Calibration, choose_calibration
from ..calibration.target_range import within
from ..calibration.threshold_tuning import at_half
from ..features.feature_pruning import prune
from ..records.candidate import Candidate, Score
from ..records.scored_rows import DECIDED, as_sure
from ..scoring.bagging_gain import bagging_gain
from . import parity
from .attempt import Stage
from .decision_rules import Decision, learn_decision
from .measure import measurements
from .workspace import Workspace

_MEASURE_S = 0.01  # of single-row calls; candidates that may be on the front are measured again
#: Of the score's interval: enough to rank an average above one of its own models.
_MOST_GAIN = 0.04


@dataclass(frozen=True, slots=True, eq=False)
class FittedModel:
    """A model and its predictions, before calibration.

    Attributes
    ----------
    encoder : Encoder
    form : Form
    oof : numpy.ndarray, shape (n, k)
        Out-of-fold predictions of the rows of the search; NaN for rows that no fold validates.
    gate : numpy.ndarray of float64, shape (g, k)
        The library's own predictions of the rows of the parity check.
    gate_raw : numpy.ndarray of float64, shape (g, r), or None
        Their raw scores; None for an ensemble, whose members differ.
    comparison : numpy.ndarray, shape (folds, a, k), or None
        Each fold's model's predictions of `Workspace.comparison_rows`; None without one model a
        fold.
    train_cpu_s : float
        CPU seconds of all fits.
    notes : tuple of str
    """

    encoder: Encoder
    form: Form
    oof: np.ndarray
    gate: np.ndarray
    gate_raw: np.ndarray | None = None
    comparison: np.ndarray | None = None
    train_cpu_s: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def is_ensemble(self) -> bool:
        """Whether it averages the predictions of different candidates."""
        return isinstance(self.form, Blend) and self.form.of == "prediction"


def build_candidate(
    base: Candidate,
    model: FittedModel,
    space: Workspace,
    stage: Stage,
    *,
    score_data: str | None = None,
    keep_open: bool = False,
) -> Candidate:
    """Turn a fitted model into a candidate.

    Parameters
    ----------
    base : Candidate
        What is known of it: id, family, params, members, …
    model : FittedModel
    space : Workspace
    stage : Stage
    score_data : str, optional
        What the scored rows are, for the score. Default: as of the run.
    keep_open : bool
        Whether to keep the artifact open if it is the best so far.

    Raises
    ------
    FitError
        If the served model does not predict what the library predicts, or there is no score.
    """
    with stage("predict"):
        model = _within_range(_calibrate(model, space), space)
    with stage("convert"):
        encoder, form = prune(model.encoder, model.form)
        decision = learn_decision(space, model.oof)
        schema = replace(space.data.schema, output=decision.output)
        predictor = Predictor(schema, encoder, to_onnx(form, encoder.width), own=True)
    with stage("parity"):
        gate = parity.check(predictor, space.gate_rows(), model.gate, space.data, space.setup.seed)
    with stage("score"):
        score, gain = _score(model, decision, space, score_data or space.setup.score_data)
    with stage("measure"):
        folder = space.candidates / base.id
        _save(folder, model, form, predictor, decision.decided)
        measured = measurements(
            predictor, folder / "predictor", space.dev, seconds=_MEASURE_S, quiet=False, row_s=gate.row_s
        )
        measured = replace(measured, train_cpu_s=model.train_cpu_s, node_visits=form.node_visits())
    if len(space.holdout_rows):
        with stage("predict"):
            held_out = space.data.take(space.holdout_rows)
            np.save(folder / "holdout.npy", predictor.predict_columns(held_out.columns))
    if keep_open:
        space.keep_open(base.id, score.value + gain, predictor)
    return replace(
        base,
        score=score,
        measured=measured,
        busy_cpu_us=measured.cpu_us_per_row,
        averaging_gain=gain,
        parity=gate.largest,
        threshold=decision.output.threshold,
        notes=(*base.notes, *model.notes, *decision.notes),
    )


def load_form(folder: Path) -> Form:
    """Read a candidate's form."""
    with np.load(folder / "form.npz") as stored:
        return from_arrays({name: stored[name] for name in stored.files})


# ---------------------------------------------------------------- calibration


def _calibrate(model: FittedModel, space: Workspace) -> FittedModel:
    """Return the model with calibrated probabilities, if calibration improves them out of fold."""
    if space.problem.task == "regression":
        return model
    calibration, oof = _choose_calibration(model, space)
    if calibration is None:
        note = "probabilities are not calibrated: no calibration improved the out-of-fold log loss"
        return replace(model, oof=oof, notes=(*model.notes, note))
    note = f"probabilities are calibrated on out-of-fold predictions ({calibration.words})"
    comparison = model.comparison
    if comparison is not None:
        comparison = np.stack([calibration.apply(each) for each in comparison])
    return replace(
        model,
        form=_calibrated_form(model, calibration),
        oof=oof,
        gate=_calibrated_gate(model, calibration),
        comparison=comparison,
        notes=(*model.notes, note),
    )


def _choose_calibration(model: FittedModel, space: Workspace) -> tuple[Calibration | None, np.ndarray]:
    """Choose a calibration, and return the cross-fitted calibrated probabilities.

    Only an ensemble can hold a calibration that mixes the classes: a plain model of trees cannot.
    """
    known = np.isfinite(model.oof).all(axis=1)
    weight = None if space.dev.weight is None else space.dev.weight[known]
    fold = space.fold_of()[known]
    calibration, better = choose_calibration(
        space.dev.y[known], model.oof[known], fold, weight, mixing=model.is_ensemble
    )
    oof = np.full(model.oof.shape, np.nan)
    oof[known] = better
    return calibration, oof


def _calibrated_form(model: FittedModel, calibration: Calibration) -> Form:
    offset = np.asarray(calibration.offset, dtype=np.float64)
    if model.is_ensemble:
        assert isinstance(model.form, Blend)
        return replace(model.form, scale=calibration.served, offset=offset)
    return calibrated(model.form, calibration.scale, offset)


def _calibrated_gate(model: FittedModel, calibration: Calibration) -> np.ndarray:
    """Return the library's predictions, calibrated as the served form is."""
    link, raw = model.form.link, model.gate_raw
    offset = np.asarray(calibration.offset, dtype=np.float64)
    if raw is not None and link == "softmax":
        return apply_link(calibration.scale * raw + offset, "softmax")
    if raw is not None and link == "sigmoid":
        return apply_link(calibration.scale * raw + (offset[1:] - offset[:1]), "sigmoid")
    return calibration.apply(model.gate)


# ---------------------------------------------------------------- range, score, files


def _within_range(model: FittedModel, space: Workspace) -> FittedModel:
    """Raise predictions to the lowest sensible number, in the served form and all stored arrays.

    Out-of-fold predictions are rounded to float32 here: what is stored is exactly what is scored.
    """
    floor, form = space.problem.floor, model.form
    if floor is not None and not (model.is_ensemble and isinstance(form, Blend) and form.meta is None):
        form = replace(form, floor=floor)  # an average of predictions with the floor has it too
    oof = within(space.problem, model.oof).astype(np.float32).astype(np.float64)
    comparison = None if model.comparison is None else within(space.problem, model.comparison)
    gate = within(space.problem, model.gate)
    return replace(model, form=form, oof=oof, gate=gate, comparison=comparison)


def _score(model: FittedModel, decision: Decision, space: Workspace, data: str) -> tuple[Score, float]:
    """Return the score of the stored predictions, and the averaging gain."""
    dev, metric = space.dev, space.metric
    scored = model.oof
    if decision.decided is not None:
        scored = as_sure(decision.decided, model.oof.shape[1])
    try:
        score = metric.score(dev.y, scored, dev.weight, data, fold=space.compared, group=dev.group)
    except ValueError as error:
        raise FitError("the score cannot be computed", found=str(error)) from error
    if model.comparison is None:
        return score, 0.0
    rows = space.comparison_rows()
    weight, compared = (None if each is None else each[rows] for each in (dev.weight, space.compared))
    outputs = np.stack([at_half(metric, each, decision.output.threshold) for each in model.comparison])
    fold, seed = space.fold_of()[rows], space.setup.seed
    gain = bagging_gain(metric, dev.y[rows], outputs, fold, weight, seed, compared)
    return score, min(gain, _MOST_GAIN * (score.high - score.low))


def _save(
    folder: Path, model: FittedModel, form: Form, predictor: Predictor, decided: np.ndarray | None
) -> None:
    """Write the artifact, predictions, predicted classes, and the form for ensembles."""
    (folder / "predictor").mkdir(parents=True, exist_ok=True)
    predictor.save(folder / "predictor")
    np.save(folder / "oof.npy", model.oof.astype(np.float32))
    if decided is not None:
        np.save(folder / DECIDED, decided)
    np.save(folder / "gate.npy", model.gate)
    if model.comparison is not None:
        np.save(folder / "arena.npy", model.comparison.astype(np.float32))
    with (folder / "form.npz").open("wb") as file:
        np.savez(file, **to_arrays(form))  # type: ignore[arg-type]  # a name is not a keyword of savez
