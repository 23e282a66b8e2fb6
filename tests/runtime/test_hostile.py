"""Hostile bundles: refused with a named error, without running their code or exhausting memory."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from tests.runtime.made import ROWS, make_predictor
from workbench.runtime.bundle.bundle import open_bundle
from workbench.runtime.bundle.check import check_bundle
from workbench.runtime.bundle.listed_files import hash_files, model_digest
from workbench.runtime.bundle.manifest import Manifest
from workbench.runtime.core.encoder import Encoder
from workbench.runtime.core.schema import Schema
from workbench.runtime.errors import BundleError, TamperedBundleError, WorkbenchError
from workbench.runtime.model.onnx_scan import scan_onnx
from workbench.runtime.model.predictor import Predictor

PREDICTOR = make_predictor()
SCHEMA, ENCODER = PREDICTOR.schema.to_json(), PREDICTOR.encoder.to_json()


def forge(folder: Path) -> None:
    """Write digests that match the files, as an attacker would."""
    files = hash_files(folder)
    replace(Manifest.read(folder), files=files, model_id=model_digest(files)).write(folder)


def model_with(change: Callable[[onnx.ModelProto], object]) -> bytes:
    model = onnx.load_model_from_string(PREDICTOR.content)
    change(model)
    return bytes(model.SerializeToString())


def outside(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")


def hollow(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(3, np.float32), "huge"))
    model.graph.initializer[-1].dims[:] = [1 << 40]


def nested(model: onnx.ModelProto) -> None:
    body = helper.make_graph([], "body", [], [])
    for _ in range(30):
        node = helper.make_node("Identity", ["a"], ["b"])
        node.attribute.append(helper.make_attribute("body", body))
        body = helper.make_graph([node], "body", [], [])
    model.graph.node.append(body.node[0])


def own_function(model: onnx.ModelProto) -> None:
    model.functions.append(helper.make_function("", "Relu", ["x"], ["y"], [], []))


HARMFUL: dict[str, tuple[Callable[[onnx.ModelProto], object], str]] = {
    "external data": (outside, "external data"),
    "another domain": (
        lambda model: model.graph.node.append(helper.make_node("Run", ["a"], ["b"], domain="evil.corp")),
        "'evil.corp'",
    ),
    "another operator set": (
        lambda model: model.opset_import.add(domain="com.evil", version=1),
        "'com.evil'",
    ),
    "a loop": (
        lambda model: model.graph.node.append(helper.make_node("Loop", ["a"], ["b"])),
        "operator Loop",
    ),
    "a hollow tensor": (hollow, "a tensor of"),
    "graphs in graphs": (nested, "nested"),
    "functions of its own": (own_function, "functions"),
    "memory out of nothing": (
        lambda model: model.graph.node.append(helper.make_node("ConstantOfShape", ["a"], ["b"])),
        "operator ConstantOfShape",
    ),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_a_harmful_model_is_refused_by_name(copied: Path, name: str) -> None:
    change, word = HARMFUL[name]
    (copied / "model.onnx").write_bytes(model_with(change))
    forge(copied)
    with pytest.raises(TamperedBundleError, match=rf"model\.onnx is not a bundle's model: .*{word}"):
        open_bundle(copied)
    report = check_bundle(copied)
    assert not report.ok
    assert word.strip("'") in report.to_text()


def test_a_model_of_other_inputs_or_outputs_is_refused(copied: Path) -> None:
    (copied / "model.onnx").write_bytes(make_predictor("multiclass").content)
    forge(copied)
    with pytest.raises(TamperedBundleError, match=r"schema\.json and model\.onnx do not belong together"):
        open_bundle(copied)
    spoilt = model_with(lambda model: setattr(model.graph.output[0], "name", "other"))
    with pytest.raises(BundleError, match=r"model\.onnx"):
        Predictor(PREDICTOR.schema, PREDICTOR.encoder, spoilt)


@pytest.mark.parametrize("name", ["manifest.json", "schema.json", "encoder.json"])
def test_deep_json_is_refused(copied: Path, name: str) -> None:
    (copied / name).write_text('{"a":' * 200_000)
    if name != "manifest.json":
        forge(copied)
    with pytest.raises(TamperedBundleError, match=rf"^{name} is nested too deeply"):
        open_bundle(copied)


def test_deep_golden_rows_are_refused(copied: Path) -> None:
    (copied / "golden.jsonl").write_text("[" * 200_000)
    forge(copied)
    assert "line 1" in check_bundle(copied).to_text()


def test_a_manifest_that_is_a_link_or_a_pipe_is_refused(copied: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.json"
    (copied / "manifest.json").rename(target)
    (copied / "manifest.json").symlink_to(target)
    with pytest.raises(TamperedBundleError, match="is a link"):
        open_bundle(copied)
    (copied / "manifest.json").unlink()
    os.mkfifo(copied / "manifest.json")  # reading it would block for ever
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        open_bundle(copied)


def test_a_huge_file_is_refused_before_it_is_read(copied: Path) -> None:
    with (copied / "golden.jsonl").open("r+b") as file:
        file.truncate(5 << 30)  # sparse: takes no space, but hashing it would take long
    with pytest.raises(TamperedBundleError, match="the bundle is too large"):
        open_bundle(copied)


def test_a_bomb_is_refused_before_it_is_unpacked(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "manifest.json", "manifest.json")
        archive.writestr("model.onnx", bytes(100 << 20))
    with pytest.raises(TamperedBundleError, match="bytes that unpack to"):
        open_bundle(path)


# ---------------------------------------------------------------- whatever else the files may hold

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
    | st.sampled_from([10**400, "number", "category", "binary", "gap", -1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, each in inner for found in places(each, (*path, key)))]


@st.composite
def spoilt(draw: st.DrawFn, document: dict[str, Any]) -> Any:
    """A document with one or two parts replaced or removed."""
    out = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(places(out)[1:]))
        holder = out
        for key in path[:-1]:
            holder = holder[key]
        if draw(st.booleans()):
            holder[path[-1]] = draw(JSON)
        else:
            del holder[path[-1]]
        if not places(out)[1:]:
            break
    return out


def answers_or_refuses(schema: Any, encoder: Any) -> None:
    """Load a predictor and predict; every failure must be an error for users."""
    try:
        predictor = Predictor(Schema.from_json(schema), Encoder.from_json(encoder), PREDICTOR.content)
        for row in ROWS:
            predictor.decide(predictor.predict_row(row)[None])
        predictor.predict_rows(ROWS)
    except WorkbenchError:
        pass


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spoilt(SCHEMA))
def test_no_schema_crashes_the_loader(schema: Any) -> None:
    answers_or_refuses(schema, ENCODER)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spoilt(ENCODER))
def test_no_encoder_crashes_the_loader(encoder: Any) -> None:
    answers_or_refuses(SCHEMA, encoder)


@pytest.mark.parametrize(
    "number", [1e300, -1e300, 1e39, 5e-324, 10**400], ids=lambda number: f"{str(number)[:8]}"
)
def test_no_number_of_an_encoder_makes_a_warning(number: float) -> None:
    """Warnings are errors: a value beyond float32 becomes infinite, and the output is refused."""
    numbers = [path for path in places(ENCODER) if isinstance(_at(ENCODER, path), float)]
    assert len(numbers) > 10
    for path in numbers:
        spoilt_one = copy.deepcopy(ENCODER)
        _at(spoilt_one, path[:-1])[path[-1]] = number
        answers_or_refuses(SCHEMA, spoilt_one)


def _at(document: Any, path: Any) -> Any:
    for key in path:
        document = document[key]
    return document


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_manifest_crashes_the_loader(folder: Path, data: st.DataObject) -> None:
    document = data.draw(spoilt(json.loads((folder / "manifest.json").read_text())))
    try:
        manifest = Manifest.from_json(document)
        assert Manifest.from_json(copy.deepcopy(manifest.to_json())) == manifest
    except BundleError:
        pass


@settings(max_examples=300, deadline=None)
@given(st.data())
@example(None)  # the unchanged model
def test_no_bytes_crash_the_scan(data: st.DataObject | None) -> None:
    if data is None:
        scan_onnx(PREDICTOR.content)
        return
    content = bytearray(PREDICTOR.content)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    for spoilt_bytes in (bytes(content), bytes(content[:cut]), data.draw(st.binary(max_size=200))):
        with contextlib.suppress(TamperedBundleError):
            scan_onnx(spoilt_bytes)
