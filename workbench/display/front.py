"""The chart of the Pareto front: Plotly figures from leaderboard rows."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from workbench.tradeoff import Estimate, LeaderboardRow, ServableRow, same_machines, servable

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
from .words import family_name

# Readable on light and dark backgrounds, and safe for colour blindness: blue to vermilion, after
# Okabe and Ito, "Color Universal Design" (2008). Size shows the price too, so colour is never the
# only cue.
_PRICE_COLOURS = ((0.0, "#3f9bd6"), (0.5, "#b09a8c"), (1.0, "#e0702f"))
_FAINT = "rgba(128, 136, 144, 0.45)"
_LINE = "rgba(128, 136, 144, 0.8)"
_RING = "#d6457f"
_SMALLEST_PX, _LARGEST_PX = 11.0, 22.0
_HEIGHT_PX = 470
_MOST_FAINT = 300
# Small ranges are not stretched: prices within a factor of two look alike, latencies get a margin.
_LEAST_PRICE_SPAN = math.log10(2.0)
_LEAST_LATENCY_SPAN = math.log10(5.0)


@dataclass(frozen=True, slots=True)
class Worth:
    """The vertical axis: total cost of a month if it is known, otherwise the score. Up is better.

    Attributes
    ----------
    metric : str
    currency : str
    priced : bool
        Whether the axis is the cost.
    """

    metric: str
    currency: str
    priced: bool

    @classmethod
    def of(cls, rows: Sequence[ServableRow], currency: str = "$") -> Worth:
        """Return the axis for these rows: the cost if every row has one."""
        priced = bool(rows) and all(row.total_cost is not None for row in rows)
        return cls(rows[0].metric if rows else "", currency, priced)

    def value(self, row: ServableRow) -> float:
        """Return the position of a candidate on the axis."""
        return self._interval(row).value

    def ends(self, row: ServableRow) -> tuple[float, float]:
        """Return the ends of a candidate's interval on the axis, lower end first."""
        _, *ends = self._interval(row)
        return min(ends), max(ends)

    def _interval(self, row: ServableRow) -> Estimate:
        if self.priced and row.total_cost is not None:
            return row.total_cost
        known = (row.score if end is None else end for end in (row.score, row.score_low, row.score_high))
        return Estimate(*(shown_score(end, self.metric) for end in known))

    def goodness(self, row: ServableRow) -> float:
        """Return a value that is higher for a better candidate."""
        return -self.value(row) if self.priced else row.score

    @property
    def reversed(self) -> bool:
        """Whether lower values are better, so that the axis is reversed."""
        return self.priced or metric_words(self.metric).signed

    @property
    def label(self) -> str:
        """The title of the axis."""
        if self.priced:
            return words.CHART_Y_COST.format(currency=self.currency)
        label = metric_words(self.metric).label
        return words.CHART_Y_LOWER.format(label=label) if self.reversed else label


def money_shown(rows: Sequence[LeaderboardRow]) -> Literal["total", "price", "none"]:
    """Return which cost `front_figure` draws.

    "total": the axis is the total cost of a month, since costs of mistakes are known. "price": size
    and colour are the compute price. "none": no cost is drawn, since every candidate needs the same
    machines.

    Examples
    --------
    >>> money_shown([])
    'price'
    """
    shown = servable(rows)
    if Worth.of(shown).priced:
        return "total"
    return "none" if same_machines(shown) else "price"


