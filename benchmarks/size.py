"""Large tables: 10 columns by 10 million rows, and 2,000 columns by 20,000 rows, made here and
searched for real.

Measured from outside: wall clock against the budget, the highest memory of all processes together,
CPU seconds, and how good the best candidate is on rows that nobody has seen, beside a plain
LightGBM of 200 trees on all rows. Memory is the sum of proportional set sizes (``smaps_rollup``),
in which a page that several processes share counts once. The second part times reading and encoding
alone from 10,000 to 10 million rows. Run it with::

    python benchmarks/size.py make --folder size
    python benchmarks/size.py search --folder size --table tall --time 300s
    python benchmarks/size.py plain --folder size --table tall
    python benchmarks/size.py linear --folder size
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

TARGET = "bought"
TALL_ROWS, WIDE_ROWS, TEST_ROWS = 10_000_000, 20_000, 100_000
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
_CHUNK_ROWS, _WIDE_CHUNK_ROWS = 500_000, 2_000
_MERCHANTS, _CITIES = 5_000, 60
_PLANS, _DEVICES = ("basic", "family", "plus", "pro"), ("app", "phone", "shop", "web")
_WIDE_NUMBERS, _WIDE_CATEGORIES, _WIDE_SIGNALS = 1_880, 120, 60
_TRAIN, _TEST = 0, 1  # which rows: the seed's second number
_TICK_S = 0.25
_TREES = 200


# ---------------------------------------------------------------- the tables


def tall(rows: int, at: int, part: int = _TRAIN) -> pa.Table:
    """Return a chunk of the tall table: ten columns of all kinds and a binary target with a real
    signal.
    """
    fixed, draw = np.random.default_rng(11), np.random.default_rng((5, part, at))
    merchant_pull, city_pull = fixed.normal(0, 0.8, _MERCHANTS), fixed.normal(0, 0.4, _CITIES)
    merchant = np.minimum(draw.zipf(1.3, rows) - 1, _MERCHANTS - 1)
    city, plan, device = (draw.integers(0, size, rows) for size in (_CITIES, 4, 4))
    amount = np.round(draw.lognormal(3.0, 1.0, rows), 2)
    balance = draw.normal(1000.0, 400.0, rows)
    age, visits = draw.integers(18, 90, rows), draw.poisson(3.0, rows)
    rating = draw.beta(2.0, 3.0, rows)
    day = draw.integers(0, 1460, rows)
    pull = (
        -1.2
        + merchant_pull[merchant]
        + city_pull[city]
        + 0.6 * np.sin(amount / 9.0) * (plan == 2)
        + 0.5 * np.tanh((balance - 1000.0) / 300.0) * np.where(device < 2, 1.0, -1.0)
        - 0.0009 * (age - 45.0) ** 2
        + 0.25 * np.log1p(visits) * (rating > 0.4)
        + 0.5 * np.cos(2.0 * np.pi * day / 365.25)
    )
    bought = draw.random(rows) < 1.0 / (1.0 + np.exp(-pull))
    gone = draw.random(rows) < 0.08
    columns = {
        "amount": amount,
        "balance": pa.array(np.round(balance, 2), mask=gone),
        "rating": np.round(rating, 4),
        "age": age.astype(np.int32),
        "visits": visits.astype(np.int32),
        "plan": _texts(plan, list(_PLANS)),
        "device": _texts(device, list(_DEVICES), draw.random(rows) < 0.03),
        "city": _texts(city, [f"city {at}" for at in range(_CITIES)]),
        "merchant": _texts(merchant, [f"m{at:05d}" for at in range(_MERCHANTS)]),
        "opened": pa.array(np.datetime64("2021-01-01") + day.astype("timedelta64[D]")),
        TARGET: _texts(bought.astype(int), ["no", "yes"]),
    }
    return pa.table(columns)


def wide(rows: int, at: int, part: int = _TRAIN) -> pa.Table:
    """Return a chunk of the wide table: 1,880 numbers, 120 categories and a binary target made of
    60 of them.
    """
    fixed, draw = np.random.default_rng(12), np.random.default_rng((6, part, at))
    levels = fixed.choice([2, 5, 12, 30, 400], _WIDE_CATEGORIES, p=[0.3, 0.3, 0.2, 0.15, 0.05])
    weights, used = fixed.normal(0, 0.35, _WIDE_SIGNALS), fixed.permutation(_WIDE_NUMBERS)[:_WIDE_SIGNALS]
    numbers = draw.normal(size=(rows, _WIDE_NUMBERS))
    codes = np.column_stack([draw.integers(0, size, rows) for size in levels])
    chosen = numbers[:, used]
    pull = chosen @ weights + 0.5 * chosen[:, 0] * chosen[:, 1] + 0.6 * (np.abs(chosen[:, 2]) > 1)
    pull += (codes[:, :10] % 2 - 0.5) @ fixed.normal(0, 0.6, 10)
    bought = draw.random(rows) < 1.0 / (1.0 + np.exp(-pull))
    columns: dict[str, Any] = {}
    for at_column in range(_WIDE_NUMBERS):
        values = np.round(numbers[:, at_column], 5)
        gone = draw.random(rows) < 0.1 if at_column % 10 == 0 else None
        columns[f"number {at_column}"] = pa.array(values, mask=gone)
    for at_column, size in enumerate(levels.tolist()):
        columns[f"kind {at_column}"] = _texts(codes[:, at_column], [f"k{level}" for level in range(size)])
    columns[TARGET] = _texts(bought.astype(int), ["no", "yes"])
    return pa.table(columns)


def _texts(codes: np.ndarray, words: list[str], gone: np.ndarray | None = None) -> pa.Array:
    coded = pa.array(codes.astype(np.int32), mask=gone)
    return pa.DictionaryArray.from_arrays(coded, pa.array(words)).cast(pa.string())


TABLES: dict[str, tuple[Callable[..., pa.Table], int, int]] = {
    "tall": (tall, TALL_ROWS, _CHUNK_ROWS),
    "wide": (wide, WIDE_ROWS, _WIDE_CHUNK_ROWS),
}


def chunks(name: str, rows: int, part: int = _TRAIN) -> Iterator[pa.Table]:
    """Yield the first rows of a table; the same ones however many are asked for."""
    make, _, most = TABLES[name]
    for at in range(-(-rows // most)):
        yield make(most, at, part).slice(0, min(most, rows - at * most))


def write(
    folder: Path, name: str, rows: int, *, csv: bool = True, part: int = _TRAIN, stem: str = ""
) -> None:
    """Write the first rows of a table as Parquet, and as CSV, chunk by chunk."""
    stem = stem or f"{name}-{rows}"
    parquet = text = None
    for chunk in chunks(name, rows, part):
        parquet = parquet or pq.ParquetWriter(folder / f"{stem}.parquet", chunk.schema)
        parquet.write_table(chunk)
        if csv:
            text = text or pa_csv.CSVWriter(folder / f"{stem}.csv", chunk.schema)
            text.write_table(chunk)
    for writer in (parquet, text):
        if writer is not None:
            writer.close()


def make_tables(folder: Path, *, most: int = TALL_ROWS) -> None:
    """Write all tables that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for rows in (each for each in SIZES if each <= most):
        if not (folder / f"tall-{rows}.csv").exists():
            write(folder, "tall", rows)
    if not (folder / f"wide-{WIDE_ROWS}.csv").exists():
        write(folder, "wide", WIDE_ROWS)
    for name, rows in (("tall", TEST_ROWS), ("wide", WIDE_ROWS)):
        if not (folder / f"{name}-test.parquet").exists():
            write(folder, name, rows, csv=False, part=_TEST, stem=f"{name}-test")


