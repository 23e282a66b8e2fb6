"""The figures of a candidate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench.display.numbers import amount, count, interval, latency, metric_words, plain, score, size
from workbench.display.tables import final_of
from workbench.tradeoff import PriceSheet, monthly
from workbench.ui.texts import general as texts

Row = Mapping[str, Any]


def show_facts(row: Row, sheet: PriceSheet) -> None:
    """Show the figures of a candidate, each with its explanation behind the question mark."""
    metric = str(row["metric"])
    words = metric_words(metric)
    month = monthly(row["cpu_us_per_row"], sheet)
    with st.container(horizontal=True, key="facts"):
        st.metric(
            plain(words.label),
            plain(score(row["score"], metric)),
            help=texts.FACT_SCORE_HELP.format(
                explained=plain(words.explained),
                interval=plain(interval(row["score_low"], row["score_high"], metric)),
                data=plain(row["score_data"]),
            ),
        )
        final = final_of(row)
        if final is not None:
            value, low, high, data = final
            help_text = texts.FACT_FINAL_HELP.format(
                data=plain(data), interval=plain(interval(low, high, metric))
            )
            st.metric(texts.FACT_FINAL, plain(score(value, metric)), help=help_text)
        st.metric(
            texts.FACT_LATENCY,
            plain(latency(row["latency_p50_us"])),
            help=texts.FACT_LATENCY_HELP.format(
                machine=plain(row["machine"] or texts.UNKNOWN), p99=plain(latency(row["latency_p99_us"]))
            ),
        )
        st.metric(
            texts.FACT_MONTH,
            plain(amount(month.usd, sheet.currency)),
            help=texts.FACT_MONTH_HELP.format(
                replicas=count(month.replicas),
                instance=plain(sheet.instance),
                hourly=plain(amount(sheet.usd_per_hour, sheet.currency)),
                calls=count(sheet.traffic.calls_per_month),
            ),
        )
        st.metric(
            texts.FACT_PRICE,
            plain(amount(row["price_per_million_usd"], sheet.currency)),
            help=texts.FACT_PRICE_HELP.format(
                instance=plain(sheet.instance), utilisation=plain(f"{sheet.utilisation:.0%}")
            ),
        )
        st.metric(texts.FACT_SIZE, plain(size(row["artifact_mb"])), help=texts.FACT_SIZE_HELP)
