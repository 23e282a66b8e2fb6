"""The chosen candidate: its figures, and why it rather than its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench.tradeoff import Choice, PriceSheet
from workbench.tradeoff.sentences import money
from workbench.ui import texts
from workbench.ui.display import count, interval, latency, metric_words, plain, score, size

Row = Mapping[str, Any]


def show_facts(row: Row, sheet: PriceSheet) -> None:
    """Show the figures of a candidate, each with its explanation behind the question mark."""
    metric = str(row["metric"])
    words = metric_words(metric)
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
        if row["holdout_score"] is not None:
            ends = interval(row["holdout_low"], row["holdout_high"], metric)
            help_text = texts.FACT_HOLDOUT_HELP.format(interval=plain(ends))
            st.metric(texts.FACT_HOLDOUT, plain(score(row["holdout_score"], metric)), help=help_text)
        st.metric(
            texts.FACT_LATENCY,
            plain(latency(row["latency_p50_us"])),
            help=texts.FACT_LATENCY_HELP.format(
                machine=plain(row["machine"] or texts.UNKNOWN), p99=plain(latency(row["latency_p99_us"]))
            ),
        )
        st.metric(
            texts.FACT_PRICE,
            plain(money(row["price_per_million_usd"], sheet.currency)),
            help=texts.FACT_PRICE_HELP.format(
                instance=plain(sheet.instance), utilisation=plain(f"{sheet.utilisation:.0%}")
            ),
        )
        st.metric(texts.FACT_RATE, plain(count(row["rows_per_s"])), help=texts.FACT_RATE_HELP)
        st.metric(texts.FACT_SIZE, plain(size(row["artifact_mb"])), help=texts.FACT_SIZE_HELP)


def show_reasons(choice: Choice) -> None:
    """Show what to know before going on, and the comparison with the neighbours on the front."""
    for warning in choice.warnings:
        st.warning(plain(warning), icon=":material/info:")
    st.subheader(texts.WHY)
    st.markdown("\n".join(f"- {plain(sentence, 600)}" for sentence in choice.sentences))
