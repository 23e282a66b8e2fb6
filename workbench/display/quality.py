"""Figures of model quality: cost over threshold, curves of binary models, errors of regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from . import words
from .numbers import chart_text, percent
from .theme import BLUE, GREEN, GREY, ORANGE, PINK, percents, styled

Columns = Mapping[str, np.ndarray]


def threshold_figure(table: Columns, chosen: float, own: float, currency: str = "$") -> go.Figure:
    """Draw the expected cost of 1,000 cases over the threshold, with the chosen one marked.

    Parameters
    ----------
    table : mapping
        The result of `explain.threshold_table`.
    chosen, own : float
        The chosen threshold, and the model's own.
    currency : str
    """
    figure = go.Figure()
    x = 100.0 * table["threshold"]
    figure.add_trace(
        go.Scatter(
            x=x,
            y=table["cost"],
            mode="lines",
            line={"color": BLUE, "width": 2.5, "shape": "hv"},
            hovertemplate="%{x:.1f} %: " + chart_text(currency) + " %{y:,.0f}<extra></extra>",
        )
    )
    figure.add_vline(
        x=100 * chosen,
        line={"color": PINK, "width": 2.5},
        annotation_text=words.THRESHOLD_NOW.format(threshold=percent(chosen, 0)),
        annotation_font_color=PINK,
    )
    if abs(own - chosen) > 0.005:
        figure.add_vline(x=100 * own, line={"color": GREY, "width": 1, "dash": "dot"})
    styled(figure, 280, legend=False)
    figure.update_xaxes(title_text=words.THRESHOLD_AXIS, ticksuffix=" %", range=[0, 100])
    figure.update_yaxes(
        title_text=words.COST_AXIS.format(currency=chart_text(currency)),
        rangemode="tozero",
        tickformat=",.0f",
    )
    return figure


def trade_figure(table: Columns, chosen: float) -> go.Figure:
    """Draw precision and recall over the threshold."""
    figure = go.Figure()
    x = 100.0 * table["threshold"]
    for name, key, colour, dash in (
        (words.PR_Y, "precision", ORANGE, "solid"),
        (words.PR_X, "recall", GREEN, "dash"),
    ):
        line = {"color": colour, "width": 2.2, "dash": dash, "shape": "hv"}
        figure.add_trace(
            go.Scatter(
                x=x,
                y=100 * table[key],
                mode="lines",
                line=line,
                name=name,
                hovertemplate="%{x:.1f} %: %{y:.1f} %<extra></extra>",
            )
        )
    figure.add_vline(x=100 * chosen, line={"color": PINK, "width": 2.5})
    styled(figure, 280)
    return percents(figure, x=words.THRESHOLD_AXIS)


def roc_figure(curve: Columns) -> go.Figure:
    """Draw the true positive rate over the false positive rate."""
    figure = _curve(100 * curve["alarms"], 100 * curve["found"])
    _diagonal(figure, words.CHANCE)
    return percents(styled(figure), x=words.ROC_X, y=words.ROC_Y)


def precision_recall_figure(curve: Columns, share: float) -> go.Figure:
    """Draw precision over recall; random guessing gives the share of positives."""
    figure = _curve(100 * curve["recall"], 100 * curve["precision"])
    line = {"color": GREY, "width": 1.2, "dash": "dot"}
    level = [100 * share, 100 * share]
    figure.add_trace(
        go.Scatter(x=[0, 100], y=level, mode="lines", line=line, name=words.CHANCE, hoverinfo="skip")
    )
    return percents(styled(figure), x=words.PR_X, y=words.PR_Y)


def calibration_figure(curve: Columns) -> go.Figure:
    """Draw the observed share of positives over the predicted probability, with intervals."""
    figure = go.Figure()
    happened = 100 * curve["happened"]
    bars = {
        "type": "data",
        "array": 100 * curve["high"] - happened,
        "arrayminus": happened - 100 * curve["low"],
        "color": GREY,
        "thickness": 1.2,
        "width": 3,
    }
    figure.add_trace(
        go.Scatter(
            x=100 * curve["predicted"],
            y=happened,
            error_y=bars,
            mode="markers+lines",
            marker={"size": 8, "color": BLUE},
            line={"color": BLUE, "width": 1.5},
            name=words.MODEL,
            customdata=curve["rows"],
            hovertemplate=(
                "%{x:.1f} % predicted, %{y:.1f} % observed (%{customdata:,.0f} rows)<extra></extra>"
            ),
        )
    )
    _diagonal(figure, words.IDEAL)
    return percents(styled(figure), x=words.CALIBRATION_X, y=words.CALIBRATION_Y)


def gain_figure(curve: Columns) -> go.Figure:
    """Draw the share of positives found over the share of cases, with the lift on hover."""
    figure = go.Figure(
        go.Scatter(
            x=100 * curve["looked"],
            y=100 * curve["found"],
            customdata=curve["lift"],
            mode="lines",
            line={"color": BLUE, "width": 2.5},
            name=words.MODEL,
            hovertemplate=(
                "%{x:.0f} % of cases, %{y:.0f} % of positives, lift %{customdata:.1f}<extra></extra>"
            ),
        )
    )
    _diagonal(figure, words.CHANCE)
    return percents(styled(figure), x=words.GAIN_X, y=words.GAIN_Y)


def confusion_figure(table: np.ndarray, labels: Sequence[object]) -> go.Figure:
    """Draw the confusion matrix: rows actual, columns predicted, as shares of the actual class."""
    names = [chart_text(label, 24) for label in labels]
    totals = table.sum(axis=1, keepdims=True)
    shares = 100.0 * table / np.maximum(totals, 1)
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=names,
            y=names,
            zmin=0,
            zmax=100,
            colorscale=[[0, "rgba(43,134,197,0.04)"], [1, BLUE]],
            showscale=False,
            text=table,
            texttemplate="%{text:,}" if len(names) <= 12 else "",
            hovertemplate="actual %{y}, predicted %{x}: %{text:,} rows, %{z:.1f} %<extra></extra>",
        )
    )
    styled(figure, 90 + 34 * max(6, min(len(names), 16)), legend=False)
    figure.update_xaxes(title_text=words.PREDICTED, type="category")
    figure.update_yaxes(title_text=words.ACTUAL, type="category", autorange="reversed")
    return figure


def predicted_figure(sample: Columns, unit: str) -> go.Figure:
    """Draw predicted against actual numbers."""
    actual, predicted = sample["actual"], sample["predicted"]
    figure = go.Figure(
        go.Scatter(
            x=actual,
            y=predicted,
            mode="markers",
            marker={"size": 5, "color": BLUE, "opacity": 0.5},
            name=words.ROWS,
            hovertemplate="actual %{x:,.4g}, predicted %{y:,.4g}<extra></extra>",
        )
    )
    ends = [float(min(actual.min(), predicted.min())), float(max(actual.max(), predicted.max()))]
    line = {"color": GREY, "width": 1.2, "dash": "dot"}
    figure.add_trace(go.Scatter(x=ends, y=ends, mode="lines", line=line, name=words.IDEAL, hoverinfo="skip"))
    styled(figure, 360)
    figure.update_xaxes(
        title_text=f"{words.ACTUAL} {chart_text(unit)}", separatethousands=True, exponentformat="none"
    )
    figure.update_yaxes(
        title_text=f"{words.PREDICTED} {chart_text(unit)}", separatethousands=True, exponentformat="none"
    )
    return figure


def residual_figure(sample: Columns, unit: str) -> go.Figure:
    """Draw the distribution of the errors."""
    residual = sample["residual"]
    low, high = np.quantile(residual, [0.005, 0.995])
    figure = go.Figure(
        go.Histogram(
            x=residual[(residual >= low) & (residual <= high)],
            nbinsx=40,
            marker={"color": BLUE, "line": {"width": 0}},
            hovertemplate="%{x}: %{y:,} rows<extra></extra>",
        )
    )
    figure.add_vline(x=0, line={"color": PINK, "width": 2})
    styled(figure, 360, legend=False)
    figure.update_xaxes(
        title_text=f"{words.RESIDUAL}, {chart_text(unit)}", separatethousands=True, exponentformat="none"
    )
    figure.update_yaxes(title_text=words.ROWS, separatethousands=True, exponentformat="none")
    return figure


def _curve(x: np.ndarray, y: np.ndarray) -> go.Figure:
    return go.Figure(
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            fill=None,
            line={"color": BLUE, "width": 2.5},
            name=words.MODEL,
            hovertemplate="%{x:.1f} %, %{y:.1f}<extra></extra>",
        )
    )


def _diagonal(figure: go.Figure, name: str) -> None:
    line = {"color": GREY, "width": 1.2, "dash": "dot"}
    figure.add_trace(go.Scatter(x=[0, 100], y=[0, 100], mode="lines", line=line, name=name, hoverinfo="skip"))
