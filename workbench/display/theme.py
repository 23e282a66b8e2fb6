"""The style of all figures: for light and dark backgrounds, and safe for colour blindness."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

# After Okabe and Ito, "Color Universal Design" (2008); no pair differs only by red against green.
BLUE, ORANGE, PINK, GREEN = "#2b86c5", "#e0702f", "#d6457f", "#1a9e77"
GREY, FAINT = "rgba(128, 136, 144, 0.9)", "rgba(128, 136, 144, 0.4)"
BAND = "rgba(43, 134, 197, 0.18)"
SERIES = (BLUE, ORANGE, PINK, GREEN)

#: Plotly configuration of all charts.
CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "scrollZoom": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}


def styled(figure: go.Figure, height: int = 320, *, legend: bool = True, top: int = 28) -> go.Figure:
    """Apply the common margins and legend to a figure, and return it."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": top, "b": 8},
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        hoverlabel={"align": "left"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(automargin=True, fixedrange=True, gridcolor="rgba(128,136,144,0.18)")
    figure.update_yaxes(automargin=True, fixedrange=True, gridcolor="rgba(128,136,144,0.18)")
    return figure


def percents(figure: go.Figure, *, x: str = "", y: str = "") -> go.Figure:
    """Label the axes of a figure whose values are percentages."""
    figure.update_xaxes(title_text=x, ticksuffix=" %", range=[-1, 101])
    figure.update_yaxes(title_text=y, ticksuffix=" %", range=[-1, 101])
    return figure
