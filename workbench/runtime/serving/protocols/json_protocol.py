"""Requests and responses as JSON documents: plain rows, and the Open Inference Protocol v2.

The v2 protocol is defined in github.com/kserve/open-inference-protocol (inference_rest.md). A model
has one input a column, of shape ``[n]`` or ``[n, 1]``; ``null`` is a missing value. It is
implemented here since no library has it without a server: MLServer's types need pydantic and
FastAPI.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...bundle.bundle import Bundle
from ...bundle.manifest import Manifest
from ...core.rows import locate
from ...core.schema import Kind, Label, label_text
from ...errors import InputError, MissingColumnError, nearest, shown
from ...model.predictor import FEW_ROWS, Predictor
from ..scorer import Scored, Scorer
from .tensors import Tail, parameters_of, read_tensor

DATATYPES = frozenset(
    [
        "BOOL",
        "UINT8",
        "UINT16",
        "UINT32",
        "UINT64",
        "INT8",
        "INT16",
        "INT32",
        "INT64",
        "FP16",
        "FP32",
        "FP64",
        "BYTES",
    ]
)
_DATATYPE_OF_KIND: dict[Kind, str] = {"number": "FP64", "boolean": "BOOL"}
_NUMERIC = frozenset([int, float, bool, type(None)])
PREDICT, PREDICT_PROBA = "predict", "predict_proba"
PLATFORM = "onnxruntime_onnx"


# ---------------------------------------------------------------- plain rows


def parse_rows(document: Any) -> list[Mapping[str, Any]]:
    """Return the rows of a plain request: ``{"rows": [{…}]}``, a list of objects, or one object.

    Raises
    ------
    InputError
        If the document is none of these.

    Examples
    --------
    >>> parse_rows({"rows": [{"age": 31}]}) == parse_rows([{"age": 31}]) == parse_rows({"age": 31})
    True
    """
    rows = document
    if isinstance(document, dict):
        inner = document.get("rows")
        rows = inner if isinstance(inner, list) else [document]
    if not isinstance(rows, list):
        raise InputError(
            "the request",
            found=shown(document),
            expected='{"rows": [{column: value, …}, …]} or one object',
        )
    for position, row in enumerate(rows):
        if not isinstance(row, dict):
            raise InputError(f"row {position}", found=shown(row), expected="an object of column: value")
    return rows


def rows_response(manifest: Manifest, names: Sequence[str], scored: Scored) -> dict[str, Any]:
    """Return the response to a plain request.

    Parameters
    ----------
    manifest : Manifest
    names : sequence of str
        The class names, in the order of the probabilities.
    scored : Scored
    """
    predictions: list[dict[str, Any]]
    if scored.probabilities is None:
        predictions = [{"prediction": value} for value in scored.labels]
    else:
        predictions = [
            {"prediction": label, "probabilities": dict(zip(names, row, strict=True))}
            for label, row in zip(scored.labels, scored.probabilities, strict=True)
        ]
    response = {"model": manifest.name, "version": manifest.version, "predictions": predictions}
    if scored.unseen:
        response["warnings"] = scored.unseen.lines
    return response


# ---------------------------------------------------------------- Open Inference Protocol v2


@dataclass(frozen=True, slots=True, eq=False)
class InferRequest:
    """A v2 inference request that is valid in the protocol; its values are not checked yet.

    Attributes
    ----------
    id : str or None
        Returned in the response.
    columns : dict of str to list
        The values of each column, n each.
    rows : int
    outputs : tuple of str
        The requested outputs, in order.
    header : list of str
        The names of all inputs in the request.
    binary : frozenset of str
        The outputs requested as bytes after the JSON of the response.
    """

    id: str | None
    columns: dict[str, list[Any]]
    rows: int
    outputs: tuple[str, ...]
    header: list[str] = field(default_factory=list)
    binary: frozenset[str] = frozenset()


def parse_infer(document: Any, predictor: Predictor, tail: memoryview | None = None) -> InferRequest:
    """Parse a v2 inference request; `tail` is the binary data after its JSON, if there is any.

    Raises
    ------
    InputError
        If the request does not follow the protocol, or an input is missing.
    """
    if not isinstance(document, dict):
        raise InputError("the request", found=shown(document), expected='an object with "inputs"')
    inputs = document.get("inputs")
    if not isinstance(inputs, list):
        raise InputError('key "inputs"', found=shown(inputs), expected="a list, one input a column")
    request_id = document.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise InputError('key "id"', found=shown(request_id), expected="a string")
    found: dict[str, list[Any]] = {}
    rest = Tail(tail)
    for position, entry in enumerate(inputs):
        try:
            name, values = _usual_input(entry) or _input(position, entry, rest)
            if name in found:
                expected = "one input a column"
                raise InputError(f"input {shown(name)}", found="two inputs of this name", expected=expected)
        except InputError as error:
            raise error.logged_at(f"input {position}") from None
        found[name] = values
    lengths = {name: len(values) for name, values in found.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(
            "the inputs have different lengths", found=shown(lengths), expected="one value a row in each"
        )
    if predictor.names and not found:
        raise MissingColumnError(predictor.names[0], found)
    header, names = list(found), predictor.names
    if len(names) == len(header) and all(map(found.__contains__, names)):
        columns = {name: found[name] for name in names}
    else:
        columns = {name: found[header[at]] for name, at in locate(names, header).items()}
    rest.check_empty()
    outputs = _outputs(document.get("outputs"), predictor)
    rows = next(iter(lengths.values()), 0)
    return InferRequest(request_id, columns, rows, outputs, header, _binary_outputs(document, outputs))


def _binary_outputs(document: dict[str, Any], outputs: tuple[str, ...]) -> frozenset[str]:
    """Return the outputs requested as bytes, by their own parameters or those of the request."""
    everything = parameters_of(document).get("binary_data_output") is True
    requested = document.get("outputs") or []
    chosen = {
        each["name"] for each in requested if parameters_of(each).get("binary_data", everything) is True
    }
    return frozenset(outputs if everything and not requested else chosen)


def _usual_input(entry: Any) -> tuple[str, list[Any]] | None:
    """Parse an input in its most common form: a list of values whose length matches the shape."""
    if type(entry) is not dict:
        return None
    name, shape, datatype, data = map(entry.get, ("name", "shape", "datatype", "data"))
    if type(name) is not str or type(data) is not list or type(datatype) is not str:
        return None
    if type(shape) is not list or shape != [len(data)] or type(shape[0]) is not int:
        return None
    if datatype not in DATATYPES or (datatype != "BYTES" and not _NUMERIC.issuperset(map(type, data))):
        return None
    return name, data


def _input(position: int, entry: Any, rest: Tail) -> tuple[str, list[Any]]:
    """Parse an input tensor: its name and flat values."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise InputError(f"input {position}", found=shown(entry), expected='an object with a "name"')
    name = entry["name"]
    where = f"input {shown(name)}"
    datatype, shape, data = entry.get("datatype"), _shape(where, entry.get("shape")), entry.get("data")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise InputError(f"{where}, datatype", found=shown(datatype), expected=", ".join(sorted(DATATYPES)))
    size = parameters_of(entry).get("binary_data_size")
    if size is not None and data is None:
        data = read_tensor(where, datatype, rest.take(where, size))
    if not isinstance(data, list):
        raise InputError(f"{where}, data", found=shown(data), expected="a list of values")
    if len(shape) == 2 and data and all(isinstance(value, list) and len(value) == 1 for value in data):
        data = [value[0] for value in data]
    if len(data) != shape[0]:
        raise InputError(f"{where}, data", found=f"{len(data)} values", expected=f"{shape[0]}, by its shape")
    if datatype != "BYTES":
        odd = next((value for value in data if type(value) not in _NUMERIC), None)
        if odd is not None:
            raise InputError(f"{where}, data", found=shown(odd), expected=f"{datatype} values or null")
    return name, data


