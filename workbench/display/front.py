"""Charts: functions from leaderboard rows to Plotly figures. They know nothing of Streamlit or of files."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from workbench.tradeoff import same_machines

from . import words
from .numbers import (
    amount,
    chart_text,
    interval,
    latency,
    metric_words,
    score,
    shown_score,
    significant,
    size,
)
from .tables import drawable
from .words import family_name

Row = Mapping[str, Any]

# Readable on light and on dark, and told apart by people who see fewer colours: blue to vermilion, after Okabe and
# Ito, "Color Universal Design" (2008); price is shown by size too, so colour is never the only sign.
_CHEAP_TO_DEAR = ((0.0, "#3f9bd6"), (0.5, "#b09a8c"), (1.0, "#e0702f"))
_FAINT = "rgba(128, 136, 144, 0.45)"
_LINE = "rgba(128, 136, 144, 0.8)"
_RING = "#d6457f"
_SMALLEST_PX, _LARGEST_PX = 11.0, 22.0
_HEIGHT_PX = 470
_MOST_FAINT = 300
# Ranges that say little are not blown up: prices within a factor of two look alike, latencies have room around them.
_LEAST_PRICE_SPAN = math.log10(2.0)
_LEAST_TOTAL_SPAN = 0.02
_LEAST_LATENCY_SPAN = math.log10(5.0)


def front_figure(
    rows: Sequence[Row],
    chosen_id: str | None = None,
    *,
    over_limit: Collection[str] = (),
    currency: str = "$",
    hovers: Mapping[str, str] | None = None,
) -> go.Figure:
    """Draw accuracy over latency: the front with intervals and prices, the rest faint, the chosen one ringed.

    Parameters
    ----------
    rows : sequence of leaderboard rows
        Those without a score, latency or price are left out.
    chosen_id : str, optional
        The candidate to ring.
    over_limit : collection of str
        Ids of the candidates that miss a limit: drawn as faint crosses.
    currency : str
    hovers : mapping of str to str, optional
        What hovering over each candidate says (`hover_texts`), where it was written before.

    Returns
    -------
    plotly.graph_objects.Figure
        Every point carries its candidate's id as ``customdata[0]``. Up is always better: the axis of an
        error is turned.

    Examples
    --------
    >>> front_figure([]).data
    ()
    """
    shown = drawable(rows)
    figure = go.Figure()
    if shown:
        metric = str(shown[0]["metric"])
        texts = hovers or hover_texts(shown, currency)
        front = [row for row in shown if row["on_front"] and row["id"] not in over_limit]
        others = [row for row in shown if not row["on_front"] and row["id"] not in over_limit]
        over = [row for row in shown if row["id"] in over_limit]
        over, others = _nearest(over), _nearest(others)
        _add_faint(figure, over, words.CHART_OVER, metric, texts, symbol="x-thin-open")
        _add_faint(figure, others, words.CHART_OTHERS, metric, texts, symbol="circle")
        _add_edge(figure, front, metric)
        _add_front(figure, front, metric, texts, currency, colour_by(shown))
        _add_ring(figure, [row for row in shown if row["id"] == chosen_id], metric)
        _label_axes(figure, metric, shown, _in_view(shown, chosen_id))
    figure.update_layout(
        height=_HEIGHT_PX,
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        hoverlabel={"align": "left"},
        dragmode="pan",
        hovermode="closest",
    )
    return figure


def _add_faint(
    figure: go.Figure, rows: Sequence[Row], name: str, metric: str, texts: Mapping[str, str], *, symbol: str
) -> None:
    if rows:
        marker = {"size": 8, "color": _FAINT, "symbol": symbol, "line": {"width": 1.5, "color": _FAINT}}
        figure.add_trace(go.Scatter(**_points(rows, metric, texts), name=name, mode="markers", marker=marker))
        _keep_look_when_selected(figure)


def _add_edge(figure: go.Figure, front: Sequence[Row], metric: str) -> None:
    """Draw the front's edge as seen here: steps through the points that no other is both left of and above."""
    edge: list[Row] = []
    for row in sorted(front, key=lambda each: (each["latency_p50_us"], -each["score"])):
        if not edge or row["score"] > edge[-1]["score"]:
            edge.append(row)
    if len(edge) > 1:
        x, y = (
            [row["latency_p50_us"] / 1e3 for row in edge],
            [shown_score(row["score"], metric) for row in edge],
        )
        line = {"color": _LINE, "width": 1.5, "dash": "dot", "shape": "hv"}
        figure.add_trace(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False))


