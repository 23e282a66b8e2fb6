"""What the lists of runs and bundles say, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.display.numbers import count, duration, latency, metric_words, moment, score
from workbench.display.words import TASKS

from .files.folders import BundleEntry
from .texts import home as texts
from .texts.general import UNKNOWN


def bundle_table(entries: Sequence[BundleEntry]) -> list[dict[str, str]]:
    """Return what the list of bundles shows; a manifest may lack anything, and a broken one says so."""
    table = []
    for entry in entries:
        manifest, metric = entry.manifest, _object(entry.manifest.get("metric"))
        lineage, measured = _object(manifest.get("lineage")), _object(manifest.get("latency"))
        value, p50 = metric.get("value"), measured.get("p50_us")
        name = str(metric.get("name", ""))
        table.append(
            {
                "folder": entry.name,
                "name": str(manifest.get("name", "")),
                "version": str(manifest.get("version", "")),
                "created": moment(manifest.get("created")),
                "score": f"{score(value, name)} {metric_words(name).short}"
                if isinstance(value, float)
                else UNKNOWN,
                "latency": latency(p50) if isinstance(p50, (int, float)) else UNKNOWN,
                "run": str(lineage.get("run", "")),
                "candidate": str(lineage.get("candidate", "")),
                "problem": entry.problem,
            }
        )
    return table


def run_facts(info: Mapping[str, Any]) -> list[str]:
    """Return what ``run.json`` says of the task, the data and the time, in words; what it does not say is left out."""
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
