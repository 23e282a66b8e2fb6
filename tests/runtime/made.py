"""A small bundle made by hand: an encoder with every kind of step, and a linear model."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import workbench.runtime
from workbench.runtime.bundle.listed_files import hash_files, model_digest
from workbench.runtime.bundle.manifest import Latency, Lineage, Manifest, Metric, Price, TrainingData
from workbench.runtime.core.encoder import (
    DATE_PARTS,
    Code,
    Curve,
    Derived,
    Encoder,
    Length,
    Mean,
    Missing,
    Number,
    OneHot,
    Pair,
    Terms,
    TermScore,
)
from workbench.runtime.core.schema import Column, Label, Output, Schema, Task
from workbench.runtime.model.onnx_model import INPUT_NAME, OUTPUT_NAME
from workbench.runtime.model.predictor import Predictor

COLUMNS = (
    Column("tenure", "number", nullable=False, low=0.0, high=72.0),
    Column("Monthly Charges", "number", thousands=",", low=18.25, high=118.75),
    Column("senior", "boolean"),
    Column("plan", "category", categories=("basic", "plus", "max")),
    Column("city", "category", categories=("Oslo", "Rome", "Zürich")),
    Column("signed", "datetime", formats=("%d/%m/%Y",)),
    Column("last", "datetime"),
    Column("note", "text"),
)

#: Rows as in requests: typical, with all allowed missing values, and with unseen values.
ROWS: list[dict[str, Any]] = [
    {"tenure": 12, "Monthly Charges": 70.35, "senior": False, "plan": "basic", "city": "Rome",
     "signed": "2020-01-31", "last": "2020-03-01T12:30:00", "note": "Fits well, good service"},
    {"tenure": 0.5, "Monthly Charges": None, "senior": None, "plan": None, "city": None,
     "signed": None, "last": None, "note": None},
    {"tenure": 1e30, "Monthly Charges": "$1,118.75", "senior": "yes", "plan": "ultra", "city": "São Paulo",
     "signed": "31/12/1999", "last": 1583065800, "note": "bad bad service 🙂"},
]  # fmt: skip

CLASSES: dict[str, tuple[Label, ...]] = {
    "binary": ("no", "yes"),
    "multiclass": (1, 2, 5),
    "regression": (),
}


def make_encoder() -> Encoder:
    parts = tuple(Derived(f"signed.{part}", part, ("signed",)) for part in DATE_PARTS)
    place = Pair("city × tenure", ("city", "tenure"), ((), (0.0, 18.25, 35.5)))
    offer = Pair("plan × city", ("plan", "city"), ((), ()))
    when = Pair("signed.weekday × plan", ("signed.weekday", "plan"), ((1.0, 5.0), ()))
    known = {
        place.one("Oslo", 18.0): (0.3,),
        place.one("Rome", math.nan): (0.6,),
        place.one(None, 99.0): (0.1,),
    }
    derived = (*parts, Derived("stay", "gap", ("signed", "last")), place, offer, when)
    return Encoder(
        derived,
        (
            Number("tenure"),
            Number("Monthly Charges", fill=64.5, low=-100.0, high=1e4, center=64.5, scale=1 / 30.1),
            Missing("Monthly Charges"),
            Curve("Monthly Charges", (18.25, 35.5, 70.35, 118.75), (-3.0, -0.7, 0.1, 3.0)),
            Number("senior", fill=0.25),
            Code("plan", ("basic", "plus", "max"), other=3.0, missing=4.0),
            Code("city", ("Oslo", "Rome")),
            OneHot("plan", ("basic", "plus"), other=True, missing=True),
            Mean("city", {"Oslo": (0.2,), "Rome": (0.7,)}, (0.5,), (0.45,)),
            *(Number(part.name) for part in parts),
            Number("stay", fill=0.0, scale=1 / 86400.0),
            Missing("signed"),
            Terms("note", ("good", "bad", "bad service"), (1.2, 1.7, 2.1), ngrams=2),
            TermScore("note", {"good": (0.9,), "bad": (-1.1,), "service": (0.1,)}, 1),
            Length("note"),
            Mean(place.name, known, (0.5,), (0.5,)),
            Code(offer.name, (offer.one("basic", "Rome"), offer.one(None, None)), other=7.0),
            Mean(
                when.name, {when.one(5.0, "max"): (0.2,), when.one(math.nan, "plus"): (0.9,)}, (0.5,), (0.5,)
            ),
            Code(place.name, tuple(known), other=9.0),
        ),
    )


def make_onnx(width: int, outputs: int, *, broken: bool = False) -> bytes:
    """A linear model over features squashed to [-1, 1]; missing ones are 0, classes use softmax."""
    weights = np.random.default_rng(0).normal(size=(width, outputs)).astype(np.float32)
    constants = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(np.float32(0), "zero"),
        numpy_helper.from_array(np.float32(1e-3), "small"),
        numpy_helper.from_array(np.float32("nan" if broken else 1), "one"),
    ]
    nodes = [
        helper.make_node("IsNaN", [INPUT_NAME], ["missing"]),
        helper.make_node("Where", ["missing", "zero", INPUT_NAME], ["known"]),
        helper.make_node("Mul", ["known", "small"], ["scaled"]),
        helper.make_node("Tanh", ["scaled"], ["squashed"]),
        helper.make_node("MatMul", ["squashed", "weights"], ["raw"]),
        helper.make_node("Mul", ["raw", "one"], ["margin"]),
        helper.make_node("Softmax" if outputs > 1 else "Identity", ["margin"], [OUTPUT_NAME]),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, [None, outputs])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def make_predictor(task: Task = "binary", *, broken: bool = False) -> Predictor:
    classes = CLASSES[task]
    encoder = make_encoder()
    source = {"format": "csv", "delimiter": ",", "encoding": "utf-8", "header": True}
    schema = Schema(COLUMNS, Output("churn", task, classes), source)
    return Predictor(schema, encoder, make_onnx(encoder.width, max(len(classes), 1), broken=broken))


def make_bundle(
    folder: Path, predictor: Predictor, *, golden_rows: list[dict[str, Any]] | None = None
) -> Path:
    """Write a bundle folder like the export: the same files, the manifest last."""
    folder.mkdir(parents=True)
    predictor.save(folder)
    source = Path(workbench.runtime.__file__).parent
    shutil.copytree(source, folder / "runtime", ignore=shutil.ignore_patterns("__pycache__"))
    lines = [golden_line(predictor, row) for row in (ROWS * 20 if golden_rows is None else golden_rows)]
    (folder / "golden.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    write_manifest(folder, predictor)
    return folder


def write_manifest(folder: Path, predictor: Predictor) -> Manifest:
    files = hash_files(folder)
    output = predictor.schema.output
    manifest = Manifest(
        name="churn",
        version="3",
        model_id=model_digest(files),
        created="2026-01-31T12:00:00Z",
        task=output.task,
        target=output.target,
        classes=output.classes,
        metric=Metric("roc_auc", 0.84, 0.81, 0.86, "hold-out", 1400),
        data=TrainingData("c0ffee", 7043, "churn.csv", "2026-01-31"),
        lineage=Lineage("runs/churn", "c0017", "linear", {"C": 1.0}, 0),
        latency=Latency(21.0, 30.5, {"p50_us": [20.0, 22.5]}, 5000, 5, machine="a test"),
        cpu_us_per_row=20.0,
        price=Price(0.01, {"instance": "none"}),
        libraries={"numpy": np.__version__},
        files=files,
    )
    manifest.write(folder)
    return manifest


def golden_line(predictor: Predictor, row: dict[str, Any]) -> str:
    output = predictor.predict_row(row)[None]
    answer = predictor.decide(output)[0].item()
    if predictor.classes:
        shown = {"label": answer, "probabilities": output[0].astype(float).tolist()}
    else:
        shown = {"value": answer}
    return json.dumps({"input": row, "output": shown}, ensure_ascii=False)