def front_figure(
    rows: Sequence[LeaderboardRow],
    chosen_id: str | None = None,
    *,
    over_limit: Collection[str] = (),
    currency: str = "$",
    hovers: Mapping[str, str] | None = None,
) -> go.Figure:
    """Draw score or cost over latency: the front with intervals, the rest faint, the choice ringed.

    The vertical axis is the total cost of a month if it is known, otherwise the score. Colour and
    size are the compute price, unless every candidate needs the same machines: then the price does
    not decide, and is not drawn.

    Parameters
    ----------
    rows : sequence of leaderboard rows
        Rows without a score, latency or price are left out.
    chosen_id : str, optional
        The candidate to ring.
    over_limit : collection of str
        Ids of the candidates over a limit; drawn as faint crosses.
    currency : str
    hovers : mapping of str to str, optional
        Hover text of each candidate, if it is computed already (`hover_texts`).

    Returns
    -------
    plotly.graph_objects.Figure
        Every point has its candidate's id as ``customdata[0]``. Up is better: the axis of an error
        is reversed.

    Examples
    --------
    >>> front_figure([]).data
    ()
    """
    shown = servable(rows)
    figure = go.Figure()
    if shown:
        worth = Worth.of(shown, currency)
        drawn = currency if money_shown(shown) == "price" else None
        texts = hovers or hover_texts(shown, currency)
        ids = drawn_front(shown, worth, over_limit)
        front = [row for row in shown if row.id in ids]
        others = [row for row in shown if row.id not in ids and row.id not in over_limit]
        over = [row for row in shown if row.id in over_limit]
        over, others = _nearest(over, worth), _nearest(others, worth)
        _add_faint(figure, over, words.CHART_OVER, worth, texts, symbol="x-thin-open")
        _add_faint(figure, others, words.CHART_OTHERS, worth, texts, symbol="circle")
        _add_edge(figure, front, worth)
        _add_front(figure, front, worth, texts, drawn)
        _add_ring(figure, [row for row in shown if row.id == chosen_id], worth)
        _label_axes(figure, worth, shown, _in_view(shown, chosen_id))
    figure.update_layout(
        height=_HEIGHT_PX,
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        hoverlabel={"align": "left"},
        dragmode="pan",
        hovermode="closest",
    )
    return figure


def drawn_front(rows: Sequence[ServableRow], worth: Worth, over_limit: Collection[str] = ()) -> set[str]:
    """Return the ids of the drawn front: the leaderboard's, or that of cost and latency.

    The leaderboard's front is by score, latency and compute price. One of its candidates may cost
    more a month in total than a faster one; then it is dominated on both drawn axes.
    """
    within = [row for row in rows if row.id not in over_limit]
    if not worth.priced:
        return {row.id for row in within if row.on_front}
    front: set[str] = set()
    best = -math.inf
    for row in sorted(within, key=lambda each: (each.latency_p50_us, -worth.goodness(each))):
        if worth.goodness(row) > best:
            front.add(row.id)
            best = worth.goodness(row)
    return front


def _add_faint(
    figure: go.Figure,
    rows: Sequence[ServableRow],
    name: str,
    worth: Worth,
    texts: Mapping[str, str],
    *,
    symbol: str,
) -> None:
    if rows:
        marker = {"size": 8, "color": _FAINT, "symbol": symbol, "line": {"width": 1.5, "color": _FAINT}}
        figure.add_trace(go.Scatter(**_points(rows, worth, texts), name=name, mode="markers", marker=marker))
        _keep_look_when_selected(figure)


def _add_edge(figure: go.Figure, front: Sequence[ServableRow], worth: Worth) -> None:
    """Draw the edge of the front: steps through the points without another point above and left."""
    edge: list[ServableRow] = []
    for row in sorted(front, key=lambda each: (each.latency_p50_us, -worth.goodness(each))):
        if not edge or worth.goodness(row) > worth.goodness(edge[-1]):
            edge.append(row)
    if len(edge) > 1:
        x, y = [row.latency_p50_us / 1e3 for row in edge], [worth.value(row) for row in edge]
        line = {"color": _LINE, "width": 1.5, "dash": "dot", "shape": "hv"}
        figure.add_trace(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False))


