"""The benchmark beside peers: the same rows for everybody, an honest clock, figures that agree with
a second way.
"""

from __future__ import annotations

import doctest
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata
from sklearn.metrics import log_loss, roc_auc_score

PEERS = Path(__file__).parents[2] / "benchmarks" / "peers"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs of the benchmark import their neighbours, as they do when they are started."""
    monkeypatch.syspath_prepend(str(PEERS))


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PEERS / program), *arguments], capture_output=True, text=True, check=False
    )


def test_every_system_gets_the_same_rows_with_all_classes(tmp_path: Path) -> None:
    for _ in range(2):
        done = run("split.py", "--name", "wine", "--out", str(tmp_path / "cut"))
        assert done.returncode == 0, done.stderr
        train, test = (pd.read_parquet(tmp_path / "cut" / f"{part}.parquet") for part in ("train", "test"))
        (tmp_path / "cut").rename(tmp_path / f"cut{len(list(tmp_path.iterdir()))}")
    first = pd.read_parquet(tmp_path / "cut1" / "train.parquet")
    pd.testing.assert_frame_equal(first, train)
    assert abs(len(test) / (len(train) + len(test)) - 0.25) < 0.01
    shares = [part["cultivar"].value_counts(normalize=True).sort_index() for part in (train, test)]
    assert np.allclose(*shares, atol=0.02)


def test_money_as_target_columns_to_drop_and_rows_without_a_target(tmp_path: Path) -> None:
    from tables import load, read_list

    (tmp_path / "bills.csv").write_text('id;x;paid\n1;a;"$1,200.50"\n2;b;$7\n3;c;\n', encoding="utf-8")
    entry = {"name": "bills", "path": "bills.csv", "target": "paid", "task": "regression", "drop": ["id"]}
    (tmp_path / "list.json").write_text(
        json.dumps({"dataset": [{**entry, "read": {"sep": ";"}}]}), encoding="utf-8"
    )
    (table,) = read_list(tmp_path / "list.json")
    frame = load(table, tmp_path)
    assert list(frame.columns) == ["x", "paid"]
    assert frame["paid"].tolist() == [1200.5, 7.0]


@pytest.mark.parametrize("name", ["datasets.toml", "development.toml"])
def test_the_lists_can_be_read(name: str) -> None:
    from tables import SHIPPED_DATA, choose, load, read_list

    tables = read_list(PEERS / name)
    assert len({table.name for table in tables}) == len(tables) > 2
    with pytest.raises(SystemExit, match="no data set nowhere in the list"):
        choose(tables, "nowhere")
    if name == "datasets.toml":
        assert all(len(load(table, SHIPPED_DATA)) > 100 for table in tables)


@pytest.mark.skipif(sys.platform != "linux", reason="not checked: orphans are collected on Linux only")
def test_the_clock_counts_what_an_orphan_used_and_ends_it(tmp_path: Path) -> None:
    spin = (
        "import pathlib, sys, time\n"
        "while True:\n"
        "    if time.process_time() > 0.5: pathlib.Path(sys.argv[1]).touch()"
    )
    orphan = (
        "import pathlib, subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {spin!r}, sys.argv[1]], start_new_session=True)\n"
        "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)\n"
        "print(child.pid)"
    )
    command = (sys.executable, "-c", orphan, str(tmp_path / "spun"))
    done = run("clock.py", "--out", str(tmp_path / "out.json"), "--limit", "600", "--", *command)
    figures = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert done.returncode == 0 and figures["exit_code"] == 0
    assert figures["cpu_s"] > 0.5 and figures["wall_s"] > 0.5
    assert not Path(f"/proc/{int(done.stdout)}").exists()


def test_the_clock_kills_what_takes_too_long(tmp_path: Path) -> None:
    sleeper = (sys.executable, "-c", "import time; time.sleep(3600)")
    done = run("clock.py", "--out", str(tmp_path / "out.json"), "--limit", "0.5", "--", *sleeper)
    assert done.returncode == 1
    figures = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert figures["timed_out"] and figures["wall_s"] < 1800


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Result lines of a peer that needs no environment of its own, and of Workbench, as a user
    would make them.
    """
    folder = tmp_path_factory.mktemp("cells")
    (folder / "environments" / "flaml" / "bin").mkdir(parents=True)
    (folder / "environments" / "flaml" / "bin" / "python").symlink_to(sys.executable)
    # A link alone would be taken for the Python it leads to, without the packages of this
    # environment.
    config, here = Path(sys.prefix) / "pyvenv.cfg", folder / "environments" / "flaml"
    if config.exists():
        (here / "pyvenv.cfg").write_text(config.read_text(encoding="utf-8"), encoding="utf-8")
        (here / "lib").symlink_to(Path(sys.prefix) / "lib")
    asked = [
        "--system", "lightgbm,workbench", "--sets", "wine", "--budget", "60",
        "--environments", str(folder / "environments"),
        "--checkout", str(PEERS.parents[1]), "--search-options", "--trials 2 --families linear", "--work", str(folder),
        "--lock", str(folder / "lock"), "--out", str(folder / "results.jsonl"),
    ]  # fmt: skip
    for _ in range(2):  # the second time there is nothing left to do
        done = run("run.py", *asked)
        assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return folder / "results.jsonl"


