"""A bundle's server beside the usual ones: throughput, latency, CPU, cold start and memory, in one
run, in turn.

The same LightGBM model (12 numbers, 8 texts of 20 levels, 500 trees) answers single rows: as a
bundle, behind FastAPI with a joblib pipeline and pandas, behind ``mlflow models serve``, and behind
BentoML. The server has one core, the client another::

    apt-get install wrk
    python benchmarks/serving/environments.py .benchmark-envs
    python benchmarks/serving/compare.py .benchmark-envs
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import psutil

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]

from single_row import artifact, make_table, pipelines  # noqa: E402

from tests.runtime.made import make_bundle  # noqa: E402
from workbench.automl.records.machine import machine_name  # noqa: E402
from workbench.automl.worker.parity import raw_rows  # noqa: E402
from workbench.data import load_dataset  # noqa: E402


@dataclass(frozen=True)
class Candidate:
    """A server: how it is started, and what it is asked."""

    name: str
    words: list[str]
    path: str
    body: Any
    environment: dict[str, str]


@dataclass
class Figures:
    """What was measured; rates at 64 connections unless said otherwise."""

    name: str
    cold_start_s: float
    cold_cpu_s: float
    memory_mb: float
    one_p50_ms: float
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    errors: float


def prepare(folder: Path, trees: int) -> tuple[Path, Path, dict[str, Any]]:
    """Train once; return the bundle, the joblib file and a row."""
    frame = make_table(20_000, seed=0)
    data = load_dataset(frame, target="y")
    usual = pipelines(frame, trees)["lightgbm"]
    joblib.dump(usual, folder / "model.joblib")
    served = artifact(data, "lightgbm", {"learning_rate": 0.1, "num_leaves": 31}, trees)
    rows = [dict(row) for row in raw_rows(data.take(np.arange(64)))]
    return make_bundle(folder / "bundle", served, golden_rows=rows), folder / "model.joblib", rows[0]


def save_for_mlflow(python: Path, model: Path, folder: Path) -> None:
    """Put the pipeline into MLflow's format, with MLflow itself."""
    code = "import sys, joblib, mlflow.sklearn as m; m.save_model(joblib.load(sys.argv[1]), sys.argv[2], "
    code += "pip_requirements=[], serialization_format='cloudpickle')"
    subprocess.run([str(python), "-c", code, str(model), str(folder)], check=True, capture_output=True)


def candidates(
    environments: Path, bundle: Path, model: Path, row: dict[str, Any], work: Path
) -> Iterator[Candidate]:
    """Yield the servers that are installed."""
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true"}
    ours = [sys.executable, "-m", "workbench.runtime", "serve", str(bundle), "--port", "PORT"]
    yield Candidate(
        "bundle, request log on", [*ours, "--log", str(work / "log")], "/predict", {"rows": [row]}, {}
    )
    yield Candidate("bundle, request log off", [*ours, "--log", "off"], "/predict", {"rows": [row]}, {})
    fastapi = environments / "fastapi"
    if (fastapi / "installed").exists():
        words = [
            str(fastapi / "bin" / "uvicorn"),
            "fastapi_server:app",
            "--app-dir",
            str(HERE),
            "--port",
            "PORT",
        ]
        words += ["--no-access-log", "--log-level", "error"]
        yield Candidate("FastAPI, joblib, pandas", words, "/predict", {"rows": [row]}, {"MODEL": str(model)})
    mlflow = environments / "mlflow"
    if (mlflow / "installed").exists():
        save_for_mlflow(mlflow / "bin" / "python", model, work / "mlflow")
        words = [str(mlflow / "bin" / "mlflow"), "models", "serve", "-m", str(work / "mlflow")]
        words += ["--env-manager", "local", "--port", "PORT", "--workers", "1"]
        path = f"{mlflow / 'bin'}{os.pathsep}{os.environ['PATH']}"
        yield Candidate(
            "mlflow models serve",
            words,
            "/invocations",
            {"dataframe_records": [row]},
            {**quiet, "PATH": path},
        )
    bentoml = environments / "bentoml"
    if (bentoml / "installed").exists():
        words = [str(bentoml / "bin" / "bentoml"), "serve", "bentoml_server:Served"]
        words += ["--working-dir", str(HERE), "--port", "PORT"]
        more = {"MODEL": str(model), "BENTOML_DO_NOT_TRACK": "True"}
        yield Candidate("BentoML, joblib, pandas", words, "/predict", {"rows": [row]}, more)


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(candidate: Candidate, log: Path) -> Iterator[tuple[str, psutil.Process, float]]:
    """Start a server on the first core; yields its address, process, and seconds to its first
    answer.
    """
    port = free_port()
    words = ["taskset", "-c", "0", *(word.replace("PORT", str(port)) for word in candidate.words)]
    started = time.perf_counter()
    with log.open("w") as stream:
        process = subprocess.Popen(
            words,
            stdout=stream,
            stderr=stream,
            env={**os.environ, **candidate.environment},
            cwd=HERE.parents[1],
        )
    url = f"http://127.0.0.1:{port}{candidate.path}"
    try:
        while ask(url, candidate.body) != 200:
            if process.poll() is not None or time.perf_counter() - started > 180:
                raise RuntimeError(f"{candidate.name} did not start: {log.read_text()[-2000:]}")
            time.sleep(0.02)
        yield url, psutil.Process(process.pid), time.perf_counter() - started
    finally:
        with suppress(psutil.NoSuchProcess):
            for each in psutil.Process(process.pid).children(recursive=True):
                each.terminate()
        process.terminate()
        process.wait(60)