def _shape(where: str, shape: Any) -> list[int]:
    sizes = shape if isinstance(shape, list) else []
    if not sizes or sizes[1:] not in ([], [1]) or type(sizes[0]) is not int or sizes[0] < 0:
        raise InputError(f"{where}, shape", found=shown(shape), expected="[n] or [n, 1]: one input a column")
    return sizes


def _outputs(requested: Any, predictor: Predictor) -> tuple[str, ...]:
    known = (PREDICT, PREDICT_PROBA) if predictor.classes else (PREDICT,)
    if requested is None or requested == []:
        return known
    if not isinstance(requested, list) or not all(isinstance(entry, dict) for entry in requested):
        raise InputError('key "outputs"', found=shown(requested), expected='a list of {"name": …}')
    names = tuple(entry.get("name") for entry in requested)
    for name in names:
        if name not in known:
            close = nearest(str(name), known)
            hint = f"Did you mean {shown(close[0])}?" if close else None
            raise InputError("output", found=shown(name), expected=" or ".join(known), hint=hint)
    return names


def score(scorer: Scorer, request: InferRequest) -> Scored:
    """Score a v2 inference request."""
    if request.rows > FEW_ROWS or not request.columns:
        return scorer.columns(request.columns, request.header)
    if len(request.header) == len(request.columns):
        return scorer.rows(rows_of(request))
    extra = dict.fromkeys(name for name in request.header if name.strip() not in request.columns)
    return scorer.rows([row | extra for row in rows_of(request)] if extra else rows_of(request))


