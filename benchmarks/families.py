"""What a family adds to a search: the same seconds with it and without it.

For each table: the score on test rows of the most accurate candidate, the members of the front that
are of the family (or blends with one), and the share of the plane of test score and latency that
the front covers. Run it with::

    python benchmarks/families.py --data FOLDER --sets titanic,diamonds --without additive,catboost --time 30

The list of tables is that of the benchmark beside peers (``--list``).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from samplers import LIST, hypervolume

import workbench as wb
from workbench.automl.records.candidate import Candidate
from workbench.automl.scoring.metrics import Metric, metric_name
from workbench.families import all_families
from workbench.runtime.core.rows import read_rows

sys.path.insert(0, str(Path(__file__).parent / "peers"))
from tables import Split, choose, read_list, split


def searched(cut: Split, families: list[str], seconds: float, seed: int, folder: Path) -> dict[str, Any]:
    """Search with some families, and return each candidate's score on the test rows, with its
    latency.
    """
    run = wb.search(
        cut.train,
        target=cut.table.target,
        task=cut.table.task,
        time=seconds,
        seed=seed,
        families=families,
        out=folder,
    )
    output = run.folder.dataset().schema.output
    metric = Metric(metric_name("auto", output.task), output.task, len(output.classes))
    truth = cut.test[cut.table.target]
    if output.task == "regression":
        y = truth.to_numpy(dtype=np.float64)
    else:
        y = (
            truth.astype(str)
            .map({str(name): at for at, name in enumerate(output.classes)})
            .to_numpy(dtype=np.int64)
        )
    columns = read_rows(cut.test, run.folder.predictor("c0000").names)
    good = [each for each in run.folder.candidates() if each.status == "ok" and each.score and each.measured]
    tested = {}
    for each in good:
        if each.holdout or each.corrected:  # was on the front when the search ended
            out = np.asarray(run.folder.predictor(each.id).predict_columns(columns), dtype=np.float64)
            tested[each.id] = (metric.plain(y, out), each.measured.latency_p50_us if each.measured else 0.0)
    return {"candidates": {each.id: each for each in good}, "tested": tested}


def _has(candidate: Candidate, family: str, candidates: dict[str, Candidate]) -> bool:
    return candidate.family == family or any(
        candidates[name].family == family for name in candidate.members if name in candidates
    )


def main() -> None:
    """Print a line of Markdown for each table and family."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", type=Path, default=LIST)
    parser.add_argument("--data", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--sets", required=True, help="names of tables, with commas")
    parser.add_argument("--without", required=True, help="families to leave out, one at a time, with commas")
    parser.add_argument("--time", type=float, default=30.0, help="seconds of each search")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    every = [name for name in all_families() if name != "baseline"]
    print(
        "| table | family | test score with | without | of the front with it | hypervolume with | without |\n"
        "|---|---|---|---|---|---|---|"
    )
    for table in choose(read_list(options.list), options.sets):
        cut = split(table, options.data, options.seed)
        with tempfile.TemporaryDirectory(prefix="families-") as folder:
            everything = searched(cut, every, options.time, options.seed, Path(folder) / "all")
            for family in options.without.split(","):
                others = [name for name in every if name != family]
                less = searched(cut, others, options.time, options.seed, Path(folder) / family)
                print(_line(table.name, family, everything, less), flush=True)


def _line(table: str, family: str, everything: dict[str, Any], less: dict[str, Any]) -> str:
    points = pd.DataFrame([*everything["tested"].values(), *less["tested"].values()])
    low, high = float(points[0].min()), float(points[0].max())
    figures = []
    for run in (everything, less):
        best = max(run["tested"], key=lambda name: run["candidates"][name].score.value)
        area = hypervolume(np.asarray(list(run["tested"].values())), low, high, cheapest=1.0)
        figures.append((run["tested"][best][0], area))
    known = everything["candidates"]
    of_it = sum(_has(known[name], family, known) for name in everything["tested"])
    (one, area), (other, less_area) = figures
    share = f"{of_it} of {len(everything['tested'])}"
    return f"| {table} | {family} | {one:.5g} | {other:.5g} | {share} | {area:.3f} | {less_area:.3f} |"


if __name__ == "__main__":
    main()
