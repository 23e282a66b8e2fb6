"""HTML building blocks of the report. All text is escaped here, and only here."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from importlib.resources import files

import plotly.graph_objects as go

_GREY = "#7d8791"  # readable on the light and on the dark page


def text(value: object) -> str:
    """Escape text for HTML.

    Examples
    --------
    >>> text("<b>")
    '&lt;b&gt;'
    """
    return html.escape(str(value))


def tag(name: str, content: object, *, kind: str = "") -> str:
    """Return an element around escaped text.

    Examples
    --------
    >>> tag("p", "a < b", kind="soft")
    '<p class="soft">a &lt; b</p>'
    """
    given = f' class="{kind}"' if kind else ""
    return f"<{name}{given}>{text(content)}</{name}>"


def listed(items: Iterable[object]) -> str:
    """Return a list of escaped items."""
    return "<ul>" + "".join(tag("li", item) for item in items) + "</ul>"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return labelled figures."""
    items = "".join(f"<li>{text(label)}<b>{text(value)}</b></li>" for label, value in pairs)
    return f'<ul class="facts">{items}</ul>'


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], chosen: int | None = None, numbers: int = 99
) -> str:
    """Return a table; columns from `numbers` on hold numbers, and one row may be highlighted."""
    kinds = [' class="number"' if at >= numbers else "" for at in range(len(heads))]
    mark = ' class="chosen"'
    head = "".join(f"<th{kind}>{text(each)}</th>" for kind, each in zip(kinds, heads, strict=True))
    lines = []
    for at, row in enumerate(rows):
        cells = "".join(f"<td{kind}>{text(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
        lines.append(f"<tr{mark if at == chosen else ''}>{cells}</tr>")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def chart(figure: go.Figure, name: str, label: str) -> str:
    """Return a figure with its description for screen readers."""
    figure.update_layout(
        font={"color": _GREY, "family": "system-ui, sans-serif"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        template="none",
    )
    figure.update_xaxes(gridcolor="rgba(128,136,144,0.2)", zeroline=False, automargin=True)
    figure.update_yaxes(gridcolor="rgba(128,136,144,0.2)", zeroline=False, automargin=True)
    drawn = figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        config={"displaylogo": False, "responsive": True, "displayModeBar": False},
    )
    return f'<figure role="img" aria-label="{html.escape(label)}">{drawn}</figure>'


def pair(*parts: str) -> str:
    """Return parts side by side if the page is wide enough."""
    return '<div class="pair">' + "".join(f"<div>{part}</div>" for part in parts) + "</div>"


def page(title: str, body: str) -> str:
    """Return the complete document, with its script and styles inline."""
    from plotly.offline import get_plotlyjs

    template = files("workbench.report").joinpath("page.html").read_text(encoding="utf-8")
    out = template.replace("{{title}}", text(title)).replace("{{body}}", body)
    return out.replace("{{plotly}}", get_plotlyjs())


def as_json(value: object) -> str:
    """Format settings as readable JSON."""
    return json.dumps(value, ensure_ascii=False)
