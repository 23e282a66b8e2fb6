"""What drives a candidate, computed once and kept with it: the app, the report and the model card read the same."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.search.run import RunFolder, write_whole

from .dependence import dependence
from .importance import FEWEST_ROWS, Importance, importance, rows_within

EXPLAIN_FILE = "explain.json"
_FORMAT = 1
_CURVES = 5  # columns whose dependence is kept


@dataclass(frozen=True, slots=True)
class Explanation:
    """What drives a candidate.

    Attributes
    ----------
    importance : tuple of Importance
        Of every input column, the strongest first.
    curves : tuple of dict
        How the answer moves with each of the strongest columns, as `dependence` returns it; for several classes, the
        probability of the last one.
    """

    importance: tuple[Importance, ...]
    curves: tuple[dict[str, Any], ...]


def explanation(
    run: RunFolder, candidate: str, *, within_s: float = 10.0, always: bool = True
) -> Explanation | None:
    """Return what drives a candidate: from its folder, or else computed, and kept there.

    Parameters
    ----------
    run : RunFolder
    candidate : str
    within_s : float
        About the seconds that computing may take: of a slow model fewer rows are shuffled, a hundred at least.
    always : bool
        Whether it is computed where a hundred rows take longer.

    Returns
    -------
    Explanation, or None
        None where it would take longer, and was to be computed in time only.

    Raises
    ------
    RunError
        Where the rows have one class only.
    """
    path = run.path / "candidates" / candidate / EXPLAIN_FILE
    kept = _read(path)
    if kept is not None:
        return kept
    predictor = run.predictor(candidate)
    rows = rows_within(run.candidate(candidate), len(predictor.names), within_s)
    if rows < FEWEST_ROWS and not always:
        return None
    found = importance(run, candidate, most_rows=max(rows, FEWEST_ROWS))
    columns = dict(run.dataset().take(np.asarray(run.dev_rows)).columns)
    curves = tuple(dependence(predictor, columns, each.column) for each in found[:_CURVES] if each.low > 0)
    made = Explanation(tuple(found), curves)
    document = {"format": _FORMAT, "importance": [asdict(each) for each in found], "curves": list(curves)}
    with suppress(OSError):  # a folder that cannot be written is still explained
        write_whole(path, json.dumps(document, indent=1))
    return made


def _read(path: Path) -> Explanation | None:
    """Return what is kept; what cannot be read, or is of another version, is computed again."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != _FORMAT:
            return None
        return Explanation(
            tuple(Importance(**each) for each in document["importance"]), tuple(document["curves"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