def ask(url: str, body: Any) -> int:
    """Send one request; return its status, or 0."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
            return int(answer.status)
    except OSError:
        return 0


def used(process: psutil.Process) -> tuple[float, float]:
    """Return the CPU seconds and resident MB of a process and its children."""
    cpu = memory = 0.0
    for each in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            cpu += times.user + times.system
            memory += each.memory_info().rss / 1e6
    return cpu, memory


def load(url: str, script: Path, connections: int, seconds: int) -> dict[str, float]:
    """Run wrk on the last core."""
    core = str((os.cpu_count() or 1) - 1)
    words = ["taskset", "-c", core, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    text = subprocess.run(
        [*words, "--latency", "-s", str(script), url], capture_output=True, text=True, check=True
    ).stdout
    scale = {"us": 1e-3, "ms": 1.0, "s": 1e3}

    def at(share: str) -> float:
        found = re.search(rf"^\s+{share}%\s+([\d.]+)(us|ms|s)", text, flags=re.MULTILINE)
        return float(found[1]) * scale[found[2]] if found else float("nan")

    requests = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    assert requests, text
    assert rate, text
    return {
        "requests": float(requests[1]),
        "rate": float(rate[1]),
        "p50": at("50"),
        "p99": at("99"),
        "bad": float(bad[1]) if bad else 0.0,
    }


def measure(candidate: Candidate, work: Path, seconds: int) -> Figures:
    """Start a server, ask it one after the other, then 64 at a time."""
    script = work / "post.lua"
    body = json.dumps(candidate.body).replace("]]", "] ]")
    script.write_text(
        f'wrk.method = "POST"\nwrk.body = [[{body}]]\nwrk.headers["Content-Type"] = "application/json"\n',
        encoding="utf-8",
    )
    with running(candidate, work / "server.log") as (url, process, cold_s):
        cold_cpu, _ = used(process)
        one = load(url, script, 1, max(seconds // 2, 1))
        before, _ = used(process)
        many = load(url, script, 64, seconds)
        after, memory = used(process)
    return Figures(
        candidate.name,
        cold_s,
        cold_cpu,
        memory,
        one["p50"],
        many["rate"],
        many["p50"],
        many["p99"],
        (after - before) / max(many["requests"], 1.0) * 1e6,
        int(one["bad"] + many["bad"]),
    )


def middle(found: Sequence[Figures]) -> Figures:
    """Return the median of each figure of one server."""
    columns = zip(*(list(asdict(each).values())[1:] for each in found), strict=True)
    return Figures(found[0].name, *(statistics.median(values) for values in columns))


def table(rounds: list[list[Figures]]) -> str:
    """Return the median of each figure over the rounds as a Markdown table, and the CPU's ratio to
    the first.
    """
    best = [middle(found) for found in zip(*rounds, strict=True)]
    names = ["server", "requests/s", "p50 ms", "p99 ms", "CPU µs a request", "one at a time, p50 ms"]
    names += ["cold start s (CPU s)", "MB", "CPU, times the first"]
    head = f"| {' | '.join(names)} |"
    lines = [head, "|" + "---|" * 9]
    lines += [
        f"| {each.name} | {each.requests_per_s:,.0f} | {each.p50_ms:.1f} | {each.p99_ms:.1f} | {each.cpu_us:,.0f} | "
        f"{each.one_p50_ms:.2f} | {each.cold_start_s:.1f} ({each.cold_cpu_s:.2f}) | {each.memory_mb:.0f} | "
        f"{each.cpu_us / best[0].cpu_us:.1f} |"
        for each in best
    ]
    return "\n".join(lines)


def main() -> int:
    """Print the table and write the figures of every round."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("environments", type=Path, help="where environments.py made them")
    parser.add_argument("--seconds", type=int, default=6, help="of 64 connections")
    parser.add_argument("--rounds", type=int, default=3, help="turns, each of all servers")
    parser.add_argument("--trees", type=int, default=500)
    parser.add_argument("--out", type=Path, help="a JSON file for all figures")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is missing: apt-get install wrk", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        bundle, model, row = prepare(work, options.trees)
        servers = list(candidates(options.environments.resolve(), bundle, model, row, work))
        rounds = [[measure(each, work, options.seconds) for each in servers] for _ in range(options.rounds)]
    print(
        f"{machine_name()}; server and client on one core each; load average {os.getloadavg()[0]:.1f} at the end\n"
    )
    print(table(rounds))
    if options.out:
        options.out.write_text(
            json.dumps([[asdict(each) for each in turn] for turn in rounds], indent=1) + "\n"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
