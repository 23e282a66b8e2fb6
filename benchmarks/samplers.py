"""Which sampler finds the better candidates: the same study, the same families, real fits, other
samplers.

Every sampler starts from what the portfolio gave (fitted once for a table) and then asks for so
many trials. A trial is one fold of five, through the search's own encoding and fitting; its cost is
counted in node visits and bytes, so that it has no noise. Run it with::

    python benchmarks/samplers.py --data FOLDER --sets titanic,telco_churn --trials 50 --seeds 0,1 --out samplers.jsonl
    python benchmarks/samplers.py --report samplers.jsonl

The list of tables is that of the benchmark beside peers (``--list``).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd

from workbench.automl.coordinator.study import Study, default_sampler
from workbench.automl.phases.plan import describe_problem
from workbench.automl.records.candidate import Candidate, Score
from workbench.automl.records.messages import Config, Setup
from workbench.automl.scoring.ensemble_selection import greedy_path
from workbench.automl.scoring.formulas.row_losses import row_losses
from workbench.automl.scoring.metrics import metric_name
from workbench.automl.scoring.serving_cost import cost_of_visits
from workbench.automl.worker.fit import encoding_of
from workbench.automl.worker.task_loop import open_workspace
from workbench.automl.worker.workspace import Workspace
from workbench.data.dataset import Dataset
from workbench.data.intake import load_dataset
from workbench.data.store import save_arrays
from workbench.families import BASELINE, all_families
from workbench.families.forms.links import apply_link
from workbench.families.onnx_writing.writer import to_onnx
from workbench.families.shared.threads import one_thread

LIST = Path(__file__).parent / "peers" / "development.toml"
FOLDS = 5
_FIT_S = 30.0  # of a fold at most: long enough that the clock decides nothing
_CHEAPEST_US, _DEAREST_US = 10.0, 10_000.0  # the plane of score and cost that the hypervolume is a share of
_STEPS = (10, 20, 30, 50)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a config.

    Attributes
    ----------
    score : float
        On the fold; higher is better.
    cost_us : float
    seconds : float
        CPU seconds of the fit.
    output : numpy.ndarray, shape (v, k)
        Predictions of the rows that the fold validates.
    """

    score: float
    cost_us: float
    seconds: float
    output: np.ndarray = field(compare=False)


class Bench:
    """A table as a search sees it, and what is known of configs on it.

    Parameters
    ----------
    entry : mapping
        Of the list of tables.
    data : Path
        The folder of the tables.
    folder : Path
        Where encoded rows are kept meanwhile.
    rows : int
        Most rows used.
    """

    def __init__(self, entry: Mapping[str, Any], data: Path, folder: Path, rows: int) -> None:
        frame = read_table(data / entry["path"], entry.get("read", {}))
        frame = frame.dropna(subset=[entry["target"]])
        frame = frame.sample(min(rows, len(frame)), random_state=0)
        dataset = load_dataset(
            frame, target=entry["target"], task=entry["task"], drop=tuple(entry.get("drop", ()))
        )
        self.space: Workspace = opened(dataset, np.arange(dataset.n_rows), FOLDS, folder)
        self.problem = self.space.problem
        self.families = [
            each for each in all_families().values() if each.name != BASELINE and each.supports(self.problem)
        ]
        self.valid_y = self.space.dev.y[self.space.splits[0][1]]
        self._known: dict[str, Outcome | None] = {}

    def outcome(self, family: str, params: Mapping[str, Any]) -> Outcome | None:
        """Return what comes of a config, fitting it unless it is known; None where it fails."""
        key = json.dumps([family, params], sort_keys=True, default=str)
        if key not in self._known:
            try:
                self._known[key] = self._fit(family, params)
            except Exception as error:
                print(f"  {family} failed: {error}", flush=True)
                self._known[key] = None
        return self._known[key]

    @one_thread()
    def _fit(self, family: str, params: Mapping[str, Any]) -> Outcome:
        began, deadline = time.process_time(), time.monotonic() + _FIT_S
        encoding = encoding_of(Config("c", family, params, "sampler", 0), self.space)
        train, valid = self.space.samples(encoding, 0)
        fitted = all_families()[family].fit(
            params, train, self.problem, valid=valid, rounds=None, seed=0, deadline=deadline
        )
        form = fitted.form()
        output = apply_link(fitted.raw(valid.X), form.link)
        score = self.space.metric.plain(valid.y, output)
        visits = form.node_visits()
        if visits is None:
            cost = cost_of_visits(0.0) + 10.0 * len(to_onnx(form, valid.X.shape[1])) / 1e6
        else:
            cost = cost_of_visits(visits * FOLDS)  # what is served is the average of all folds' models
        return Outcome(score, cost, time.process_time() - began, output.astype(np.float32))


def opened(data: Dataset, train: np.ndarray, folds: int, folder: Path) -> Workspace:
    """Return the training rows of a table as the tasks of a search see them."""
    save_arrays(data, folder / "data")
    np.savez(folder / "data" / "split.npz", dev=train, holdout=train[:0])
    (folder / "cache").mkdir()
    metric = metric_name("auto", data.schema.output.task)
    problem = describe_problem(data, len(train))
    return open_workspace(Setup(folder, problem, metric, folds, "out of fold", seed=0))


