"""One row, a dict, answered by ``bundle.predict``, beside the same library behind a pandas frame
and a pipeline.

Both answer the same rows in the same run, in turn, so that a busy machine slows both alike; both
give a label, with all their checks. Run it with::

    python benchmarks/single_row.py
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.runtime.made import make_bundle
from workbench.automl.features.encoder_fitting import learn
from workbench.automl.phases.plan import describe_problem
from workbench.automl.records.machine import machine_name
from workbench.automl.worker.parity import raw_rows
from workbench.data import load_dataset
from workbench.data.dataset import Dataset
from workbench.families import all_families
from workbench.families.base import Sample
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.bundle.bundle import Bundle, open_bundle
from workbench.runtime.model.predictor import Predictor

NUMBERS, TEXTS = 12, 8
Predict = Callable[[Mapping[str, Any]], Any]


def make_table(rows: int, seed: int) -> pd.DataFrame:
    """Twelve numbers and eight categories of twenty levels, all with signal."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({f"n{at}": random.normal(size=rows) for at in range(NUMBERS)})
    signal = frame.to_numpy().sum(axis=1) / NUMBERS**0.5
    for at in range(TEXTS):
        levels = random.integers(0, 20, rows)
        frame[f"c{at}"] = [f"level {level}" for level in levels]
        signal = signal + np.sin(levels + at) / TEXTS**0.5
    frame["y"] = np.where(signal + random.normal(size=rows) > 0, "yes", "no")
    return frame


def artifact(data: Dataset, family: str, params: Mapping[str, Any], rounds: int | None) -> Predictor:
    """Train a family and put it into its serving form."""
    problem = describe_problem(data, data.n_rows)
    chosen = all_families()[family]
    full = {**chosen.portfolio(problem)[0], **params}
    learned = learn(chosen.encoding(full, problem), data)
    fitted = chosen.fit(full, Sample(learned.matrix, data.y), problem, rounds=rounds)
    return Predictor(data.schema, learned.encoder, to_onnx(fitted.form(), learned.matrix.shape[1]))


def pipelines(frame: pd.DataFrame, trees: int) -> dict[str, Any]:
    """The usual way: a column transformer and the estimator."""
    X, y = frame.drop(columns="y"), frame["y"]
    numbers, texts = list(X.columns[:NUMBERS]), list(X.columns[NUMBERS:])
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    boosted = make_pipeline(
        make_column_transformer((SimpleImputer(), numbers), (codes, texts)),
        LGBMClassifier(n_estimators=trees, num_leaves=31, n_jobs=1, verbosity=-1),
    )
    linear = make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="ignore"), texts),
        ),
        LogisticRegression(max_iter=500),
    )
    return {"lightgbm": boosted.fit(X, y), "linear": linear.fit(X, y)}


def bundles(data: Dataset, trees: int, folder: Path) -> dict[str, Bundle]:
    """Write both models as bundles and open them, as a deployer would."""
    made = {
        "lightgbm": artifact(data, "lightgbm", {"learning_rate": 0.1, "num_leaves": 31}, trees),
        "linear": artifact(data, "linear", {}, None),
    }
    golden = [dict(row) for row in raw_rows(data.take(np.arange(64)))]
    return {
        name: open_bundle(make_bundle(folder / name, predictor, golden_rows=golden))
        for name, predictor in made.items()
    }


def times_us(predict: Predict, rows: list[dict[str, Any]], calls: int) -> list[float]:
    """Wall-clock microseconds of each call."""
    out = []
    for at in range(calls):
        row = rows[at % len(rows)]
        start = time.perf_counter_ns()
        predict(row)
        out.append((time.perf_counter_ns() - start) / 1000.0)
    return out


def main() -> int:
    """Print one line a model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--trees", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=10, help="turns, each of both sides")
    options = parser.parse_args()
    frame = make_table(options.rows, seed=0)
    data = load_dataset(frame, target="y")
    usual = pipelines(frame, options.trees)
    with tempfile.TemporaryDirectory() as folder:
        served = bundles(data, options.trees, Path(folder))
    rows = raw_rows(data.take(np.arange(256)))
    print(
        f"{machine_name()}; 1 thread; one row of {NUMBERS} numbers and {TEXTS} texts a call; {Path(__file__).name}"
    )
    for name, bundle in served.items():
        pipeline = usual[name]
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(options.rounds):
            ours += times_us(bundle.predict, rows, 500)
            theirs += times_us(lambda row, it=pipeline: it.predict(pd.DataFrame([row])), rows, 20)
        mine, other = np.median(ours), np.median(theirs)
        same = np.mean([bundle.predict(row)[0] == pipeline.predict(pd.DataFrame([row]))[0] for row in rows])
        print(
            f"{name}: bundle p50 {mine:.1f} µs (p99 {np.quantile(ours, 0.99):.1f}, {len(ours):,} calls); "
            f"pandas and pipeline p50 {other:,.0f} µs ({len(theirs)} calls); ratio {other / mine:,.0f}; "
            f"{same:.1%} of labels alike: two models of one recipe"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
