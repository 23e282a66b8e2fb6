"""The monthly cost of the choice for the expected traffic."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.display.numbers import amount, count, plain, significant
from workbench.display.tables import month_table, score_column, score_format
from workbench.tradeoff import LeaderboardRow, PriceSheet, ServableRow, Traffic, monthly
from workbench.ui.state.session_state import say
from workbench.ui.texts import choose as texts


def show_cost(row: ServableRow, rows: Sequence[LeaderboardRow], sheet: PriceSheet, run: str) -> None:
    """Ask for the traffic; show the cost of a month with the choice and with the front."""
    st.subheader(texts.COST_TITLE)
    _ask_traffic(sheet.traffic, run)
    traffic = sheet.traffic
    text = texts.COST_TRAFFIC.format(
        calls=count(traffic.calls_per_month), peak=count(traffic.peak_calls_per_s)
    )
    st.caption(f"{text} {texts.COST_EXAMPLE}" if traffic.example else text)
    month = monthly(row.cpu_us_per_row, sheet)
    busy_only = row.price_per_million_usd * traffic.calls_per_month / 1e6
    with st.container(horizontal=True, key="cost"):
        st.metric(
            texts.COST_MONTH,
            plain(amount(month.usd, sheet.currency)),
            help=texts.COST_MONTH_HELP.format(
                replicas=count(month.replicas),
                instance=plain(sheet.instance),
                hourly=plain(amount(sheet.usd_per_hour, sheet.currency)),
                used=plain(f"{significant(100 * month.utilisation)} %"),
            ),
        )
        st.metric(
            texts.COST_REPLICAS,
            plain(count(month.replicas)),
            help=texts.COST_REPLICAS_HELP.format(
                utilisation=plain(f"{sheet.utilisation:.0%}"), least=count(sheet.min_replicas)
            ),
        )
        st.metric(texts.COST_CALL, plain(amount(busy_only, sheet.currency)), help=texts.COST_CALL_HELP)
    st.markdown(f"**{texts.COST_OTHERS}**")
    _show_front(rows, sheet)


def _ask_traffic(now: Traffic, run: str) -> None:
    """Ask for the traffic; it applies to the whole page, so it is stored before a rerun."""
    calls, peak = f"calls:{run}", f"peak:{run}"

    def keep() -> None:
        say(traffic=Traffic(float(st.session_state[calls] or 0), float(st.session_state[peak] or 0)))

    left, right = st.columns(2)
    left.number_input(
        texts.COST_CALLS,
        min_value=0,
        value=round(now.calls_per_month),
        step=100_000,
        key=calls,
        help=texts.COST_CALLS_HELP,
        on_change=keep,
    )
    right.number_input(
        texts.COST_PEAK,
        min_value=0.0,
        value=float(now.peak_calls_per_s),
        step=10.0,
        format="%.1f",
        key=peak,
        help=texts.COST_PEAK_HELP,
        on_change=keep,
    )


def _show_front(rows: Sequence[LeaderboardRow], sheet: PriceSheet) -> None:
    sign = sheet.currency.replace("%", "%%")
    metric = next((row.metric for row in rows if row.metric), "")
    columns = {
        "id": st.column_config.TextColumn(texts.COLUMNS["id"][0]),
        "family": st.column_config.TextColumn(texts.COLUMNS["family"][0]),
        "score": st.column_config.NumberColumn(score_column(metric), format=score_format(metric)),
        "price_per_month_usd": st.column_config.NumberColumn(texts.COST_MONTH, format=f"{sign}%.2f"),
        "replicas": st.column_config.NumberColumn(texts.COST_REPLICAS),
        "price_per_million_usd": st.column_config.NumberColumn(texts.COST_PER_MILLION, format=f"{sign}%.3g"),
    }
    for name in ("expected_cost_per_1000", "total_cost_per_month_usd"):
        columns[name] = st.column_config.NumberColumn(texts.COLUMNS[name][0], format=f"{sign}%.0f")
    st.dataframe(month_table(rows, sheet), hide_index=True, width="stretch", column_config=columns)
