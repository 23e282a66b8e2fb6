"""Cut folds that the time limit ended after different numbers of rounds to the same number.

The folds of a candidate are scored together, so their models must be on one scale. A booster is far
less confident after 40 rounds than after 150. If the time limit ends some fits early, pooled
out-of-fold predictions rank rows by how long their fold was trained, and the score says little
about new rows (observed: ROC AUC 0.800 out of fold, 0.857 on new rows).

So all folds are cut at the fewest rounds that a fold had reached when its time was up. Folds whose
early stopping ended them before that stay as they are. The models after the cut are served,
calibrated, scored and stored. The parity check compares them with the library. For trees, whose
scores add up, the reference is the library's prediction minus that of the trees that were cut off.
For networks and linear models, whose states after fewer rounds are stored during training, it is
that of the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from workbench.families.base import Encoding
from workbench.families.forms.additive_tables import collapse, is_additive
from workbench.families.forms.trees import Trees

from .fit import STAGE_SHARE, Part, serve_raw
from .workspace import Workspace


def same_rounds(space: Workspace, encoding: Encoding, parts: Sequence[Part]) -> tuple[list[Part], int]:
    """Return the folds' models after the same number of rounds, if the time limit ended one.

    Parameters
    ----------
    space : Workspace
    encoding : Encoding
        Of their config.
    parts : sequence of Part
        In the order of the folds.

    Returns
    -------
    (list of Part, int)
        The parts, and the rounds at which they were cut; 0 if the time limit ended none.
    """
    stopped = [part.trained for part in parts if part.stopped]
    if not stopped or len(parts) < 2:
        return list(parts), 0
    rounds = min(stopped)
    if any(part.earlier for part in parts):  # states are stored after some rounds only
        there = [set(part.earlier) for part in parts if part.trained > rounds]
        known = set.intersection(*there) if there else {rounds}
        rounds = max((each for each in known if each <= rounds), default=0)
    if not rounds:
        return list(parts), min(stopped)
    return [_cut(space, encoding, at, part, rounds) for at, part in enumerate(parts)], rounds


def _cut(space: Workspace, encoding: Encoding, split: int, part: Part, rounds: int) -> Part:
    """Return a fold's model after `rounds` rounds."""
    if part.trained <= rounds:
        return part
    if rounds in part.earlier:
        return _earlier(space, encoding, split, part, rounds)
    if isinstance(part.form, Trees) and part.rounds > rounds and part.form.rounds > rounds:
        return _fewer_trees(space, encoding, split, part, rounds)
    return replace(part, trained=rounds) if part.rounds <= rounds else part


def _earlier(space: Workspace, encoding: Encoding, split: int, part: Part, rounds: int) -> Part:
    """Return the state that was stored after `rounds` rounds."""
    state = part.earlier[rounds]
    form, gate = state.form, np.asarray(space.gate(encoding))
    comparison = part.comparison
    if len(comparison):
        rows = np.ascontiguousarray(space.matrix(encoding, split)[space.comparison_rows()])
        comparison = form.raw(rows).astype(np.float32)
    return replace(
        part,
        form=form,
        rounds=state.rounds,
        raw=state.raw,
        comparison=comparison,
        gate=form.raw(gate),
        trained=rounds,
        chosen_among=rounds if part.chosen_among else 0,
        stages={},
        earlier={},
    )


def _fewer_trees(space: Workspace, encoding: Encoding, split: int, part: Part, rounds: int) -> Part:
    """Cut off the trees after `rounds` rounds."""
    form = part.form
    assert isinstance(form, Trees)
    short = form.truncate(rounds)
    matrix, served = space.matrix(encoding, split), _quick(short)
    comparison = part.comparison
    if len(comparison):
        comparison = serve_raw(served, np.ascontiguousarray(matrix[space.comparison_rows()]))
    valid = np.ascontiguousarray(matrix[space.splits[split][1]])
    return replace(
        part,
        form=short,
        rounds=rounds,
        raw=serve_raw(served, valid),
        comparison=comparison,
        gate=_library_after(form, rounds, part.gate, np.asarray(space.gate(encoding))),
        stages={at: raw for at, raw in part.stages.items() if at <= STAGE_SHARE * rounds},
        trained=rounds,
    )


def _library_after(form: Trees, rounds: int, library: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return the library's raw scores after fewer rounds, without the trees cut off."""
    rest = serve_raw(_quick(form.between(rounds, form.rounds)), X).astype(np.float64)
    if not form.averaged:
        return np.asarray(library - rest)
    whole = (library - form.base) * form.rounds - rest * (form.rounds - rounds)
    return np.asarray(form.base + whole / rounds)


def _quick(trees: Trees) -> Trees:
    """Return the trees as additive tables, which open faster, if they are additive."""
    return collapse(trees) if trees.n_trees and is_additive(trees) else trees
