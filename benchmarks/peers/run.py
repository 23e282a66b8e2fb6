"""Run cells of the benchmark, one at a time: a system, a data set, a budget, a seed; each becomes
one JSON line.

Cells that the output file has already are skipped, so an interrupted benchmark goes on where it
was. For example::

    python benchmarks/peers/run.py --system workbench --budget 60 --out ours.jsonl
    python benchmarks/peers/run.py --system flaml,mljar --environments DIR --budget 15,60 --seeds 0,1 --out peers.jsonl

The driver needs pandas, pyarrow and scikit-learn: any environment that has Workbench will do.
"""

from __future__ import annotations

import argparse
import datetime as dt
import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score
from tables import SHIPPED_DATA, SHIPPED_LIST, Split, Table, choose, read_list, split, write

HERE = Path(__file__).resolve().parent
PEERS = {
    "autogluon_medium": "autogluon",
    "autogluon_best": "autogluon",
    "flaml": "flaml",
    "mljar": "mljar",
    "lightgbm": "flaml",
}
METRICS = {"binary": "auc", "multiclass": "log_loss", "regression": "rmse"}
_PREDICT_LIMIT_S = 300.0
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_TURN_S = 1.0  # between cells, so that another benchmark that waits gets its turn


@dataclass(frozen=True, slots=True)
class Cell:
    """One measurement."""

    system: str
    table: Table
    budget_s: float
    seed: int
    label: str

    @property
    def key(self) -> tuple[str, str, float, int]:
        """What makes it one of its kind in the output file."""
        return (self.label, self.table.name, self.budget_s, self.seed)


def main() -> int:
    """Run every cell asked for that the output file lacks."""
    options = _options()
    tables = choose(read_list(options.list), options.sets)
    latest = {_key(line): line for line in _lines(options.out)}
    done = {key for key, line in latest.items() if not _disturbed(line, options.repeat_disturbed)}
    systems = [name.strip() for name in options.system.split(",")]
    unknown = sorted(set(systems) - {"workbench", *PEERS})
    if unknown:
        raise SystemExit(f"no system {', '.join(unknown)}; there are workbench, {', '.join(PEERS)}")
    for seed in (int(each) for each in options.seeds.split(",")):
        for budget_s in (float(each) for each in options.budget.split(",")):
            for table in tables:
                cut: Split | None = None
                for system in systems:
                    cell = Cell(system, table, budget_s, seed, options.label or system)
                    if cell.key in done:
                        continue
                    cut = cut or split(table, options.data, seed)
                    with _alone(options.lock):
                        line = run_cell(cell, cut, options)
                    with options.out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(line) + "\n")
                    print(_sentence(line), flush=True)
    return 0


