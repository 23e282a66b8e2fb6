"""A file of rows scored by a bundle, beside the library's own batch prediction; one thread each,
Parquet to Parquet.

Each side is a process of its own, so that its CPU time and its highest memory are its own. The
bundle also scores a file that is larger still: its memory does not grow with it, where the library
reads the whole. Run it with::

    python benchmarks/batch.py --rows 1000000
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from single_row import artifact, make_table, pipelines  # noqa: E402

from tests.runtime.made import make_bundle  # noqa: E402
from workbench.automl.records.machine import machine_name  # noqa: E402
from workbench.automl.worker.parity import raw_rows  # noqa: E402
from workbench.data import load_dataset  # noqa: E402

_OURS = """
from workbench.runtime.jobs.batch import score_file
from workbench.runtime.bundle.bundle import open_bundle
score_file(open_bundle(model), source, target)
"""
_THEIRS = """
import joblib, pandas as pd
frame = pd.read_parquet(source)
found = joblib.load(model).predict_proba(frame)
frame["probability_no"], frame["probability_yes"] = found[:, 0], found[:, 1]
frame.to_parquet(target)
"""
_MEASURED = """
import json, resource, sys, time
model, source, target = sys.argv[1:]
start = time.perf_counter()
{code}
wall = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_SELF)
with open("/proc/self/status") as stream:  # ru_maxrss would be that of the parent, where it had more
    (highest,) = [int(line.split()[1]) / 1024 for line in stream if line.startswith("VmHWM")]
print(json.dumps([wall, used.ru_utime + used.ru_stime, highest]))
"""


def run(code: str, *arguments: Path) -> tuple[float, float, float]:
    """Return wall seconds, CPU seconds and highest memory in MB of a process."""
    words = [sys.executable, "-c", _MEASURED.format(code=code), *map(str, arguments)]
    environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    wall, cpu, memory = json.loads(done.stdout)
    return wall, cpu, memory


def write_rows(path: Path, frame: pd.DataFrame, rows: int) -> None:
    """Write a table over and over until there are enough rows."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with pq.ParquetWriter(path, table.schema) as writer:
        for _ in range(rows // len(frame)):
            writer.write_table(table)


def compare(place: Path, name: str, frame: pd.DataFrame, rows: int, larger: int) -> None:
    """Print one line a side and size, of one kind of model; `place` has ``NAME`` (a bundle) and
    ``NAME.joblib``.
    """
    sides = {"bundle": (_OURS, place / name), "library": (_THEIRS, place / f"{name}.joblib")}
    for size, asked in ((rows // 5, sides), (rows, sides), (larger, {"bundle": sides["bundle"]})):
        write_rows(place / "rows.parquet", frame.drop(columns="y"), size)
        found = {
            side: run(code, model, place / "rows.parquet", place / f"{side}.parquet")
            for side, (code, model) in asked.items()
        }
        for side, (wall, cpu, memory) in found.items():
            share = f"{cpu / found['library'][1]:.2f} of the library's CPU, " if "library" in found else ""
            print(
                f"{name}, {size:,} rows, {side}: {wall:.1f} s, CPU {cpu:.1f} s ({size / cpu:,.0f} rows a CPU second), "
                f"{share}highest memory {memory:,.0f} MB",
                flush=True,
            )
    pairs = [pd.read_parquet(place / f"{side}.parquet", columns=["probability_yes"]) for side in sides]
    gaps = np.abs(pairs[0][: len(pairs[1])].to_numpy() - pairs[1].to_numpy())
    print(f"{name}: largest difference {float(gaps.max()):.2g}: two models of one recipe")


def main() -> int:
    """Print the figures of a boosted and of a linear model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="of the large file; the small one has a fifth"
    )
    parser.add_argument(
        "--larger", type=int, default=3_000_000, help="rows of the file that only the bundle scores"
    )
    parser.add_argument("--trees", type=int, default=500)
    parser.add_argument("--models", default="lightgbm,linear")
    options = parser.parse_args()
    frame = make_table(20_000, seed=0)
    data = load_dataset(frame, target="y")
    golden = [dict(row) for row in raw_rows(data.take(np.arange(64)))]
    params: dict[str, Any] = {"lightgbm": {"learning_rate": 0.1, "num_leaves": 31}, "linear": {}}
    print(f"{machine_name()}; 1 thread; {options.trees} trees; Parquet to Parquet; {Path(__file__).name}")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name, usual in pipelines(frame, options.trees).items():
            if name in options.models.split(","):
                joblib.dump(usual, place / f"{name}.joblib")
                rounds = options.trees if name == "lightgbm" else None
                made = artifact(data, name, params[name], rounds)
                make_bundle(place / name, made, golden_rows=golden)
                compare(place, name, frame, options.rows, options.larger)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