# ---------------------------------------------------------------- measuring a command from outside


def watched(command: list[str], *, timeout_s: float) -> dict[str, Any]:
    """Run a command; return its exit code, output, wall and CPU seconds, and the memory of all its
    processes.

    Processes that live less than a tick, and what a process does in its last tick, are not seen.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")]),
    }
    began = time.monotonic()
    peak = anonymous = 0.0
    cpu: dict[tuple[int, float], float] = {}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
        process = subprocess.Popen(command, stdout=told, stderr=subprocess.STDOUT, env=environment)
        while process.poll() is None:
            total, own = _tree(process.pid, cpu)
            peak, anonymous = max(peak, total), max(anonymous, own)
            if time.monotonic() - began > timeout_s:
                process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_TICK_S)
        wall = time.monotonic() - began
        told.seek(0)
        output = told.read()
    return {
        "code": process.returncode,
        "wall_s": round(wall, 2),
        "cpu_s": round(sum(cpu.values()), 1),
        "peak_mb": round(peak),
        "peak_anonymous_mb": round(anonymous),
        "output": output,
    }


def _tree(root: int, cpu: dict[tuple[int, float], float]) -> tuple[float, float]:
    """Return proportional and anonymous memory (MB) of a process and all below it, and note their
    CPU seconds.
    """
    total = own = 0.0
    with suppress(psutil.Error):
        parent = psutil.Process(root)
        for each in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.Error, OSError, ValueError):
                fields = dict(
                    line.split(":", 1)
                    for line in Path(f"/proc/{each.pid}/smaps_rollup")
                    .read_text(encoding="ascii")
                    .splitlines()[1:]
                )
                total += int(fields["Pss"].split()[0]) * 1024 / 1e6
                own += int(fields["Pss_Anon"].split()[0]) * 1024 / 1e6
                times = each.cpu_times()
                cpu[each.pid, each.create_time()] = times.user + times.system
    return total, own


# ---------------------------------------------------------------- a search


def search(
    folder: Path, name: str, budget: str, *, rows: int, suffix: str, extra: list[str]
) -> dict[str, Any]:
    """Inspect and search a table; return what was measured outside and what the run says of
    itself.
    """
    from workbench.automl.arguments import duration

    source, run = folder / f"{name}-{rows}.{suffix}", folder / f"run-{name}-{rows}-{suffix}-{budget}"
    shutil.rmtree(run, ignore_errors=True)
    seconds = duration("time", budget)
    base = [sys.executable, "-m", "workbench"]
    looked = watched([*base, "inspect", str(source), "--target", TARGET], timeout_s=1200)
    command = [*base, "search", str(source), "--target", TARGET, "--time", budget, "--out", str(run), *extra]
    found = watched(command, timeout_s=2 * seconds + 120)
    (folder / f"{run.name}.log").write_text(found["output"], encoding="utf-8")
    about = {
        "table": name,
        "rows": rows,
        "format": suffix,
        "budget_s": seconds,
        "kept": found["wall_s"] <= 1.05 * seconds,
        "inspect": {key: looked[key] for key in ("code", "wall_s", "cpu_s", "peak_mb", "peak_anonymous_mb")},
        **{key: value for key, value in found.items() if key != "output"},
    }
    if found["code"] == 0:
        about |= reported(run, folder / f"{name}-test.parquet")
    else:
        about["said"] = found["output"][-600:]
    return about


def reported(run: Path, test: Path) -> dict[str, Any]:
    """Return what a run says of itself, and the ROC AUC of its best candidate on the test rows."""
    import workbench as wb

    opened = wb.open_run(run)
    info = json.loads((run / "run.json").read_text(encoding="utf-8"))
    board, front = opened.leaderboard(), opened.front()
    good = board[board["status"] == "ok"]
    best = front.sort_values("score", ascending=False).iloc[0]
    return {
        "run_says": {
            key: info.get(key) for key in ("seconds_used", "memory_peak_mb", "plan", "data", "cpu_spent")
        },
        "candidates": len(board),
        "ok": len(good),
        "front": len(front),
        "best": {
            key: _plain(best.get(key)) for key in ("id", "family", "score", "latency_p50_us", "artifact_mb")
        },
        "best_test_auc": _test_auc(opened, str(best["id"]), test),
    }


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _test_auc(opened: Any, name: str, test: Path) -> float:
    from sklearn.metrics import roc_auc_score

    frame = pq.read_table(test).to_pandas()
    predictor = opened.folder.predictor(name) if hasattr(opened, "folder") else opened.predictor(name)
    columns = {each.name: each.read_many(frame[each.name].to_numpy()) for each in predictor.schema.columns}
    output = np.asarray(predictor.predict_columns(columns))
    return round(float(roc_auc_score(frame[TARGET] == "yes", output[:, 1])), 5)


_PLAIN = """
import json, sys, time
import lightgbm, pyarrow.parquet as pq
from sklearn.metrics import roc_auc_score
train, test, target, trees = sys.argv[1:]
began = time.perf_counter()
how = {"strings_to_categorical": True, "date_as_object": False}
frame, other = (pq.read_table(each).to_pandas(**how) for each in (train, test))
for name in list(frame.columns):
    if str(frame[name].dtype) == "category":
        codes = {level: at for at, level in enumerate(sorted(frame[name].cat.categories))}
        for each in (frame, other):
            each[name] = each[name].astype(object).map(codes).astype("float32")
    elif "datetime" in str(frame[name].dtype):
        for each in (frame, other):
            each[name] = each[name].astype("int64") / 1e15
