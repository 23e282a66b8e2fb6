"""The controls of the choice: a rule or weights, a click, and limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from workbench.display.numbers import amount, latency, metric_words, plain, points, significant, size
from workbench.display.sentences import named
from workbench.display.tables import limit_steps, loss_steps
from workbench.tradeoff import RULES, LeaderboardRow, Limits, ServableRow, Weights
from workbench.ui.state.selection import BY_WEIGHTS, Selection
from workbench.ui.texts import choose as texts

_BY_HAND, _RULE, _LOSS, _GIVEN_UP = "by_hand", "rule", "max_loss", "given_up"
_USUAL, _FRONT = "usual_rule", "front_list"
# Common limits, in addition to those from the candidates: 0.1 ms to 0.1 s.
_USUAL_LATENCIES = (100.0, 500.0, 2_000.0, 10_000.0, 100_000.0)
_LIMITS = (
    ("max_latency_us", "latency_p99_us", texts.LIMIT_LATENCY, texts.LIMIT_LATENCY_HELP),
    ("max_price_usd", "price_per_million_usd", texts.LIMIT_PRICE, texts.LIMIT_PRICE_HELP),
    ("max_size_mb", "artifact_mb", texts.LIMIT_SIZE, texts.LIMIT_SIZE_HELP),
)


def restore(selection: Selection, usual: str, *, again: bool = False) -> None:
    """Set the controls to a selection when the page opens.

    Parameters
    ----------
    selection : Selection
    usual : str
        The rule or candidate's id that applies if the selection has none.
    again : bool
        Whether the address changed (browser Back): then it takes precedence over the controls.
    """
    run, how = selection.run, selection.how or usual
    rule, by_hand = _key(run, _RULE), _key(run, _BY_HAND)
    if again:
        for name in (*(each[0] for each in _LIMITS), _LOSS):
            st.session_state.pop(_key(run, name), None)
        st.session_state[_key(run, _GIVEN_UP)] = st.session_state.get(_key(run, _GIVEN_UP), 0) + 1
    if again or rule not in st.session_state:
        named = how in RULES or how == BY_WEIGHTS
        st.session_state[rule] = how if named else None
        st.session_state[by_hand] = None if named else how
        weights = selection.weights or Weights()
        for name in texts.WEIGHTS:
            st.session_state[_key(run, name)] = min(100, max(0, round(getattr(weights, name))))


def choose_rule(run: str, usual: str, *, priced: bool) -> tuple[str, Weights | None]:
    """Show the rules; return the rule with its weights, or the id of the clicked candidate.

    Parameters
    ----------
    run : str
    usual : str
        The rule that applies after a click is dismissed.
    priced : bool
        Whether costs of mistakes are known, which "lowest-cost" requires.
    """
    rules = [rule for rule in texts.RULES if priced or rule != "lowest-cost"]
    usual = usual if usual in rules else rules[0]
    if st.session_state.get(_key(run, _RULE)) not in (None, *rules):  # costs were removed
        st.session_state[_key(run, _RULE)] = usual
    st.session_state[_key(run, _USUAL)] = usual
    st.segmented_control(
        texts.RULE_LABEL,
        rules,
        key=_key(run, _RULE),
        format_func=lambda rule: texts.RULES[rule],
        on_change=_forget_click,
        args=(run,),
    )
    by_hand, rule = st.session_state.get(_key(run, _BY_HAND)), st.session_state[_key(run, _RULE)]
    if by_hand:
        st.caption(texts.BY_HAND.format(name=plain(by_hand)))
        return str(by_hand), None
    st.caption(texts.RULES_EXPLAINED[rule or usual])
    if rule == BY_WEIGHTS:
        return BY_WEIGHTS, _choose_weights(run)
    return str(rule or usual), None


def choose_from_front(run: str, rows: Sequence[LeaderboardRow], chosen: str | None) -> None:
    """Offer the front as a list, the keyboard alternative to a click in the chart."""
    front = {row.id: row for row in rows if row.on_front}
    names = list(dict.fromkeys([*([chosen] if chosen else []), *front]))
    if len(names) < 2:
        return
    known = {row.id: row for row in rows}
    key = f"{_FRONT}:{run}:{chosen}"  # resets to the choice whenever the choice changes

    def take() -> None:
        picked = st.session_state[key]
        if picked is not None and picked != chosen:
            take_by_hand(run, str(picked))

    st.selectbox(
        texts.FRONT_LIST,
        names,
        key=key,
        on_change=take,
        format_func=lambda name: named(known[name]),
        help=texts.FRONT_LIST_HELP,
    )


def _choose_weights(run: str) -> Weights:
    given = {}
    for column, (name, label) in zip(st.columns(3), texts.WEIGHTS.items(), strict=True):
        given[name] = float(
            column.slider(label, 0, 100, step=5, key=_key(run, name), help=texts.WEIGHTS_HELP)
        )
    return Weights(**given) if sum(given.values()) else Weights(1, 1, 1)


def choose_limits(run: str, rows: Sequence[ServableRow], limits: Limits, currency: str) -> Limits:
    """Show a slider for each limit, from the tightest possible to none; return the limits."""
    writers: dict[str, Callable[[float], str]] = {
        "max_latency_us": latency,
        "max_price_usd": lambda price: plain(amount(price, currency)),
        "max_size_mb": size,
    }
    chosen: dict[str, float | None] = {}
    for name, column, label, explained in _LIMITS:
        steps = limit_steps([getattr(row, column) for row in rows])
        if name == "max_latency_us":
            steps += [limit for limit in _USUAL_LATENCIES if limit > max(steps, default=0.0)]
        chosen[name] = _slider(run, name, steps, getattr(limits, name), (label, explained, writers[name]))
    return Limits(**chosen)


def choose_loss(run: str, rows: Sequence[ServableRow], wanted: float | None) -> float | None:
    """Show the slider of the accepted loss of accuracy; return its value."""
    best = max((row.score for row in rows), default=None)
    if best is None:
        return None
    metric = rows[0].metric

    def write(loss: float) -> str:
        if metric_words(metric).percent:
            return points(loss, metric)
        return (
            f"{points(loss, metric)} ({significant(100 * loss / abs(best))} %)"
            if best
            else points(loss, metric)
        )

    words = (texts.LIMIT_LOSS, texts.LIMIT_LOSS_HELP, write)
    return _slider(run, _LOSS, loss_steps(best, metric), wanted, words)


def _slider(
    run: str,
    name: str,
    steps: Sequence[float],
    limit: float | None,
    words: tuple[str, str, Callable[[float], str]],
) -> float | None:
    label, explained, write = words
    wanted = limit or math.inf
    options = sorted({*steps, wanted, math.inf})
    key = _key(run, name)
    if st.session_state.get(key, wanted) not in options:
        st.session_state[key] = math.inf
    st.session_state.setdefault(key, wanted)
    value = st.select_slider(
        label,
        options,
        key=key,
        format_func=partial(_limit_text, write),
        help=explained,
        on_change=_forget_click,
        args=(run,),
    )
    return None if math.isinf(value) else float(value)


def _limit_text(write: Callable[[float], str], value: float) -> str:
    return texts.NO_LIMIT if math.isinf(value) else write(value)


def picked_id(event: Any) -> str | None:
    """Return the candidate of a click in the chart; every point has its id.

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
    """Store the candidate that was clicked in the chart."""
    clicked = picked_id(st.session_state.get(chart))
    if clicked is not None:
        take_by_hand(run, clicked)


def take_by_hand(run: str, candidate: str) -> None:
    """Store a candidate picked by hand."""
    st.session_state[_key(run, _BY_HAND)] = candidate
    st.session_state[_key(run, _RULE)] = None


def chart_key(run: str) -> str:
    """Return the key of a run's chart.

    It changes when a rule replaces a click: the browser keeps a point selected, and would not
    report a click on the same point again.
    """
    return f"front:{run}:{st.session_state.get(_key(run, _GIVEN_UP), 0)}"


def _forget_click(run: str) -> None:
    if st.session_state.get(_key(run, _BY_HAND)):
        st.session_state[_key(run, _GIVEN_UP)] = st.session_state.get(_key(run, _GIVEN_UP), 0) + 1
    st.session_state[_key(run, _BY_HAND)] = None
    if st.session_state.get(_key(run, _RULE)) is None:
        st.session_state[_key(run, _RULE)] = st.session_state.get(_key(run, _USUAL), RULES[0])


def _key(run: str, name: str) -> str:
    return f"{name}:{run}"