def read_table(path: Path, options: Mapping[str, Any]) -> pd.DataFrame:
    """Read a table of the list, with its options."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    wanted = {key: (None if value is False else value) for key, value in options.items()}
    return pd.read_csv(path, **wanted)


# ---------------------------------------------------------------- samplers


class PerFamily(optuna.samplers.BaseSampler):
    """A sampler for each family: families take turns, and TPE chooses within each by that family's
    trials alone.
    """

    def __init__(self, names: Iterable[str], seed: int) -> None:
        self._names = list(names)
        self._inner = default_sampler(seed)
        self._turn = 0

    def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
        """Ask the inner sampler."""
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        """Ask the inner sampler, but for the family."""
        out = dict(self._inner.sample_relative(study, trial, search_space))
        out["family"] = self._names[self._turn % len(self._names)]
        self._turn += 1
        return out

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        """Ask the inner sampler, but for the family."""
        if name == "family":
            self._turn += 1
            return self._names[(self._turn - 1) % len(self._names)]
        return self._inner.sample_independent(study, trial, name, distribution)


def _tpe(seed: int, names: list[str]) -> optuna.samplers.BaseSampler:
    return default_sampler(seed)


def _univariate(seed: int, names: list[str]) -> optuna.samplers.BaseSampler:
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=10)


def _random(seed: int, names: list[str]) -> optuna.samplers.BaseSampler:
    return optuna.samplers.RandomSampler(seed=seed)


def _nsga(seed: int, names: list[str]) -> optuna.samplers.BaseSampler:
    return optuna.samplers.NSGAIISampler(population_size=20, seed=seed)


def _per_family(seed: int, names: list[str]) -> optuna.samplers.BaseSampler:
    return PerFamily(names, seed)


#: By name: how it is made, and whether it steers by the costs too (or by the score alone).
SAMPLERS: dict[str, tuple[Callable[[int, list[str]], optuna.samplers.BaseSampler], bool]] = {
    "tpe_group": (_tpe, True),
    "tpe_group_score_only": (_tpe, False),
    "tpe_univariate": (_univariate, True),
    "per_family": (_per_family, True),
    "nsga2": (_nsga, True),
    "random": (_random, True),
}


# ---------------------------------------------------------------- one study


def run_study(bench: Bench, sampler: str, seed: int, trials: int, folder: Path) -> dict[str, Any]:
    """Run the portfolio (from memory) and so many trials of a sampler, and return the figures of
    the study.
    """
    make, with_costs = SAMPLERS[sampler]
    names = [family.name for family in bench.families]
    study = Study(
        folder,
        None,
        f"{sampler}-{seed}",
        bench.families,
        bench.problem,
        make(seed, names),
        steer_by_costs=with_costs,
    )
    outcomes: list[tuple[str, Outcome]] = []
    portfolio: list[tuple[str, Outcome]] = []
    overhead = fitting = portfolio_s = 0.0
    asked_for = 0
    while asked_for < trials:
        began = time.process_time()
        asked = study.ask()
        spent = time.process_time() - began
        found = bench.outcome(asked.family, asked.params)
        began = time.process_time()
        costs = None if found is None else (found.cost_us, found.cost_us)
        study.tell(asked, _candidate(asked.id, asked.family, asked.params, found), costs)
        spent += time.process_time() - began
        if asked.origin == "portfolio":
            portfolio += [(asked.family, found)] if found else []
            portfolio_s += found.seconds if found else 0.0
            continue
        asked_for += 1
        overhead, fitting = overhead + spent, fitting + (found.seconds if found else 0.0)
        outcomes += [(asked.family, found)] if found else []
    return {
        "sampler": sampler,
        "seed": seed,
        "trials": trials,
        "portfolio": [[each.score, each.cost_us] for _, each in portfolio],
        "found": [[each.score, each.cost_us] for _, each in outcomes],
        "families": {name: sum(name == family for family, _ in outcomes) for name in names},
        "blend_loss": blend_loss(bench, [each for _, each in portfolio + outcomes]),
        "portfolio_blend_loss": blend_loss(bench, [each for _, each in portfolio]),
        "ask_tell_ms": 1000.0 * overhead / trials,
        "fit_s": fitting,
        "portfolio_s": portfolio_s,
    }


def _candidate(name: str, family: str, params: Mapping[str, Any], found: Outcome | None) -> Candidate:
    if found is None:
        return Candidate(name, family, dict(params), "sampler", "failed", reason="failed")
    score = Score(found.score, found.score, found.score, "", "", 0)
    return Candidate(name, family, dict(params), "sampler", "ok", score=score)


def blend_loss(bench: Bench, outcomes: list[Outcome]) -> float:
    """Return the loss of the best blend: chosen on half of the fold's rows, judged on the other,
    and the reverse.
    """
    y, loss = bench.valid_y, bench.problem.loss
    half = np.random.default_rng(0).random(len(y)) < 0.5
    best = sorted(outcomes, key=lambda each: -each.score)[:40]
    losses = []
    for chooses in (half, ~half):
        path = greedy_path(y[chooses], [each.output[chooses] for each in best], loss)
        mixed = path[-1].of([each.output[~chooses] for each in best])
        losses.append(float(np.mean(row_losses(y[~chooses], mixed, loss))))
    return float(np.mean(losses))


# ---------------------------------------------------------------- figures


def hypervolume(points: np.ndarray, worst: float, best: float, cheapest: float = _CHEAPEST_US) -> float:
    """Return the share of the plane of score and (the logarithm of) cost that points (score, cost
    in µs) cover.

    Examples
    --------
    >>> round(hypervolume(np.array([[1.0, 10.0]]), 0.0, 1.0), 3)
    1.0
    >>> round(hypervolume(np.array([[1.0, 10_000.0], [0.5, 10.0]]), 0.0, 1.0), 3)
    0.5
    """
    if best <= worst:
        return 0.0
    score = np.clip((points[:, 0] - worst) / (best - worst), 0, 1)
    span = np.log(_DEAREST_US / cheapest)
    cheap = np.clip(np.log(_DEAREST_US / np.maximum(points[:, 1], cheapest)) / span, 0, 1)
    total, reached = 0.0, 0.0
    for at in np.lexsort((-score, -cheap)):  # the cheapest first
        if score[at] > reached:
            total += (score[at] - reached) * cheap[at]
            reached = float(score[at])
    return float(total)


def report(lines: Iterable[Mapping[str, Any]]) -> str:
    """Return the tables: how far each sampler got on each data set, and over all."""
    table = pd.DataFrame(list(lines))
    rows = []
    for _, of_set in table.groupby("set", sort=False):
        first = np.asarray(of_set["portfolio"].iloc[0])
        start = float(first[:, 0].max())
        every = np.concatenate([first, *(np.asarray(each) for each in of_set["found"])])
        top, low = float(every[:, 0].max()), float(np.median(every[:, 0]))
        for _, line in of_set.iterrows():
            found = np.asarray(line["found"])
            reached = {
                f"gain@{step}": max(float(found[:step, 0].max()) - start, 0.0) / max(top - start, 1e-12)
                for step in _STEPS
                if step <= line["trials"]
            }
            rows.append(
                {
                    "set": line["set"],
                    "sampler": line["sampler"],
                    **reached,
                    "hypervolume": hypervolume(np.concatenate([first, found]), low, top),
                    "blend": 100.0 * (1.0 - line["blend_loss"] / line["portfolio_blend_loss"]),
                    "ask_tell_ms": line["ask_tell_ms"],
                    "overhead_%": line["ask_tell_ms"]
                    * line["trials"]
                    / 10.0
                    / max(FOLDS * line["fit_s"], 1e-9),
                    "fit_s": line["fit_s"],
                }
            )
    figures = pd.DataFrame(rows)
    numbers = [name for name in figures.columns if name not in ("set", "sampler")]
    over_all = figures.groupby("sampler", sort=False)[numbers].mean()
    spread = (
        figures.groupby(["set", "sampler"], sort=False)[["hypervolume", "blend"]]
        .std()
        .groupby("sampler")
        .mean()
    )
    by_set = figures.groupby(["set", "sampler"], sort=False)[numbers].mean()
    return "\n\n".join(
        [
            over_all.round(3).to_string(),
            "spread over seeds\n" + spread.round(3).to_string(),
            by_set.round(3).to_string(),
        ]
    )


def main() -> int:
    """Run studies, one line of JSON each, or report on those of a file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", type=Path, default=LIST)
    parser.add_argument("--data", type=Path, help="the folder of the tables")
    parser.add_argument("--sets", default="titanic,telco_churn,wine_white,diamonds")
    parser.add_argument("--samplers", default=",".join(SAMPLERS))
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--trials", type=int, default=50, help="after the portfolio")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=Path("samplers.jsonl"))
    parser.add_argument("--report", type=Path, help="print the tables of a file instead")
    options = parser.parse_args()
    if options.report:
        print(report(json.loads(line) for line in options.report.read_text().splitlines()))
        return 0
    if options.data is None:
        parser.error("--data: the folder of the tables is needed")
    entries = {each["name"]: each for each in tomllib.loads(options.list.read_text())["dataset"]}
    for name in options.sets.split(","):
        with tempfile.TemporaryDirectory(prefix="samplers-") as folder:
            bench = Bench(entries[name], options.data, Path(folder), options.rows)
            for seed in (int(each) for each in options.seeds.split(",")):
                for sampler in options.samplers.split(","):
                    place = Path(folder) / f"{sampler}-{seed}"
                    place.mkdir()
                    line = {"set": name, **run_study(bench, sampler, seed, options.trials, place)}
                    with options.out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(line) + "\n")
                    best = max(score for score, _ in line["portfolio"] + line["found"])
                    print(
                        f"{name} {sampler} seed {seed}: best {best:.5g}, fits {line['fit_s']:.0f} s, "
                        f"{line['ask_tell_ms']:.0f} ms a trial",
                        flush=True,
                    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