def _add_front(
    figure: go.Figure,
    front: Sequence[ServableRow],
    worth: Worth,
    texts: Mapping[str, str],
    currency: str | None,
) -> None:
    if not front:
        return
    marker = _plain_marker() if currency is None else _priced_marker(front, currency)
    figure.add_trace(
        go.Scatter(
            **_points(front, worth, texts),
            name=words.CHART_FRONT,
            mode="markers",
            marker=marker,
            error_y=_error_bars(front, worth),
        )
    )
    _keep_look_when_selected(figure)


def _plain_marker() -> dict[str, Any]:
    return {
        "size": (_SMALLEST_PX + _LARGEST_PX) / 2,
        "color": _PRICE_COLOURS[0][1],
        "opacity": 1.0,
        "line": {"width": 1, "color": "rgba(255, 255, 255, 0.7)"},
    }


def _priced_marker(front: Sequence[ServableRow], currency: str) -> dict[str, Any]:
    """Return markers with the compute price as size and colour."""
    prices = [math.log10(max(row.price_per_million_usd, 1e-9)) for row in front]
    low, high = min(prices), max(*prices, min(prices) + _LEAST_PRICE_SPAN)
    shares = [(price - low) / (high - low) for price in prices]
    marker: dict[str, Any] = {
        "size": [_SMALLEST_PX + (_LARGEST_PX - _SMALLEST_PX) * share for share in shares],
        "color": prices,
        "colorscale": _PRICE_COLOURS,
        "cmin": low,
        "cmax": high,
        "opacity": 1.0,
        "line": {"width": 1, "color": "rgba(255, 255, 255, 0.7)"},
    }
    if len(front) > 1:
        marker["colorbar"] = _price_bar(low, high, currency)
    return marker


def _add_ring(figure: go.Figure, chosen: Sequence[ServableRow], worth: Worth) -> None:
    for row in chosen:
        x, y = row.latency_p50_us / 1e3, worth.value(row)
        marker = {"size": _LARGEST_PX + 8, "symbol": "circle-open", "color": _RING, "line": {"width": 3}}
        ring = go.Scatter(
            x=[x],
            y=[y],
            mode="markers",
            marker=marker,
            name=words.CHART_CHOSEN,
            hoverinfo="skip",
            customdata=[[row.id]],
        )
        figure.add_trace(ring)
        figure.add_annotation(
            x=math.log10(max(x, 1e-9)),
            y=y,
            text=f"<b>{chart_text(family_name(row.family))}</b>",
            showarrow=False,
            yshift=28,
            font={"size": 14, "color": _RING},
        )


