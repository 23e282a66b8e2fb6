"""Checks of a bundle's predictions: golden rows, row against batch, the training library,
``pipeline.onnx``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.automl.worker.parity import TOLERANCE
from workbench.data.dataset import Dataset
from workbench.errors import ExportError
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.bundle.golden import read_for
from workbench.runtime.bundle.manifest import GOLDEN_FILE
from workbench.runtime.core.json_documents import read_bytes

from ..pipeline import PIPELINE_FILE, check_pipeline, golden_columns
from ..tolerance import difference_unit
from .report import Outcome

_ROW_BATCH = 1e-5  # a batch adds the 64 terms of a layer in another order, in float32
_OWN_SIZE = 1e-2  # of a number's size, if that is larger than the spread: the unit of its difference
_FEWEST_GOLDEN = 50


def check_golden(bundle: Bundle) -> Outcome:
    """Check that the bundle reproduces its golden rows, and that there are enough of them."""
    report = bundle.replay_golden()
    enough = report.rows >= min(_FEWEST_GOLDEN, bundle.manifest.data.rows)
    if report.ok and not enough:
        return Outcome(False, f"only {report.rows} golden rows; at least {_FEWEST_GOLDEN} are expected")
    return Outcome(report.ok, report.summary())


def check_row_and_batch(bundle: Bundle) -> Outcome:
    """Check that a row predicted alone and in a batch gets the same prediction."""
    rows = [entry["input"] for entry in read_for(bundle.predictor, bundle.path / GOLDEN_FILE)]
    predictor = bundle.predictor
    alone = np.array([predictor.predict_row(row) for row in rows], dtype=np.float64)
    batch = predictor.predict_rows(rows).astype(np.float64)
    gaps = np.abs(alone - batch) / difference_unit(batch, classes=bool(predictor.classes))
    largest = float(gaps.max(initial=0.0))
    return Outcome(
        largest <= _ROW_BATCH, f"{len(rows)} rows alone and as one batch differ by at most {largest:.2g}"
    )


def check_parity(bundle: Bundle) -> Outcome:
    """Check the bundle's predictions against those of the training library, stored with the golden
    rows.
    """
    rows, library = _library_predictions(bundle)
    if not rows:
        return Outcome(None, "the golden rows have no predictions of the training library")
    served = bundle.predictor.predict_rows(rows).astype(np.float64)
    try:
        truth = np.asarray(library, dtype=np.float64).reshape(served.shape)
    except (ValueError, TypeError, OverflowError):
        return Outcome(False, f"the training library's predictions are not {served.shape[1]} numbers a row")
    classes = bool(bundle.manifest.classes)
    gaps = np.abs(served - truth) / difference_unit(truth, classes=classes, own=_OWN_SIZE)
    largest = float(gaps.max())
    unit = "" if classes else " standard deviations"
    family = bundle.manifest.lineage.family
    detail = f"{len(rows)} rows differ from the predictions of {family} by at most {largest:.2g}{unit}"
    return Outcome(largest <= TOLERANCE, detail)


def check_raw_pipeline(bundle: Bundle) -> Outcome:
    """Check ``pipeline.onnx`` on the golden rows and on a thousand difficult rows derived from
    them.

    Returns
    -------
    Outcome
        Not checked if the bundle has no such file; the detail is the reason in its manifest.
    """
    if PIPELINE_FILE not in bundle.manifest.files:
        return Outcome(None, bundle.manifest.omitted.get(PIPELINE_FILE, f"there is no {PIPELINE_FILE}"))
    content = read_bytes(bundle.path / PIPELINE_FILE)
    try:
        parity = check_pipeline(bundle.predictor, content, golden_data(bundle))
    except ExportError as error:
        return Outcome(False, str(error))
    return Outcome(
        True, f"{parity.rows:,} rows from raw columns differ from the runtime by at most {parity.largest:.2g}"
    )


def golden_data(bundle: Bundle) -> Dataset:
    """Return the golden rows as a data set without a target."""
    columns = golden_columns(bundle.predictor, bundle.path)
    return Dataset(bundle.schema, columns, np.zeros(len(next(iter(columns.values()), []))))


def _library_predictions(bundle: Bundle) -> tuple[list[dict[str, Any]], list[Any]]:
    rows, predictions = [], []
    for entry in read_for(bundle.predictor, bundle.path / GOLDEN_FILE):
        if "library" in entry:
            rows.append(entry["input"])
            predictions.append(entry["library"])
    return rows, predictions
