"""Compare two bundles: inputs, settings, data, score, cost, and predictions for the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import WorkbenchError
from workbench.runtime.bundle.bundle import Bundle, open_bundle
from workbench.runtime.bundle.golden import read_golden
from workbench.runtime.bundle.manifest import GOLDEN_FILE, Manifest
from workbench.runtime.core.json_documents import read_json
from workbench.runtime.core.schema import Column
from workbench.runtime.errors import shown

from .documents.profile import PROFILE_FILE

_MOST_NAMES = 8


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two bundles.

    Attributes
    ----------
    part : str
        "model", "features", "categories", "settings", "data", "score", "cost", "libraries",
        "answers" or "files".
    what : str
    before, after : object
        JSON values; None if a bundle does not have it.
    """

    part: str
    what: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """The differences between two bundles.

    Attributes
    ----------
    before, after : str
        The two bundles.
    changes : tuple of Change
    same_model : bool
        Whether both have equal schema, encoder and network, so that they predict the same.
    """

    before: str
    after: str
    changes: tuple[Change, ...]
    same_model: bool

    def to_json(self) -> dict[str, Any]:
        """Return the difference as a JSON object."""
        return {
            "before": self.before,
            "after": self.after,
            "same_model": self.same_model,
            "changes": [asdict(change) for change in self.changes],
        }

    def to_text(self) -> str:
        """Return the changes as text, part by part.

        Examples
        --------
        >>> print(Difference("a", "b", (Change("settings", "C", 1.0, 0.1),), False).to_text())
        settings
          C: 1.0 -> 0.1
        """
        if not self.changes:
            return f"{self.before} and {self.after} do not differ"
        lines: list[str] = []
        part = ""
        for change in self.changes:
            if change.part != part:
                part = change.part
                lines.append(part)
            lines.append(f"  {change.what}: {_text(change.before)} -> {_text(change.after)}")
        return "\n".join(lines)


def diff_bundles(before: str | Path, after: str | Path) -> Difference:
    """Compare two bundles, folders or zips.

    Parameters
    ----------
    before, after : str or Path

    Returns
    -------
    Difference

    Raises
    ------
    BundleError
        If one of the two cannot be used.
    """
    first, second = open_bundle(before), open_bundle(after)
    changes = (
        *_model(first.manifest, second.manifest),
        *_threshold(first, second),
        *_features(first, second),
        *_settings(first.manifest, second.manifest),
        *_data(first, second),
        *_score(first.manifest, second.manifest),
        *_cost(first.manifest, second.manifest),
        *_mapping("libraries", first.manifest.libraries, second.manifest.libraries),
        *_answers(first, second),
        *_files(first.manifest, second.manifest),
    )
    same = first.manifest.model_id == second.manifest.model_id
    return Difference(str(before), str(after), tuple(changes), same)


def _facts(part: str, pairs: Mapping[str, tuple[Any, Any]]) -> Iterator[Change]:
    for what, (before, after) in pairs.items():
        if before != after:
            yield Change(part, what, before, after)


