"""Runs as pages read them, kept in memory for as long as their folders stay the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from workbench.api import open_run
from workbench.tradeoff import Limits, PriceSheet

from .workspace import stamp


@dataclass(frozen=True, slots=True)
class RunView:
    """All that the pages show of a run.

    Attributes
    ----------
    folder : pathlib.Path
    info : dict
        The content of ``run.json``.
    rows : list of dict
        The leaderboard.
    limits : Limits
        Those that the search was given.
    sheet : PriceSheet
        The prices that the rows were computed with.
    """

    folder: Path
    info: dict[str, Any]
    rows: list[dict[str, Any]]
    sheet: PriceSheet
    limits: Limits = field(default_factory=Limits)

    @property
    def metric(self) -> str:
        """The scorer's name, as far as there is a score."""
        return next((str(row["metric"]) for row in self.rows if row["metric"]), "")


def read_run(folder: Path) -> RunView:
    """Read a run; the same content is read once.

    Raises
    ------
    WorkbenchError
        Where the run or its price sheet cannot be read.
    """
    return _read(str(folder), stamp(folder))


@st.cache_data(max_entries=64, show_spinner=False)
def _read(folder: str, version: tuple[int, ...]) -> RunView:
    del version  # part of the cache's key
    run = open_run(folder)
    sheet = run.prices()
    return RunView(Path(folder), run.info, run.rows(sheet), sheet, run.limits())