def colour_by(rows: Sequence[Row]) -> Literal["total", "price", "none"]:
    """Return what the size and colour of a point say: what a month costs in all, the price per million, or nothing.

    The total is known where costs of mistakes are. Without them, the price per million says nothing where every
    candidate needs the same machines.

    Examples
    --------
    >>> colour_by([{"replicas": 1, "price_per_million_usd": 0.1}, {"replicas": 1, "price_per_million_usd": 0.2}])
    'none'
    """
    measured = [row for row in rows if row["price_per_million_usd"] is not None]
    if measured and all(row.get("total_cost_per_month_usd") is not None for row in measured):
        return "total"
    return "none" if same_machines(measured) else "price"


def _add_front(
    figure: go.Figure,
    front: Sequence[Row],
    metric: str,
    texts: Mapping[str, str],
    currency: str,
    by: Literal["total", "price", "none"],
) -> None:
    if not front:
        return
    marker: dict[str, Any] = {"opacity": 1.0, "line": {"width": 1, "color": "rgba(255, 255, 255, 0.7)"}}
    if by == "none":
        marker |= {"size": (_SMALLEST_PX + _LARGEST_PX) / 2, "color": _CHEAP_TO_DEAR[0][1]}
    else:
        if by == "price":
            costs = [math.log10(max(row["price_per_million_usd"], 1e-9)) for row in front]
            span = _LEAST_PRICE_SPAN
        else:
            costs = [row["total_cost_per_month_usd"] for row in front]
            span = _LEAST_TOTAL_SPAN * max(abs(min(costs)), 1.0)
        low, high = min(costs), max(*costs, min(costs) + span)
        shares = [(cost - low) / (high - low) for cost in costs]
        marker |= {
            "size": [_SMALLEST_PX + (_LARGEST_PX - _SMALLEST_PX) * share for share in shares],
            "color": costs,
            "colorscale": _CHEAP_TO_DEAR,
            "cmin": low,
            "cmax": high,
        }
        if len(front) > 1:
            marker["colorbar"] = _cost_bar(low, high, currency, by)
    figure.add_trace(
        go.Scatter(
            **_points(front, metric, texts),
            name=words.CHART_FRONT,
            mode="markers",
            marker=marker,
            error_y=_error_bars(front, metric),
        )
    )
    _keep_look_when_selected(figure)


def _add_ring(figure: go.Figure, chosen: Sequence[Row], metric: str) -> None:
    for row in chosen:
        x, y = row["latency_p50_us"] / 1e3, shown_score(row["score"], metric)
        marker = {"size": _LARGEST_PX + 8, "symbol": "circle-open", "color": _RING, "line": {"width": 3}}
        ring = go.Scatter(
            x=[x],
            y=[y],
            mode="markers",
            marker=marker,
            name=words.CHART_CHOSEN,
            hoverinfo="skip",
            customdata=[[row["id"]]],
        )
        figure.add_trace(ring)
        figure.add_annotation(
            x=math.log10(max(x, 1e-9)),
            y=y,
            text=f"<b>{chart_text(family_name(row['family']))}</b>",
            showarrow=False,
            yshift=28,
            font={"size": 14, "color": _RING},
        )


