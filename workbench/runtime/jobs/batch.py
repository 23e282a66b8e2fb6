"""Batch scoring: score every row of a file into another file, in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..bundle.bundle import Bundle
from ..core.rows import locate, plain_values
from ..core.schema import Column, Label, Levels, label_text
from ..core.unseen_values import UnseenDetector, UnseenReport
from ..errors import BadValueError
from ..files.conversion import opened
from ..files.formats import Chunk, Source
from ..files.readers import open_source
from ..files.writers import open_sink, replacing, to_standard_output, unique_names
from ..model.predictor import Predictor
from ..prediction_log.background import PredictionLog
from .logged_chunks import ChunkRecorder

_FIRST_ERRORS = 5
_NOT_FINITE = "the model returned NaN or infinity"


@dataclass(frozen=True, slots=True)
class BatchReport:
    """The result of a batch job.

    Attributes
    ----------
    rows, failed : int
        The rows read, and those without a prediction.
    seconds, rows_per_s : float
        Wall clock of the whole job.
    first_errors : tuple of str
        The first few failures; rows count from 0.
    output : str
    warnings : dict of str to int
        Unseen values in scored rows, by kind; see `unseen_values`.
    formulas : int
        Cells that a spreadsheet would execute, escaped by an apostrophe; see `spreadsheet`.
    """

    rows: int
    failed: int
    seconds: float
    rows_per_s: float
    first_errors: tuple[str, ...]
    output: str
    warnings: dict[str, int] = field(default_factory=dict)
    formulas: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {**asdict(self), "first_errors": list(self.first_errors)}

    def to_text(self) -> str:
        """Return the report as text.

        Examples
        --------
        >>> print(BatchReport(3, 1, 0.5, 6.0, ("row 2, column 'age': found 'old'",), "out.csv").to_text())
        2 of 3 rows scored in 0.5 s (6 rows/s) into out.csv
        1 row failed; see its error column:
          row 2, column 'age': found 'old'
        """
        lines = [
            f"{self.rows - self.failed:,} of {self.rows:,} rows scored in {self.seconds:.1f} s "
            f"({self.rows_per_s:,.0f} rows/s) into {self.output}"
        ]
        if self.failed:
            one = self.failed == 1
            lines.append(
                f"{self.failed:,} {'row' if one else 'rows'} failed; see {'its' if one else 'their'} error column:"
            )
            lines += [f"  {error}" for error in self.first_errors]
            if self.failed > len(self.first_errors):
                lines.append("  …")
        if self.warnings:
            kinds = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in self.warnings.items())
            lines.append(f"values that the training data did not have: {kinds}")
        if self.formulas:
            lines.append(
                f"escaped by an apostrophe, since a spreadsheet would execute them: {self.formulas:,} cells "
                "(`escape_formulas=False` keeps them)"
            )
        return "\n".join(lines)


def score_file(  # noqa: PLR0913 - each option is one that the command line offers
    bundle: Bundle,
    input: str | Path,  # noqa: A002 - what the command line calls it
    output: str | Path,
    *,
    progress: Callable[[int, float], None] | None = None,
    chunk_rows: int = 8192,
    strict: bool = False,
    unseen: UnseenReport | None = None,
    encoding: str | None = None,
    escape_formulas: bool = False,
    predictions: PredictionLog | None = None,
) -> BatchReport:
    """Score a file into another one.

    The output has all columns of the input, then ``prediction``, for a classifier
    ``probability_<label>`` for each label, and ``error``. A row that cannot be scored does not stop
    the job: its prediction is empty, and ``error`` has the reason. If the input already has a
    column of such a name, the new one is numbered.

    Input and output may be the same file: it is replaced when the output is complete.

    Parameters
    ----------
    bundle : Bundle
    input, output : str or Path
        The extensions give the formats: csv, tsv, jsonl (each also .gz), json or parquet, in any
        combination. The output gets its name when it is complete. The input may also have another
        format of `workbench.runtime.files.conversion`, such as "-" for standard input; the output
        "-" is standard output, as csv.
    progress : callable, optional
        Called after each chunk with the rows scored so far and the share of the input read, 0 to 1.
    chunk_rows : int
        Rows in memory at a time.
    strict : bool
        Whether a row with an unseen category or a number out of range gets an error instead of a
        prediction, and a file with extra columns is refused.
    unseen : UnseenReport, optional
        Unseen values are counted here.
    encoding : str, optional
        Of a text file, such as "shift_jis"; by default detected from its bytes, else that of the
        training file.
    escape_formulas : bool
        Whether cells that a spreadsheet would execute are escaped in a ``.csv`` (see
        `spreadsheet`).
    predictions : PredictionLog, optional
        Each row is recorded there.

    Returns
    -------
    BatchReport

    Raises
    ------
    MissingColumnError
        If the input lacks a column; no row is scored then.
    BadFileError
        If the input cannot be read or the output cannot be written.
    ModelError
        If the model fails.
    """
    started = time.perf_counter()
    report = UnseenReport() if unseen is None else unseen
    detector = UnseenDetector(bundle.schema, strict=strict)
    with opened(input) as found, to_standard_output(output) as out_path:
        source = open_source(found.path, bundle.schema, encoding)
        escape = escape_formulas and str(output).lower().endswith(".csv")
        target = _Target(out_path, escape, predictions)
        rows, failed, first_errors, formulas = _score(
            bundle.predictor, source, target, detector, report, chunk_rows, progress
        )
    seconds = time.perf_counter() - started
    speed = rows / max(seconds, 1e-9)
    return BatchReport(
        rows, failed, seconds, speed, tuple(first_errors), str(output), report.kinds(), formulas
    )


@dataclass(frozen=True, slots=True)
class _Target:
    """The output file, whether cells that a spreadsheet would execute are escaped, and the
    prediction log.
    """

    path: Path
    escape: bool
    predictions: PredictionLog | None = None


def _score(
    predictor: Predictor,
    source: Source,
    target: _Target,
    detector: UnseenDetector,
    report: UnseenReport,
    chunk_rows: int,
    progress: Callable[[int, float], None] | None,
) -> tuple[int, int, list[str], int]:
    """Score a source into a file; return rows, failures, the first errors, and escaped formulas."""
    where = locate(predictor.names, source.header)
    added = _new_columns(predictor, source.header)
    detector.header(source.header, report)
    rows = failed = 0
    first_errors: list[str] = []
    log, classifier = target.predictions, bool(predictor.classes)
    recorder = ChunkRecorder(log, where, classifier=classifier) if log is not None else None
    with replacing(target.path) as part:
        sink = open_sink(part, target.path, source, added, escape=target.escape)
        try:
            for chunk in source.chunks(chunk_rows):
                scored, errors = score_chunk(predictor, chunk, where, detector=detector, unseen=report)
                sink.write([*chunk.columns, *scored], chunk.rows)
                if recorder is not None:
                    recorder.record(chunk, scored, errors, report)
                shown = sorted(errors)[: _FIRST_ERRORS - len(first_errors)]
                first_errors += [f"row {rows + position}, {errors[position]}" for position in shown]
                rows, failed = rows + chunk.rows, failed + len(errors)
                if progress is not None:
                    progress(rows, source.share())
        finally:
            sink.close()
    return rows, failed, first_errors, sink.formulas


def _new_columns(predictor: Predictor, header: Sequence[str]) -> list[tuple[str, str]]:
    """Return the name and kind of each added column."""
    columns = [("prediction", _label_kind(predictor.classes))]
    columns += [(f"probability_{label_text(label)}", "float") for label in predictor.classes]
    columns.append(("error", "text"))
    names = unique_names([name for name, _ in columns], set(header))
    return [(name, kind) for name, (_, kind) in zip(names, columns, strict=True)]


def _label_kind(classes: Sequence[Label]) -> str:
    kinds = {type(label) for label in classes} or {float}
    names = {bool: "bool", int: "int", float: "float"}
    return names.get(kinds.pop(), "text") if len(kinds) == 1 else "text"


def score_chunk(
    predictor: Predictor,
    chunk: Chunk,
    where: dict[str, int],
    *,
    detector: UnseenDetector | None = None,
    unseen: UnseenReport | None = None,
) -> tuple[list[Any], dict[int, str]]:
    """Score some rows.

    Parameters
    ----------
    predictor : Predictor
    chunk : Chunk
    where : dict of str to int
        The position in the chunk of each column of the schema.
    detector : UnseenDetector, optional
        Detects unseen values; if it is strict, they are errors.
    unseen : UnseenReport, optional
        Unseen values are counted here.

    Returns
    -------
    columns : list of sequence
        Prediction, probabilities and error, n values each.
    errors : dict of int to str
        The reason for each row that could not be scored, by position.
    """
    raw = {
        column.name: _raw(column, chunk.columns[where[column.name]]) for column in predictor.schema.columns
    }
    errors = dict(chunk.defects)
    canonical: dict[str, Any] = {}
    for column in predictor.schema.columns:
        try:
            canonical[column.name] = column.read_many(raw[column.name])
        except BadValueError:
            for position, why in _bad_values(column, raw[column.name]).items():
                errors.setdefault(position, why)
    good = np.asarray([position for position in range(chunk.rows) if position not in errors], dtype=np.intp)
    if errors:
        canonical = _read_some(predictor, raw, good)
    if detector is not None and detector.strict:
        odd = detector.odd_rows(canonical)
        if odd:
            errors.update({int(good[position]): why for position, why in odd.items()})
            good = np.delete(good, list(odd))
            canonical = _read_some(predictor, raw, good)
    elif detector is not None and unseen is not None:
        detector.columns(canonical, unseen)
    output = predictor.predict_canonical(canonical)
    finite = np.isfinite(output).all(axis=1)
    for position in good[~finite].tolist():
        errors[position] = _NOT_FINITE
    return _spread(predictor, output[finite], good[finite], chunk.rows, errors), errors


def _raw(column: Column, values: Any) -> Any:
    """Return a column of a file for reading; each distinct text of an Arrow array is read once."""
    if not column.is_numeric and hasattr(values, "to_pylist"):
        from ..files.parquet import text_levels  # pyarrow is installed: the array is of its type

        levels = text_levels(values)
        if levels is not None:
            return levels
    return plain_values(values)


def _read_some(predictor: Predictor, raw: dict[str, Any], rows: np.ndarray) -> dict[str, Any]:
    return {
        column.name: column.read_many(_take(raw[column.name], rows)) for column in predictor.schema.columns
    }


def _bad_values(column: Column, values: Any) -> dict[int, str]:
    read = column.reader()
    bad: dict[int, str] = {}
    memo: dict[Any, str] = {}
    listed = values.tolist() if isinstance(values, np.ndarray) and values.dtype.kind != "M" else values
    for position, value in enumerate(listed):
        known = memo.get(value) if type(value) is str else None
        if known is None:
            try:
                read(value)
                known = ""
            except BadValueError as error:
                known = str(error)
            if type(value) is str:
                memo[value] = known
        if known:
            bad[position] = known
    return bad


def _take(values: Any, rows: np.ndarray) -> Any:
    if isinstance(values, Levels):
        return values.take(rows)
    return (
        values[rows] if isinstance(values, np.ndarray) else [values[position] for position in rows.tolist()]
    )


def _spread(
    predictor: Predictor, output: np.ndarray, rows: np.ndarray, count: int, errors: dict[int, str]
) -> list[Any]:
    """Place the predictions of some rows among `count` rows; the others stay empty."""
    outputs = [predictor.decide(output)]
    if predictor.classes:
        outputs += list(output.astype(np.float64).T)
    if not errors:
        return [*outputs, [None] * count]
    columns: list[Any] = []
    for values in outputs:
        cells: list[Any] = [None] * count
        for position, value in zip(rows.tolist(), values.tolist(), strict=True):
            cells[position] = value
        columns.append(cells)
    columns.append([errors.get(position) for position in range(count)])
    return columns
