"""Predict one row with the served model: form fields, and a prediction with its latency."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.data.dataset import Dataset
from workbench.runtime.core.columns import Kind
from workbench.runtime.core.schema import Label, Levels, label_text
from workbench.runtime.model.predictor import Predictor

_CALLS = 100
_MOST_OPTIONS = 200


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form.

    Attributes
    ----------
    name : str
    kind : {"number", "boolean", "category", "datetime", "text"}
    nullable : bool
        Whether the field may be empty.
    options : tuple of str
        The values to choose from (category).
    value : object
        The value of the example row, as in JSON.
    low, high : float or None
        The range seen in training.
    unit : str
        The unit of a number; "" if it has none.
    """

    name: str
    kind: Kind
    nullable: bool
    options: tuple[str, ...]
    value: Any
    low: float | None
    high: float | None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class TimedPrediction:
    """A prediction with its latency.

    Attributes
    ----------
    prediction : label or float
    probabilities : dict of str to float
        By class; empty for regression.
    latency_p50_us : float
        Median time of the calls, microseconds.
    calls : int
    """

    prediction: Label | float
    probabilities: dict[str, float]
    latency_p50_us: float
    calls: int


def example_row(data: Dataset, position: int) -> dict[str, Any]:
    """Return one row of a data set as input of a prediction: column to value."""
    row: dict[str, Any] = {}
    for column in data.schema.columns:
        values = data.columns[column.name]
        if isinstance(values, Levels):
            code = int(values.codes[position])
            row[column.name] = None if code < 0 else values.values[code]
        else:
            row[column.name] = column.write(float(values[position]))
    return row


def fields(predictor: Predictor, row: Mapping[str, Any]) -> list[Field]:
    """Return the fields of a form, filled with an example row."""
    out = []
    for column in predictor.schema.columns:
        options = column.categories or () if column.kind == "category" else ()
        out.append(
            Field(
                column.name,
                column.kind,
                column.nullable,
                tuple(options[:_MOST_OPTIONS]),
                row.get(column.name),
                column.low,
                column.high,
                column.unit,
            )
        )
    return out


def predict_timed(
    predictor: Predictor,
    row: Mapping[str, Any],
    calls: int = _CALLS,
    between: Sequence[Mapping[str, Any]] = (),
) -> TimedPrediction:
    """Predict one row repeatedly and measure the latency.

    Parameters
    ----------
    predictor : Predictor
    row : dict
    calls : int
        Number of timed calls.
    between : sequence of dict
        Other rows, predicted in between and not timed. A row that is predicted again and again
        finds its part of a large model in the processor cache, and is several times faster than in
        production.

    Raises
    ------
    InputError
        If the row does not fit the model; the error names the column.
    """
    output = predictor.predict_row(row)[None]
    times = np.empty(calls)
    for at in range(calls):
        if between:
            predictor.predict_row(between[at % len(between)])
        begin = time.perf_counter()
        predictor.predict_row(row)
        times[at] = time.perf_counter() - begin
    label = predictor.decide(output)[0]
    probabilities = {
        label_text(each): float(share) for each, share in zip(predictor.classes, output[0], strict=False)
    }
    plain = label.item() if hasattr(label, "item") else label
    return TimedPrediction(
        plain, probabilities if predictor.classes else {}, float(np.median(times) * 1e6), calls
    )
