"""Run ``pipeline.onnx`` as any other program would, with one tensor for each column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.errors import ExportError, TamperedBundleError
from workbench.export.tolerance import difference_unit
from workbench.runtime.core.json_documents import parse_json
from workbench.runtime.core.schema import Column1d, Levels, Schema, label_text
from workbench.runtime.model.onnx_cost import graph_cost
from workbench.runtime.model.onnx_library import import_onnxruntime
from workbench.runtime.model.onnx_scan import DOMAINS, scan_onnx
from workbench.runtime.model.onnx_shapes import RULES, TEXT_RULES
from workbench.runtime.model.predictor import Predictor

from .graph import CONTRIB_DOMAIN

_DOMAINS = DOMAINS | {CONTRIB_DOMAIN}
_RULES = {**RULES, **TEXT_RULES}
_MOST_ROWS = 16_384


def wanted_outputs(schema: Schema) -> list[str]:
    """Return the output names of a pipeline."""
    return ["value"] if schema.output.task == "regression" else ["label", "probabilities"]


def tensors(schema: Schema, columns: Mapping[str, Column1d]) -> dict[str, np.ndarray]:
    """Return canonical columns as inputs of the pipeline, each (n, 1).

    Examples
    --------
    >>> from workbench.runtime.core.schema import Column, Output
    >>> schema = Schema((Column("city", "category"),), Output("price", "regression"))
    >>> tensors(schema, {"city": Levels.of(["Oslo", None])})["city"].tolist()
    [['Oslo'], ['']]
    """
    out: dict[str, np.ndarray] = {}
    for column in schema.columns:
        values = columns[column.name]
        if isinstance(values, Levels):
            texts = np.array([*values.values, ""], dtype=object)  # -1 is the last one: missing
            out[column.name] = texts[values.codes][:, None]
        else:
            out[column.name] = np.asarray(values, dtype=np.float64)[:, None]
    return out


class PipelineModel:
    """A session over a pipeline.

    Parameters
    ----------
    content : bytes
    schema : Schema

    Raises
    ------
    ExportError
        If ONNX Runtime cannot load it.
    TamperedBundleError
        If it uses more than a pipeline needs (see `scan_onnx`, `graph_cost`), or is that of another
        model.
    """

    def __init__(self, content: bytes, schema: Schema) -> None:
        ort = import_onnxruntime()

        scan_onnx(content, "pipeline.onnx", domains=_DOMAINS)
        self._block_rows = graph_cost(content, "pipeline.onnx", _RULES).block_rows(_MOST_ROWS)
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises many types, none public
            raise ExportError("pipeline.onnx cannot be loaded", found=_first_line(error)) from error
        self._schema = schema
        found = [entry.name for entry in self._session.get_inputs()]
        if found != schema.names:
            raise TamperedBundleError(
                "pipeline.onnx and schema.json have different columns", found=str(found)[:200]
            )
        props = self._session.get_modelmeta().custom_metadata_map
        try:
            self._names: dict[str, str] = parse_json(props["outputs"].encode(), "pipeline.onnx, outputs,")
            known = {name: self._names[name] for name in wanted_outputs(schema)}
        except (KeyError, TypeError, UnicodeEncodeError) as error:
            raise TamperedBundleError("pipeline.onnx does not name its outputs") from error
        made = [entry.name for entry in self._session.get_outputs()]
        if not all(isinstance(name, str) and name in made for name in known.values()):
            raise TamperedBundleError("pipeline.onnx does not have the outputs that it names")

    def run(self, columns: Mapping[str, Column1d]) -> tuple[np.ndarray | None, np.ndarray]:
        """Predict canonical columns.

        Returns
        -------
        labels : numpy.ndarray, shape (n,), or None for a regression
        result : numpy.ndarray of float32, shape (n, k)
        """
        rows, block = len(next(iter(columns.values()), ())), self._block_rows
        if rows > block:
            parts = [self.run(_cut(columns, start, start + block)) for start in range(0, rows, block)]
            labels = [part[0] for part in parts if part[0] is not None]
            return np.concatenate(labels) if labels else None, np.concatenate([part[1] for part in parts])
        wanted = wanted_outputs(self._schema)
        try:
            results: Sequence[Any] = self._session.run(
                [self._names[name] for name in wanted], tensors(self._schema, columns)
            )
        except Exception as error:  # as above
            raise ExportError("pipeline.onnx failed", found=_first_line(error)) from error
        numbers = np.asarray(results[-1])
        expected = len(self._schema.output.classes) or 1
        right = numbers.dtype.kind == "f" and numbers.shape == (rows, expected)
        if not right or (len(results) > 1 and np.shape(results[0]) != (rows,)):
            raise TamperedBundleError(
                "pipeline.onnx and schema.json do not match",
                found=f"outputs of shape {numbers.shape}",
                expected=f"{rows} rows of {expected} columns",
            )
        return (results[0] if len(results) > 1 else None), numbers


def _cut(columns: Mapping[str, Column1d], start: int, end: int) -> dict[str, Column1d]:
    part = slice(start, end)
    return {
        name: values.take(part) if isinstance(values, Levels) else values[part]
        for name, values in columns.items()
    }


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def prediction_gaps(
    predictor: Predictor, model: PipelineModel, columns: Mapping[str, Column1d]
) -> np.ndarray:
    """Return for each row the difference of pipeline and predictor; infinite if the labels differ.

    `difference_unit` defines the unit of the difference.
    """
    served = predictor.predict_canonical(columns)
    labels, piped = model.run(columns)
    exact = served.astype(np.float64)
    unit = difference_unit(exact, classes=bool(predictor.classes))
    with np.errstate(invalid="ignore"):
        gaps = np.abs(piped.astype(np.float64) - exact) / unit
    gaps = np.where((piped == served) | (np.isnan(piped) & np.isnan(served)), 0.0, gaps).max(axis=1)
    gaps = np.where(np.isnan(gaps), np.inf, gaps)
    if labels is not None:
        sound = np.isfinite(piped).all(axis=1)  # rows without numbers have no label
        gaps[sound] = np.where(_labels_differ(predictor, labels[sound], piped[sound]), np.inf, gaps[sound])
    return np.asarray(gaps)


def _labels_differ(predictor: Predictor, labels: np.ndarray, piped: np.ndarray) -> np.ndarray:
    """Compare the labels with those that the runtime derives from the same numbers."""
    own = predictor.decide(piped)
    if labels.dtype == object and not all(isinstance(label, str) for label in predictor.classes):
        own = np.asarray([label_text(_plain(label)) for label in own], dtype=object)
    return np.asarray(labels != own)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
