"""Folds that the clock ended after different numbers of rounds are cut to the same one.

The folds of a candidate are scored together, so their models must be on one scale. A booster after 40 rounds is far
less sure of anything than after 150: where the time ends fits, and one fold got further than another, the pooled
out-of-fold predictions rank rows of different folds by how long their fold was given. Board and fresh rows then have
little to do with each other (0.800 against 0.857 of the area under the ROC curve were seen).

So all folds are cut at the round that the fold with the fewest had reached when its time was up. Folds that stopped by
themselves before that stay as they are: they have learned what there is. What is served, calibrated, scored and kept is
made of the models after the cut, and the parity gate holds them against the library: of trees, whose scores add up, the
library's own predictions less those of the trees that are left out; of networks and linear models, of which states
after fewer rounds are kept while they are trained, those of the state.
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
    """Return the folds' models after the same number of rounds, where the clock ended some of them.

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
        The parts, and the rounds at which they were cut; 0 where the clock ended none.
    """
    stopped = [part.trained for part in parts if part.stopped]
    if not stopped or len(parts) < 2:
        return list(parts), 0
    rounds = min(stopped)
    if any(part.earlier for part in parts):  # states are kept after some rounds only
        there = [set(part.earlier) for part in parts if part.trained > rounds]
        known = set.intersection(*there) if there else {rounds}
        rounds = max((each for each in known if each <= rounds), default=0)
    if not rounds:
        return list(parts), min(stopped)
    return [_cut(space, encoding, at, part, rounds) for at, part in enumerate(parts)], rounds


def _cut(space: Workspace, encoding: Encoding, split: int, part: Part, rounds: int) -> Part:
    """Return a fold's model after so many rounds."""
    if part.trained <= rounds:
        return part
    if rounds in part.earlier:
        return _earlier(space, encoding, split, part, rounds)
    if isinstance(part.form, Trees) and part.rounds > rounds and part.form.rounds > rounds:
        return _fewer_trees(space, encoding, split, part, rounds)
    return replace(part, trained=rounds) if part.rounds <= rounds else part


def _earlier(space: Workspace, encoding: Encoding, split: int, part: Part, rounds: int) -> Part:
    """Return the state that was kept after so many rounds."""
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
    """Leave out the trees after so many rounds."""
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
    """Return the library's raw scores after fewer rounds: its own, less what the trees that are left out add."""
    rest = serve_raw(_quick(form.between(rounds, form.rounds)), X).astype(np.float64)
    if not form.averaged:
        return np.asarray(library - rest)
    whole = (library - form.base) * form.rounds - rest * (form.rounds - rounds)
    return np.asarray(form.base + whole / rounds)


def _quick(trees: Trees) -> Trees:
    """Return the same trees in the form that is quick to open, where they have one."""
    return collapse(trees) if trees.n_trees and is_additive(trees) else trees
