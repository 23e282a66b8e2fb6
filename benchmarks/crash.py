"""Kill a search at random moments, then see whether anything is lost, blocked or left behind.

Each round starts ``workbench search`` on a small made table, sends SIGKILL to the main process, to
all of its processes at once, to the process that starts workers, or to one worker; while it starts,
fits folds, makes blends or measures. Then it looks at the run from outside: it can be read,
``resume`` ends well, every candidate that had ended is there as it was, nothing is tried twice, and
no trial, process or file is left over. Run it with::

    python benchmarks/crash.py --rounds 30 --seed 0
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

VICTIMS = ("main", "main", "everything", "fork server", "worker")
MOMENTS = ("start", "data", "folds", "folds", "blends", "measuring")
TRIALS = 5
_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Round:
    """What is killed, and when.

    Attributes
    ----------
    victim : {"main", "everything", "fork server", "worker"}
    moment : {"start", "data", "folds", "blends", "measuring"}
    delay_s : float
        After the moment.
    candidates : int
        Of "folds": once so many have ended.
    """

    victim: str
    moment: str
    delay_s: float
    candidates: int = 1

    @classmethod
    def drawn(cls, generator: random.Random) -> Round:
        """Draw a round."""
        moment = generator.choice(MOMENTS)
        victim = generator.choice(VICTIMS) if moment != "start" else generator.choice(("main", "everything"))
        longest = {"start": 2.5, "data": 1.5, "folds": 0.6, "blends": 0.5, "measuring": 1.0}[moment]
        return cls(victim, moment, generator.uniform(0.0, longest), generator.randint(1, TRIALS))


class Table:
    """A small table on disk, and the commands that work on it.

    Parameters
    ----------
    folder : Path
        Of the table, its run, and everything else that the commands write.
    """

    def __init__(self, folder: Path) -> None:
        from workbench.data.subscriptions import TARGET, make_subscriptions

        self.folder, self.run, self.target = folder, folder / "run", TARGET
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.data = folder / "table.csv"
        make_subscriptions(400, 0).drop(columns="last_comment").to_csv(self.data, index=False)

    @property
    def searching(self) -> list[str]:
        """The command that is killed."""
        options = ["--trials", str(TRIALS), "--workers", "2", "--families", "linear,lightgbm"]
        return ["search", str(self.data), "--target", self.target, *options, "--out", str(self.run)]

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command of workbench."""
        return subprocess.Popen(
            [sys.executable, "-m", "workbench", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(self.temporary)},
        )

    def call(self, *command: str) -> tuple[int, str, str]:
        """Run a command of workbench to its end; return its exit code, output and errors."""
        process = self.start(*command)
        out, err = process.communicate(timeout=_PATIENCE_S)
        return process.returncode, out, err

    def candidates(self) -> dict[str, dict[str, Any]]:
        """Return what the run's candidates are, by id, without figures that are measured again."""
        found = {}
        for path in sorted((self.run / "candidates").glob("*/candidate.json")):
            document = json.loads(path.read_text(encoding="utf-8"))
            found[document["id"]] = {
                key: document[key] for key in ("family", "params", "origin", "status", "score")
            }
        return found

    def phases(self) -> list[str]:
        """Return the phases that the search has come to."""
        path = self.run / "events.jsonl"
        found = []
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            with suppress(ValueError):
                event = json.loads(line)
                found.append(event["message"] if event["kind"] == "phase" else event["kind"])
        return found


def play(plan: Round, folder: Path) -> list[str]:
    """Play a round; return what is wrong, which is nothing."""
    table = Table(folder)
    process = table.start(*table.searching)
    if not _await(_reached(plan, table), process):
        _, err = process.communicate(timeout=_PATIENCE_S)
        return [f"the search ended before it was killed, with {process.returncode}: {err[-300:]}"]
    time.sleep(plan.delay_s)
    family = _kill(plan.victim, process)
    if plan.victim in ("fork server", "worker"):
        return [*_check_survivor(table, process), *_check_end(table, {})]
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    wrong = [f"still alive: {each}" for each in psutil.wait_procs(family, timeout=20)[1]]
    if plan.victim == "main":
        wrong += _check_temporary(table)
    else:
        for left in table.temporary.iterdir():  # all that could have removed it were killed
            subprocess.run(["rm", "-r", str(left)], check=True)
    return [*wrong, *_check_resume(table)]


def _reached(plan: Round, table: Table) -> Callable[[], bool]:
    """Return what tells whether a moment has come."""
    if plan.moment == "start":
        return lambda: True
    if plan.moment == "data":
        return (table.run / "run.json").exists
    if plan.moment == "folds":
        return lambda: len(list(table.run.glob("candidates/c*/candidate.json"))) >= plan.candidates
    word = "ensembles" if plan.moment == "blends" else "measuring"
    return lambda: any(word in phase for phase in table.phases())


def _await(come: Callable[[], bool], process: subprocess.Popen[str]) -> bool:
    limit = time.monotonic() + _PATIENCE_S
    while process.poll() is None and time.monotonic() < limit:
        if come():
            return True
        time.sleep(0.02)
    return False


