"""The controls that choose: a rule, a click in the chart, and limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from workbench.tradeoff import RULES, Limits
from workbench.tradeoff.sentences import money
from workbench.ui import texts
from workbench.ui.display import latency, plain, size
from workbench.ui.selection import Selection
from workbench.ui.tables import limit_steps

Row = Mapping[str, Any]
_BY_HAND = "by_hand"
_RULE = "rule"
_LIMITS = (
    ("max_latency_us", "latency_p99_us", texts.LIMIT_LATENCY, texts.LIMIT_LATENCY_HELP),
    ("max_price_usd", "price_per_million_usd", texts.LIMIT_PRICE, texts.LIMIT_PRICE_HELP),
    ("max_size_mb", "artifact_mb", texts.LIMIT_SIZE, texts.LIMIT_SIZE_HELP),
)


def restore(selection: Selection) -> None:
    """Set the controls to a selection, once when its page opens; from then on the controls say what is selected."""
    rule, by_hand = _key(selection.run, _RULE), _key(selection.run, _BY_HAND)
    if rule not in st.session_state:
        named = selection.how in RULES
        st.session_state[rule] = selection.how if named else None
        st.session_state[by_hand] = None if named else selection.how


def choose_rule(run: str) -> str:
    """Show the rules; return the rule chosen, or the id of the candidate that was clicked."""
    st.radio(
        texts.RULE_LABEL,
        RULES,
        key=_key(run, _RULE),
        format_func=lambda rule: texts.RULES[rule],
        on_change=_forget_click,
        args=(run,),
        horizontal=True,
    )
    by_hand = st.session_state.get(_key(run, _BY_HAND))
    if by_hand:
        st.caption(texts.BY_HAND.format(name=plain(by_hand)))
    else:
        st.caption(texts.RULES_EXPLAINED[st.session_state[_key(run, _RULE)] or RULES[1]])
    return str(by_hand or st.session_state[_key(run, _RULE)] or RULES[1])


def choose_limits(run: str, rows: Sequence[Row], limits: Limits, currency: str) -> Limits:
    """Show a slider a limit, from the tightest that anything meets to none; return the limits chosen."""
    writers: dict[str, Callable[[float], str]] = {
        "max_latency_us": latency,
        "max_price_usd": lambda amount: plain(money(amount, currency)),
        "max_size_mb": size,
    }
    chosen: dict[str, float | None] = {}
    for name, column, label, explained in _LIMITS:
        steps = limit_steps([row[column] for row in rows])
        wanted = getattr(limits, name) or math.inf
        options = sorted({*steps, wanted, math.inf})
        key = _key(run, name)
        if st.session_state.get(key, wanted) not in options:
            st.session_state[key] = math.inf
        st.session_state.setdefault(key, wanted)
        limit = st.select_slider(
            label,
            options,
            key=key,
            format_func=partial(_limit_text, writers[name]),
            help=explained,
            on_change=_forget_click,
            args=(run,),
        )
        chosen[name] = None if math.isinf(limit) else limit
    return Limits(**chosen)


def _limit_text(write: Callable[[float], str], value: float) -> str:
    return texts.NO_LIMIT if math.isinf(value) else write(value)


def picked_id(event: Any) -> str | None:
    """Return the candidate of a click in the chart: every point carries its id, whichever trace it is in.

    Examples
    --------
    >>> picked_id({"selection": {"points": [{"point_index": 0, "customdata": ["c0007"]}]}})
    'c0007'
    """
    points = event["selection"]["points"] if event else []
    data = points[0].get("customdata") if points else None
    if isinstance(data, Mapping):  # some versions send arrays as objects keyed by position
        data = list(data.values())
    return str(data[0]) if data else None


def take_click(run: str, chart: str) -> None:
    """Remember the candidate that was clicked in the chart of that key."""
    clicked = picked_id(st.session_state.get(chart))
    if clicked is not None:
        st.session_state[_key(run, _BY_HAND)] = clicked
        st.session_state[_key(run, _RULE)] = None


def _forget_click(run: str) -> None:
    st.session_state[_key(run, _BY_HAND)] = None
    if st.session_state.get(_key(run, _RULE)) is None:
        st.session_state[_key(run, _RULE)] = RULES[1]


def _key(run: str, name: str) -> str:
    return f"{name}:{run}"
