"""Scorers as source text answer as the model does, by the real compiler or interpreter of their
language.
"""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.families.small_trees import scattered
from tests.runtime.made import COLUMNS, ROWS, make_encoder, make_predictor
from workbench.data.dataset import Dataset
from workbench.errors import ExportError, SettingsError
from workbench.export.pipeline import build_pipeline, check_pipeline
from workbench.export.source import LANGUAGES, source_files, source_head
from workbench.export.source.sql import sql
from workbench.export.source.write_source import program_of
from workbench.families.forms.additive_tables import collapse
from workbench.families.forms.forms import Form, Linear, Network
from workbench.families.forms.trees import Trees
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.bundle.bundle import open_bundle
from workbench.runtime.core.encoder import Encoder, Pair
from workbench.runtime.core.schema import Label, Output, Schema, Task
from workbench.runtime.core.steps import OneHot
from workbench.runtime.core.text_steps import Length, Terms, TermScore
from workbench.runtime.model.predictor import Predictor

WITHOUT_TEXT = tuple(column for column in COLUMNS if column.kind != "text")
FULL = make_encoder()
ODD = ('a"b\\c?', "x'y", "\\u0022", "é\u2028", "${1}")
PAIRS = {each.name for each in FULL.derived if isinstance(each, Pair)}
ENCODER = Encoder(
    tuple(each for each in FULL.derived if each.name not in PAIRS),
    (
        *(
            step
            for step in FULL.steps
            if not isinstance(step, Terms | TermScore | Length) and step.column not in PAIRS
        ),
        OneHot("city", ("Oslo", *ODD), other=True),
    ),
)
LABELS: dict[Task, tuple[Label, ...]] = {"binary": ("no", "it's"), "multiclass": (1, 2, 5), "regression": ()}
_RANDOM = np.random.default_rng(5)


def stumps(width: int, targets: int, shared: bool) -> Trees:
    """Trees of one or two splits over every feature; leaves answer one target, or all of them."""
    count = 2 * width
    entries = targets if shared else 1
    nodes = np.arange(count + 1)
    second = np.arange(count)  # the second split of a tree is of the next feature
    return Trees(
        node_offsets=2 * nodes,
        leaf_offsets=3 * nodes,
        feature=np.stack([second % width, (second + 1) % width], axis=1).ravel(),
        threshold=_RANDOM.choice(np.float32([0.0, 0.5, 1.0, 12.0, 1.5e9]), 2 * count),
        yes=np.stack([2 * second + 1, -1 - 3 * second], axis=1).ravel(),
        no=np.stack([-1 - (3 * second + 2), -1 - (3 * second + 1)], axis=1).ravel(),
        missing_yes=_RANDOM.random(2 * count) < 0.5,
        entry_offsets=entries * np.arange(3 * count + 1),
        target=np.tile(np.arange(targets), 3 * count) if shared else np.repeat(second % targets, 3),
        weight=_RANDOM.normal(size=3 * count * entries) * 0.1,
        base=np.full(targets, 0.25),
        link="softmax" if targets > 1 else "identity",
        strict=bool(targets % 2),
    )


def form_of(kind: str, task: Task) -> Form:
    width, raw = ENCODER.width, {"binary": 1, "multiclass": 3, "regression": 1}[task]
    link: Any = {"binary": "sigmoid", "multiclass": "softmax", "regression": "identity"}[task]
    scale = 1.0 / np.array(
        [1e10 if "signed" in name or "tenure" in name else 10.0 for name in ENCODER.feature_names()]
    )
    weights = _RANDOM.normal(size=(width, raw)) * scale[:, None]
    if kind == "linear":
        return Linear(weights, np.full(raw, 0.1), link)
    if kind == "network":
        first = _RANDOM.normal(size=(width, 4)) * scale[:, None]
        return Network([first, _RANDOM.normal(size=(4, raw))], [np.zeros(4), np.zeros(raw)], "tanh", link)
    if kind == "additive":
        return collapse(scattered(width, 20, link))
    trees = stumps(width, raw, shared=task == "multiclass")
    return (
        trees
        if task != "binary"
        else Trees(**{**{n: getattr(trees, n) for n in trees.__slots__}, "link": link})
    )


