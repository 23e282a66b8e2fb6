"""A file of rows scored by a bundle, beside the library's own batch prediction; one thread each, Parquet to Parquet.

Each side is a process of its own, so that its CPU time and its highest memory are its own. Run it with::

    python benchmarks/batch.py --rows 1000000
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from single_row import artifact, make_table, pipelines  # noqa: E402

from tests.runtime.made import make_bundle  # noqa: E402
from workbench.data import load_dataset  # noqa: E402
from workbench.search.machine import machine_name  # noqa: E402
from workbench.search.parity import raw_rows  # noqa: E402

_OURS = """
from workbench.runtime.batch import score_file
from workbench.runtime.bundle import open_bundle
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
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
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


def main() -> int:
    """Print one line a side and size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="of the large file; the small one has a fifth"
    )
    parser.add_argument("--trees", type=int, default=500)
    options = parser.parse_args()
    frame = make_table(20_000, seed=0)
    data = load_dataset(frame, target="y")
    print(f"{machine_name()}; 1 thread; {options.trees} trees; Parquet to Parquet; {Path(__file__).name}")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        joblib.dump(pipelines(frame, options.trees)["lightgbm"], place / "model.joblib")
        served = artifact(data, "lightgbm", {"learning_rate": 0.1, "num_leaves": 31}, options.trees)
        golden = [dict(row) for row in raw_rows(data.take(np.arange(64)))]
        bundle = make_bundle(place / "bundle", served, golden_rows=golden)
        for rows in (options.rows // 5, options.rows):
            write_rows(place / "rows.parquet", frame.drop(columns="y"), rows)
            sides = {"bundle": (_OURS, bundle), "library": (_THEIRS, place / "model.joblib")}
            found = {
                name: run(code, model, place / "rows.parquet", place / f"{name}.parquet")
                for name, (code, model) in sides.items()
            }
            for name, (wall, cpu, memory) in found.items():
                share = cpu / found["library"][1]
                print(
                    f"{rows:,} rows, {name}: {wall:.1f} s, CPU {cpu:.1f} s ({rows / cpu:,.0f} rows a CPU second, "
                    f"{share:.2f} of the library's CPU), highest memory {memory:,.0f} MB"
                )
            pairs = [pd.read_parquet(place / f"{name}.parquet")["probability_yes"] for name in sides]
            print(
                f"largest difference {float(np.abs(pairs[0] - pairs[1]).max()):.2g}: two models of one recipe"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
