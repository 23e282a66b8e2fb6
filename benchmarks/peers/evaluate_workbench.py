"""Predict the test rows with what a finished run of Workbench offers. Runs with the Python that has
Workbench.

For the picks ``best``, ``balanced`` and ``fastest``: a bundle is exported and opened with
`workbench.load`. It holds what was ready at the end of the budget, since an export trains nothing.
Besides, every candidate on the front predicts with its own predictor, as it was scored in the
search. Predictions go to ``predictions.npz``, everything else to ``evaluation.json``.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from timing import one_row_us, size_mb

import workbench as wb

PICKS = ("best", "balanced", "fastest")
_FRONT = 30
_ROWS = 200
_MODEL_FILES = ("schema.json", "encoder.json", "model.onnx")


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The first rows as a JSON request would bring them."""
    rows = []
    for record in frame.head(_ROWS).to_dict("records"):
        row: dict[str, Any] = {}
        for name, value in record.items():
            missing = bool(pd.isna(value))
            row[str(name)] = None if missing else value.isoformat() if hasattr(value, "isoformat") else value
        rows.append(row)
    return rows


def bundle_of(run: Any, choice: Any, folder: Path) -> tuple[Any, dict[str, Any]]:
    """Export a choice; return the opened bundle and what it took."""
    started = time.monotonic()
    path = run.export(choice, folder)
    export_s = time.monotonic() - started
    started = time.monotonic()
    bundle = wb.load(path)
    facts = {
        "export_s": round(export_s, 2),
        "load_s": round(time.monotonic() - started, 3),
        "bundle_mb": size_mb(Path(path)),
        "artifact_mb": round(sum(size_mb(Path(path) / name) for name in _MODEL_FILES), 3),
    }
    return bundle, facts


def candidate_facts(run: Any, row: Any, columns: Any, rows: list[Any]) -> tuple[Any, dict[str, Any]]:
    """Predict with a candidate's own predictor."""
    predictor = run.folder.predictor(row.id)
    output = np.asarray(predictor.predict_columns(columns), dtype=np.float64)
    names = ("id", "family", "score", "artifact_mb", "price_per_million_usd")
    facts = {name: getattr(row, name) for name in names}
    facts["search_latency_p50_us"] = row.latency_p50_us
    facts.update(one_row_us(predictor.predict_row, rows))
    return output, facts


def main() -> None:
    """Evaluate a run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument(
        "--test", type=Path, required=True, help="Parquet file of the test rows, without the target"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder")
    options = parser.parse_args()
    frame = pd.read_parquet(options.test)
    from workbench.runtime.core.rows import read_rows

    run, rows = wb.open_run(options.run), rows_of(frame)
    outputs: dict[str, np.ndarray] = {}
    report: dict[str, Any] = {"picks": {}, "front": [], "summary": run.summary()}
    report["cpu_spent"] = run.folder.info.get("cpu_spent")
    listed = run.rows()
    report["candidates"] = len(listed)
    report["not_ok"] = sum(row.status != "ok" for row in listed)
    by_id = {row.id: row for row in listed}
    exported: dict[str, str] = {}
    for how in PICKS:
        choice = run.pick(how)
        if choice.id in exported:
            report["picks"][how] = {**report["picks"][exported[choice.id]], "same_as": exported[choice.id]}
            continue
        facts: dict[str, Any] = {"id": choice.id, "family": by_id[choice.id].family}
        try:
            bundle, made = bundle_of(run, choice, options.out / f"bundle-{how}")
            facts.update(made)
            classes = bundle.classes_
            predict = bundle.predict if len(classes) == 0 else bundle.predict_proba
            outputs[f"bundle:{how}"] = np.asarray(predict(frame), dtype=np.float64)
            facts.update(one_row_us(predict, rows))
            report["classes"] = [str(label) for label in classes]
        except Exception as error:  # whatever it is, the cell says so and the other picks go on
            facts["error"] = f"{type(error).__name__}: {error}"[:500]
        report["picks"][how] = facts
        exported[choice.id] = how
    front = run.front_rows()
    wanted = {row.id: row for row in [*(by_id[name] for name in exported), *front[:_FRONT]]}
    for row in wanted.values():
        predictor = run.folder.predictor(row.id)
        columns = read_rows(frame, predictor.names)
        output, facts = candidate_facts(run, row, columns, rows)
        report.setdefault("classes", [str(label) for label in predictor.classes])
        outputs[f"candidate:{row.id}"] = output
        report["front"].append({**facts, "on_front": row.on_front})
    np.savez(options.out / "predictions.npz", **outputs)
    (options.out / "evaluation.json").write_text(json.dumps(report, default=float), encoding="utf-8")


if __name__ == "__main__":
    main()