@pytest.mark.slow
def test_a_cell_holds_what_the_report_needs(cells: Path) -> None:
    lines = {line["system"]: line for line in map(json.loads, cells.read_text(encoding="utf-8").splitlines())}
    assert set(lines) == {"lightgbm", "workbench"}
    for line in lines.values():
        assert line["status"] == "ok", line["reason"]
        assert (
            0 < line["score"] < line["constant_score"] < 1.2
        )  # log loss: far better than the shares of the classes
        assert line["latency_p50_us"] > 0 and line["artifact_mb"] > 0 and line["cpu_s"] > 0.1
    ours = lines["workbench"]
    assert ours["picks"]["best"]["score"] == ours["score"]
    assert all(row["score"] > 0 and row["latency_p50_us"] > 0 for row in ours["front"])
    assert not list(cells.parent.glob("workbench-wine-*")), "temporary files were left"


@pytest.mark.slow
def test_the_report_says_who_wins_and_whether_it_is_noise(cells: Path, tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(
        "before\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nafter\n", encoding="utf-8"
    )
    done = run("report.py", str(cells), "--into", str(document), "--json", str(tmp_path / "figures.json"))
    assert done.returncode == 0, done.stderr
    text = document.read_text(encoding="utf-8")
    assert (
        text.startswith("before\n") and text.endswith("<!-- figures: end -->\nafter\n") and "old" not in text
    )
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["60"]
    scores = {
        line["system"]: line["score"]
        for line in map(json.loads, cells.read_text(encoding="utf-8").splitlines())
    }
    first = min(scores, key=scores.__getitem__)
    assert figures["systems"][first]["mean_rank"][0] == 1
    assert figures["against"]["lightgbm"]["wins"] == (first == "workbench")
    assert figures["against"]["lightgbm"]["noise_unknown"] == 0
    (ours,) = (
        each
        for each in map(json.loads, cells.read_text(encoding="utf-8").splitlines())
        if each.get("cpu_spent")
    )
    assert f"| 60 s | 1 | {ours['wall_s']:.1f} |" in text, "what was taken of the time"
    shares = [float(each.strip(" %")) for each in text.split("| wine | 60 s |")[1].split("|")[:7]]
    assert shares[0] == pytest.approx(shares[1] + shares[2], abs=1.1)
    assert sum(shares[1:]) == pytest.approx(100, abs=4), "where the processor time went"
    assert figures["systems"]["workbench"]["hypervolume"] > figures["systems"]["lightgbm"]["hypervolume"] > 0


def line(system: str, data: str, score: float | None, metric: str = "auc", **more: Any) -> dict[str, Any]:
    return {
        "system": system,
        "data": data,
        "seed": 0,
        "budget_s": 60.0,
        "metric": metric,
        "score": score,
        **more,
    }


def test_the_examples_of_the_figures_hold() -> None:
    import compare

    result = doctest.testmod(compare)
    assert result.failed == 0 and result.attempted >= 3


def test_ranks_share_ties_and_a_failure_is_last() -> None:
    from compare import grid

    rows = {"x": (0.9, 0.9, None), "y": (0.7, 0.8, 0.6)}
    lines = [line(f"s{at}", data, score) for data, scores in rows.items() for at, score in enumerate(scores)]
    table = grid([*lines, line("s0", "only s0", 0.5)], ["s0", "s1", "s2"])
    assert [name for name, _ in table.tasks] == ["x", "y"]
    expected = np.array([rankdata(row) for row in table.losses])
    assert np.array_equal(table.ranks(), expected)
    assert np.allclose(table.normalised(), [[0, 0, 0], [0.5, 1, 0]])


def test_noise_of_an_auc_difference_agrees_with_resampling(tmp_path: Path) -> None:
    from compare import z_of_difference

    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 600)
    outputs = [truth * shift + random.normal(size=600).round(1) for shift in (1.0, 0.7)]
    lines = []
    for at, output in enumerate(outputs):
        path = tmp_path / f"{at}.npz"
        np.savez(path, truth=truth, output=np.column_stack([-output, output]))
        lines.append(line(f"s{at}", "x", roc_auc_score(truth, output), predictions=str(path)))
    z = z_of_difference(*lines)
    draws = []
    for _ in range(300):
        rows = random.integers(0, 600, 600)
        draws.append(np.subtract(*[roc_auc_score(truth[rows], output[rows]) for output in outputs]))
    assert z == pytest.approx((lines[0]["score"] - lines[1]["score"]) / np.std(draws), rel=0.15)
    assert z_of_difference(*reversed(lines)) == pytest.approx(-z)


