"""Cached reads and computations, valid as long as their files do not change.

Cached objects are shared between sessions and must not be modified.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from workbench import explain
from workbench.api import Run, load, open_run
from workbench.display.front import hover_texts
from workbench.explain import Evidence, Explanation, Importance, Segment
from workbench.explain.evidence import Part, output_of
from workbench.explain.whatif import example_row
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.core.schema import Column1d, Output
from workbench.runtime.model.predictor import Predictor
from workbench.tradeoff import LeaderboardRow, Limits, PriceSheet
from workbench.tradeoff.run_decision import RunDecision
from workbench.tradeoff.terms import Terms

from ..files.folders import manifest_file, stamp
from .selection import Selection
from .table_preview import Look, distribution, look


@dataclass(frozen=True, slots=True)
class RunView:
    """The content of a run, as the pages show it.

    Attributes
    ----------
    folder : pathlib.Path
    info : dict
        The content of ``run.json``.
    rows : list of LeaderboardRow
        The leaderboard.
    terms : Terms
        The terms of the rows: as decided in the run, otherwise the settings of the search.
    decision : RunDecision or None
        The decision stored in the run.
    hovers : dict of str to str
        Hover text of each candidate in the chart.
    can_refit : bool
        Whether a refit could also train on held-out rows (`RunFolder.can_refit`).
    """

    folder: Path
    info: dict[str, Any]
    rows: list[LeaderboardRow]
    terms: Terms = field(default_factory=Terms)
    decision: RunDecision | None = None
    hovers: dict[str, str] = field(default_factory=dict)
    can_refit: bool = False

    @property
    def sheet(self) -> PriceSheet:
        """The price sheet, with the traffic."""
        return self.terms.sheet

    @property
    def limits(self) -> Limits:
        """The limits, unless the selection has others."""
        return self.terms.limits

    @property
    def metric(self) -> str:
        """The scorer's name; empty without a score."""
        return next((row.metric for row in self.rows if row.metric), "")

    @property
    def task(self) -> str:
        """The task; empty if it is not known."""
        return str(self.info.get("task") or "")

    @property
    def classes(self) -> list[Any]:
        """The labels; empty for regression."""
        return list(self.info.get("classes") or [])

    @property
    def target(self) -> str:
        """The target column."""
        return str(self.info.get("settings", {}).get("target", ""))


def read_run(folder: Path) -> RunView:
    """Read a run; unchanged content is cached.

    Raises
    ------
    WorkbenchError
        If the run or its price sheet cannot be read.
    """
    return _read(str(folder), stamp(folder))


@st.cache_resource(max_entries=64, show_spinner=False)
def _read(folder: str, version: tuple[int, ...]) -> RunView:
    del version  # part of the cache's key
    return _view(open_run(folder), {})


def under(view: RunView, selection: Selection) -> RunView:
    """Return a run with the payoff, threshold and traffic of the selection.

    Raises
    ------
    SettingsError
        If a setting does not fit the task of the run.
    """
    return _under(str(view.folder), stamp(view.folder), selection) if selection.terms_now() else view


@st.cache_resource(
    max_entries=64, show_spinner=False, hash_funcs={Selection: lambda each: repr(each.terms_now())}
)
def _under(folder: str, version: tuple[int, ...], selection: Selection) -> RunView:
    del version
    return _view(open_run(folder), selection.terms_now())


def _view(run: Run, now: dict[str, Any]) -> RunView:
    terms = run.terms(**now)
    rows = run.rows(terms=terms)
    hovers = hover_texts(rows, terms.sheet.currency)
    # A search that is still reading its table has no held-out set yet.
    begun = (run.path / "data" / "split.npz").exists()
    can_refit = begun and run.folder.can_refit
    return RunView(Path(run.path), run.info, rows, terms, run.decision, hovers, can_refit)


# ---------------------------------------------------------------- one candidate


def evidence(folder: Path, candidate: str, part: Part = "dev") -> Evidence:
    """Return the predictions of a candidate (`explain.evidence_of`)."""
    return _evidence(str(folder), candidate, part, _version(folder, candidate))


@st.cache_resource(max_entries=64, show_spinner=False)
def _evidence(folder: str, candidate: str, part: Part, version: tuple[int, ...]) -> Evidence:
    del version
    return explain.evidence_of(open_run(folder).folder, candidate, part)


def output(folder: Path, candidate: str) -> Output:
    """Return the output description of a candidate's served model (`explain.output_of`)."""
    return _output(str(folder), candidate, _version(folder, candidate))


@st.cache_resource(max_entries=128, show_spinner=False)
def _output(folder: str, candidate: str, version: tuple[int, ...]) -> Output:
    del version
    return output_of(open_run(folder).folder, candidate)


def importance(folder: Path, candidate: str) -> list[Importance]:
    """Return the column importance, strongest first (`explain.explanation`)."""
    return list(_explanation(str(folder), candidate, _version(folder, candidate)).importance)


@st.cache_resource(max_entries=128, show_spinner=False)
def _explanation(folder: str, candidate: str, version: tuple[int, ...]) -> Explanation:
    del version
    return explain.explanation(open_run(folder).folder, candidate)


def segments(folder: Path, candidate: str) -> list[Segment]:
    """Return the weak segments of a candidate (`explain.worst_segments`)."""
    return _segments(str(folder), candidate, _version(folder, candidate))