def without_nan(encoder: Encoder) -> Encoder:
    """The same with every number filled, as models other than trees are given it."""
    from workbench.runtime.core.steps import Code, Number

    def filled(step: Any) -> Any:
        if isinstance(step, Number) and step.fill is None:
            return replace(step, fill=0.5, high=1e12, low=-1e12)
        return replace(step, other=3.0, missing=4.0) if isinstance(step, Code) else step

    return Encoder(encoder.derived, tuple(filled(step) for step in encoder.steps))


def made(kind: str, task: Task) -> Predictor:
    encoder = ENCODER if kind in ("trees", "additive") else without_nan(ENCODER)
    schema = Schema(WITHOUT_TEXT, Output("churn", task, LABELS[task]))
    return Predictor(schema, encoder, to_onnx(form_of(kind, task), encoder.width))


CASES = [("linear", "binary"), ("linear", "regression"), ("network", "multiclass"), ("additive", "binary"),
         ("trees", "binary"), ("trees", "multiclass"), ("trees", "regression")]  # fmt: skip


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Predictor, Path]:
    """A predictor and its scorer in every language."""
    predictor = made(*request.param)
    columns = predictor.read_columns({name: [row[name] for row in ROWS] for name in predictor.names})
    data = Dataset(predictor.schema, columns, np.zeros(len(ROWS)))
    folder = tmp_path_factory.mktemp("source")
    for name, text in source_files(predictor, list(LANGUAGES), data, 'A scorer, "quoted"').items():
        (folder / Path(name).name).write_text(text, encoding="utf-8")
    return predictor, folder


def inputs(predictor: Predictor, row: dict[str, Any]) -> dict[str, float | str | None]:
    out: dict[str, float | str | None] = {}
    for column in predictor.schema.columns:
        value = column.read(row[column.name])
        out[column.name] = None if isinstance(value, float) and math.isnan(value) else value
    return out


def rows_of(predictor: Predictor) -> list[dict[str, Any]]:
    """The rows that clients send, and each of them with one value after the other missing."""
    out = [inputs(predictor, row) for row in (*ROWS, *({**ROWS[0], "city": city} for city in ODD))]
    return out + [
        {**row, column.name: None} for row in out for column in predictor.schema.columns if column.nullable
    ]


def agree(predictor: Predictor, answers: Sequence[tuple[Any, Sequence[float]]]) -> None:
    rows = rows_of(predictor)
    assert len(answers) == len(rows)
    served = predictor.predict_rows(rows)
    for at, (label, numbers) in enumerate(answers):
        np.testing.assert_allclose(numbers, served[at], rtol=2e-5, atol=2e-6)
        if predictor.classes:
            assert label == predictor.decide(served[at : at + 1])[0].item()


def need(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"source for {tool} was not run: {tool} is missing")


def run(*words: object, **options: Any) -> str:
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_python(case: tuple[Predictor, Path]) -> None:
    predictor, folder = case
    code = "import json, sys; from scorer import score; print(json.dumps([score(row) for row in json.load(sys.stdin)]))"
    found = run(sys.executable, "-S", "-c", code, cwd=folder, input=json.dumps(rows_of(predictor)))
    answers = json.loads(found)
    agree(predictor, [(each.get("label"), each.get("probabilities") or [each["value"]]) for each in answers])


def test_javascript(case: tuple[Predictor, Path]) -> None:
    need("node")
    predictor, folder = case
    code = (
        'const { score } = require("./scorer.js");'
        'console.log(JSON.stringify(JSON.parse(require("fs").readFileSync(0)).map(score)))'
    )
    answers = json.loads(run("node", "-e", code, cwd=folder, input=json.dumps(rows_of(predictor))))
    agree(predictor, [(each.get("label"), each.get("probabilities") or [each["value"]]) for each in answers])


