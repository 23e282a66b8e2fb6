"""Compare ``pipeline.onnx`` with the predictor, at export and when a bundle is verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.automl.worker.parity import difficult_rows
from workbench.data.dataset import Dataset
from workbench.errors import ExportError
from workbench.runtime.bundle.golden import read_golden
from workbench.runtime.bundle.manifest import GOLDEN_FILE
from workbench.runtime.core.schema import Column1d
from workbench.runtime.model.predictor import Predictor

from .ort_session import PipelineModel, prediction_gaps

TOLERANCE = 1e-5
ROWS = 1_200


@dataclass(frozen=True, slots=True)
class PipelineParity:
    """The number of rows compared, and the largest difference of a probability or (relative)
    number.
    """

    rows: int
    largest: float


def check_pipeline(
    predictor: Predictor,
    content: bytes,
    data: Dataset,
    *,
    golden: Mapping[str, Column1d] | None = None,
    rows: int = ROWS,
    seed: int = 0,
) -> PipelineParity:
    """Compare a pipeline with the predictor of the same columns.

    Parameters
    ----------
    predictor : Predictor
    content : bytes
        The pipeline.
    data : Dataset
        Real rows. All of them if there are few, and `rows` perturbed ones, are predicted by both.
    golden : mapping of columns, optional
        Further rows, canonical: see `golden_columns`.
    rows : int
    seed : int

    Returns
    -------
    PipelineParity

    Raises
    ------
    ExportError
        If it cannot be loaded or predicts differently; the message names the row.
    """
    model = PipelineModel(content, predictor.schema)
    real = data.take(np.arange(min(data.n_rows, rows)))
    worst, seen = 0.0, 0
    one = data.take(np.arange(min(data.n_rows, 1)))
    sets = [dict(one.columns), dict(real.columns), difficult_rows(data, rows, seed)]
    for columns in sets if golden is None else [*sets, dict(golden)]:
        gaps = prediction_gaps(predictor, model, columns)
        largest = float(gaps.max(initial=0.0))
        if not largest <= TOLERANCE:
            wrong = ~(gaps <= TOLERANCE)
            at = int(wrong.argmax())
            raise ExportError(
                "pipeline.onnx does not predict what the bundle predicts",
                found=f"{int(wrong.sum())} of {len(gaps)} rows differ, such as row {at}: {gaps[at]:.3g}",
                expected=f"no difference above {TOLERANCE:g}",
            )
        worst, seen = max(worst, largest), seen + len(gaps)
    return PipelineParity(seen, worst)


def golden_columns(predictor: Predictor, folder: Path) -> dict[str, Column1d]:
    """Return the golden rows of a bundle's folder as canonical columns."""
    rows = [row for row, _ in read_golden(folder / GOLDEN_FILE)]
    return predictor.read_columns({name: [row.get(name) for row in rows] for name in predictor.names})