@st.cache_resource(max_entries=128, show_spinner=False)
def _segments(folder: str, candidate: str, version: tuple[int, ...]) -> list[Segment]:
    del version
    return explain.worst_segments(evidence(Path(folder), candidate), open_run(folder).folder.dataset())


def dependence(folder: Path, candidate: str, column: str, output: int | None) -> dict[str, Any]:
    """Return the partial dependence on one column (`explain.dependence`)."""
    version = _version(folder, candidate)
    kept = _explanation(str(folder), candidate, version).curve(column) if output is None else None
    return kept or _dependence(str(folder), candidate, column, output, version)


@st.cache_resource(max_entries=512, show_spinner=False)
def _dependence(
    folder: str, candidate: str, column: str, output: int | None, version: tuple[int, ...]
) -> dict[str, Any]:
    del version
    model = predictor(Path(folder), candidate)
    return explain.dependence(model, background(Path(folder)), column, output=output)


def predictor(folder: Path, candidate: str, threshold: float | None = None) -> Predictor:
    """Return the served model of a candidate, with the threshold of a bundle.

    Parameters
    ----------
    folder : pathlib.Path
    candidate : str
    threshold : float, optional
        Probability from which a binary model predicts yes; the candidate's own by default.
    """
    return _predictor(str(folder), candidate, threshold, _version(folder, candidate))


@st.cache_resource(max_entries=16, show_spinner=False)
def _predictor(folder: str, candidate: str, threshold: float | None, version: tuple[int, ...]) -> Predictor:
    del version
    own = open_run(folder).folder.predictor(candidate)
    output = own.schema.output
    if threshold is None or output.task != "binary":
        return own
    schema = replace(own.schema, output=replace(output, threshold=threshold))
    return Predictor(schema, own.encoder, own.content)


def bundle(folder: Path) -> Bundle:
    """Return an exported bundle, loaded."""
    return _bundle(str(folder), manifest_file(folder).stat().st_mtime_ns)


@st.cache_resource(max_entries=8, show_spinner=False)
def _bundle(folder: str, version: int) -> Bundle:
    del version
    return load(folder)


def column_names(folder: Path) -> list[str]:
    """Return the names of the input columns of a run's models."""
    return _column_names(str(folder), (folder / "data" / "dataset.json").stat().st_mtime_ns)


@st.cache_resource(max_entries=16, show_spinner=False)
def _column_names(folder: str, version: int) -> list[str]:
    del version
    return list(open_run(folder).folder.dataset().schema.names)


def background(folder: Path) -> dict[str, Column1d]:
    """Return a sample of the training rows, as canonical columns."""
    return _background(str(folder), (folder / "data" / "dataset.json").stat().st_mtime_ns)


@st.cache_resource(max_entries=16, show_spinner=False)
def _background(folder: str, version: int) -> dict[str, Column1d]:
    del version
    return explain.background(open_run(folder).folder)


def real_rows(folder: Path, first: int, count: int = 1) -> list[tuple[dict[str, Any], Any]]:
    """Return held-out rows (or training rows if there are none) with their actual targets.

    Parameters
    ----------
    folder : Path
    first : int
        Index from 0; wraps around after the last row.
    count : int
    """
    return _real_rows(str(folder), first, count, (folder / "data" / "dataset.json").stat().st_mtime_ns)


@st.cache_resource(max_entries=64, show_spinner=False)
def _real_rows(folder: str, first: int, count: int, version: int) -> list[tuple[dict[str, Any], Any]]:
    del version
    run = open_run(folder).folder
    rows = np.asarray(run.holdout_rows if len(run.holdout_rows) else run.dev_rows)
    data = run.dataset()
    classes = data.schema.output.classes
    positions = [int(rows[at % len(rows)]) for at in range(first, first + count)]
    return [
        (example_row(data, at), classes[int(data.y[at])] if classes else float(data.y[at]))
        for at in positions
    ]


# ---------------------------------------------------------------- tables before a search


@st.cache_resource(max_entries=16, show_spinner=False)
def table_look(
    path: str,
    digest: str,
    target: str | None,
    drop: tuple[str, ...],
    kinds: tuple[tuple[str, str], ...] = (),
    encoding: str = "",
) -> Look:
    """Return the preview of a table (`table_preview.look`); unchanged content is cached."""
    del digest
    return look(Path(path), target, drop, dict(kinds), encoding)


@st.cache_resource(max_entries=64, show_spinner=False)
def table_distribution(
    path: str, digest: str, column: str, kind: str | None = None, encoding: str = ""
) -> dict[str, Any]:
    """Return the distribution of a column (`table_preview.distribution`)."""
    del digest
    return distribution(Path(path), column, kind, encoding)


@st.cache_resource(max_entries=8, show_spinner=False)
def report_page(folder: str, candidate: str, version: str, _make: Callable[[], str]) -> str:
    """Return the report of a run, cached by candidate and state of the folder."""
    del folder, candidate, version
    return _make()


def _version(folder: Path, candidate: str) -> tuple[int, ...]:
    """Return a cache key that changes with the files of a candidate."""
    place = folder / "candidates" / candidate
    parts = (place / "candidate.json", place / "oof.npy", place / "predictor" / "model.onnx")
    return tuple(part.stat().st_mtime_ns if part.exists() else 0 for part in parts)
