"""Generated hostile bundles; `test_resource_limits` runs this script with limits.

``python -m tests.runtime.hostile_bundles PART EXAMPLES``. Each example changes the encoder, schema,
model or other documents of a valid bundle by a grammar of expensive and surprising content, writes
matching checksums, and opens, checks and predicts with it. Every outcome is a prediction or an
error for users; the operating system limits memory and CPU time.
"""

from __future__ import annotations

import copy
import json
import resource
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, helper, numpy_helper

from tests.runtime.made import ROWS, make_bundle, make_predictor
from tests.runtime.test_hostile import forge, spoilt
from workbench.families.forms.ctr_lookups import lookup_trees
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.bundle.bundle import open_bundle
from workbench.runtime.bundle.check import check_bundle
from workbench.runtime.errors import WorkbenchError

MEMORY_BYTES = 4 << 30
CPU_S = 400
OLD = Path(__file__).parent / "bundles" / "format-1.zip"
PREDICTOR = make_predictor("regression")
ENCODER, SCHEMA = PREDICTOR.encoder.to_json(), PREDICTOR.schema.to_json()
TEXTS = [column["name"] for column in SCHEMA["columns"] if column["kind"] in ("category", "text")]
NUMBERS = [column["name"] for column in SCHEMA["columns"] if column["kind"] in ("number", "datetime")]
HUGE = st.sampled_from([0, 1, 2, 1000, 10**6, 1 << 20, 10**9, 10**12, 2**31, 2**63 - 1, -1, 10**400])

# ---------------------------------------------------------------- encoders


def _pairs(depth: int, column: str, shape: str) -> list[dict[str, Any]]:
    """Pairs of pairs: of the last one with itself, the column or the previous one."""
    out, names = [], [column, column]
    for at in range(depth):
        other = {"twice": names[-1], "column": column, "before": names[-2]}[shape]
        out.append({"op": "pair", "name": f"p{at}", "columns": [names[-1], other], "edges": [[], []]})
        names.append(f"p{at}")
    return out


@st.composite
def costly_steps(draw: st.DrawFn) -> tuple[list[Any], list[Any]]:
    """Derived columns and steps with a short description and a high cost."""
    text, number = draw(st.sampled_from(TEXTS)), draw(st.sampled_from(NUMBERS))
    derived: list[Any] = []
    if draw(st.booleans()):
        derived = _pairs(draw(st.integers(1, 70)), text, draw(st.sampled_from(["twice", "column", "before"])))
        text = draw(st.sampled_from([text, derived[-1]["name"]]))
    levels = [str(at) for at in range(draw(st.sampled_from([0, 1, 10, 10, 3000, 30_000])))]
    step: dict[str, Any] = draw(
        st.sampled_from(
            [
                {"op": "term_score", "column": text, "weights": {}, "width": draw(HUGE), "ngrams": draw(HUGE)},
                {"op": "term_score", "column": text, "weights": {"a": [0.5] * 3}, "width": 3, "ngrams": 8},
                {"op": "onehot", "column": text, "levels": levels, "other": True, "missing": True},
                {"op": "code", "column": text, "levels": levels, "other": draw(HUGE)},
                {"op": "mean", "column": text, "means": {}, "other": [0.0] * len(levels), "missing": [0.0]},
                {"op": "terms", "column": text, "terms": levels, "weights": [1.0] * len(levels), "ngrams": draw(HUGE)},
                {"op": "curve", "column": number, "x": list(range(len(levels))), "y": [0.0] * len(levels)},
                {"op": "number", "column": number, "low": draw(HUGE), "scale": draw(HUGE)},
                {"op": "length", "column": text},
                {"op": "missing", "column": text},
            ]
        )
    )  # fmt: skip
    return derived, [step] * (1 if len(levels) > 10 else draw(st.sampled_from([1, 2, 50, 3000])))


@st.composite
def encoders(draw: st.DrawFn) -> Any:
    out = copy.deepcopy(ENCODER)
    for _ in range(draw(st.integers(1, 2))):
        derived, steps = draw(costly_steps())
        taken = {each["name"] for each in out["derived"]}
        out["derived"] += [each for each in derived if each["name"] not in taken]
        out["steps"] = out["steps"] + steps if draw(st.booleans()) else steps
    return draw(spoilt(out)) if draw(st.integers(0, 3)) == 0 else out


# ---------------------------------------------------------------- schemas

