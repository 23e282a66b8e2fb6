"""``POST /invocations`` of MLflow and SageMaker: four JSON shapes, CSV and JSON lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.rows import check_row, locate, positions
from ...core.schema import Schema
from ...errors import BadValueError, InputError, nearest, shown
from ...files.cells import cell_text
from ...files.delimited import longer_fields
from ...files.json_text import JsonError, read_json
from ...model.predictor import FEW_ROWS
from ..scorer import Scored, Scorer
from .media_types import Kind

SHAPES = ("dataframe_split", "dataframe_records", "instances", "inputs")
METHODS = ("predict", "predict_proba")
_ONE_SHAPE = f'an object with exactly one of "{SHAPES[0]}", "{SHAPES[1]}", "{SHAPES[2]}" and "{SHAPES[3]}"'


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows with a header, and the method: labels or probabilities."""

    header: list[Any]
    rows: list[Sequence[Any]]
    method: str = "predict"

    def dicts(self) -> list[dict[Any, Any]]:
        """Return the rows as mappings from column to value."""
        return [dict(zip(self.header, row, strict=True)) for row in self.rows]


def parse_json(body: bytes, names: Sequence[str]) -> Table:
    """Parse one of the four JSON shapes; `names` are the model's columns.

    Raises
    ------
    JsonError
        If the body is not JSON.
    InputError
        If the body has none of the four shapes, or a row lacks a column.

    Examples
    --------
    >>> parse_json(b'{"dataframe_split": {"columns": ["a"], "data": [[1], [2]]}}', ["a"]).rows
    [[1], [2]]
    >>> parse_json(b'{"inputs": {"a": [1, 2]}}', ["a"]).dicts()
    [{'a': 1}, {'a': 2}]
    """
    document = read_json(body)
    if not isinstance(document, dict):
        raise InputError("the request", found=shown(document), expected=_ONE_SHAPE)
    given = [shape for shape in SHAPES if shape in document]
    if len(given) != 1:
        raise InputError("the request", found=f"keys {shown(list(document))}", expected=_ONE_SHAPE)
    (shape,) = given
    read = {"dataframe_split": _split, "dataframe_records": _records, "instances": _any, "inputs": _any}[
        shape
    ]
    header, rows = read(f'key "{shape}"', document[shape], names)
    return Table(header, rows, method_of(document.get("params")))


def method_of(params: Any) -> str:
    """Return the method in the parameters: "predict" by default, or "predict_proba".

    Raises
    ------
    InputError
        If the method is unknown.
    """
    method = params.get("method", METHODS[0]) if isinstance(params, dict) else METHODS[0]
    if method not in METHODS:
        close = nearest(str(method), METHODS, 1)
        hint = f"Did you mean {close[0]}?" if close else None
        raise InputError(
            'params, key "method"', found=shown(method), expected=" or ".join(METHODS), hint=hint
        )
    return str(method)


_Parts = tuple[list[Any], list[Sequence[Any]]]


def _split(where: str, value: Any, _names: Sequence[str]) -> _Parts:
    columns, data = (value.get("columns"), value.get("data")) if isinstance(value, dict) else (None, None)
    if not isinstance(columns, list) or not isinstance(data, list):
        raise InputError(
            where, found=shown(value), expected='{"columns": [name, …], "data": [[value, …], …]}'
        )
    odd = [name for name in columns if isinstance(name, list | dict)]
    if odd:
        raise InputError(f"{where}, columns", found=shown(odd[0]), expected="names")
    return [str(name) for name in columns], _lists(where, data, len(columns))


def _lists(where: str, rows: list[Any], width: int) -> list[Sequence[Any]]:
    for position, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != width:
            found = f"{len(row)} values" if isinstance(row, list) else shown(row)
            raise InputError(f"{where}, row {position}", found=found, expected=f"a list of {width} values")
    return rows


def _records(where: str, value: Any, names: Sequence[str]) -> _Parts:
    if not isinstance(value, list):
        raise InputError(where, found=shown(value), expected="a list of objects of column: value")
    header: dict[str, None] = {}
    for position, row in enumerate(value):
        if not isinstance(row, dict):
            raise InputError(
                f"{where}, row {position}", found=shown(row), expected="an object of column: value"
            )
        header.update(dict.fromkeys(row))
    for position, row in enumerate(value):
        if len(row) < len(header):
            check_row(row, names, position)
    return list(header), [[row.get(name) for name in header] for row in value]


def _any(where: str, value: Any, names: Sequence[str]) -> _Parts:
    """Parse columns, records, or lists in the order of the model's columns."""
    if isinstance(value, dict):
        return _columns(where, value)
    if isinstance(value, list) and value and isinstance(value[0], list):
        return list(names), _lists(where, value, len(names))
    return _records(where, value, names)


