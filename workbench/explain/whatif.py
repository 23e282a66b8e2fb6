"""Ask the served model about one row: the fields of a form, and the answer with the time it took."""

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
        Whether it may be left empty.
    options : tuple of str
        The values to choose from (category).
    value : object
        What the example row has, as JSON writes it.
    low, high : float or None
        The range seen in training.
    unit : str
        The unit of a number; "" where it has none.
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
class Answer:
    """What a model answered, and how fast.

    Attributes
    ----------
    answer : label or float
    probabilities : dict of str to float
        By class; empty for numbers.
    latency_p50_us : float
        Median time of the calls made just now, microseconds.
    calls : int
    """

    answer: Label | float
    probabilities: dict[str, float]
    latency_p50_us: float
    calls: int


def example_row(data: Dataset, position: int) -> dict[str, Any]:
    """Return one row of a data set as a model is asked: column to value."""
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
    """Return the fields of a form that asks the model, filled with an example row."""
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


def answer(
    predictor: Predictor,
    row: Mapping[str, Any],
    calls: int = _CALLS,
    between: Sequence[Mapping[str, Any]] = (),
) -> Answer:
    """Ask a model about one row, often enough to tell how fast it answers.

    Parameters
    ----------
    predictor : Predictor
    row : dict
    calls : int
        How often it is asked.
    between : sequence of dict
        Other rows, asked in turn and not timed: one row asked again and again finds all of a large model that it needs
        in the processor's cache, and is answered several times faster than in service.

    Raises
    ------
    InputError
        Where the row does not fit the model; the column is named.
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
    return Answer(plain, probabilities if predictor.classes else {}, float(np.median(times) * 1e6), calls)