@pytest.mark.parametrize("metric", ["auc", "log_loss", "rmse"])
def test_without_the_predictions_of_the_other_noise_is_that_of_other_rows(
    tmp_path: Path, metric: str
) -> None:
    from compare import z_if_independent, z_of_difference

    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 400) if metric != "rmse" else random.normal(size=400)

    def score(output: np.ndarray, rows: np.ndarray) -> float:
        if metric == "auc":
            return float(roc_auc_score(truth[rows], output[rows]))
        if metric == "log_loss":
            return float(log_loss(truth[rows], 1 / (1 + np.exp(-output[rows]))))
        return float(np.sqrt(np.mean((truth[rows] - output[rows]) ** 2)))

    outputs = [truth + random.normal(size=400) * spread for spread in (0.5, 0.8)]
    everything = np.arange(400)
    path = tmp_path / "ours.npz"
    shares = 1 / (1 + np.exp(-outputs[0]))
    kept = outputs[0] if metric == "rmse" else np.column_stack([1 - shares, shares])
    np.savez(path, truth=truth, output=kept)
    ours = line("a", "x", score(outputs[0], everything), metric, predictions=str(path))
    theirs = line("b", "x", score(outputs[1], everything), metric, predictions=str(tmp_path / "gone.npz"))
    assert z_of_difference(ours, theirs) is None and z_if_independent(theirs, ours) is None
    draws = np.array([score(outputs[0], random.integers(0, 400, 400)) for _ in range(300)])
    power = 2 if metric == "rmse" else 1
    gap = (theirs["score"] ** power - ours["score"] ** power) * (-1 if metric == "auc" else 1)
    expected = gap / (np.sqrt(2) * (draws**power).std())
    assert z_if_independent(ours, theirs) == pytest.approx(expected, rel=0.15)


def test_hypervolume_of_a_staircase_counts_each_part_once() -> None:
    from compare import hypervolume

    slow_best, fast = (0.1, 1e3), (0.3, 1.0)  # scores 1 and 0.5, speeds 0.5 and 1
    assert hypervolume([slow_best, fast], constant=0.5, best=0.1) == pytest.approx(0.75)
    assert hypervolume([slow_best, fast, (0.4, 100.0)], constant=0.5, best=0.1) == pytest.approx(0.75)