DIRECTIVES = [f"%{letter}" for letter in "dmYyHMSfjUWVGuwaAbBpzZcxXIQ%-"]
FORMATS = st.lists(st.sampled_from([*DIRECTIVES, *"/-. ()[]*+?{}|^$\\:,", "%", "  "]), max_size=14).map(
    "".join
)


@st.composite
def schemas(draw: st.DrawFn) -> Any:
    out = copy.deepcopy(SCHEMA)
    for _ in range(draw(st.integers(1, 3))):
        column = draw(st.sampled_from(out["columns"]))
        key, value = draw(
            st.sampled_from(
                [
                    ("formats", draw(st.lists(FORMATS, max_size=4)) * draw(st.sampled_from([1, 1, 100]))),
                    ("missing", ["x"] * draw(st.sampled_from([1, 50_000]))),
                    ("categories", [str(at) for at in range(draw(st.sampled_from([0, 100_000])))]),
                    ("kind", draw(st.sampled_from(["number", "boolean", "category", "datetime", "text"]))),
                    ("decimal", draw(st.text(max_size=2))),
                    ("thousands", draw(st.text(max_size=2))),
                    ("low", draw(HUGE)),
                    ("name", draw(st.text(max_size=3))),
                ]
            )
        )
        column[key] = value
    return draw(spoilt(out)) if draw(st.integers(0, 3)) == 0 else out


# ---------------------------------------------------------------- models

OPERATORS = (
    "Add", "Mul", "Concat", "Gather", "MatMul", "Gemm", "Transpose", "Reshape", "Expand", "Slice", "Split", "Squeeze",
    "Unsqueeze", "ReduceSum", "ReduceMax", "ArgMax", "Softmax", "CumSum", "Where", "Shape", "Identity", "Relu",
    "Flatten", "ScatterElements", "Cast", "Tile", "Range", "ConstantOfShape", "NonZero", "Pad", "Einsum", "OneHot",
    "RandomNormalLike", "Loop", "Conv", "LinearRegressor", "TreeEnsemble", "TreeEnsembleRegressor", "LabelEncoder",
)  # fmt: skip
SIZES = st.sampled_from([0, 1, 2, 3, 1000, 1 << 20, 1 << 31, 1 << 62, -1, -2])


@st.composite
def models(draw: st.DrawFn) -> bytes:
    """A model with chains of nodes before its output that double, expand, sum or dangle."""
    model = onnx.load_model_from_string(draw(st.sampled_from([PREDICTOR.content, TREES])))
    graph = model.graph
    names = ["features", graph.node[-1].output[0]]
    for at in range(draw(st.integers(0, 3))):
        values = np.asarray(draw(st.lists(SIZES, max_size=3)), dtype=np.int64)
        names.append(f"k{at}")
        graph.initializer.append(numpy_helper.from_array(values, names[-1]))
        if draw(st.integers(0, 5)) == 0:
            graph.initializer[-1].dims[:] = [abs(draw(SIZES))] * draw(st.integers(0, 12))
    last = graph.node[-1].output[0]
    graph.node[-1].output[0] = "was"
    names[1] = source = "was"
    for block in range(draw(st.integers(0, 3))):
        operator = draw(st.sampled_from(OPERATORS))
        others = draw(st.lists(st.sampled_from(names), max_size=3))
        doubled = draw(st.booleans())
        for at in range(draw(st.sampled_from([1, 1, 3, 40, 400]))):
            name = f"v{block}_{at}"
            inputs = [source, source] if doubled else [source, *others]
            domain = (
                "ai.onnx.ml"
                if operator[0] in "LT" and operator.endswith(("r", "ble")) and operator[1] in "air"
                else ""
            )
            node = helper.make_node(operator, inputs, [name], domain=domain)
            if draw(st.booleans()) or operator in ("Concat", "Gather"):
                node.attribute.append(
                    helper.make_attribute("axis", draw(st.sampled_from([0, 1, -1, 7, 10**9])))
                )
            graph.node.append(node)
            source = name
        names.append(source)
    graph.node.append(helper.make_node("Identity", [source], [last]))
    for _ in range(draw(st.integers(0, 3))):
        _spoil_attribute(draw, model)
    content = bytearray(model.SerializeToString())
    for _ in range(draw(st.sampled_from([0, 0, 1, 3]))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content)