def run_cell(cell: Cell, cut: Split, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one cell and return its line."""
    folder = Path(tempfile.mkdtemp(prefix=f"{cell.label}-{cell.table.name}-", dir=options.work))
    line: dict[str, Any] = {
        "system": cell.label,
        "data": cell.table.name,
        "task": cell.table.task,
        "metric": METRICS[cell.table.task],
        "budget_s": cell.budget_s,
        "seed": cell.seed,
        "cores": options.cores,
        "started": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "train_rows": len(cut.train),
        "test_rows": len(cut.test),
        "constant_score": _constant_score(cut),
    }
    try:
        write(cut.train, folder / f"train.{options.format}")
        write(cut.test.drop(columns=cell.table.target), folder / "test.parquet")
        step = _workbench if cell.system == "workbench" else _peer
        line.update(step(cell, cut, folder, options))
        _keep_predictions(cell, cut, folder, options)
    finally:
        if options.keep:
            line["folder"] = str(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return line


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one cell of this machine run at a time, whoever asks for it."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    time.sleep(_TURN_S)


# ---------------------------------------------------------------- the systems


def _workbench(cell: Cell, cut: Split, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Search with the command line of a checkout; then export what the search measured, and predict
    with it.
    """
    python = str(options.python or sys.executable)
    more = {"PYTHONPATH": str(options.checkout.resolve())} if options.checkout else {}
    command = [
        python, "-m", "workbench", "search", str(folder / f"train.{options.format}"),
        "--target", cell.table.target, "--task", cell.table.task, "--time", f"{cell.budget_s:g}s",
        "--seed", str(cell.seed), "--out", str(folder / "run"),
        *(options.search_options.split() if options.search_options else []),
    ]  # fmt: skip
    fit = _measured(command, folder, "fit", 3 * cell.budget_s + 60, options, more)
    line: dict[str, Any] = {"commit": _commit(options.checkout), **fit}
    if fit["exit_code"] != 0:
        return {**line, "status": "failed in search", "reason": _tail(folder / "fit.log")}
    evaluate = [
        python, str(HERE / "evaluate_workbench.py"), "--run", str(folder / "run"),
        "--test", str(folder / "test.parquet"), "--out", str(folder),
    ]  # fmt: skip
    if (code := _measured(evaluate, folder, "evaluate", _PREDICT_LIMIT_S, options, more)["exit_code"]) != 0:
        return {**line, "status": f"failed in evaluation ({code})", "reason": _tail(folder / "evaluate.log")}
    report = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    outputs = np.load(folder / "predictions.npz")
    scores = {name: score(cut, outputs[name], report["classes"]) for name in outputs.files}
    by_id = {row["id"]: row for row in report["front"]}
    for how, facts in report["picks"].items():
        facts["score"] = scores.get(f"bundle:{facts.get('same_as', how)}")
        facts["search_score"] = by_id[facts["id"]]["score"]
        facts["candidate_latency_p50_us"] = by_id[facts["id"]]["latency_p50_us"]
    for row in report["front"]:
        row["search_score"] = row.pop("score")
        row["score"] = scores[f"candidate:{row['id']}"]
    best = report["picks"]["best"]
    status = "ok" if best["score"] is not None else "failed in export"
    keys = ("latency_p50_us", "latency_p99_us", "artifact_mb", "export_s")
    return {
        **line,
        "status": status,
        "score": best["score"],
        **{key: best.get(key) for key in keys},
        "chosen": f"{best['id']} {best['family']}",
        "reason": best.get("error"),
        **{key: report[key] for key in ("candidates", "not_ok", "cpu_spent", "picks", "front", "summary")},
    }


def _peer(cell: Cell, cut: Split, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Fit a peer in its environment; then predict with what it saved, in a fresh process."""
    if options.environments is None:
        raise SystemExit(f"{cell.system} needs --environments DIR, made by make_environments.py")
    python = options.environments.resolve() / PEERS[cell.system] / "bin" / "python"
    train = folder / "train.parquet"
    if not train.exists():
        write(cut.train, train)
    job = {
        "system": cell.system, "train": str(train), "test": str(folder / "test.parquet"), "folder": str(folder),
        "target": cell.table.target, "task": cell.table.task, "budget_s": cell.budget_s, "cores": options.cores,
        "seed": cell.seed,
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    steps = [str(python), str(HERE / "peer.py")]
    command, threads = (
        [*steps, "fit", str(folder / "job.json")],
        {name: str(options.cores) for name in _THREADS},
    )
    fit = _measured(command, folder, "fit", 4 * cell.budget_s + 120, options, threads)
    if fit["exit_code"] != 0:
        return {**fit, "status": "failed in fit", "reason": _tail(folder / "fit.log")}
    used = _measured(
        [*steps, "predict", str(folder / "job.json")], folder, "predict", _PREDICT_LIMIT_S, options
    )
    if not (folder / "evaluation.json").exists():
        return {**fit, "status": "failed in predict", "reason": _tail(folder / "predict.log")}
    facts = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    output = np.load(folder / "predictions.npz")["output"]
    result = {"score": score(cut, output, facts.pop("classes")), **facts}
    return {**fit, "status": "ok", **result, "predict_step_s": used["wall_s"], "reason": None}


# ---------------------------------------------------------------- scoring and measuring


def _constant_score(cut: Split) -> float:
    """Score of the best prediction that looks at no column: what a score is worth is counted from
    here.
    """
    y = cut.train[cut.table.target]
    if cut.table.task == "regression":
        return score(cut, np.full(len(cut.test), float(y.mean())), [])
    shares = y.map(_text).value_counts(normalize=True)
    return score(cut, np.tile(shares.to_numpy(), (len(cut.test), 1)), list(shares.index))


def _keep_predictions(cell: Cell, cut: Split, folder: Path, options: argparse.Namespace) -> None:
    """Keep the test predictions beside the output file: the report compares systems row by row."""
    evaluation = folder / "evaluation.json"
    if not (folder / "predictions.npz").exists() or not evaluation.exists():
        return
    outputs = np.load(folder / "predictions.npz")
    name = "bundle:best" if cell.system == "workbench" else "output"
    if name not in outputs.files:
        return
    output, truth = outputs[name], cut.test[cut.table.target]
    if cut.table.task == "regression":
        kept = {"output": np.ravel(output).astype(np.float64), "truth": truth.to_numpy(np.float64)}
    else:
        classes = [_text(label) for label in json.loads(evaluation.read_text(encoding="utf-8"))["classes"]]
        order = np.argsort(classes)
        kept = {
            "output": output[:, order].astype(np.float32),
            "truth": truth.map(_text)
            .map({name: at for at, name in enumerate(sorted(classes))})
            .to_numpy(np.int16),
        }
    place = options.out.with_suffix(".predictions")
    place.mkdir(exist_ok=True)
    np.savez_compressed(place / f"{cell.label}-{cell.table.name}-{cell.budget_s:g}s-{cell.seed}.npz", **kept)


def score(cut: Split, output: np.ndarray, classes: list[str]) -> float:
    """AUC (binary), log loss (multiclass) or RMSE (regression) on the test rows."""
    truth = cut.test[cut.table.target]
    if cut.table.task == "regression":
        return float(np.sqrt(np.mean((np.ravel(output) - truth.to_numpy(float)) ** 2)))
    known = sorted(truth.map(_text).unique())
    positions = {_text(label): at for at, label in enumerate(classes)}
    if absent := [label for label in known if label not in positions]:
        raise SystemExit(f"{cut.table.name}: predicted classes {classes} lack {absent}")
    if cut.table.task == "binary":
        return float(roc_auc_score(truth.map(_text) == known[1], output[:, positions[known[1]]]))
    y = truth.map(_text).map(positions).to_numpy()
    sums = output.sum(axis=1, keepdims=True)
    return float(log_loss(y, output / sums, labels=np.arange(len(classes))))


def _text(label: Any) -> str:
    """One text for a class, whether a system keeps it as 1, 1.0 or "1"."""
    text = str(label)
    return text.removesuffix(".0")


def _measured(
    command: list[str],
    folder: Path,
    step: str,
    limit_s: float,
    options: argparse.Namespace,
    more: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Run a command under the clock, its output into a log file."""
    figures = folder / f"{step}.json"
    clock = [sys.executable, str(HERE / "clock.py"), "--out", str(figures), "--limit", f"{limit_s:g}"]
    environment = {**os.environ, **(more or {})}
    with (folder / f"{step}.log").open("wb") as log:
        subprocess.run(
            [*clock, "--cores", str(options.cores), "--", *command],
            stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=folder, env=environment, check=False,
        )  # fmt: skip
    return dict(json.loads(figures.read_text(encoding="utf-8")))


def _tail(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip()[-600:]


def _commit(checkout: Path | None) -> str | None:
    where = checkout or HERE
    asked = subprocess.run(
        ["git", "-C", str(where), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() or None


def machine() -> str:
    """Name the machine: processor, cores, memory, Python."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
        model = next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model
        )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        for text in path.read_text(encoding="utf-8").splitlines():
            if text.strip():
                yield json.loads(text)


def _disturbed(line: dict[str, Any], share: float | None) -> bool:
    """Whether others took more than a share of the cores' time from a cell, at a priority that
    takes it away.
    """
    if share is None:
        return False
    return float(line.get("others_cpu_s") or 0) > share * float(line["wall_s"]) * int(line["cores"])


def _key(line: dict[str, Any]) -> tuple[str, str, float, int]:
    return (line["system"], line["data"], float(line["budget_s"]), int(line["seed"]))


def _sentence(line: dict[str, Any]) -> str:
    value, latency = line.get("score"), line.get("latency_p50_us")
    shown = "no score" if value is None else f"{line['metric']} {value:.5g}"
    speed = "" if latency is None else f", one row {latency / 1000:.3g} ms"
    reason = "" if line["status"] == "ok" else f" [{line['status']}: {str(line.get('reason'))[-200:]}]"
    return (
        f"{line['system']} on {line['data']}, {line['budget_s']:g} s: {shown}, {line.get('wall_s', 0):.1f} s, "
        f"{line.get('cpu_s', 0):.0f} CPU-s{speed}{reason}"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--system", required=True, help=f"comma-separated: workbench, {', '.join(PEERS)}")
    parser.add_argument("--list", type=Path, default=SHIPPED_LIST, help="TOML or JSON list of data sets")
    parser.add_argument("--data", type=Path, default=SHIPPED_DATA, help="folder of the files in the list")
    parser.add_argument("--sets", help="comma-separated names from the list; default: all")
    parser.add_argument("--budget", default="60", help="seconds, comma-separated")
    parser.add_argument(
        "--seeds", default="0", help="comma-separated; a seed cuts the data and seeds the system"
    )
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True, help="JSON lines file to append to")
    parser.add_argument("--environments", type=Path, help="folder of the peers' environments")
    parser.add_argument("--python", type=Path, help="workbench: the Python to run it with; default: this one")
    parser.add_argument(
        "--checkout", type=Path, help="workbench: a checkout to use instead of what is installed"
    )
    parser.add_argument("--label", help="another name for the system in the output, to compare versions")
    parser.add_argument("--search-options", help="workbench: further options of the search, as one text")
    parser.add_argument(
        "--format", choices=("parquet", "csv"), default="parquet", help="workbench: its training file"
    )
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()), help="folder for temporary files"
    )
    parser.add_argument(
        "--lock",
        type=Path,
        default=Path(tempfile.gettempdir()) / "workbench-benchmark.lock",
        help="benchmarks that name the same file take turns, cell by cell",
    )
    parser.add_argument(
        "--repeat-disturbed",
        type=float,
        metavar="SHARE",
        help="measure those cells again from which others took more than this share of the cores' time; "
        "the report takes the later line",
    )
    parser.add_argument("--keep", action="store_true", help="leave the temporary files")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
