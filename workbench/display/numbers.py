"""Format numbers with units and thousands separators, and escape text."""

from __future__ import annotations

import datetime as dt
import html
import math
import re

from workbench.tradeoff.sentences import money

from .words import METRICS, UNKNOWN, MetricWords

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|$~:&^=])")


def metric_words(metric: str) -> MetricWords:
    """Return the display names of a scikit-learn scorer; an unknown scorer keeps its own name."""
    return METRICS.get(metric) or MetricWords(metric, metric, signed=metric.startswith("neg_"))


def shown_score(value: float, metric: str) -> float:
    """Return a score as it is displayed: shares in percent, errors without the minus sign.

    Examples
    --------
    >>> shown_score(-3.5, "neg_root_mean_squared_error")
    3.5
    >>> shown_score(0.93, "roc_auc")
    93.0
    """
    words = metric_words(metric)
    if words.percent:
        return 100.0 * value
    return -value if words.signed else value


def score(value: float | None, metric: str) -> str:
    """Format a score.

    Examples
    --------
    >>> score(0.9312, "roc_auc"), score(-1234.5, "neg_mean_absolute_error"), score(None, "r2")
    ('93.1 %', '1,234', '–')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    number = shown_score(value, metric)
    return f"{number:.1f} %" if metric_words(metric).percent else significant(number, 4)


def interval(low: float | None, high: float | None, metric: str) -> str:
    """Format the interval of a score, the smaller number first.

    Examples
    --------
    >>> interval(0.92, 0.941, "roc_auc"), interval(-9.0, -7.0, "neg_mean_absolute_error")
    ('92.0 % to 94.1 %', '7 to 9')
    """
    if low is None or high is None:
        return UNKNOWN
    ends = sorted((low, high), key=lambda end: shown_score(end, metric))
    return f"{score(ends[0], metric)} to {score(ends[1], metric)}"


def significant(number: float, digits: int = 2) -> str:
    """Format a number with significant digits and thousands separators, without an exponent.

    Examples
    --------
    >>> significant(0.02637), significant(1234567.0), significant(0.0)
    ('0.026', '1,234,567', '0')
    """
    if not math.isfinite(number):
        return UNKNOWN
    if number == 0.0:
        return "0"
    decimals = min(12, max(0, digits - 1 - math.floor(math.log10(abs(number)))))
    text = f"{number:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def latency(microseconds: float | None) -> str:
    """Format a latency in milliseconds, or in seconds from one second on.

    Examples
    --------
    >>> latency(26.4), latency(1500.0), latency(2_500_000.0)
    ('0.026 ms', '1.5 ms', '2.5 s')
    """
    if microseconds is None:
        return UNKNOWN
    if microseconds >= 1e6:
        return f"{significant(microseconds / 1e6)} s"
    return f"{significant(microseconds / 1e3)} ms"


def size(megabytes: float | None) -> str:
    """Format a size given in millions of bytes.

    Examples
    --------
    >>> size(0.0123), size(3.456), size(2048.0)
    ('12 kB', '3.5 MB', '2 GB')
    """
    if megabytes is None:
        return UNKNOWN
    if megabytes < 1:
        return f"{significant(megabytes * 1000)} kB"
    return f"{significant(megabytes)} MB" if megabytes < 1000 else f"{significant(megabytes / 1000)} GB"


def count(number: float | None) -> str:
    """Format a whole number.

    Examples
    --------
    >>> count(1234567)
    '1,234,567'
    """
    return UNKNOWN if number is None else f"{number:,.0f}"


def duration(seconds: float | None) -> str:
    """Format a duration.

    Examples
    --------
    >>> duration(42.4), duration(75), duration(300), duration(3720)
    ('42 s', '1 min 15 s', '5 min', '1 h 2 min')
    """
    if seconds is None:
        return UNKNOWN
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    return f"{whole // 3600} h" + (f" {whole % 3600 // 60} min" if whole % 3600 // 60 else "")


def plain(text: object, longest: int = 300) -> str:
    """Escape text for Markdown, so that it is never formatted, linked or executed.

    Examples
    --------
    >>> print(plain("<b>![x](http://a.b)"))
    \\<b\\>\\!\\[x\\]\\(http\\://a\\.b\\)
    """
    line = " ".join(str(text).split())
    line = line if len(line) <= longest else line[: longest - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", line)


def chart_text(text: object, longest: int = 80) -> str:
    """Escape text for a chart, since Plotly interprets some HTML tags.

    Examples
    --------
    >>> chart_text("<a href='x'>")
    "&lt;a href='x'&gt;"
    """
    line = " ".join(str(text).split())
    return html.escape(line if len(line) <= longest else line[: longest - 1] + "…", quote=False)


def code(text: object, longest: int = 300) -> str:
    """Return text as a Markdown code span; backticks become apostrophes.

    Examples
    --------
    >>> code("runs/a`b")
    "`runs/a'b`"
    """
    line = " ".join(str(text).split()).replace("`", "'")
    return f"`{line if len(line) <= longest else line[: longest - 1] + '…'}`"


def moment(iso: object) -> str:
    """Format a time in UTC, to the minute; a value that is not ISO 8601 is returned as it is.

    Examples
    --------
    >>> moment("2026-01-31T12:00:59.123+00:00"), moment(None)
    ('2026-01-31 12:00 UTC', '–')
    """
    try:
        when = dt.datetime.fromisoformat(str(iso))
    except ValueError:
        return str(iso) if iso else UNKNOWN
    when = when.replace(tzinfo=dt.UTC) if when.tzinfo is None else when.astimezone(dt.UTC)
    return when.strftime("%Y-%m-%d %H:%M UTC")


def amount(value: float, currency: str = "$") -> str:
    """Format an amount of money; without cents from 100 on, and for whole numbers.

    Examples
    --------
    >>> amount(73.0), amount(1234.56), amount(0.0023), amount(12.5, "EUR")
    ('$73', '$1,235', '$0.0023', '12.50 EUR')
    """
    if abs(value) >= 100.0 or value == round(value):
        return f"{currency}{value:,.0f}" if len(currency) == 1 else f"{value:,.0f} {currency}".strip()
    return money(value, currency)


def day(value: object) -> str:
    """Format a value of a form; a date without the time at midnight.

    Examples
    --------
    >>> day("2025-06-16T00:00:00"), day(3.0)
    ('2025-06-16', '3.0')
    """
    return str(value).removesuffix("T00:00:00")


def points(gap: float, metric: str) -> str:
    """Format a score difference: in points for percentages, otherwise in the unit of the metric.

    Examples
    --------
    >>> points(-0.0042, "roc_auc"), points(1200.0, "neg_mean_absolute_error")
    ('0.42 points', '1,200')
    """
    size_of_gap = abs(gap)
    if metric_words(metric).percent:
        number = significant(100.0 * size_of_gap)
        return f"{number} point{'' if number == '1' else 's'}"
    return significant(size_of_gap, 3)


def percent(share: float | None, decimals: int = 1) -> str:
    """Format a share as percent.

    Examples
    --------
    >>> percent(0.1234), percent(None)
    ('12.3 %', '–')
    """
    return UNKNOWN if share is None or not math.isfinite(share) else f"{100.0 * share:.{decimals}f} %"
