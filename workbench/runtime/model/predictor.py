"""The type shared by training and production: schema, encoder and model together.

The search measures score, latency and memory of a candidate on a `Predictor`; a bundle stores one
and a server predicts with it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..core.encoder import Encoder
from ..core.json_documents import dump_json, read_bytes, read_json
from ..core.resource_cost import encoder_cost
from ..core.rows import tidy_row
from ..core.schema import Column1d, Levels, Schema
from ..errors import BadValueError, InputError, MissingColumnError, TamperedBundleError
from .onnx_model import OnnxModel
from .output_decoder import OutputDecoder
from .row_function import compile_row

SCHEMA_FILE, ENCODER_FILE, MODEL_FILE = "schema.json", "encoder.json", "model.onnx"
_BATCH_ROWS = 16384
FEW_ROWS = 16  # up to here, encoding row by row is faster than by column


class Predictor:
    """Predicts from raw values.

    Parameters
    ----------
    schema : Schema
    encoder : Encoder
    model : bytes
        The serialised ONNX model.
    threads : int
        Threads of one call.
    own : bool
        Whether this process has just written the model; see `OnnxModel`.

    Raises
    ------
    BundleError
        If schema, encoder and model do not belong together, or exceed a limit.
    """

    def __init__(
        self, schema: Schema, encoder: Encoder, model: bytes, threads: int = 1, *, own: bool = False
    ) -> None:
        self.schema, self.encoder = schema, encoder
        self.content = model
        numeric = {column.name: column.is_numeric for column in schema.columns}
        encoder.check_columns(numeric)
        cost = encoder_cost(encoder, numeric)  # before anything of that size is allocated
        self._model = OnnxModel(model, threads, own=own)
        if self._model.width != encoder.width:
            raise TamperedBundleError(
                "encoder.json and model.onnx do not belong together",
                found=f"an encoder of {encoder.width} features",
                expected=f"{self._model.width}, the width of the model's input",
            )
        outputs = len(schema.output.classes) or 1
        if self._model.outputs != outputs:
            raise TamperedBundleError(
                "schema.json and model.onnx do not belong together",
                found=f"a model with {self._model.outputs} outputs",
                expected=f"{outputs}, by the classes of the schema",
            )
        self.names = schema.names
        self.cost = cost + self._model.cost
        self.block_rows = cost.block_rows(_BATCH_ROWS)  # the most rows encoded at a time
        self._batch_rows = self._model.cost.block_rows(_BATCH_ROWS)
        self._width, self._columns = encoder.width, len(schema.columns)
        self._readers = [(column.name, column.reader()) for column in schema.columns]
        self._encode_row: Callable[[list[Any]], list[float]] = encoder.row_encoder(self.names)
        self._direct = compile_row(schema, encoder, model)
        self._is_classifier = schema.output.task != "regression"
        self._is_multiclass = schema.output.task == "multiclass"
        self._decoder = OutputDecoder(schema.output)
        self.classes, self.class_array = self._decoder.classes, self._decoder.class_array

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy by the constructor's arguments, since a session cannot be copied."""
        return type(self), (self.schema, self.encoder, self.content)

    # ------------------------------------------------------------ one row

    def encode_row(self, row: Mapping[str, Any]) -> np.ndarray:
        """Encode one row, a mapping from column to value.

        Returns
        -------
        numpy.ndarray of float32, shape (1, width)

        Raises
        ------
        MissingColumnError, BadValueError
            If the row does not fit the schema.
        """
        return _single(self._encode_row(self.read_row(row)))[None]

    def read_row(self, row: Mapping[str, Any]) -> list[Any]:
        """Read one row into canonical values, in the order of the schema.

        Raises
        ------
        MissingColumnError, BadValueError
            If the row does not fit the schema.
        """
        try:
            return [read(row[name]) for name, read in self._readers]
        except KeyError:
            found = tidy_row(row, self.names)
            return [read(found[name]) for name, read in self._readers]

    def predict_row(self, row: Mapping[str, Any]) -> np.ndarray:
        """Predict one row: float32 class probabilities, shape (k,), or one number, shape (1,)."""
        direct = self._direct
        if direct is not None:
            score = direct.of_row(row)
            if score is not None:
                return np.array(direct.output(score), np.float32)
        result: np.ndarray = self._model.run(self.encode_row(row))[0]
        return result

    def decide_row(self, row: Mapping[str, Any]) -> np.ndarray | None:
        """Predict one row as `decide` does, shape (1,), without building a matrix.

        Returns
        -------
        numpy.ndarray or None
            None if the model is not additive, or the row does not have exactly the schema's columns
            with scalar values.
        """
        direct = self._direct
        if direct is None or len(row) != self._columns or self._is_multiclass:
            return None
        score = direct.of_row(row)
        if score is None:
            return None
        value = np.float32(direct.output(score)[-1])
        if not self._is_classifier:
            return np.array((value,), np.float64)
        return self._decoder.label(value)

    # ------------------------------------------------------------ many rows

    def encode_rows(self, rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """Encode rows, a mapping from column to value each.

        Returns
        -------
        numpy.ndarray of float32, shape (n, width)

        Raises
        ------
        MissingColumnError, BadValueError
            If a row does not fit the schema; the error names the row.
        """
        if len(rows) > FEW_ROWS:
            return self.encode_columns(self.transposed(rows))
        return self.encode_values(self.read_rows(rows))

    def read_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
        """Read a few rows into canonical values, in the order of the schema.

        Raises
        ------
        MissingColumnError, BadValueError
            If a row does not fit the schema; the error names the row.
        """
        out = []
        for position, row in enumerate(rows):
            try:
                out.append(self.read_row(row))
            except BadValueError as error:
                raise error.at(position) from None
            except MissingColumnError as error:
                raise error.at(position) from None
        return out

    def encode_values(self, rows: Sequence[list[Any]]) -> np.ndarray:
        """Encode the result of `read_rows` into a float32 matrix, shape (n, width).

        The rows are modified: derived values are appended to them.
        """
        if len(rows) == 1:
            return _single(self._encode_row(rows[0]))[None]
        out = np.empty((len(rows), self._width), dtype=np.float32)
        for position, values in enumerate(rows):
            out[position] = _single(self._encode_row(values))
        return out

    def predict_values(self, rows: Sequence[list[Any]]) -> np.ndarray | None:
        """Predict the result of `read_rows`; return None if the model is not additive."""
        direct = self._direct
        if direct is None:
            return None
        scores = [direct.of_values(values) for values in rows]
        known = [direct.output(score) for score in scores if score is not None]
        return np.array(known, np.float32) if len(known) == len(scores) else None

    def transposed(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
        """Return rows as raw columns, in the order of the schema.

        Raises
        ------
        MissingColumnError
            If a row lacks a column; the error names the row.
        """
        try:
            return {name: [row[name] for row in rows] for name in self.names}
        except KeyError:
            tidied = []
            for position, row in enumerate(rows):
                try:
                    tidied.append(tidy_row(row, self.names))
                except MissingColumnError as error:
                    raise error.at(position) from None
            return {name: [row[name] for row in tidied] for name in self.names}

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """Predict rows, each a mapping from column to value, as `predict_matrix` does."""
        if len(rows) > FEW_ROWS:
            return self.predict_columns(self.transposed(rows))
        return self.predict_matrix(self.encode_rows(rows))

    def read_columns(self, columns: Mapping[str, Column1d | Sequence[Any]]) -> dict[str, Column1d]:
        """Read raw columns into canonical ones.

        Raises
        ------
        MissingColumnError, BadValueError
            If the columns do not fit the schema; the error for a bad value names its row.
        InputError
            If the columns have different lengths.
        """
        out: dict[str, Column1d] = {}
        for column in self.schema.columns:
            if column.name not in columns:
                raise MissingColumnError(column.name, columns)
            out[column.name] = column.read_many(columns[column.name])
        if len({len(values) for values in out.values()}) > 1:
            lengths = {name: len(values) for name, values in out.items()}
            raise InputError(
                "the columns have different lengths", found=str(lengths)[:200], expected="one length"
            )
        return out

    def encode_columns(self, columns: Mapping[str, Column1d | Sequence[Any]]) -> np.ndarray:
        """Encode raw columns of n values each into a float32 matrix, shape (n, width)."""
        return self.encoder.encode_columns(self.read_columns(columns))

    def predict_matrix(self, matrix: np.ndarray) -> np.ndarray:
        """Predict an encoded float32 matrix, shape (n, width).

        Returns
        -------
        numpy.ndarray of float32, shape (n, k): class probabilities, or (n, 1) numbers.
        """
        block = self._batch_rows
        parts = [self._model.run(matrix[at : at + block]) for at in range(0, len(matrix), block)]
        if not parts:
            return np.empty((0, len(self.classes) if self._is_classifier else 1), dtype=np.float32)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def predict_columns(self, columns: Mapping[str, Column1d | Sequence[Any]]) -> np.ndarray:
        """Predict raw columns of n values each; returns the same as `predict_matrix`."""
        return self.predict_canonical(self.read_columns(columns))

    def predict_canonical(self, columns: Mapping[str, Column1d]) -> np.ndarray:
        """Predict canonical columns of n values each, in blocks of rows to bound the memory.

        Returns the same as `predict_matrix`.
        """
        rows, block = len(next(iter(columns.values()), ())), self.block_rows
        if rows <= block:
            return self.predict_matrix(self.encoder.encode_columns(columns))
        parts = []
        for start in range(0, rows, block):
            part = slice(start, start + block)
            parts.append(
                self.predict_matrix(
                    self.encoder.encode_columns(
                        {
                            name: values.take(part) if isinstance(values, Levels) else values[part]
                            for name, values in columns.items()
                        }
                    )
                )
            )
        return np.concatenate(parts)

    # ------------------------------------------------------------ the output

    def decide(self, output: np.ndarray) -> np.ndarray:
        """Turn the model's output into predictions, shape (n,); see `OutputDecoder.decode`."""
        return self._decoder.decode(output)

    def decide_few(self, output: np.ndarray) -> tuple[list[Any], list[list[float]]]:
        """Turn the model's output for a few rows into lists; see `OutputDecoder.decode_few`."""
        return self._decoder.decode_few(output)

    def predict_interval(self, output: np.ndarray, level: float = 0.9) -> np.ndarray:
        """Turn the model's output into intervals, shape (n, 2); see `OutputDecoder.intervals`."""
        return self._decoder.intervals(output, level)

    # ------------------------------------------------------------ on disk

    def save(self, folder: Path) -> None:
        """Write schema, encoder and model into an existing folder."""
        (folder / SCHEMA_FILE).write_text(dump_json(self.schema.to_json()), encoding="utf-8")
        (folder / ENCODER_FILE).write_text(dump_json(self.encoder.to_json()), encoding="utf-8")
        (folder / MODEL_FILE).write_bytes(self.content)

    @classmethod
    def load(cls, folder: Path, threads: int = 1) -> Predictor:
        """Read schema, encoder and model from a folder.

        Raises
        ------
        BundleError
            If a file is missing or cannot be read.
        """
        schema = Schema.from_json(read_json(folder / SCHEMA_FILE))
        encoder = Encoder.from_json(read_json(folder / ENCODER_FILE))
        return cls(schema, encoder, read_bytes(folder / MODEL_FILE), threads)


def _single(values: list[float]) -> np.ndarray:
    """Convert to float32, numbers out of range to infinity; numpy would warn about these."""
    return np.frombuffer(array("f", values), dtype=np.float32)