def _points(rows: Sequence[ServableRow], worth: Worth, texts: Mapping[str, str]) -> dict[str, Any]:
    return {
        # Arrays, since Plotly validates every item of a list, which is slow for thousands of
        # candidates.
        "x": np.array([row.latency_p50_us / 1e3 for row in rows]),
        "y": np.array([worth.value(row) for row in rows]),
        "customdata": np.array([[row.id] for row in rows], dtype=object),
        "hovertext": np.array([texts[row.id] for row in rows], dtype=object),
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def hover_texts(rows: Sequence[LeaderboardRow], currency: str) -> dict[str, str]:
    """Return the hover text of each candidate, by id."""
    return {row.id: hover_text(row, row.metric, currency) for row in servable(rows)}


def hover_text(row: ServableRow, metric: str, currency: str) -> str:
    """Return the hover text of a candidate, one fact a line."""
    lines = [
        f"<b>{chart_text(family_name(row.family))}</b> {chart_text(row.id)}",
        f"{chart_text(metric_words(metric).label)} {score(row.score, metric)}",
        f"95 % interval {interval(row.score_low, row.score_high, metric)}",
        f"predicts in {latency(row.latency_p50_us)} (p99 {latency(row.latency_p99_us)})",
        f"{chart_text(amount(row.price_per_million_usd, currency))} per million",
        size(row.artifact_mb),
    ]
    if row.expected_cost is not None and row.total_cost is not None:
        mistakes, month = (
            chart_text(amount(cost.value, currency)) for cost in (row.expected_cost, row.total_cost)
        )
        lines.append(words.CHART_HOVER_COST.format(mistakes=mistakes, month=month))
    return "<br>".join(lines)


def _error_bars(rows: Sequence[ServableRow], worth: Worth) -> dict[str, Any]:
    up, down = [], []
    for row in rows:
        value, (low, high) = worth.value(row), worth.ends(row)
        up.append(max(high, value) - value)
        down.append(value - min(low, value))
    return {"type": "data", "array": up, "arrayminus": down, "color": _LINE, "thickness": 1.2, "width": 3}


def _price_bar(low: float, high: float, currency: str) -> dict[str, Any]:
    ticks = [low, (low + high) / 2, high]
    return {
        "title": {"text": words.CHART_PRICE.format(currency=chart_text(currency)), "font": {"size": 12}},
        "tickvals": ticks,
        "ticktext": [significant(10**tick) for tick in ticks],
        "thickness": 10,
        "len": 0.6,
        "outlinewidth": 0,
    }


def undrawn(rows: Sequence[LeaderboardRow], over_limit: Collection[str] = ()) -> int:
    """Return how many faint candidates `front_figure` omits, the least accurate ones."""
    shown = servable(rows)
    over = sum(row.id in over_limit for row in shown)
    others = sum(not row.on_front and row.id not in over_limit for row in shown)
    return max(0, over - _MOST_FAINT) + max(0, others - _MOST_FAINT)


def _nearest(rows: Sequence[ServableRow], worth: Worth) -> list[ServableRow]:
    return sorted(rows, key=lambda row: -worth.goodness(row))[:_MOST_FAINT]


def clipped(rows: Sequence[LeaderboardRow], chosen_id: str | None = None) -> int:
    """Return how many candidates lie below the initial view of `front_figure`."""
    shown = servable(rows)
    return len(shown) - len(_in_view(shown, chosen_id))


def _in_view(rows: Sequence[ServableRow], chosen_id: str | None) -> list[ServableRow]:
    """Return the rows in the initial range of the vertical axis.

    A baseline far below would compress all other points into one line. The range covers the front
    without the baseline, the choice, and every row at least as good.
    """
    worth = Worth.of(rows)
    ids = drawn_front(rows, worth)
    wanted = [row for row in rows if row.id == chosen_id or (row.id in ids and row.origin != "baseline")]
    if not wanted:
        return list(rows)
    if worth.reversed:
        least = max(worth.ends(row)[1] for row in wanted)
        return [row for row in rows if worth.value(row) <= least]
    least = min(worth.ends(row)[0] for row in wanted)
    return [row for row in rows if worth.value(row) >= least]


def _label_axes(
    figure: go.Figure, worth: Worth, rows: Sequence[ServableRow], in_view: Sequence[ServableRow]
) -> None:
    ends = [end for row in in_view for end in worth.ends(row)]
    margin = 0.1 * (max(ends) - min(ends)) or 0.1 * abs(max(ends)) or 1.0
    span = [min(ends) - margin, max(ends) + 1.5 * margin]
    figure.update_xaxes(
        title_text=words.CHART_X, type="log", **_latency_axis([row.latency_p50_us / 1e3 for row in rows])
    )
    percent = not worth.priced and metric_words(worth.metric).percent
    figure.update_yaxes(
        title_text=chart_text(worth.label),
        ticksuffix=" %" if percent else "",
        range=span[::-1] if worth.reversed else span,
        separatethousands=True,
        exponentformat="none",
    )


def _latency_axis(values: Sequence[float]) -> dict[str, Any]:
    """Return a range with margins and round ticks; Plotly would label ticks as 20µ or as 2."""
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
    """Keep the opacity of all points after a click; Plotly would dim the others."""
    opacity = {"marker": {"opacity": 1.0}}
    figure.data[-1].update(selected=opacity, unselected=opacity)