y, y_test = frame.pop(target), other.pop(target)
read_s = time.perf_counter() - began
model = lightgbm.LGBMClassifier(n_estimators=int(trees), verbosity=-1).fit(frame, y)
print(json.dumps({"read_s": round(read_s, 1), "fit_s": round(time.perf_counter() - began - read_s, 1),
                  "test_auc": round(roc_auc_score(y_test, model.predict_proba(other[frame.columns])[:, 1]), 5)}))
"""


def plain(folder: Path, name: str, rows: int) -> dict[str, Any]:
    """Fit LightGBM's defaults with 200 trees on all rows, all cores, and score it on the test
    rows.
    """
    words = [
        str(folder / f"{name}-{rows}.parquet"),
        str(folder / f"{name}-test.parquet"),
        TARGET,
        str(_TREES),
    ]
    found = watched([sys.executable, "-c", _PLAIN, *words], timeout_s=3600)
    last = found.pop("output").strip().splitlines()[-1]
    return {
        "table": name,
        "rows": rows,
        **found,
        **(json.loads(last) if last.startswith("{") else {"said": last}),
    }


# ---------------------------------------------------------------- the cost of reading and encoding

_STEP = """
import json, resource, sys, time
from pathlib import Path
what, source, place, target = sys.argv[1:]
place = Path(place)
import numpy as np
from workbench.data.intake import load_dataset
from workbench.data.inspect import inspect_data
from workbench.data.store import load, save
from workbench.families.base import Encoding
from workbench.automl.features.encoder_fitting import learn
from workbench.automl.worker.matrix_cache import MatrixCache
now = lambda: (time.perf_counter(), time.process_time())
steps = {
    "read": lambda: load_dataset(source, target=target),
    "inspect": lambda: inspect_data(source, target=target),
    "encode (trees)": lambda: learn(Encoding(), data),
    "encode (linear)": lambda: learn(Encoding("quantile", 30, "mean", True), data),
}
data = None if what in ("read", "inspect") else load(place)
wall, cpu = now()
made = steps[what]()
wall, cpu = (after - before for after, before in zip(now(), (wall, cpu)))
if what == "read":
    save(made, place)