def _columns(where: str, value: dict[str, Any]) -> _Parts:
    if not any(isinstance(each, list) for each in value.values()):
        return list(value), [list(value.values())]
    columns: list[list[Any]] = []
    for name, each in value.items():
        if not isinstance(each, list):
            error = InputError(
                f"{where}, column {shown(name)}", found=shown(each), expected="a list of values"
            )
            raise error.logged_at(f"{where}, a column")
        nested = bool(each) and all(isinstance(cell, list) and len(cell) == 1 for cell in each)
        columns.append([cell[0] for cell in each] if nested else each)
    lengths = {name: len(each) for name, each in zip(value, columns, strict=True)}
    if len(set(lengths.values())) > 1:
        raise InputError(
            f"{where}: the columns have different lengths", found=shown(lengths), expected="one length"
        )
    return list(value), list(map(list, zip(*columns, strict=True)))


def parse_lines(body: bytes, names: Sequence[str]) -> Table:
    """Parse JSON lines: objects of column: value, or lists in the order of the model's columns.

    Raises
    ------
    JsonError
        If a line is not JSON.
    InputError
        If a line is neither, or the lines differ in kind.

    Examples
    --------
    >>> parse_lines(b'{"age": 31}\\n{"age": 52}\\n', ["age"]).rows
    [[31], [52]]
    """
    rows: list[Any] = []
    for number, line in enumerate(body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            try:
                rows.append(read_json(line))
            except JsonError as error:
                raise JsonError(f"line {number}: {error}") from None
    header, found = _any("the body", rows, names)
    return Table(header, found)


def parse_csv(body: bytes, schema: Schema, header: str | None = None) -> Table:
    """Parse CSV with or without a header; an empty cell is a missing value.

    Parameters
    ----------
    body : bytes
    schema : Schema
    header : {"present", "absent"}, optional
        Whether there is a header. By default the first record is read as values if it names no
        column, has as many cells as the model has columns, and can be read as a number, date or
        boolean in all columns of these kinds.

    Raises
    ------
    InputError
        If the body is not CSV, or a row has the wrong number of cells.

    Examples
    --------
    >>> from workbench.runtime.core.schema import Column, Output
    >>> schema = Schema((Column("age", "number"), Column("city", "category")), Output("y", "regression"))
    >>> parse_csv(b"city,age\\nRome,31\\n", schema).dicts() == parse_csv(b"31,Rome\\n", schema).dicts()
    True
    """
    try:
        text = body.decode("utf-8-sig")
        with longer_fields():
            records = [each for each in csv.reader(io.StringIO(text, newline=""), strict=True) if each]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            "the body is not CSV", found=str(error), expected="UTF-8 text with a header"
        ) from None
    if not records:
        raise InputError("the body is empty", expected="CSV with a header")
    names = schema.names
    if header == "absent" or (header != "present" and _holds_values(records[0], schema)):
        head, rows, expected = list(names), records, f"the {len(names)} columns of the model in order"
    else:
        head, rows = records[0], records[1:]
        expected = f"{len(head)}, as in the header"
    for position, row in enumerate(rows):
        if len(row) != len(head):
            raise InputError(f"row {position}", found=f"{len(row)} cells", expected=expected)
    return Table(list(head), list(rows))


def _holds_values(record: Sequence[str], schema: Schema) -> bool:
    """Return whether a record holds values, not a header."""
    if len(record) != len(schema.columns) or positions(schema.names, record):
        return False
    kinds = [(column, cell) for column, cell in zip(schema.columns, record, strict=True) if column.is_numeric]
    try:
        for column, cell in kinds:
            column.read(cell)
    except BadValueError:
        return False
    return any(cell.strip() for _, cell in kinds)


def score(scorer: Scorer, table: Table) -> Scored:
    """Score the rows of a request.

    Raises
    ------
    InputError
        If the rows do not fit the schema, or the method is "predict_proba" for a regression model.
    """
    if table.method == METHODS[1] and not scorer.predictor.classes:
        raise InputError(
            'params, key "method"',
            found="predict_proba",
            expected="predict: a regression model has no classes",
        )
    where = locate(scorer.predictor.names, table.header)
    if len(table.rows) <= FEW_ROWS and len(set(table.header)) == len(table.header):
        return scorer.rows(table.dicts())
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.header)
    return scorer.columns({name: columns[at] for name, at in where.items()}, table.header)


def write_response(table: Table, scored: Scored, kind: Kind, dumps: Callable[[Any], bytes]) -> bytes:
    """Return the response: MLflow's JSON, or a line a row of CSV or JSON for SageMaker."""
    predictions: Sequence[Any] = scored.labels
    if table.method == METHODS[1]:
        predictions = scored.probabilities or []
    if kind == "json":
        return dumps({"predictions": predictions})
    if kind == "jsonlines":
        return b"".join(dumps(each) + b"\n" for each in predictions)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(map(cell_text, each if isinstance(each, list) else [each]) for each in predictions)
    return text.getvalue().encode()


def error_keys(document: Mapping[str, Any], status: int) -> dict[str, Any]:
    """Return the additional keys of an error that MLflow's clients read."""
    kinds = {404: "ENDPOINT_NOT_FOUND", 503: "TEMPORARILY_UNAVAILABLE"}
    kind = "BAD_REQUEST" if status < 500 and status != 404 else kinds.get(status, "INTERNAL_ERROR")
    return {"error_code": kind, "message": document["error"]}
