"""File to file: every row of one file scored into another, in bounded memory."""

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

_FIRST_ERRORS = 5
_NOT_FINITE = "the model returned NaN or infinity"


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What a batch job did.

    Attributes
    ----------
    rows, failed : int
        Rows read, and how many of them got no prediction.
    seconds, rows_per_s : float
        Wall clock, everything included.
    first_errors : tuple of str
        The first few failures; rows count from 0.
    output : str
    warnings : dict of str to int
        Values that training never met and that were scored all the same, by kind; see `detector`.
    formulas : int
        Cells that a spreadsheet would have run and that got an apostrophe in front; see `spreadsheet`.
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
        """Return the report for a person.

        Examples
        --------
        >>> print(BatchReport(3, 1, 0.5, 6.0, ("row 2, column 'age': found 'old'",), "out.csv").to_text())
        2 of 3 rows scored in 0.5 s (6 rows/s) into out.csv
        1 row failed, its error column says why:
          row 2, column 'age': found 'old'
        """
        lines = [
            f"{self.rows - self.failed:,} of {self.rows:,} rows scored in {self.seconds:.1f} s "
            f"({self.rows_per_s:,.0f} rows/s) into {self.output}"
        ]
        if self.failed:
            one = self.failed == 1
            lines.append(
                f"{self.failed:,} {'row' if one else 'rows'} failed, {'its' if one else 'their'} error column says why:"
            )
            lines += [f"  {error}" for error in self.first_errors]
            if self.failed > len(self.first_errors):
                lines.append("  …")
        if self.warnings:
            kinds = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in self.warnings.items())
            lines.append(f"scored though training never met it: {kinds}")
        if self.formulas:
            lines.append(
                f"written with an apostrophe in front, since a spreadsheet would run it: {self.formulas:,} cells "
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
) -> BatchReport:
    """Score a file into another one.

    All columns of the input are kept. After them come ``prediction``, for classes ``probability_<label>`` each, and
    ``error``: a row that cannot be scored does not stop the job, its prediction is empty and its error says why.
    Where the input already has a column of such a name, the new one is numbered.

    Parameters
    ----------
    bundle : Bundle
    input, output : str or Path
        The endings tell the formats: csv, tsv, jsonl (each also .gz), json or parquet, in any combination. The output
        appears under its name when it is complete. The input may also be of one of the other forms of
        `workbench.runtime.files.conversion`, such as "-" for standard input; the output "-" is standard output, as csv.
    progress : callable, optional
        Called after each chunk with the rows scored so far and the share of the input read (0 to 1).
    chunk_rows : int
        Rows in memory at a time.
    strict : bool
        Whether a row with an unseen category or a number out of range gets an error instead of a prediction, and a
        file with columns that the model lacks is refused.
    unseen : UnseenReport, optional
        Where to count what training never met.
    encoding : str, optional
        Of a text file, such as "shift_jis"; by default what its bytes say, else that of the training file.
    escape_formulas : bool
        Whether a ``.csv`` is to hold no text that a spreadsheet would run (see `spreadsheet`).

    Returns
    -------
    BatchReport

    Raises
    ------
    MissingColumnError
        If the input lacks a column, before any row is scored.
    BadFileError
        If the input cannot be read or the output cannot be written.
    ModelError
        If the model itself fails.
    """
    started = time.perf_counter()
    report = UnseenReport() if unseen is None else unseen
    detector = UnseenDetector(bundle.schema, strict=strict)
    with opened(input) as found, to_standard_output(output) as out_path:
        source = open_source(found.path, bundle.schema, encoding)
        target = _Target(out_path, escape_formulas and str(output).lower().endswith(".csv"))
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
    """Where scored rows go, and whether cells that a spreadsheet would run are written as text."""

    path: Path
    escape: bool


def _score(
    predictor: Predictor,
    source: Source,
    target: _Target,
    detector: UnseenDetector,
    report: UnseenReport,
    chunk_rows: int,
    progress: Callable[[int, float], None] | None,
) -> tuple[int, int, list[str], int]:
    """Score a source into a file; return rows, failures, the first of them, and formulas written as text."""
    where = locate(predictor.names, source.header)
    added = _new_columns(predictor, source.header)
    detector.header(source.header, report)
    rows = failed = 0
    first_errors: list[str] = []
    with replacing(target.path) as part:
        sink = open_sink(part, target.path, source, added, escape=target.escape)
        try:
            for chunk in source.chunks(chunk_rows):
                scored, errors = score_chunk(predictor, chunk, where, detector=detector, unseen=report)
                sink.write([*chunk.columns, *scored], chunk.rows)
                shown = sorted(errors)[: _FIRST_ERRORS - len(first_errors)]
                first_errors += [f"row {rows + position}, {errors[position]}" for position in shown]
                rows, failed = rows + chunk.rows, failed + len(errors)
                if progress is not None:
                    progress(rows, source.share())
        finally:
            sink.close()
    return rows, failed, first_errors, sink.formulas


def _new_columns(predictor: Predictor, header: Sequence[str]) -> list[tuple[str, str]]:
    """Return the name and kind of each column that is added."""
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
        The position among the chunk's columns of each column of the schema.
    detector : UnseenDetector, optional
        Looks for what training never met; a strict one makes an error of it.
    unseen : UnseenReport, optional
        Where that is counted.

    Returns
    -------
    columns : list of sequence
        Prediction, probabilities and error, n values each.
    errors : dict of int to str
        Why rows could not be scored, by position.
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
    """Return a column of a file as it can be read; of texts in Arrow each distinct one is read once."""
    if not column.is_numeric and hasattr(values, "to_pylist"):
        from ..files.parquet import text_levels  # where there is an Arrow array, there is pyarrow

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
    """Lay out the answers of some rows among `count` rows; the others stay empty."""
    answers = [predictor.decide(output)]
    if predictor.classes:
        answers += list(output.astype(np.float64).T)
    if not errors:
        return [*answers, [None] * count]
    columns: list[Any] = []
    for values in answers:
        cells: list[Any] = [None] * count
        for position, value in zip(rows.tolist(), values.tolist(), strict=True):
            cells[position] = value
        columns.append(cells)
    columns.append([errors.get(position) for position in range(count)])
    return columns
