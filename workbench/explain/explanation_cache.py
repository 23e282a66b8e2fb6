"""Importance and dependence of a candidate, computed once and stored in its folder."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

from workbench.automl.records.run_folder import RunFolder
from workbench.runtime.files.atomic_write import write_atomically
from workbench.runtime.model.predictor import Predictor

from .dependence import background, dependence
from .importance import FEWEST_ROWS, Importance, importance, rows_within

EXPLAIN_FILE = "explain.json"
_FORMAT = 1
_CURVES = 5  # columns whose dependence is stored
# A curve averages a fifth of the rows that were shuffled, so that a slow model computes fewer here
# too.
_ROWS_A_CURVE, _FEWEST_CURVES, _MOST_CURVES = 5, 60, 300


@dataclass(frozen=True, slots=True)
class Explanation:
    """Importance and dependence of a candidate.

    Attributes
    ----------
    importance : tuple of Importance
        Importance of every input column, strongest first.
    curves : tuple of dict
        Partial dependence on each of the strongest columns, as from `dependence`; for several
        classes, of the probability of the last one.
    """

    importance: tuple[Importance, ...]
    curves: tuple[dict[str, Any], ...]

    def curve(self, column: str) -> dict[str, Any] | None:
        """Return the dependence curve of a column, if it is stored."""
        return next((each for each in self.curves if each["column"] == column), None)


def explanation(run: RunFolder, candidate: str, *, within_s: float = 10.0) -> Explanation:
    """Return the explanation of a candidate: stored in its folder, or computed and stored there.

    Parameters
    ----------
    run : RunFolder
    candidate : str
    within_s : float
        Approximate seconds of the computation; a slow model uses fewer rows, at least 100.

    Raises
    ------
    RunError
        If the rows have only one class.
    """
    return explanation_within(run, candidate, within_s, within_s) or _computed(run, candidate, FEWEST_ROWS)


def explanation_within(
    run: RunFolder, candidate: str, seconds: float, most_s: float, predictor: Predictor | None = None
) -> Explanation | None:
    """Return the explanation over as many rows as fit into about `seconds`.

    Parameters
    ----------
    run : RunFolder
    candidate : str
    seconds, most_s : float
        Approximate seconds of the computation, and the maximum for the smallest number of rows,
        100.
    predictor : Predictor, optional
        The candidate's predictor, if it is loaded already.

    Returns
    -------
    Explanation or None
        None if 100 rows would take longer than `most_s`.

    Raises
    ------
    RunError
        If the rows have only one class.
    """
    known = stored_explanation(run, candidate)
    if known is not None:
        return known
    columns = len(run.dataset().schema.columns)
    asked = run.candidate(candidate)
    rows = rows_within(asked, columns, seconds)
    if rows < FEWEST_ROWS <= rows_within(asked, columns, most_s):
        rows = FEWEST_ROWS
    return _computed(run, candidate, rows, predictor) if rows >= FEWEST_ROWS else None


def _computed(run: RunFolder, candidate: str, rows: int, predictor: Predictor | None = None) -> Explanation:
    """Compute the explanation of a candidate over up to `rows` rows, and store it."""
    predictor = predictor or run.predictor(candidate)
    found = importance(run, candidate, most_rows=rows, predictor=predictor)
    columns, few = background(run), min(max(rows // _ROWS_A_CURVE, _FEWEST_CURVES), _MOST_CURVES)
    curves = tuple(
        Parallel()(
            delayed(dependence)(predictor, columns, each.column, most_rows=few)
            for each in found[:_CURVES]
            if each.low > 0
        )
    )
    document = {"format": _FORMAT, "importance": [asdict(each) for each in found], "curves": list(curves)}
    with suppress(OSError):  # a read-only folder is still explained
        write_atomically(_path(run, candidate), json.dumps(document, indent=1))
    return Explanation(tuple(found), curves)


def _path(run: RunFolder, candidate: str) -> Path:
    return run.path / "candidates" / run.candidate(candidate).id / EXPLAIN_FILE


def stored_explanation(run: RunFolder, candidate: str) -> Explanation | None:
    """Return the stored explanation if it can be read and has this format."""
    try:
        document = json.loads(_path(run, candidate).read_text(encoding="utf-8"))
        if document["format"] != _FORMAT:
            return None
        return Explanation(
            tuple(Importance(**each) for each in document["importance"]), tuple(document["curves"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
