"""Score rows: read, check for unseen values, encode and predict, for HTTP and streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from ..core.schema import Column, Column1d, label_text
from ..core.unseen_values import UnseenDetector, UnseenReport
from ..errors import BadValueError, InputError, WrongKindError
from ..model.predictor import FEW_ROWS, Predictor

_MAX_TRIED = 100  # values tried before a column counts as unreadable


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Predictions for some rows.

    Attributes
    ----------
    rows : int
    labels : list
        Labels or numbers, n of them.
    probabilities : list of list of float, or None
        A list for each row; None for regression.
    unseen : UnseenReport
        The unseen values in the rows.
    read_s, model_s : float
        Wall-clock seconds of reading and encoding, and of the model.
    encode_s : float
        The part of `read_s` that is encoding; 0 for a model that needs no encoded matrix.
    """

    rows: int
    labels: list[Any]
    probabilities: list[list[float]] | None
    unseen: UnseenReport = field(default_factory=UnseenReport)
    read_s: float = 0.0
    model_s: float = 0.0
    encode_s: float = 0.0


class Scorer:
    """Reads, checks, encodes and predicts rows.

    Parameters
    ----------
    predictor : Predictor
    strict : bool
        Whether unseen values are errors; otherwise they are counted in `Scored.unseen`.
    """

    def __init__(self, predictor: Predictor, *, strict: bool = False) -> None:
        self.predictor = predictor
        self.class_names = [label_text(label) for label in predictor.classes]
        self._detector = UnseenDetector(predictor.schema, strict=strict)

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> Scored:
        """Score rows, a mapping from column to value each.

        Raises
        ------
        InputError
            If a row does not fit the schema, or in strict mode has an unseen value; the error names
            row and column.
        ModelError
            If the model fails.
        """
        if len(rows) > FEW_ROWS:
            started = perf_counter()
            return self._columns(
                self.predictor.transposed(rows), started, lambda: self._detector.row_keys(rows)
            )
        started = perf_counter()
        try:
            values = self.predictor.read_rows(rows)
        except BadValueError as error:
            raise self._of_another_kind(error, [row.get(error.column) for row in rows]) from None
        unseen = self._detector.values(values, self._detector.row_keys(rows))
        return self._predict_few(values, unseen, started)

    def columns(self, columns: Mapping[str, Column1d | Sequence[Any]], header: Sequence[Any] = ()) -> Scored:
        """Score raw columns of n values each; `header` has the names of all columns sent.

        Raises
        ------
        InputError, ModelError
            As for `rows`.
        """
        return self._columns(columns, perf_counter(), lambda: self._detector.header(header, UnseenReport()))

    def _columns(self, columns: Mapping[str, Any], started: float, keys: Any) -> Scored:
        try:
            read = self.predictor.read_columns(columns)
        except BadValueError as error:
            raise self._of_another_kind(error, columns[error.column]) from None
        unseen, ready = self._detector.columns(read, keys()), perf_counter()
        if len(next(iter(read.values()), ())) > self.predictor.block_rows:
            return self._scored(self.predictor.predict_canonical(read), unseen, started, ready, ready)
        matrix, encoded = self.predictor.encoder.encode_columns(read), perf_counter()
        return self._scored(self.predictor.predict_matrix(matrix), unseen, started, ready, encoded)

    def _of_another_kind(self, error: BadValueError, values: Any) -> InputError:
        """Return the error, or a `WrongKindError` if no value of the column can be read."""
        column = next(each for each in self.predictor.schema.columns if each.name == error.column)
        worse = unreadable(column, values)
        return worse.at(error.row) if worse is not None and error.row is not None else error

    def _predict_few(self, values: Sequence[list[Any]], unseen: UnseenReport, started: float) -> Scored:
        predictor = self.predictor
        ready = encoded = perf_counter()
        output = predictor.predict_values(values)
        if output is None:
            matrix = predictor.encode_values(values)
            encoded = perf_counter()
            output = predictor.predict_matrix(matrix)
        labels, numbers = predictor.decide_few(output)
        probabilities = numbers if predictor.classes else None
        spent = encoded - started, perf_counter() - encoded, encoded - ready
        return Scored(len(labels), labels, probabilities, unseen, *spent)

    def _scored(
        self, output: np.ndarray, unseen: UnseenReport, started: float, ready: float, encoded: float
    ) -> Scored:
        labels = self.predictor.decide(output).tolist()
        probabilities = output.astype(np.float64).tolist() if self.predictor.classes else None
        spent = encoded - started, perf_counter() - encoded, encoded - ready
        return Scored(len(labels), labels, probabilities, unseen, *spent)


def unreadable(column: Column, values: Any) -> WrongKindError | None:
    """Return an error if no value of a column can be read as its kind, else None.

    Examples
    --------
    >>> column = Column("age", "number")
    >>> print(unreadable(column, ["old", "new"]))
    row 0, column 'age': found 'old'; expected a number
    >>> unreadable(column, ["old", 3]) is None
    True
    """
    read = column.reader()
    first: BadValueError | None = None
    listed = values.tolist() if isinstance(values, np.ndarray) and values.dtype.kind != "M" else values
    for value in listed[:_MAX_TRIED]:
        try:
            read(value)
        except BadValueError as error:
            first = first or error
        else:
            return None
    return WrongKindError(column.name, first.found or "", first.expected or "", 0) if first else None