def _spoil_attribute(draw: st.DrawFn, model: onnx.ModelProto) -> None:
    nodes = [node for node in model.graph.node if node.attribute]
    if not nodes:
        return
    attribute = draw(st.sampled_from(list(draw(st.sampled_from(nodes)).attribute)))
    number = draw(SIZES)
    if attribute.type == AttributeProto.INT:
        attribute.i = number
    elif attribute.type == AttributeProto.INTS and attribute.ints:
        at = draw(st.integers(0, len(attribute.ints) - 1))
        attribute.ints[at] = draw(st.one_of(SIZES, st.integers(0, len(attribute.ints))))
        if draw(st.integers(0, 4)) == 0:
            del attribute.ints[at]
    elif attribute.type == AttributeProto.FLOATS and attribute.floats:
        del attribute.floats[draw(st.integers(0, len(attribute.floats) - 1))]
    elif attribute.type == AttributeProto.TENSOR:
        attribute.t.dims[:] = [abs(number)]
    elif attribute.type == AttributeProto.STRINGS and attribute.strings:
        attribute.strings[0] = b"BRANCH_MEMBER"


def _trees() -> bytes:
    """A model of trees with the width of the encoder."""
    grown = lookup_trees([0, 1, 2], [np.arange(9.0) + at for at in range(3)])
    return to_onnx(replace(grown, target=grown.target * 0, base=np.zeros(1)), PREDICTOR.encoder.width)


TREES = _trees()

# ---------------------------------------------------------------- the other documents

DOCUMENTS = ("manifest.json", "profile.json", "decision.json", "sbom.cdx.json", "golden.jsonl")


@st.composite
def documents(draw: st.DrawFn, folder: Path) -> tuple[str, bytes]:
    name = draw(st.sampled_from(DOCUMENTS))
    lines = (folder / name).read_text().splitlines() if name.endswith("l") else [(folder / name).read_text()]
    at = draw(st.integers(0, len(lines) - 1))
    document = draw(spoilt(json.loads(lines[at])))
    lines[at] = draw(
        st.sampled_from(
            [
                json.dumps(document),
                json.dumps(document),
                json.dumps(document)[:-1] + ', "NaN": NaN}',
                json.dumps(document)[:-1] + ', "big": 1e999}',
                json.dumps(document)[:-1] + ', "half": "\\ud800"}',
                json.dumps(document)[:-1] + ', "deep": ' + "[" * 200 + "]" * 200 + "}",
                "[" * draw(st.sampled_from([10, 100_000])),
                "[" + "[]," * 5_000_000 + "[]]",
                "9" * 10_000,
            ]
        )
    )
    return name, "\n".join(lines).encode()


# ---------------------------------------------------------------- what is done with each


def used(folder: Path) -> None:
    """Open, predict and check; every failure is an error for users."""
    try:
        bundle = open_bundle(folder)
        bundle.predict(ROWS)
        for row in ROWS:
            bundle.predict(row)
    except WorkbenchError as error:
        str(error).encode()
    check_bundle(folder).to_text().encode()


def verified(folder: Path, other: Path) -> None:
    """Verify, compare and list: every document of the bundle is read."""
    from workbench.export.catalog import list_bundles
    from workbench.export.checks.verify import verify_bundle
    from workbench.export.diff import diff_bundles

    report = verify_bundle(folder, isolation=False)
    json.dumps(report.to_json(), allow_nan=False)
    report.to_text().encode()
    list_bundles(folder)
    try:
        found = diff_bundles(other, folder)
        json.dumps(found.to_json(), ensure_ascii=False, allow_nan=False).encode()
        found.to_text().encode()
    except WorkbenchError as error:
        str(error).encode()


def main(part: str, examples: int) -> None:
    """Try a number of generated bundles of one part."""
    scratch = Path(tempfile.mkdtemp(prefix="hostile-"))
    sound = make_bundle(scratch / "sound", PREDICTOR)
    opened = open_bundle(OLD)  # its temporary folder lives as long as the bundle
    old = Path(shutil.copytree(opened.path, scratch / "old"))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    drawn = {
        "encoder": encoders().map(lambda found: ("encoder.json", json.dumps(found).encode())),
        "schema": schemas().map(lambda found: ("schema.json", json.dumps(found).encode())),
        "model": models().map(lambda found: ("model.onnx", found)),
        "documents": documents(old),
    }[part]

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(drawn)
    def tried(change: tuple[str, bytes]) -> None:
        source = old if part == "documents" else sound
        with tempfile.TemporaryDirectory(dir=scratch) as name:
            folder = Path(shutil.copytree(source, Path(name) / "b"))
            (folder / change[0]).write_bytes(change[1])
            if change[0] != "manifest.json":
                forge(folder)
            if part == "documents":
                verified(folder, old)
            else:
                used(folder)

    try:
        tried()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
