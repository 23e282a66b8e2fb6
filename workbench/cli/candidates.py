"""The rows of a leaderboard as text: the table, its legend, and the failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .text_table import NOTHING, interval, render, rounded, score_places, whole

if TYPE_CHECKING:
    from workbench.tradeoff import LeaderboardRow

_FINAL = {"hold-out": "on the held-out rows"}


def candidate_table(rows: Sequence[LeaderboardRow]) -> str:
    """Lay out the candidates with a score: scores, costs and measurements with their units.

    Parameters
    ----------
    rows : sequence of LeaderboardRow

    Returns
    -------
    str
    """
    shown = [row for row in rows if _has_score(row)]
    if not shown:
        return "No candidate has a score."
    columns: dict[str, Callable[[LeaderboardRow], str]] = {
        "id": lambda row: row.id,
        "family": lambda row: row.family,
        **_scores(shown),
        "": _marks,
        **_money(shown),
        "p50 µs": lambda row: rounded(row.latency_p50_us),
        "p99 µs": lambda row: rounded(row.latency_p99_us),
        "CPU µs/row": lambda row: rounded(row.cpu_us_per_row),
        "batch rows/s": lambda row: whole(row.rows_per_s),
        "train CPU s": lambda row: rounded(row.train_cpu_s),
        "peak MB": lambda row: whole(row.peak_memory_mb),
        "size MB": lambda row: rounded(row.artifact_mb),
        "price/million": lambda row: rounded(row.price_per_million_usd),
    }
    left = [*list(columns)[: 2 + len(_scores(shown))], ""]
    cells = [[show(row) for show in columns.values()] for row in shown]
    return render(list(columns), cells, left=left)


def _scores(shown: Sequence[LeaderboardRow]) -> dict[str, Callable[[LeaderboardRow], str]]:
    """Return the final score, if there is one, and the score that the search chose by."""
    metric = shown[0].metric or "score"
    places = score_places(shown[0].score_low, shown[0].score_high)

    def chosen_by(row: LeaderboardRow) -> str:
        return interval(row.score, row.score_low, row.score_high, places)

    def final(row: LeaderboardRow) -> str:
        return interval(row.final_score, row.final_low, row.final_high, places)

    if all(row.final_score is None for row in shown):
        return {f"{metric} [95 %]": chosen_by}
    return {f"{metric}, final [95 %]": final, "in the search [95 %]": chosen_by}


def _money(shown: Sequence[LeaderboardRow]) -> dict[str, Callable[[LeaderboardRow], str]]:
    """Return the cost of mistakes and the total cost of a month, if they are known."""
    if all(row.expected_cost_per_1000 is None for row in shown):
        return {}

    def mistakes(row: LeaderboardRow) -> str:
        cost = row.expected_cost
        if cost is None:
            return NOTHING
        places = 0 if cost.high - cost.low >= 2 else 2
        return interval(*cost, places)

    return {
        "mistakes/1000 [95 %]": mistakes,
        "total/month": lambda row: rounded(row.total_cost_per_month_usd, 4),
    }


def _has_score(row: LeaderboardRow) -> bool:
    return row.status != "failed" and row.score is not None


def _marks(row: LeaderboardRow) -> str:
    marks = ("*" if row.on_front else "") + ("=" if row.equal_to_best else "")
    marks += "<" if row.clock_rounds else ""
    return marks + ("!" if row.status == "stopped" else "")


def legend(rows: Sequence[LeaderboardRow]) -> str:
    """Explain the marks, the data of the scores, and how latency was measured."""
    lines = []
    meanings = {
        "*": "on the Pareto front (score, p50, price)",
        "=": "statistically tied with the best score",
        "<": "stopped by the time limit, all folds after the same number of rounds: more --time may improve it",
        "!": "stopped early",
    }
    used = "".join(_marks(row) for row in rows if _has_score(row))
    if used:
        lines.append(
            "; ".join(f"{mark} {meaning}" for mark, meaning in meanings.items() if mark in used) + "."
        )
    scored = next((row for row in rows if row.score is not None), None)
    if scored is not None:
        on = f" on {scored.score_rows:,} rows" if scored.score_rows else ""
        data = scored.score_data or "validation"
        final = next((row.final_data for row in rows if row.final_data), None)
        if final:
            data_of_final = _FINAL.get(str(final), final)
            lines.append(
                f"Scores: {scored.metric}, higher is better. Final: {data_of_final}. In the search: {data}{on}."
            )
        else:
            lines.append(f"Scores: {scored.metric}, higher is better, {data}{on}.")
    priced = next((row for row in rows if row.expected_cost_data), None)
    if priced is not None:
        total = f" Total of a month: {priced.total_cost_data}." if priced.total_cost_data else ""
        lines.append(f"Mistakes: cost of 1,000 cases, {priced.expected_cost_data}.{total}")
    timed = next((row for row in rows if row.calls), None)
    if timed is not None:
        lines.append(
            f"Latency: one row as a dict, in process, {_counted(timed.threads, 'thread')}, "
            f"{timed.calls:,} calls in {_counted(timed.blocks, 'block')}; p99 of the quietest block; "
            f"on {timed.machine or 'an unnamed machine'}."
        )
    return "\n".join(lines)


def _counted(number: int | None, noun: str) -> str:
    return f"{number or NOTHING} {noun}{'' if number == 1 else 's'}"


def failures(rows: Sequence[LeaderboardRow], flagged: Callable[[str], str]) -> str:
    """List the candidates without a score with stage, reason and hint; empty if there is none.

    `flagged` writes the parameters that a message names as flags (`Console.flagged`).
    """
    failed = [row for row in rows if not _has_score(row)]
    if not failed:
        return ""
    names = ["id", "family", "stage", "reason", "what to do"]
    cells = [
        [each or NOTHING for each in (row.id, row.family, row.stage, flagged(row.reason), flagged(row.hint))]
        for row in failed
    ]
    return f"Failed or stopped ({len(failed)}):\n{render(names, cells, left=names)}"


_SPENT = {
    "encode": "encoding",
    "fit": "fitting",
    "predict": "predicting and scoring",
    "score": "predicting and scoring",
    "convert": "converting to the serving form",
    "parity": "checking parity",
    "measure": "measuring",
    "sample": "sampling configurations",
    "blend": "selecting ensembles",
    "lost": "aborted fits",
    "start": "starting and reading",
    "probe": "a first fit, to time fits",
    "quiet": "idle during measurements",
    "idle": "waiting and other processes",
}


def time_spent(info: Mapping[str, Any]) -> str:
    """Return how a run used processor time and memory; empty if that is not known.

    Examples
    --------
    >>> time_spent({"cpu_spent": {"fit": 90.0, "idle": 10.0, "available": 100.0}})
    'Processor time: 90 % fitting, 10 % waiting and other processes (100 s in total).'
    >>> time_spent({"cpu_spent": {"fit": 2.0, "available": 2.0}, "memory_peak_mb": 812.4}).split("). ")[1]
    'Memory: at most 812 MB, all processes together.'
    """
    spent: dict[str, float] = dict(info.get("cpu_spent") or {})
    available = spent.pop("available", 0.0)
    if not available:
        return ""
    shares: dict[str, float] = {}
    for name, seconds in spent.items():
        words = _SPENT.get(name, name)
        shares[words] = shares.get(words, 0.0) + seconds / available
    parts = [
        f"{100 * share:.0f} % {words}" for words, share in sorted(shares.items(), key=lambda each: -each[1])
    ]
    peak = float(info.get("memory_peak_mb") or 0.0)
    memory = f" Memory: at most {peak:,.0f} MB, all processes together." if peak else ""
    return f"Processor time: {', '.join(parts)} ({available:.0f} s in total).{memory}"


def paragraphs(*parts: str) -> str:
    """Join the parts that are not empty, a blank line between them.

    Examples
    --------
    >>> paragraphs("a", "", "b")
    'a\\n\\nb'
    """
    return "\n\n".join(part for part in parts if part)