C_MAIN = """
#include <stdio.h>
#include <stdlib.h>
#include "scorer.c"
int main(void) {
  static char line[100000];
  double x[64], out[64];
  const char *t[64];
  int xs = 0, ts = 0, outs = %d;
  while (scorer_numbers[xs]) xs++;
  while (scorer_texts[ts]) ts++;
  for (;;) {
    for (int i = 0; i < xs; i++) {
      if (!fgets(line, sizeof line, stdin)) return 0;
      x[i] = line[0] == '\\n' ? NAN : strtod(line, NULL);
    }
    for (int i = 0; i < ts; i++) {
      if (!fgets(line, sizeof line, stdin)) return 1;
      line[strcspn(line, "\\n")] = 0;
      t[i] = strdup(line);
    }
    scorer_score(x, t, out);
    printf("%%d", %s);
    for (int i = 0; i < outs; i++) printf(" %%.17g", out[i]);
    printf("\\n");
  }
}
"""


def lines(predictor: Predictor) -> str:
    """Rows as lines, numbers first, an empty one for what is missing."""
    ordered = sorted(predictor.schema.columns, key=lambda column: not column.is_numeric)
    values = [row[column.name] for row in rows_of(predictor) for column in ordered]
    return "".join(f"{'' if value is None else value}\n" for value in values)


def read_lines(predictor: Predictor, text: str) -> list[tuple[Any, list[float]]]:
    out: list[tuple[Any, list[float]]] = []
    for line in text.splitlines():
        place, *numbers = line.split()
        label = predictor.classes[int(place)] if predictor.classes else None
        out.append((label, [float(each) for each in numbers]))
    return out


def test_c(case: tuple[Predictor, Path]) -> None:
    need("gcc")
    predictor, folder = case
    label = "scorer_label(out)" if predictor.classes else "0"
    (folder / "main.c").write_text(C_MAIN % (max(len(predictor.classes), 1), label))
    run(
        "gcc",
        "-std=c11",
        "-D_GNU_SOURCE",
        "-Wall",
        "-Werror",
        "-O0",
        "main.c",
        "-lm",
        "-o",
        "main",
        cwd=folder,
    )
    agree(predictor, read_lines(predictor, run(folder / "main", input=lines(predictor))))


JAVA_MAIN = """
import java.io.*;
public class Main {
  public static void main(String[] arguments) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    String line;
    while ((line = in.readLine()) != null) {
      double[] x = new double[Scorer.NUMBERS.length];
      String[] t = new String[Scorer.TEXTS.length];
      for (int i = 0; i < x.length; i++) {
        x[i] = line.isEmpty() ? Double.NaN : Double.parseDouble(line);
        line = in.readLine();
      }
      for (int i = 0; i < t.length; i++) {
        t[i] = line;
        if (i + 1 < t.length) line = in.readLine();
      }
      double[] out = Scorer.score(x, t);
      StringBuilder answer = new StringBuilder().append(%s);
      for (double each : out) answer.append(' ').append(each);
      System.out.println(answer);
    }
  }
}
"""


def test_java(case: tuple[Predictor, Path]) -> None:
    need("javac")
    predictor, folder = case
    (folder / "Main.java").write_text(JAVA_MAIN % ("Scorer.label(out)" if predictor.classes else "0"))
    run("javac", "-encoding", "UTF-8", "-Xlint:all", "-Werror", "Main.java", "Scorer.java", cwd=folder)
    agree(
        predictor,
        read_lines(predictor, run("java", "-Xshare:auto", "Main", cwd=folder, input=lines(predictor))),
    )


def test_sql(case: tuple[Predictor, Path]) -> None:
    predictor, folder = case
    names = predictor.names
    base = sqlite3.connect(":memory:")
    with pytest.MonkeyPatch.context():
        for name, function in (("exp", math.exp), ("floor", math.floor), ("tanh", math.tanh)):
            base.create_function(
                name, 1, lambda value, function=function: None if value is None else function(value)
            )
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
        base.execute(f"CREATE TABLE input ({quoted})")
        marks = ", ".join("?" * len(names))
        values = [[row[name] for name in names] for row in rows_of(predictor)]
        base.executemany(f"INSERT INTO input VALUES ({marks})", values)
        cursor = base.execute((folder / "scorer.sql").read_text(encoding="utf-8"))
        found = [dict(zip([each[0] for each in cursor.description], row, strict=True)) for row in cursor]
    base.close()
    shares = [name for name in (found[0] if found else {}) if name.startswith("probability_")]
    agree(
        predictor,
        [(row["prediction"], [row[name] for name in shares] or [row["prediction"]]) for row in found],
    )