def _points(rows: Sequence[Row], metric: str, texts: Mapping[str, str]) -> dict[str, Any]:
    return {
        # Arrays: Plotly looks at every item of a list, which takes longer than all else with thousands of candidates.
        "x": np.array([row["latency_p50_us"] / 1e3 for row in rows]),
        "y": np.array([shown_score(row["score"], metric) for row in rows]),
        "customdata": np.array([[str(row["id"])] for row in rows], dtype=object),
        "hovertext": np.array([texts[str(row["id"])] for row in rows], dtype=object),
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def hover_texts(rows: Sequence[Row], currency: str) -> dict[str, str]:
    """Return what hovering over each candidate says, by its id."""
    return {str(row["id"]): hover_text(row, str(row["metric"]), currency) for row in drawable(rows)}


def hover_text(row: Row, metric: str, currency: str) -> str:
    """Return what hovering over a candidate says, one fact a line."""
    lines = [
        f"<b>{chart_text(family_name(row['family']))}</b> {chart_text(row['id'])}",
        f"{chart_text(metric_words(metric).label)} {score(row['score'], metric)}",
        f"95 % interval {interval(row['score_low'], row['score_high'], metric)}",
        f"answers in {latency(row['latency_p50_us'])} (p99 {latency(row['latency_p99_us'])})",
        f"{chart_text(amount(row['price_per_million_usd'], currency))} per million",
        size(row["artifact_mb"]),
    ]
    if row.get("expected_cost_per_1000") is not None:
        mistakes = chart_text(amount(row["expected_cost_per_1000"], currency))
        lines.append(f"mistakes {mistakes} per 1,000 cases")
    if row.get("total_cost_per_month_usd") is not None:
        lines.append(f"{chart_text(amount(row['total_cost_per_month_usd'], currency))} a month in all")
    return "<br>".join(lines)


def _error_bars(rows: Sequence[Row], metric: str) -> dict[str, Any]:
    up, down = [], []
    for row in rows:
        value = shown_score(row["score"], metric)
        ends = [
            value if row[key] is None else shown_score(row[key], metric)
            for key in ("score_low", "score_high")
        ]
        up.append(max(ends) - value)
        down.append(value - min(ends))
    return {"type": "data", "array": up, "arrayminus": down, "color": _LINE, "thickness": 1.2, "width": 3}


def _cost_bar(low: float, high: float, currency: str, by: Literal["total", "price"]) -> dict[str, Any]:
    ticks = [low, (low + high) / 2, high]
    title = words.CHART_PRICE if by == "price" else words.CHART_TOTAL
    return {
        "title": {"text": title.format(currency=chart_text(currency)), "font": {"size": 12}},
        "tickvals": ticks,
        "ticktext": [significant(10**tick, 2) if by == "price" else significant(tick, 3) for tick in ticks],
        "thickness": 10,
        "len": 0.6,
        "outlinewidth": 0,
    }


def undrawn(rows: Sequence[Row], over_limit: Collection[str] = ()) -> int:
    """Return how many candidates `front_figure` leaves out: of very many faint ones the most accurate are drawn."""
    shown = drawable(rows)
    over = sum(row["id"] in over_limit for row in shown)
    others = sum(not row["on_front"] and row["id"] not in over_limit for row in shown)
    return max(0, over - _MOST_FAINT) + max(0, others - _MOST_FAINT)


def _nearest(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: -row["score"])[:_MOST_FAINT]


def clipped(rows: Sequence[Row], chosen_id: str | None = None) -> int:
    """Return how many candidates lie below what `front_figure` shows at first."""
    shown = drawable(rows)
    return len(shown) - len(_in_view(shown, chosen_id))


def _in_view(rows: Sequence[Row], chosen_id: str | None) -> list[Row]:
    """Return the rows that the axis of scores covers at first.

    A baseline far below would press all others into one line, so only the front without it, the chosen one,
    and whatever is at least as accurate as those sets the range.
    """
    wanted = [
        row for row in rows if row["id"] == chosen_id or (row["on_front"] and row["origin"] != "baseline")
    ]
    if not wanted:
        return list(rows)
    least = min(_end(row, "score_low") for row in wanted)
    return [row for row in rows if row["score"] >= least]


def _end(row: Row, key: str) -> float:
    return float(row["score"] if row[key] is None else row[key])


def _label_axes(figure: go.Figure, metric: str, rows: Sequence[Row], in_view: Sequence[Row]) -> None:
    named = metric_words(metric)
    lower_is_better = named.signed
    ends = [shown_score(_end(row, key), metric) for row in in_view for key in ("score_low", "score_high")]
    margin = 0.1 * (max(ends) - min(ends)) or 0.1 * abs(max(ends)) or 1.0
    span = [min(ends) - margin, max(ends) + 1.5 * margin]
    label = words.CHART_Y_LOWER.format(label=named.label) if lower_is_better else named.label
    figure.update_xaxes(
        title_text=words.CHART_X, type="log", **_latency_axis([row["latency_p50_us"] / 1e3 for row in rows])
    )
    figure.update_yaxes(
        title_text=chart_text(label),
        ticksuffix=" %" if named.percent else "",
        range=span[::-1] if lower_is_better else span,
        separatethousands=True,
        exponentformat="none",
    )


def _latency_axis(values: Sequence[float]) -> dict[str, Any]:
    """Return a range with room at both ends and round ticks: Plotly's own would say 20µ, and 2 without its decade."""
    powers = [math.log10(max(value, 1e-9)) for value in values]
    room = max(0.06 * (max(powers) - min(powers)), (_LEAST_LATENCY_SPAN - max(powers) + min(powers)) / 2)
    low, high = min(powers) - room, max(powers) + room
    steps = (
        range(1, 10)
        if high - low <= 0.9
        else (1, 2, 5)
        if high - low <= 2
        else (1, 3)
        if high - low <= 4
        else (1,)
    )
    decades = range(math.floor(low), math.ceil(high) + 1)
    ticks = [step * 10.0**power for power in decades for step in steps]
    return {
        "range": [low, high],
        "tickvals": ticks,
        "ticktext": [significant(tick, 1) for tick in ticks],
    }


def _keep_look_when_selected(figure: go.Figure) -> None:
    """A click chooses and rings a point; without this Plotly would dim all the others besides."""
    opacity = {"marker": {"opacity": 1.0}}
    figure.data[-1].update(selected=opacity, unselected=opacity)
