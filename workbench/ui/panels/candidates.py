"""All candidates of a run: the usable ones as a table, the failed ones with their reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from workbench.tradeoff import PriceSheet
from workbench.ui import texts
from workbench.ui.display import count, plain
from workbench.ui.tables import failure_table, leaderboard_table, score_column, score_format

Row = Mapping[str, Any]
_FORMATS = {
    "latency_p50_us": "%.3g",
    "latency_p99_us": "%.3g",
    "rows_per_s": "localized",
    "artifact_mb": "%.3g",
    "train_cpu_s": "%.3g",
}


def show_leaderboard(rows: Sequence[Row], metric: str, sheet: PriceSheet) -> None:
    """Show every usable candidate, and say what its figures were measured on."""
    table = leaderboard_table(rows)
    if not table:
        return
    st.subheader(texts.LEADERBOARD)
    formats = {**_FORMATS, "price_per_million_usd": f"{sheet.currency.replace('%', '%%')}%.3g"}
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
    st.dataframe(table, hide_index=True, width="stretch", column_config=columns)
    best = rows[0]
    st.caption(
        texts.LEADERBOARD_NOTE.format(
            data=plain(best["score_data"] or texts.UNKNOWN), machine=plain(best["machine"] or texts.UNKNOWN)
        )
    )


def show_failures(rows: Sequence[Row]) -> None:
    """Show the candidates that came to nothing, with the reason and what to do."""
    table = failure_table(rows)
    if not table:
        return
    with st.expander(texts.FAILURES.format(count=count(len(table))), icon=":material/report:"):
        columns = {name: st.column_config.TextColumn(texts.COLUMNS[name][0]) for name in table[0]}
        st.dataframe(table, hide_index=True, width="stretch", column_config=columns)
