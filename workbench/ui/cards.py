"""Text of the lists of runs and bundles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.display.numbers import count, duration, latency, metric_words, moment, score
from workbench.display.words import TASKS
from workbench.export.catalog import BundleEntry

from .files.folders import bundle_label
from .texts import home as texts
from .texts.general import UNKNOWN


def bundle_table(entries: Sequence[BundleEntry], folder: Path) -> list[dict[str, str]]:
    """Return the rows of the list of bundles; a broken bundle has its error."""
    return [
        {
            "folder": bundle_label(folder, entry),
            "name": "" if entry.error else entry.name,
            "version": entry.version,
            "created": "" if entry.error else moment(entry.created),
            "score": UNKNOWN
            if entry.score is None
            else f"{score(entry.score, entry.metric)} {metric_words(entry.metric).short}",
            "latency": UNKNOWN if entry.latency_p50_us is None else latency(entry.latency_p50_us),
            "run": entry.run,
            "candidate": entry.candidate,
            "problem": entry.error,
        }
        for entry in entries
    ]


def run_facts(info: Mapping[str, Any]) -> list[str]:
    """Return task, data and time of ``run.json`` in words; missing values are left out."""
    settings, data = _object(info.get("settings")), _object(info.get("data"))
    task = str(info.get("task") or settings.get("task") or "")
    facts = []
    if data.get("name"):
        facts.append(str(data["name"]))
    if settings.get("target"):
        facts.append(texts.RUN_TARGET.format(target=settings["target"], task=TASKS.get(task, task)))
    if isinstance(data.get("rows"), int):
        facts.append(texts.RUN_ROWS.format(rows=count(data["rows"])))
    used, allowed = info.get("seconds_used"), info.get("seconds_allowed")
    if isinstance(used, (int, float)):
        budget = (
            texts.RUN_BUDGET.format(budget=duration(allowed)) if isinstance(allowed, (int, float)) else ""
        )
        facts.append(texts.RUN_TIME.format(seconds=duration(used), budget=budget))
    return facts


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