def test_a_blend_that_takes_parts_of_the_matrix() -> None:
    """Two models over columns of one matrix, weighed and added, as a graph of its own says it."""
    import onnx
    from onnx import compose, helper, numpy_helper

    encoder = without_nan(ENCODER)
    width = encoder.width
    linear = onnx.load_model_from_string(to_onnx(form_of("linear", "binary"), width))
    half = compose.add_prefix(
        onnx.load_model_from_string(to_onnx(Linear(np.ones((2, 1)), np.zeros(1), "sigmoid"), 2)), "b/"
    )
    whole = compose.add_prefix(linear, "a/")
    tensors = [("columns", np.array([6, 7])), ("one", np.float32(0.25)), ("two", np.float32(0.75))]
    nodes = [
        helper.make_node("Identity", ["features"], ["a/features"]),
        helper.make_node("Gather", ["features", "columns"], ["b/features"], axis=1),
        *whole.graph.node,
        *half.graph.node,
        helper.make_node("Mul", ["a/output", "one"], ["a"]),
        helper.make_node("Mul", ["b/output", "two"], ["b"]),
        helper.make_node("Sum", ["a", "b"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes, "blend", list(linear.graph.input), list(linear.graph.output),
        [numpy_helper.from_array(np.asarray(values), name) for name, values in tensors],
    )  # fmt: skip
    content = helper.make_model(graph, opset_imports=linear.opset_import, ir_version=10).SerializeToString()
    predictor = Predictor(Schema(WITHOUT_TEXT, Output("churn", "binary", LABELS["binary"])), encoder, content)
    columns = predictor.read_columns({name: [row[name] for row in ROWS] for name in predictor.names})
    data = Dataset(predictor.schema, columns, np.zeros(len(ROWS)))
    assert source_files(predictor, ["python"], data, "a blend")
    assert check_pipeline(predictor, build_pipeline(predictor), data).largest < 1e-6


def test_a_target_cannot_end_the_comment_it_stands_in() -> None:
    stored = Path(__file__).parents[2] / "runtime" / "bundles" / "format-1.zip"
    manifest = replace(open_bundle(stored).manifest, target="a\\u000a\nSystem.exit(1); //\\")
    head = " ".join(source_head(manifest).split())
    assert "\\" not in head
    assert "\n" not in head


def test_pairs_of_columns_are_refused_by_name() -> None:
    with pytest.raises(ExportError, match=r"columns 'city' and 'tenure' cannot be written as source code"):
        program_of(make_predictor())


def test_free_text_is_refused_by_column() -> None:
    predictor = make_predictor()
    kept = tuple(step for step in predictor.encoder.steps if step.column not in PAIRS)
    predictor.encoder = Encoder(ENCODER.derived, kept)
    with pytest.raises(ExportError, match=r"column 'note' cannot be written as source code: found free text"):
        program_of(predictor)


def test_an_operator_that_is_not_known_is_named() -> None:
    import onnx

    predictor = made("linear", "regression")
    model = onnx.load_model_from_string(predictor.content)
    model.graph.node[0].op_type = "SVMRegressor"
    predictor.content = model.SerializeToString()
    with pytest.raises(ExportError, match="operator SVMRegressor"):
        program_of(predictor)


def test_a_model_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = made("trees", "regression")
    monkeypatch.setattr("workbench.export.source.write_source._MOST_NODES", 10)
    with pytest.raises(ExportError, match="too large for source code"):
        program_of(predictor)
    monkeypatch.setattr("workbench.export.source.sql._MOST_COLUMNS", 10)
    monkeypatch.setattr("workbench.export.source.write_source._MOST_NODES", 10**9)
    with pytest.raises(ExportError, match="too wide for SQL"):
        sql(program_of(predictor), predictor.schema.output, "")


def test_a_language_that_is_not_known_is_refused() -> None:
    predictor = made("linear", "regression")
    with pytest.raises(SettingsError, match="code: found 'cobol'"):
        source_files(predictor, ["cobol"], Dataset(predictor.schema, {}, np.zeros(0)), "")
