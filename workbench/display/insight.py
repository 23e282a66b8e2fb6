"""Figures of column importance, dependence, contributions, distributions and search progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from workbench.explain import Contribution, Importance

from . import words
from .numbers import chart_text, day, metric_words, shown_score
from .theme import BAND, BLUE, FAINT, GREY, ORANGE, PINK, styled

_MOST_BARS = 15


def importance_figure(found: Sequence[Importance], most: int = _MOST_BARS) -> go.Figure:
    """Draw the permutation importance of each column with its interval, the strongest on top."""
    figure = go.Figure()
    if not found:
        return styled(figure, 200)
    shown = list(found[:most])[::-1]
    named = metric_words(found[0].metric)
    scale = 100.0 if named.percent else 1.0
    drops = [scale * each.drop for each in shown]
    figure.add_trace(
        go.Bar(
            x=drops,
            y=[chart_text(each.column, 28) for each in shown],
            orientation="h",
            marker={"color": [BLUE if each.low > 0 else FAINT for each in shown]},
            error_x={
                "type": "data",
                "array": [scale * (each.high - each.drop) for each in shown],
                "color": GREY,
                "thickness": 1.2,
                "width": 3,
            },
            hovertemplate="%{y}: %{x:.3g}<extra></extra>",
        )
    )
    label = f"{named.label}, points" if named.percent else named.label
    styled(figure, 110 + 26 * len(shown), legend=False)
    figure.update_xaxes(title_text=words.IMPORTANCE_X.format(label=chart_text(label)))
    figure.update_yaxes(type="category")
    return figure


def dependence_figure(found: Mapping[str, Any], label: str, *, percent: bool) -> go.Figure:
    """Draw the partial dependence on one column: the average, and a band of 80 % of the rows.

    Parameters
    ----------
    found : mapping
        The result of `explain.dependence`.
    label : str
        The class or target on the vertical axis.
    percent : bool
        Whether the prediction is a probability.
    """
    scale = 100.0 if percent else 1.0
    mean, low, high = ([scale * each for each in found[key]] for key in ("mean", "low", "high"))
    figure = go.Figure()
    if found["kind"] in ("category", "boolean", "text"):
        values = [words.MISSING if each is None else chart_text(_plain(each), 28) for each in found["values"]]
        bars = {
            "type": "data",
            "array": [top - middle for top, middle in zip(high, mean, strict=True)],
            "arrayminus": [middle - bottom for middle, bottom in zip(mean, low, strict=True)],
            "color": FAINT,
            "thickness": 5,
            "width": 0,
        }
        marker = {"size": 10, "color": BLUE}
        figure.add_trace(
            go.Scatter(
                x=values, y=mean, error_y=bars, mode="markers", marker=marker, name=words.DEPENDENCE_MEAN
            )
        )
        figure.update_xaxes(type="category")
    else:
        values = list(found["values"])
        line = {"width": 0}
        figure.add_trace(
            go.Scatter(x=values, y=high, mode="lines", line=line, hoverinfo="skip", showlegend=False)
        )
        figure.add_trace(
            go.Scatter(
                x=values,
                y=low,
                mode="lines",
                line=line,
                fill="tonexty",
                fillcolor=BAND,
                name=words.DEPENDENCE_BAND,
                hoverinfo="skip",
            )
        )
        figure.add_trace(
            go.Scatter(
                x=values,
                y=mean,
                mode="lines+markers",
                line={"color": BLUE, "width": 2.5},
                marker={"size": 5},
                name=words.DEPENDENCE_MEAN,
            )
        )
    styled(figure, 330)
    figure.update_xaxes(title_text=chart_text(found["column"]))
    figure.update_yaxes(
        title_text=words.DEPENDENCE_Y.format(label=chart_text(label)) if percent else chart_text(label),
        separatethousands=True,
    )
    return figure


def contribution_figure(found: Sequence[Contribution], *, percent: bool, most: int = 12) -> go.Figure:
    """Draw the contribution of each column to one prediction, the largest on top."""
    shown = [each for each in found if each.amount][:most][::-1]
    scale = 100.0 if percent else 1.0
    figure = go.Figure(
        go.Bar(
            x=[scale * each.amount for each in shown],
            y=[f"{chart_text(each.column, 20)} = {chart_text(_plain(each.value), 16)}" for each in shown],
            orientation="h",
            marker={"color": [ORANGE if each.amount > 0 else BLUE for each in shown]},
            error_x={
                "type": "data",
                "array": [1.96 * scale * each.error for each in shown],
                "color": GREY,
                "thickness": 1.2,
                "width": 3,
            },
            hovertemplate="%{y}: %{x:+.3g}<extra></extra>",
        )
    )
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    styled(figure, 90 + 28 * max(len(shown), 3), legend=False)
    figure.update_xaxes(
        title_text=words.CONTRIBUTION_X,
        ticksuffix=" %" if percent else "",
        separatethousands=True,
        exponentformat="none",
    )
    figure.update_yaxes(type="category")
    return figure


def distribution_figure(found: Mapping[str, Any]) -> go.Figure:
    """Draw the distribution of values.

    Parameters
    ----------
    found : mapping
        labels and counts, lists of the same length.
    """
    labels = [chart_text(_plain(each), 22) for each in found["labels"]]
    figure = go.Figure(
        go.Bar(
            x=labels,
            y=found["counts"],
            marker={"color": BLUE},
            hovertemplate="%{x}: %{y:,} rows<extra></extra>",
        )
    )
    styled(figure, 260, legend=False, top=8)
    figure.update_xaxes(type="category", nticks=10)
    figure.update_yaxes(title_text=words.DISTRIBUTION_Y, separatethousands=True)
    figure.update_layout(bargap=0.08)
    return figure


def history_figure(history: Sequence[tuple[float, float]], metric: str) -> go.Figure:
    """Draw the best score so far over the seconds of the search.

    Parameters
    ----------
    history : sequence of (float, float)
        Seconds and score, ordered by time.
    metric : str
    """
    named = metric_words(metric)
    best: list[float] = []
    for _, value in history:
        best.append(max(value, best[-1]) if best else value)
    figure = go.Figure(
        go.Scatter(
            x=[seconds for seconds, _ in history],
            y=[shown_score(value, metric) for value in best],
            mode="lines+markers",
            line={"color": PINK, "width": 2.5, "shape": "hv"},
            marker={"size": 5},
            hovertemplate="%{x:.0f} s: %{y:.4g}<extra></extra>",
        )
    )
    styled(figure, 300, legend=False)
    figure.update_xaxes(title_text=words.HISTORY_X, rangemode="tozero")
    figure.update_yaxes(
        title_text=f"{chart_text(named.label)}, {words.HISTORY_BEST}",
        ticksuffix=" %" if named.percent else "",
        separatethousands=True,
        autorange="reversed" if named.signed else None,
    )
    return figure


def _plain(value: object) -> str:
    if value is None:
        return words.MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.4g}" if isinstance(value, float) else day(value)
