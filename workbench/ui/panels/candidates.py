"""Tables of all candidates: usable ones, and failed ones with their reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from workbench.display.numbers import count, plain
from workbench.display.tables import failure_table, leaderboard_table, score_column, score_format
from workbench.tradeoff import LeaderboardRow, PriceSheet
from workbench.ui.texts import choose as texts
from workbench.ui.texts.general import UNKNOWN

_FORMATS = {
    "latency_p50_us": "%.3g",
    "latency_p99_us": "%.3g",
    "rows_per_s": "localized",
    "artifact_mb": "%.3g",
    "train_cpu_s": "%.3g",
}


def show_leaderboard(
    rows: Sequence[LeaderboardRow], metric: str, sheet: PriceSheet, key: str, on_pick: Callable[[str], None]
) -> None:
    """Show every usable candidate, with a note on how figures were measured.

    Parameters
    ----------
    rows : sequence of leaderboard rows
    metric : str
    sheet : PriceSheet
    key : str
        Widget key: the name of the run.
    on_pick : callable
        Called with the id of the candidate in the selected row.
    """
    if st.toggle(texts.ONLY_FRONT, key=f"only_front:{key}"):
        rows = [row for row in rows if row.on_front]
    table = leaderboard_table(rows)
    if not table:
        return
    sign = sheet.currency.replace("%", "%%")
    formats = {**_FORMATS, "price_per_million_usd": f"{sign}%.3g"}
    formats |= dict.fromkeys(("expected_cost_per_1000", "total_cost_per_month_usd"), f"{sign}%.0f")
    columns: dict[str, Any] = {}
    for name in table[0]:
        label, explained = texts.COLUMNS[name]
        if name == "score":
            label = score_column(metric)
            formats[name] = score_format(metric)
        if name in formats:
            columns[name] = st.column_config.NumberColumn(label, help=explained, format=formats[name])
        else:
            columns[name] = st.column_config.TextColumn(label, help=explained)
    widget = f"leaderboard:{key}:{len(table)}"

    def take() -> None:
        chosen = st.session_state[widget]["selection"]["rows"]
        if chosen:
            on_pick(str(table[chosen[0]]["id"]))

    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config=columns,
        on_select=take,
        selection_mode="single-row",
        key=widget,
    )
    best = rows[0]
    st.caption(
        f"{texts.LEADERBOARD_PICK} "
        + texts.LEADERBOARD_NOTE.format(
            data=plain(best.score_data or UNKNOWN), machine=plain(best.machine or UNKNOWN)
        )
    )


def show_failures(rows: Sequence[LeaderboardRow]) -> None:
    """Show the failed and stopped candidates, with reason and hint."""
    table = failure_table(rows)
    if not table:
        return
    with st.expander(texts.FAILURES.format(count=count(len(table))), icon=":material/report:"):
        columns = {name: st.column_config.TextColumn(texts.COLUMNS[name][0]) for name in table[0]}
        st.dataframe(table, hide_index=True, width="stretch", column_config=columns)
