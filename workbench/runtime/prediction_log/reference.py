"""The bins that roll-ups count in: those of the bundle's ``profile.json``.

The folder of a log stores them with each model (``models/<model id>.json``), so that a log can be
read, and a file that a killed process left can be sealed, without its bundle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..core.schema import Column, Output, Schema, label_text
from .masking import Masks

PROFILE_FILE = "profile.json"
_PARTS = 20  # of a range whose distribution is not known
NUMBER, CATEGORY, TEXT = "number", "category", "text"


@dataclass(frozen=True, slots=True)
class ColumnReference:
    """How one column is counted.

    Attributes
    ----------
    kind : str
        Of the schema: number, boolean, datetime, category or text.
    edges : tuple of float
        Of the bins of a number, a date (seconds since 1970) or a text's length; one bin below and
        one above are added.
    levels : tuple of str
        The levels of a category that are counted each for itself.
    others : frozenset of str
        Levels known to the encoder that are counted together.
    masked : bool
        Whether only missing values are counted.
    """

    kind: str
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    others: frozenset[str] = frozenset()
    masked: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        out: dict[str, Any] = {"kind": self.kind}
        if self.edges:
            out["edges"] = list(self.edges)
        if self.kind == CATEGORY and not self.masked:
            out |= {"levels": list(self.levels), "others": sorted(self.others)}
        return out | ({"masked": True} if self.masked else {})

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ColumnReference:
        """Read one column's bins."""
        return cls(
            str(document["kind"]),
            tuple(map(float, document.get("edges", ()))),
            tuple(document.get("levels", ())),
            frozenset(document.get("others", ())),
            bool(document.get("masked")),
        )


@dataclass(frozen=True, slots=True)
class Reference:
    """The bins of a model's columns and predictions, by name; removed columns are not among
    them.
    """

    columns: Mapping[str, ColumnReference] = field(default_factory=dict)
    predictions: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "columns": {name: column.to_json() for name, column in self.columns.items()},
            "predictions": {name: list(edges) for name, edges in self.predictions.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Reference:
        """Read the bins of a stored model."""
        columns = {name: ColumnReference.from_json(each) for name, each in document["columns"].items()}
        predictions = {name: tuple(map(float, each)) for name, each in document["predictions"].items()}
        return cls(columns, predictions)


def reference_of(schema: Schema, bundle: Path, masks: Masks | None = None) -> Reference:
    """Return the bins of a bundle; without a ``profile.json``, equal parts of the ranges in its
    schema.

    Parameters
    ----------
    schema : Schema
    bundle : Path
        The bundle's folder.
    masks : Masks, optional
        Of masked columns no level or range is stored.
    """
    profile = _profile(bundle / PROFILE_FILE)
    listed = profile.get("columns")
    entries = {each["name"]: each for each in listed or () if isinstance(each, dict) and "name" in each}
    hidden = masks or Masks()
    columns = {
        column.name: ColumnReference(column.kind, masked=True)
        if column.name in hidden.hashed
        else _column(column, entries.get(column.name, {}))
        for column in schema.columns
        if column.name not in hidden.removed
    }
    return Reference(columns, _predictions(schema.output, profile))


def _profile(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _column(column: Column, entry: Mapping[str, Any]) -> ColumnReference:
    if column.kind == "category":
        listed = entry.get("levels")
        known = column.categories or ()
        levels = tuple(str(each[0]) for each in listed) if listed else known
        return ColumnReference(column.kind, (), levels, frozenset(known) - frozenset(levels))
    if column.kind == "text":
        return ColumnReference(column.kind, _edges(entry.get("letters"), 0.0, 1000.0))
    if column.kind == "boolean":
        return ColumnReference(column.kind, (0.0, 0.5, 1.0))
    return ColumnReference(column.kind, _edges(entry, column.low, column.high))


def _edges(entry: Any, low: float | None, high: float | None) -> tuple[float, ...]:
    histogram = entry.get("histogram") or {} if isinstance(entry, Mapping) else {}
    edges = tuple(map(float, histogram.get("edges", ())))
    if len(edges) > 1:
        return edges
    if low is None or high is None or not low < high:
        return () if low is None else (low, float(np.nextafter(low, np.inf)))
    return tuple(np.linspace(low, high, _PARTS + 1).tolist())


def _predictions(output: Output, profile: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    """Return the bins of each output: of rows that the prediction did not see, where the profile
    has them.
    """
    newer = (profile.get("reference") or {}).get("prediction") or {}
    older = profile.get("prediction") or {}
    if not output.classes:
        entry = newer.get("value")
        return {"value": tuple(map(float, entry["edges"])) if entry else _edges(older, None, None)}
    unit = tuple(np.linspace(0.0, 1.0, _PARTS + 1).tolist())
    out = {}
    for name in map(label_text, output.classes):
        entry = newer.get(name)
        out[name] = tuple(map(float, entry["edges"])) if entry and len(entry["edges"]) > 1 else unit
    return out
