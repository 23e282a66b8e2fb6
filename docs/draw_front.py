"""Draw the front of a run as an SVG: the picture in the README.

workbench search demo/subscriptions.csv --target cancelled --trials 28 --out runs/picture
python docs/draw_front.py runs/picture docs/front.svg
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import workbench as wb

Row = Mapping[str, Any]

WIDTH, HEIGHT = 860, 460
LEFT, RIGHT, TOP, BOTTOM = 84, 140, 94, 62
INK, FAINT, GRID = "#1f2933", "#8a94a0", "#e6e9ed"
# Okabe and Ito's palette, told apart by colour-blind people too.
COLOURS = {
    "lightgbm": "#0072B2",
    "xgboost": "#56B4E9",
    "random_forest": "#009E73",
    "extra_trees": "#B5A000",
    "linear": "#E69F00",
    "mlp": "#CC79A7",
    "baseline": "#777777",
}


def main(run_path: str, picture: str) -> None:
    """Write the picture of a run."""
    run = wb.open_run(run_path)
    measured = [row for row in run.rows() if row["status"] == "ok" and row["latency_p50_us"]]
    rows = [row for row in measured if row["family"] != "baseline"]
    Path(picture).write_text(draw(rows, run.info), encoding="utf-8")


def draw(rows: Sequence[Row], info: Mapping[str, Any]) -> str:
    """Return the SVG text: score over latency, intervals drawn, dominated candidates faint."""
    front = sorted((row for row in rows if row["on_front"]), key=lambda row: row["latency_p50_us"])
    x = _log_axis([row["latency_p50_us"] for row in rows])
    y = _axis(
        [row["score"] for row in rows] + [row[end] for row in front for end in ("score_low", "score_high")]
    )
    parts = [_frame(rows, front, info), *_x_ticks(x), *_y_ticks(y)]
    parts += [_dot(row, x, y, faint=True) for row in rows if not row["on_front"]]
    parts.append(_steps(front, x, y))
    for row in front:
        parts += [_whisker(row, x, y), _dot(row, x, y, faint=False)]
    parts += _legend(rows)
    body = "\n".join(parts)
    style = 'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {style}>\n{body}\n</svg>\n'
    )


class _Scale:
    """From a value to a pixel, and the ticks between."""

    def __init__(self, low: float, high: float, start: float, end: float, *, log: bool) -> None:
        self.low, self.high, self.start, self.end, self.log = low, high, start, end, log

    def __call__(self, value: float) -> float:
        low, high, at = self.low, self.high, value
        if self.log:
            low, high, at = math.log10(low), math.log10(high), math.log10(value)
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        if self.log:
            tens = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            found = [mantissa * 10.0**ten for ten in tens for mantissa in (1, 2, 5)]
        else:
            raw = (self.high - self.low) / 5
            unit = 10 ** math.floor(math.log10(raw))
            step = min((each * unit for each in (1, 2, 5, 10)), key=lambda each: abs(each - raw))
            found = [
                step * count for count in range(math.floor(self.low / step), math.ceil(self.high / step) + 1)
            ]
        return [value for value in found if self.low <= value <= self.high]


def _log_axis(values: Sequence[float]) -> _Scale:
    return _Scale(min(values) / 1.25, max(values) * 1.25, LEFT, WIDTH - RIGHT, log=True)


def _axis(values: Sequence[float]) -> _Scale:
    margin = (max(values) - min(values)) * 0.08 or 0.01
    return _Scale(min(values) - margin, max(values) + margin, HEIGHT - BOTTOM, TOP, log=False)


def _text(x: float, y: float, text: str, *, size: int = 13, colour: str = INK, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" {more}>{escape(text)}</text>'


def _frame(rows: Sequence[Row], front: Sequence[Row], info: Mapping[str, Any]) -> str:
    first = rows[0]
    score_data = f"{first['score_data']}, {first['score_rows']:,} rows" if first.get("score_rows") else ""
    data = info.get("data", {})
    counts = (
        f"{data.get('name', info.get('name'))}: {len(rows)} candidates, {len(front)} on the front (dashed)"
    )
    measured = f"score {score_data}; latency of one row in process, one thread"
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turned = f'text-anchor="middle" transform="rotate(-90 22 {middle})"'
    return "\n".join(
        [
            f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="#ffffff"/>',
            _text(
                LEFT,
                30,
                "Every candidate, measured in the form that is served",
                size=18,
                more='font-weight="600"',
            ),
            _text(LEFT, 52, counts, colour=FAINT),
            _text(LEFT, 70, measured, colour=FAINT),
            _text(
                (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 18, "p50 latency, µs (log)", more='text-anchor="middle"'
            ),
            _text(22, middle, str(first["metric"]), more=turned),
        ]
    )


def _x_ticks(scale: _Scale) -> list[str]:
    parts = []
    for value in scale.ticks():
        at = scale(value)
        parts.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{GRID}"/>')
        parts.append(_text(at, HEIGHT - BOTTOM + 20, f"{value:,g}", size=12, more='text-anchor="middle"'))
    return parts


def _y_ticks(scale: _Scale) -> list[str]:
    parts = []
    for value in scale.ticks():
        at = scale(value)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>')
        parts.append(_text(LEFT - 8, at + 4, f"{value:.4g}", size=12, more='text-anchor="end"'))
    return parts


def _dot(row: Row, x: _Scale, y: _Scale, *, faint: bool) -> str:
    colour = COLOURS.get(row["family"], INK)
    look = 'r="4" fill-opacity="0.28"' if faint else 'r="6.5" stroke="#ffffff" stroke-width="1.5"'
    title = escape(f"{row['id']} {row['family']}: {row['score']:.4g}, {row['latency_p50_us']:.3g} µs")
    place = f'cx="{x(row["latency_p50_us"]):.1f}" cy="{y(row["score"]):.1f}"'
    return f'<circle {place} {look} fill="{colour}"><title>{title}</title></circle>'


def _whisker(row: Row, x: _Scale, y: _Scale) -> str:
    colour = COLOURS.get(row["family"], INK)
    at = x(row["latency_p50_us"])
    line = f"M{at:.1f} {y(row['score_low']):.1f}V{y(row['score_high']):.1f}"
    return f'<path d="{line}" stroke="{colour}" stroke-opacity="0.45" stroke-width="1.5"/>'


def _steps(front: Sequence[Row], x: _Scale, y: _Scale) -> str:
    if not front:
        return ""
    path = f"M{x(front[0]['latency_p50_us']):.1f} {y(front[0]['score']):.1f}"
    best = front[0]["score"]
    for row in front[1:]:
        best = max(best, row["score"])
        path += f"H{x(row['latency_p50_us']):.1f}V{y(best):.1f}"
    return f'<path d="{path}" fill="none" stroke="{INK}" stroke-opacity="0.55" stroke-dasharray="4 3"/>'


def _legend(rows: Sequence[Row]) -> list[str]:
    families = [name for name in COLOURS if any(row["family"] == name for row in rows)]
    parts, at, left = [], TOP + 14.0, WIDTH - RIGHT + 18
    for name in families:
        parts.append(f'<circle cx="{left}" cy="{at - 4:.1f}" r="5" fill="{COLOURS[name]}"/>')
        parts.append(_text(left + 12, at, name.replace("_", " "), size=12))
        at += 19
    return parts


if __name__ == "__main__":
    main(*sys.argv[1:3])
