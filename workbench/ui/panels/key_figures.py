"""Key figures of a candidate."""

from __future__ import annotations

import streamlit as st

from workbench.display.numbers import amount, count, interval, latency, metric_words, plain, score, size
from workbench.tradeoff import ServableRow, lead_score, monthly, traffic_words
from workbench.tradeoff.terms import Terms
from workbench.ui.texts import general as texts

#: Metrics in the unit of the target.
_IN_UNITS = (
    "neg_root_mean_squared_error", "neg_mean_absolute_error", "neg_median_absolute_error", "neg_max_error",
)  # fmt: skip


def show_facts(row: ServableRow, terms: Terms) -> None:
    """Show the key figures of a candidate with explanations; costs first, if known."""
    metric, sheet = row.metric, terms.sheet
    words = metric_words(metric)
    month = monthly(row.cpu_us_per_row, sheet)
    value, low, high, data = lead_score(row)
    help_text = texts.FACT_SCORE_HELP.format(
        explained=plain(words.explained), interval=plain(interval(low, high, metric)), data=plain(data)
    )
    if value != row.score:
        chosen_by = plain(score(row.score, metric))
        help_text += " " + texts.FACT_FINAL_HELP.format(score=chosen_by, data=plain(row.score_data))
    with st.container(horizontal=True, key="facts"):
        _show_money(row, terms)
        unit = f" ({terms.unit})" if terms.unit and metric in _IN_UNITS else ""
        st.metric(plain(f"{words.label}{unit}"), plain(score(value, metric)), help=help_text)
        st.metric(
            texts.FACT_LATENCY,
            plain(latency(row.latency_p50_us)),
            help=texts.FACT_LATENCY_HELP.format(
                machine=plain(row.machine or texts.UNKNOWN), p99=plain(latency(row.latency_p99_us))
            ),
        )
        st.metric(
            texts.FACT_MONTH if row.expected_cost is None else texts.FACT_MACHINES,
            plain(amount(month.usd, sheet.currency)),
            help=texts.FACT_MONTH_HELP.format(
                replicas=count(month.replicas),
                instance=plain(sheet.instance),
                hourly=plain(amount(sheet.usd_per_hour, sheet.currency)),
                traffic=plain(traffic_words(sheet.traffic)),
            ),
        )
        st.metric(
            texts.FACT_PRICE,
            plain(amount(row.price_per_million_usd, sheet.currency)),
            help=texts.FACT_PRICE_HELP.format(
                instance=plain(sheet.instance), utilisation=plain(f"{sheet.utilisation:.0%}")
            ),
        )
        st.metric(texts.FACT_SIZE, plain(size(row.artifact_mb)), help=texts.FACT_SIZE_HELP)


def _show_money(row: ServableRow, terms: Terms) -> None:
    """Show the total cost of a month, and the cost of mistakes."""
    sheet, total, mistakes = terms.sheet, row.total_cost, row.expected_cost
    if total is None or mistakes is None:
        return

    def write(value: float) -> str:
        return plain(amount(value, sheet.currency))

    st.metric(
        texts.FACT_TOTAL_EXAMPLE if sheet.traffic.example else texts.FACT_TOTAL,
        write(total.value),
        help=texts.FACT_TOTAL_HELP.format(
            low=write(total.low),
            high=write(total.high),
            traffic=plain(traffic_words(sheet.traffic)),
        ),
    )
    st.metric(
        texts.FACT_MISTAKES,
        write(mistakes.value),
        help=texts.FACT_MISTAKES_HELP.format(
            low=write(mistakes.low),
            high=write(mistakes.high),
            data=plain(row.expected_cost_data),
        ),
    )