peak_mb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)
print(json.dumps({"wall_s": round(wall, 3), "cpu_s": round(cpu, 3), "peak_mb": peak_mb}))
"""


def linear(folder: Path, *, most: int = TALL_ROWS) -> Iterator[dict[str, Any]]:
    """Time reading, inspecting and encoding the tall table at each size, each in a process of its
    own.
    """
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    place = folder / "canonical"
    for rows in (each for each in SIZES if each <= most):
        for what, suffix in (
            ("read", "csv"),
            ("read", "parquet"),
            ("inspect", "parquet"),
            ("encode (trees)", "parquet"),
            ("encode (linear)", "parquet"),
        ):
            words = [
                sys.executable,
                "-c",
                _STEP,
                what,
                str(folder / f"tall-{rows}.{suffix}"),
                str(place),
                TARGET,
            ]
            done = subprocess.run(
                words, capture_output=True, text=True, env=environment, timeout=1800, check=False
            )
            if done.returncode:
                yield {"rows": rows, "step": f"{what} {suffix}", "said": done.stderr[-500:]}
                continue
            found = json.loads(done.stdout.strip().splitlines()[-1])
            yield {
                "rows": rows,
                "step": what,
                "format": suffix,
                **found,
                "us_a_row": round(1e6 * found["cpu_s"] / rows, 3),
            }
    shutil.rmtree(place, ignore_errors=True)


def main() -> int:
    """Print one JSON line a measurement."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("make", "search", "plain", "linear"))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--table", choices=tuple(TABLES), default="tall")
    parser.add_argument("--rows", type=int, help="of the tall table: 10,000 to 10 million, in powers of ten")
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--time", default="300s")
    parser.add_argument("extra", nargs="*", help="further options of workbench search, after --")
    options = parser.parse_args()
    rows = options.rows or TABLES[options.table][1]
    if options.what == "make":
        make_tables(options.folder, most=options.rows or TALL_ROWS)
        return 0
    if options.what == "linear":
        for found in linear(options.folder, most=options.rows or TALL_ROWS):
            print(json.dumps(found), flush=True)
        return 0
    if options.what == "plain":
        found = plain(options.folder, options.table, rows)
    else:
        found = search(
            options.folder, options.table, options.time, rows=rows, suffix=options.format, extra=options.extra
        )
    print(json.dumps(found), flush=True)
    return 0 if found.get("code") == 0 else 1


if __name__ == "__main__":
    raise SystemExit(main())
