"""Fit a fold of a config, or a config on all rows."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from workbench.errors import FitError
from workbench.families import family_named
from workbench.families.base import Encoding, Fitted, Sample, unseen_raw
from workbench.families.forms.averaging import from_arrays, to_arrays
from workbench.families.forms.forms import Blend, Form, Linear, Network, OnnxGraph
from workbench.families.forms.links import apply_link
from workbench.families.forms.trees import Trees
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.files.atomic_write import atomic_path
from workbench.runtime.model.onnx_model import OnnxModel

from ..calibration.target_range import within
from ..records.candidate import Candidate
from ..records.messages import Config, FoldDone, FoldTask
from .attempt import Stage, failure, keep_traceback
from .racing import race
from .workspace import Workspace

STAGES = (10, 30, 100, 300)
"""Rounds after which a booster is also scored: one fit gives several points of the front."""
STAGE_SHARE = 0.75  # of its rounds: the model after a later stage hardly differs from the whole
_BATCH_ROWS = 16_384
_FEW_ROWS = 3_000
_MOST_LEAVES = 800_000  # of the forests of all folds together: about 40 MB of model
_AFTER_FIT_SHARE = 0.1  # of the time of a fit on all rows: prediction and writing


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A model after fewer rounds: its form, the best of these rounds, and raw scores."""

    form: Linear | Network | OnnxGraph
    rounds: int
    raw: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The stored result of a fold, a part of its candidate.

    Attributes
    ----------
    form : Form
    rounds : int
    stopped : bool
    cpu_s : float
    raw : numpy.ndarray of float32, shape (v, k)
        Raw scores of the rows that the fold validates.
    stages : dict of int to the same
        Raw scores after that number of rounds.
    comparison : numpy.ndarray of float32, shape (a, k)
        Raw scores of `Workspace.comparison_rows`.
    gate : numpy.ndarray of float64, shape (g, k)
        The library's own raw scores of the rows of the parity check.
    chosen_among : int
        Rounds that early stopping chose among; 0 without early stopping.
    trained : int
        Rounds that were trained; early stopping chose the first `rounds` of them.
    earlier : dict of int to State
        The model after fewer rounds, if the time limit may end a fit and rounds cannot be cut off
        later.
    """

    form: Form
    rounds: int
    stopped: bool
    cpu_s: float
    raw: np.ndarray
    stages: dict[int, np.ndarray]
    comparison: np.ndarray
    gate: np.ndarray
    chosen_among: int = 0
    trained: int = 0
    earlier: Mapping[int, State] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the part atomically."""
        arrays = {f"form/{name}": array for name, array in to_arrays(self.form).items()}
        arrays |= {f"stage/{rounds}": array for rounds, array in self.stages.items()}
        for at, state in self.earlier.items():
            own = {**to_arrays(state.form), "raw": state.raw, "rounds": np.asarray(state.rounds)}
            arrays |= {f"earlier/{at}/{name}": array for name, array in own.items()}
        facts = np.asarray(
            [self.rounds, self.stopped, self.cpu_s, self.chosen_among, self.trained], dtype=np.float64
        )
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            arrays |= {"facts": facts, "raw": self.raw, "arena": self.comparison, "gate": self.gate}
            np.savez(file, **arrays)  # type: ignore[arg-type]  # a name is not a keyword of savez

    @classmethod
    def load(cls, path: Path) -> Part:
        """Read what `save` wrote."""
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
        rounds, stopped, cpu_s, chosen_among, trained = arrays["facts"].tolist()
        form = _below(arrays, "form/")
        earlier = {name.split("/")[1] for name in arrays if name.startswith("earlier/")}
        stages = {
            int(name.removeprefix("stage/")): each
            for name, each in arrays.items()
            if name.startswith("stage/")
        }
        return cls(
            from_arrays(form),
            int(rounds),
            bool(stopped),
            cpu_s,
            arrays["raw"],
            stages,
            arrays["arena"],
            arrays["gate"],
            int(chosen_among),
            int(trained),
            {int(at): _state(_below(arrays, f"earlier/{at}/")) for at in sorted(earlier, key=int)},
        )


def _below(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): each for name, each in arrays.items() if name.startswith(prefix)}


def _state(arrays: dict[str, np.ndarray]) -> State:
    raw, rounds = arrays.pop("raw"), int(arrays.pop("rounds"))
    form = from_arrays(arrays)
    assert isinstance(form, Linear | Network | OnnxGraph)
    return State(form, rounds, raw)


def part_path(candidates: Path, name: str, split: int) -> Path:
    """Return the file of a fold's part, which exists until its candidate is assembled."""
    return candidates / name / "parts" / f"{split}.npz"


def encoding_of(config: Config, space: Workspace) -> Encoding:
    """Return the encoding of the columns that a config's family asks for."""
    return family_named(config.family).encoding(config.params, space.problem)


def run_fold(task: FoldTask, space: Workspace) -> FoldDone | Candidate:
    """Fit one fold and store its part; a failure is returned as a failed candidate."""
    started, cpu = time.monotonic(), time.process_time()
    stage = Stage()
    try:
        part, sample = _fit_fold(task, space, stage)
        with stage("predict"):
            path = part_path(space.candidates, task.config.id, task.split)
            path.parent.mkdir(parents=True, exist_ok=True)
            raced = (
                race(task, space, within(space.problem, apply_link(part.raw, part.form.link)), sample.y)
                if task.incumbents
                else None
            )
            part = replace(part, cpu_s=time.process_time() - cpu)
            part.save(path)
    except Exception as error:  # as in `attempt`: the search continues without this candidate
        keep_traceback(space.candidates / task.config.id, error)
        return failure(task.config, error, stage, started, cpu)
    return FoldDone(
        task.config,
        task.split,
        part.rounds,
        part.stopped,
        part.form.node_visits(),
        time.monotonic() - started,
        time.process_time() - cpu,
        0.0,
        raced,
        stage.spent,
    )