def rows_of(request: InferRequest) -> list[dict[str, Any]]:
    """Return the rows of a v2 inference request as plain rows.

    Examples
    --------
    >>> rows_of(InferRequest(None, {"age": [31, 52]}, 2, ("predict",)))
    [{'age': 31}, {'age': 52}]
    """
    names = list(request.columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*request.columns.values(), strict=True)]


def infer_response(manifest: Manifest, request: InferRequest, scored: Scored) -> dict[str, Any]:
    """Return the response to a v2 inference request."""
    response: dict[str, Any] = {"model_name": manifest.name, "model_version": manifest.version}
    if request.id is not None:
        response["id"] = request.id
    if scored.unseen:
        response["parameters"] = {"warnings": "; ".join(scored.unseen.lines)}
    response["outputs"] = [_output(name, manifest, scored) for name in request.outputs]
    return response


def _output(name: str, manifest: Manifest, scored: Scored) -> dict[str, Any]:
    if name == PREDICT_PROBA and scored.probabilities is not None:
        shape = [scored.rows, len(manifest.classes)]
        data: list[Any] = [value for row in scored.probabilities for value in row]
        return {"name": name, "shape": shape, "datatype": "FP64", "data": data}
    datatype = label_datatype(manifest.classes)
    labels = [label_text(label) for label in scored.labels] if datatype == "BYTES" else scored.labels
    return {"name": name, "shape": [scored.rows], "datatype": datatype, "data": labels}


def label_datatype(classes: Sequence[Label]) -> str:
    """Return the v2 datatype of predictions: FP64 for regression, else the type of the labels.

    Examples
    --------
    >>> label_datatype(("no", "yes")), label_datatype((0, 1)), label_datatype(())
    ('BYTES', 'INT64', 'FP64')
    """
    kinds = {type(label) for label in classes}
    names: dict[type, str] = {bool: "BOOL", int: "INT64", float: "FP64"}
    if not kinds:
        return "FP64"
    return names.get(kinds.pop(), "BYTES") if len(kinds) == 1 else "BYTES"


def server_metadata(version: str) -> dict[str, Any]:
    """Return the response to ``GET /v2``."""
    return {"name": "workbench", "version": version, "extensions": ["binary_tensor_data"]}


def model_metadata(bundle: Bundle) -> dict[str, Any]:
    """Return the response to ``GET /v2/models/{name}``; -1 is a dimension of any size."""
    manifest = bundle.manifest
    inputs = [
        {
            "name": column.name,
            "datatype": _DATATYPE_OF_KIND.get(column.kind, "BYTES"),
            "shape": [-1],
            "parameters": {"kind": column.kind, "nullable": column.nullable},
        }
        for column in bundle.schema.columns
    ]
    outputs: list[dict[str, Any]] = [
        {"name": PREDICT, "datatype": label_datatype(manifest.classes), "shape": [-1]}
    ]
    if manifest.classes:
        parameters = {"classes": [label_text(label) for label in manifest.classes]}
        outputs.append(
            {
                "name": PREDICT_PROBA,
                "datatype": "FP64",
                "shape": [-1, len(manifest.classes)],
                "parameters": parameters,
            }
        )
    return {
        "name": manifest.name,
        "versions": [manifest.version],
        "platform": PLATFORM,
        "inputs": inputs,
        "outputs": outputs,
    }