def _mapping(part: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    yield from _facts(part, {key: (before.get(key), after.get(key)) for key in sorted({*before, *after})})


def _model(before: Manifest, after: Manifest) -> Iterator[Change]:
    keys = ("name", "version", "model_id", "created", "task", "target", "format_version")
    yield from _facts("model", {key: (getattr(before, key), getattr(after, key)) for key in keys})
    yield from _facts("model", {"classes": (list(before.classes), list(after.classes))})


def _threshold(before: Bundle, after: Bundle) -> Iterator[Change]:
    outputs = before.schema.output, after.schema.output
    if outputs[0].task == outputs[1].task == "binary":
        yield from _facts("model", {"threshold": (outputs[0].threshold, outputs[1].threshold)})


def _features(before: Bundle, after: Bundle) -> Iterator[Change]:
    first = {column.name: column for column in before.schema.columns}
    second = {column.name: column for column in after.schema.columns}
    for name in [*first, *(each for each in second if each not in first)]:
        old, new = first.get(name), second.get(name)
        if old is None or new is None:
            kinds = (old.kind if old else None, new.kind if new else None)
            yield Change("features", f"column {shown(name)}", *kinds)
            continue
        yield from _column(old, new)
    order = [name for name in first if name in second], [name for name in second if name in first]
    yield from _facts("features", {"order of columns": order})
    widths = before.predictor.encoder.width, after.predictor.encoder.width
    yield from _facts("features", {"features encoded": widths})
    for name, column in first.items():
        if name in second:
            yield from _levels(column, second[name])


def _column(old: Column, new: Column) -> Iterator[Change]:
    keys = ("kind", "nullable", "low", "high", "decimal", "thousands", "formats", "missing")
    for key in keys:
        pair = getattr(old, key), getattr(new, key)
        if pair[0] != pair[1]:
            yield Change("features", f"column {shown(old.name)}, {key}", *(_plain(each) for each in pair))


def _levels(old: Column, new: Column) -> Iterator[Change]:
    gone = [level for level in old.categories or () if level not in set(new.categories or ())]
    come = [level for level in new.categories or () if level not in set(old.categories or ())]
    if gone or come:
        yield Change(
            "categories", f"column {shown(old.name)}", _only(gone, "only there: "), _only(come, "only here: ")
        )


def _only(levels: list[str], what: str) -> str | None:
    if not levels:
        return None
    more = f" and {len(levels) - _MOST_NAMES} more" if len(levels) > _MOST_NAMES else ""
    return what + ", ".join(shown(level) for level in levels[:_MOST_NAMES]) + more


def _settings(before: Manifest, after: Manifest) -> Iterator[Change]:
    keys = ("run", "candidate", "family", "seed")
    yield from _facts(
        "settings", {key: (getattr(before.lineage, key), getattr(after.lineage, key)) for key in keys}
    )
    yield from _mapping("settings", before.lineage.params, after.lineage.params)


def _data(before: Bundle, after: Bundle) -> Iterator[Change]:
    keys = ("name", "rows", "date", "fingerprint")
    first, second = before.manifest.data, after.manifest.data
    yield from _facts("data", {key: (getattr(first, key), getattr(second, key)) for key in keys})
    old, new = _profile(before), _profile(after)
    for name in old:
        if name in new:
            for key in ("missing_share", "mean", "std", "distinct"):
                pair = old[name].get(key), new[name].get(key)
                if pair[0] != pair[1]:
                    yield Change("data", f"column {shown(name)}, {key}", *pair)


def _profile(bundle: Bundle) -> dict[str, Mapping[str, Any]]:
    if PROFILE_FILE not in bundle.manifest.files:
        return {}
    columns = read_json(bundle.path / PROFILE_FILE).get("columns")
    if not isinstance(columns, list):
        return {}
    return {str(each.get("name")): each for each in columns if isinstance(each, Mapping)}


def _score(before: Manifest, after: Manifest) -> Iterator[Change]:
    keys = ("name", "value", "low", "high", "data", "rows")
    yield from _facts(
        "score", {key: (getattr(before.metric, key), getattr(after.metric, key)) for key in keys}
    )


def _cost(before: Manifest, after: Manifest) -> Iterator[Change]:
    def facts(manifest: Manifest) -> dict[str, Any]:
        latency, price = manifest.latency, manifest.price
        return {
            "latency p50 µs": latency.p50_us if latency else None,
            "latency p99 µs": latency.p99_us if latency else None,
            "measured on": latency.machine if latency else None,
            "CPU µs a row": manifest.cpu_us_per_row,
            "price per million": price.per_million_usd if price else None,
        }

    first, second = facts(before), facts(after)
    yield from _facts("cost", {key: (first[key], second[key]) for key in first})


def _answers(before: Bundle, after: Bundle) -> Iterator[Change]:
    """Compare predictions of both models for the golden rows of both, as far as both accept
    them.
    """
    if before.manifest.model_id == after.manifest.model_id:
        return
    if before.manifest.classes != after.manifest.classes or before.manifest.task != after.manifest.task:
        return
    rows = [row for bundle in (before, after) for row, _ in read_golden(bundle.path / GOLDEN_FILE)]
    pairs = []
    for row in rows:
        try:
            pairs.append((before.predictor.predict_row(row), after.predictor.predict_row(row)))
        except WorkbenchError:
            continue
    if not pairs:
        yield Change("answers", "rows that both accept", len(rows), 0)
        return
    old, new = (np.array(each, dtype=np.float64) for each in zip(*pairs, strict=True))
    gaps = np.abs(old - new).max(axis=1)
    yield Change("answers", "rows predicted by both", len(rows), len(pairs))
    yield Change("answers", "mean difference", 0.0, float(gaps.mean()))
    yield Change("answers", "largest difference", 0.0, float(gaps.max()))
    if before.manifest.classes:
        other = int((before.predictor.decide(old) != after.predictor.decide(new)).sum())
        yield Change("answers", "rows with another label", 0, other)


def _files(before: Manifest, after: Manifest) -> Iterator[Change]:
    for name in sorted({*before.files, *after.files}):
        pair = before.files.get(name), after.files.get(name)
        if pair[0] != pair[1]:
            yield Change("files", name, *(each[:12] if each else None for each in pair))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:.6g}" if isinstance(value, float) and not value.is_integer() else str(value)