def _fit_fold(task: FoldTask, space: Workspace, stage: Stage) -> tuple[Part, Sample]:
    config = task.config
    encoding = encoding_of(config, space)
    with stage("encode"):
        train, valid = space.samples(encoding, task.split)
        if config.more_rows:
            train = space.grown(encoding, config.more_rows)
        gate = space.gate(encoding)
    with stage("fit"):
        fitted = family_named(config.family).fit(
            config.params,
            train,
            space.problem,
            valid=valid if task.early_stopping else None,
            rounds=task.rounds,
            seed=config.seed + task.split,
            deadline=before(task.deadline, task.after_fit_share),
        )
    with stage("convert"):
        form = fitted.form()
    with stage("predict"):
        raw, stages = _raw_scores(fitted, form, valid.X)
        kept = _trees_to_serve(form, len(space.splits))
        library = fitted.raw(np.asarray(gate), kept)
        comparison = np.zeros((0, form.n_raw), dtype=np.float32)
        if kept is None:
            matrix = space.matrix(encoding, task.split)
            comparison = fitted.raw(np.ascontiguousarray(matrix[space.comparison_rows()])).astype(np.float32)
        elif isinstance(form, Trees):
            form = form.truncate(kept)
    among = fitted.unseen.trained if fitted.unseen else 0
    part = Part(form, fitted.rounds, fitted.stopped, 0.0, raw, stages, comparison, library, among)
    part = replace(part, trained=max(getattr(fitted, "trained", 0), fitted.rounds))
    # The time limit may end another fold sooner.
    if math.isfinite(task.deadline) and len(space.splits) > 1:
        with stage("predict"):
            part = _with_states(part, fitted, valid)
    return part, valid


def _with_states(part: Part, fitted: Fitted, valid: Sample) -> Part:
    """Store what cutting the fold's model to fewer rounds needs; see `same_rounds`."""
    uncut = getattr(fitted, "uncut", None)  # for trees that are served as one table per feature
    if uncut is not None:
        return replace(part, form=uncut())
    states = {}
    for rounds, early in getattr(fitted, "earlier", {}).items():
        raw = unseen_raw(early, valid.X).astype(np.float32)
        states[int(rounds)] = State(early.form(), early.rounds, raw)
    return replace(part, earlier=states)


def _trees_to_serve(form: Form, models: int) -> int | None:
    """Return the number of trees of each large forest in the served average of several.

    None is all.

    The average of the folds' forests needs no more trees than one of them: the score is that of one
    fold's whole forest, and the served forest, of the same size but from all rows, is not worse.
    """
    if not isinstance(form, Trees) or not form.averaged or models < 2:
        return None
    leaves = len(form.entry_offsets) - 1
    if leaves * models <= _MOST_LEAVES:
        return None
    share = max(1.0 / models, _MOST_LEAVES / (leaves * models))
    return max(math.ceil(form.n_trees * share), 1)


def before(deadline: float, after_fit_share: float = _AFTER_FIT_SHARE) -> float:
    """Return the time at which a fit must stop so that the steps after it end by the deadline."""
    if math.isinf(deadline):
        return deadline
    now = time.monotonic()
    return now + max(deadline - now, 0.0) * (1.0 - after_fit_share)


def _raw_scores(fitted: Fitted, form: Form, X: np.ndarray) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Return raw scores, and those after each stage.

    With early stopping on few rows the scores are cross-fitted: a row never influences the
    checkpoint that scores it. Else the served form predicts them, and its stages cost nothing
    extra, since trees' scores add up. For few rows the library predicts them, which takes less time
    than loading the served form. The parity check verifies that the two are equal.
    """
    staged = isinstance(form, Trees) and not form.averaged and form.rounds > 1
    cuts = [rounds for rounds in STAGES if staged and rounds <= STAGE_SHARE * fitted.rounds]
    if fitted.unseen is not None or len(X) < _FEW_ROWS:
        stages = {rounds: fitted.raw(X, rounds).astype(np.float32) for rounds in cuts}
        return unseen_raw(fitted, X).astype(np.float32), stages
    if not isinstance(form, Trees) or not staged:
        return serve_raw(form, X), {}
    total = np.zeros((len(X), form.n_raw))
    stages = {}
    for start, stop in zip([0, *cuts], [*cuts, form.rounds], strict=True):
        total += serve_raw(form.between(start, stop), X)
        if stop in cuts:
            stages[stop] = total.astype(np.float32)
    return total.astype(np.float32), stages


def serve_raw(form: Form, X: np.ndarray) -> np.ndarray:
    """Return the raw scores of an encoded matrix by the served form, float32 (n, k)."""
    assert not isinstance(form, Blend)
    model = OnnxModel(to_onnx(replace(form, link="identity"), X.shape[1]), own=True)
    parts = [model.run(X[at : at + _BATCH_ROWS]) for at in range(0, len(X), _BATCH_ROWS)]
    return np.concatenate(parts) if parts else np.zeros((0, form.n_raw), dtype=np.float32)


def fit_on(config: Config, space: Workspace, sample: Sample, rounds: int | None, deadline: float) -> Fitted:
    """Fit a config on a sample, for a number of rounds if the family has rounds."""
    fitted = family_named(config.family).fit(
        config.params, sample, space.problem, rounds=rounds, seed=config.seed, deadline=before(deadline)
    )
    if fitted.stopped and rounds and fitted.rounds < 0.5 * rounds:
        raise FitError(
            "the time limit ended the fit on all rows",
            found=f"{fitted.rounds} of {rounds} rounds",
            hint="Give more `time`.",
        )
    return fitted
