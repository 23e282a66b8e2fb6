"""``POST /invocations`` as MLflow's scoring server and SageMaker know it: four JSON shapes and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import InputError, nearest, shown
from .json_text import read_json
from .predictor import FEW_ROWS
from .rows import check_row, locate
from .scorer import Scored, Scorer

SHAPES = ("dataframe_split", "dataframe_records", "instances", "inputs")
METHODS = ("predict", "predict_proba")
_ONE = f'an object with exactly one of "{SHAPES[0]}", "{SHAPES[1]}", "{SHAPES[2]}" and "{SHAPES[3]}"'


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows under one header, and whether labels or probabilities are asked for."""

    header: list[Any]
    rows: list[Sequence[Any]]
    method: str = "predict"

    def dicts(self) -> list[dict[Any, Any]]:
        """Return the rows as mappings from column to value."""
        return [dict(zip(self.header, row, strict=True)) for row in self.rows]


def media_type(content_type: bytes) -> str | None:
    """Return "json" or "csv", or None for what is not taken.

    Examples
    --------
    >>> media_type(b"text/csv; charset=utf-8"), media_type(b""), media_type(b"text/csv; charset=latin-1")
    ('csv', 'json', None)
    """
    kind, *parameters = (part.strip().lower() for part in content_type.decode("latin-1").split(";"))
    for parameter in filter(None, parameters):
        name, _, value = parameter.partition("=")
        if name.strip() != "charset" or value.strip(" \"'") not in ("utf-8", "utf8"):
            return None
    return {"": "json", "application/json": "json", "text/csv": "csv"}.get(kind)


def parse_json(body: bytes, names: Sequence[str]) -> Table:
    """Read one of the four JSON shapes; `names` are the model's columns.

    Raises
    ------
    JsonError
        Where the body is no JSON.
    InputError
        Where it is none of the four shapes, or a row lacks a column that others have.

    Examples
    --------
    >>> parse_json(b'{"dataframe_split": {"columns": ["a"], "data": [[1], [2]]}}', ["a"]).rows
    [[1], [2]]
    >>> parse_json(b'{"inputs": {"a": [1, 2]}}', ["a"]).dicts()
    [{'a': 1}, {'a': 2}]
    """
    document = read_json(body)
    if not isinstance(document, dict):
        raise InputError("the request", found=shown(document), expected=_ONE)
    given = [shape for shape in SHAPES if shape in document]
    if len(given) != 1:
        raise InputError("the request", found=f"keys {shown(list(document))}", expected=_ONE)
    (shape,) = given
    read = {"dataframe_split": _split, "dataframe_records": _records, "instances": _any, "inputs": _any}[
        shape
    ]
    header, rows = read(f'key "{shape}"', document[shape], names)
    return Table(header, rows, _method(document.get("params")))


def _method(params: Any) -> str:
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
    """Read columns, records, or lists in the order of the model's columns."""
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
        raise InputError(f"{where}: the columns are not of one length", found=shown(lengths))
    return list(value), list(map(list, zip(*columns, strict=True)))


def parse_csv(body: bytes) -> Table:
    """Read a CSV with a header, as `pandas.DataFrame.to_csv` writes it; an empty cell is a missing value.

    Raises
    ------
    InputError
        Where it is none.

    Examples
    --------
    >>> parse_csv(b"age,city\\n31,Rome\\n").dicts()
    [{'age': '31', 'city': 'Rome'}]
    """
    try:
        text = body.decode("utf-8-sig")
        header, *rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row] or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            "the body is no CSV", found=str(error), expected="UTF-8 text with a header"
        ) from None
    if not header:
        raise InputError("the body is empty", expected="a CSV with a header")
    for position, row in enumerate(rows):
        if len(row) != len(header):
            raise InputError(
                f"row {position}", found=f"{len(row)} cells", expected=f"{len(header)} as the header has"
            )
    return Table(list(header), list(rows))


def score(scorer: Scorer, table: Table) -> Scored:
    """Score the rows of a request.

    Raises
    ------
    InputError
        Where they do not fit the schema, or a regression model is asked for probabilities.
    """
    if table.method == METHODS[1] and not scorer.predictor.classes:
        raise InputError(
            'params, key "method"', found="predict_proba", hint="A regression model has no classes."
        )
    where = locate(scorer.predictor.names, table.header)
    if len(table.rows) <= FEW_ROWS and len(set(table.header)) == len(table.header):
        return scorer.rows(table.dicts())
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.header)
    return scorer.columns({name: columns[at] for name, at in where.items()}, table.header)


def answer(table: Table, scored: Scored) -> dict[str, Any]:
    """Return the answer, as MLflow gives it."""
    if table.method == METHODS[1]:
        return {"predictions": scored.probabilities}
    return {"predictions": scored.labels}


def error_keys(document: Mapping[str, Any], status: int) -> dict[str, Any]:
    """Return the keys that MLflow's clients look for in an error, beside our own."""
    kinds = {404: "ENDPOINT_NOT_FOUND", 503: "TEMPORARILY_UNAVAILABLE"}
    kind = "BAD_REQUEST" if status < 500 and status != 404 else kinds.get(status, "INTERNAL_ERROR")
    return {"error_code": kind, "message": document["error"]}