def _kill(victim: str, process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Send SIGKILL, and return all processes of the search."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
    except psutil.Error:
        children = []
    servers = [each for each in children if each.ppid() == process.pid]
    workers = [each for each in children if each.ppid() != process.pid]
    chosen = {"main": [], "everything": children, "fork server": servers, "worker": workers[:1]}[victim]
    if victim in ("main", "everything"):
        process.send_signal(signal.SIGKILL)
    for each in chosen:
        with suppress(psutil.Error):
            each.kill()
    return children


def _check_survivor(table: Table, process: subprocess.Popen[str]) -> Iterator[str]:
    """Check a search that lost a helper: it goes on, and at most what was in flight has failed."""
    _, err = process.communicate(timeout=_PATIENCE_S)
    if process.returncode:
        yield f"the search ended with {process.returncode}: {err[-400:]}"
    failed = [name for name, each in table.candidates().items() if each["status"] == "failed"]
    if len(failed) > 1:
        yield f"one process was killed, {len(failed)} candidates failed: {failed}"


def _check_resume(table: Table) -> Iterator[str]:
    """Check that a killed run can be read, and that it goes on and ends well."""
    began = (table.run / "run.json").exists() and "metric" in json.loads(
        (table.run / "run.json").read_text(encoding="utf-8")
    )
    for command in ("leaderboard", "front"):
        code, out, err = table.call(command, str(table.run), "--json")
        if (
            "Traceback" in err
            or (code == 0 and not isinstance(json.loads(out), list))
            or (began and code == 2)
        ):
            yield f"{command} answered {code}: {out[-200:]} {err[-400:]}"
    before = table.candidates()
    code, out, err = table.call("resume", str(table.run))
    if not began:
        if code not in (1, 2) or "Traceback" in err or "workbench search" not in err:
            yield f"resume of a run that never began answered {code}: {err[-400:]}"
        code, out, err = table.call(*table.searching)
    if code or "Traceback" in err:
        yield f"it went on with exit code {code}: {err[-600:]}"
    yield from _check_end(table, before)


def _check_end(table: Table, before: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Check a run that has ended: nothing lost, nothing twice, nothing left over."""
    after = table.candidates()
    state = json.loads((table.run / "run.json").read_text(encoding="utf-8"))["state"]
    if state != "done":
        yield f"its state is {state}"
    changed = [name for name, each in before.items() if after.get(name) != each]
    if changed:
        yield f"lost or changed: {changed}"
    tried = [each for each in after.values() if each["origin"] in ("portfolio", "sampler")]
    if len(tried) != TRIALS:
        yield f"{len(tried)} of {TRIALS} were tried"
    configs = [json.dumps([each["family"], each["params"]], sort_keys=True) for each in tried]
    if len(set(configs)) < len(configs):
        yield "a config was tried twice"
    if not [name for name, each in after.items() if each["origin"] == "derived" and each["status"] == "ok"]:
        yield "nothing was made of the candidates"
    yield from _check_study(table)
    yield from _check_temporary(table)
    for path in sorted(table.run.rglob("*")):
        name = path.relative_to(table.run).as_posix()
        hidden = path.name.startswith(".")
        if hidden or path.name in ("parts", "cache"):
            yield f"left over: {name}"
        if path.parent.name == "candidates" and not (path / "candidate.json").exists():
            yield f"left over: {name} without its candidate"
    with suppress(OSError):
        lines = (table.run / "events.jsonl").read_text(encoding="utf-8").splitlines()
        if json.loads(lines[-1])["kind"] != "done":
            yield "the last event is not the end"


def _check_study(table: Table) -> Iterator[str]:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(JournalFileBackend(str(table.run / "optuna.journal")))
    studies = optuna.get_all_study_summaries(storage)
    if not studies:
        yield "there is no study"
        return
    (study,) = studies
    trials = optuna.load_study(study_name=study.study_name, storage=storage).trials
    running = [trial.number for trial in trials if trial.state.name == "RUNNING"]
    if running:
        yield f"trials under way for ever: {running}"
    complete = {f"c{each.number + 1:04d}" for each in trials if each.state.name == "COMPLETE"}
    ok = {
        name
        for name, each in table.candidates().items()
        if each["origin"] in ("portfolio", "sampler") and each["status"] == "ok"
    }
    if not ok <= complete:
        yield f"the study knows nothing of {sorted(ok - complete)}"


def _check_temporary(table: Table) -> Iterator[str]:
    limit = time.monotonic() + 10
    while (left := _temporary(table)) and time.monotonic() < limit:
        time.sleep(0.1)
    yield from (f"temporary files left: {name}" for name in left)


def _temporary(table: Table) -> list[str]:
    """Return what the search left among temporary files; `.ses` is ONNX Runtime's, one for a
    machine.
    """
    return [path.name for path in table.temporary.iterdir() if path.name != ".ses"]


def main() -> int:
    """Play rounds and print one line each; the exit code is 1 where something was wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    generator = random.Random(options.seed)
    bad = 0
    for number in range(options.rounds):
        plan = Round.drawn(generator)
        with tempfile.TemporaryDirectory(prefix="crash-") as folder:
            wrong = play(plan, Path(folder))
        bad += bool(wrong)
        words = f"{plan.victim} killed {plan.delay_s:.2f} s after {plan.moment}"
        words += f" ({plan.candidates} candidates)" if plan.moment == "folds" else ""
        print(
            f"{number + 1:3d}  {'ok   ' if not wrong else 'WRONG'}  {words}",
            *wrong,
            sep="\n       " if wrong else "",
            flush=True,
        )
    print(f"{options.rounds - bad} of {options.rounds} rounds went well")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
