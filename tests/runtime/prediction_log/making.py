"""Small parts for the tests of the prediction log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.runtime.made import ROWS
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.prediction_log.folder import prepare
from workbench.runtime.prediction_log.masking import Masks
from workbench.runtime.prediction_log.records import Identity, LoggedRequest, RecordEncoder
from workbench.runtime.prediction_log.reference import reference_of
from workbench.runtime.prediction_log.sealing import SegmentModel
from workbench.runtime.prediction_log.writer import LogWriter

NOON = 1_796_126_400.0  # 2026-12-01T12:00:00Z


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def identity_of(bundle: Bundle) -> Identity:
    manifest = bundle.manifest
    return Identity(manifest.name, manifest.name, manifest.version, manifest.model_id)


def make_writer(
    folder: Path, bundle: Bundle, clock: Clock, masks: Masks | None = None, **more: Any
) -> LogWriter:
    masks = masks or Masks()
    schema = bundle.schema
    reference = reference_of(schema, bundle.path, masks)
    encoder = RecordEncoder(schema, identity_of(bundle), masks)
    prepare(folder, schema, identity_of(bundle), reference, masks)
    columns = tuple((each.name, each.kind) for each in schema.columns if each.name not in masks.removed)
    model = SegmentModel(bundle.manifest.model_id, columns, encoder.classes, reference)
    return LogWriter(folder, encoder, model, clock=clock, **more)


def scored(bundle: Bundle, request_id: str = "r1", time_s: float = NOON, rows: Any = None) -> LoggedRequest:
    rows = ROWS if rows is None else rows
    labels = bundle.predict(rows).tolist()
    shares = bundle.predict_proba(rows).tolist() if len(bundle.classes_) else None
    latency = (11.0, 5.5, 21.0, 40.0)
    return LoggedRequest(
        request_id, "/predict", 200, rows, len(rows), labels, shares, latency_us=latency, time_s=time_s
    )
