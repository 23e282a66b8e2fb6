from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import workbench
from tests.automl.conftest import make_data
from workbench.automl.features.encoder_fitting import learn
from workbench.automl.features.interactions import find_pairs
from workbench.automl.records.run_folder import RunFolder
from workbench.data.dataset import Dataset
from workbench.families.base import Encoding
from workbench.runtime.bundle.check import check_bundle
from workbench.runtime.core.schema import Column, Levels, Output, Schema


def flights(rows: int = 6_000, seed: int = 0, signal: float = 2.0) -> Dataset:
    """Routes with their own late hours; neither a route nor an hour is informative alone."""
    random = np.random.default_rng(seed)
    route, hour = random.integers(0, 80, rows), random.integers(0, 24, rows).astype(np.float64)
    hours = np.random.default_rng(99).integers(0, 2, (80, 24))
    late = signal * hours[route, hour.astype(np.int64)] + random.normal(size=rows)
    columns = {
        "route": Levels.of([f"r{each}" for each in route]),
        "hour": np.where(random.random(rows) < 0.02, np.nan, hour),
        "day": Levels.of([f"d{each}" for each in random.integers(0, 7, rows)]),
        "noise": random.normal(size=rows),
    }
    kinds = (
        Column("route", "category"),
        Column("hour", "number"),
        Column("day", "category"),
        Column("noise", "number"),
    )
    target = (late > np.median(late)).astype(np.int64)
    return Dataset(
        Schema(kinds, Output("late", "binary", ("no", "yes"))),
        columns,
        target,
        fingerprint="made",
        rows_read=rows,
    )


def test_an_interaction_is_found() -> None:
    assert find_pairs(flights()) == (("route", "hour"),)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_no_pair_is_found_in_noise(task: str) -> None:
    for seed in range(8):
        data = make_data(task, rows=1_500, seed=seed)
        shuffled = replace(data, y=np.random.default_rng(seed).permutation(data.y))
        assert find_pairs(shuffled, seed=seed) == ()


def test_a_column_that_another_determines_makes_no_pair() -> None:
    data = flights()
    wider = {**data.columns, "airport": Levels.of([str(text)[:2] for text in data.columns["route"].texts()])}  # type: ignore[union-attr] # levels
    schema = Schema((*data.schema.columns, Column("airport", "category")), data.schema.output)
    assert ("route", "airport") not in find_pairs(replace(data, schema=schema, columns=wider))


def test_a_pair_that_only_identifies_groups_is_not_found() -> None:
    data = flights()
    route, hour = data.columns["route"], np.nan_to_num(np.asarray(data.columns["hour"]))
    assert isinstance(route, Levels)
    group = route.codes.astype(np.int64) * 24 + hour.astype(np.int64)
    assert find_pairs(replace(data, group=group)) == ()


def test_only_the_given_rows_are_used() -> None:
    data = flights(12_000)
    told = np.arange(6_000)
    target = np.concatenate([data.y[told], np.random.default_rng(1).permutation(data.y[6_000:])])
    assert find_pairs(replace(data, y=target), told) == (("route", "hour"),)
    assert find_pairs(replace(data, y=target), np.arange(6_000, 12_000)) == ()


def test_several_classes_get_fewer_pairs_and_one_group_none() -> None:
    data = flights(8_000)
    route = data.columns["route"]
    assert isinstance(route, Levels)
    more = {
        f"hour{at}": np.random.default_rng(at).integers(0, 24, 8_000).astype(np.float64) for at in range(6)
    }
    tables = [np.random.default_rng(50 + at).normal(size=(80, 24)) for at in range(6)]
    score = sum(table[route.codes, more[f"hour{at}"].astype(int)] for at, table in enumerate(tables))
    schema = Schema(
        (*data.schema.columns, *(Column(name, "number") for name in more)),
        Output("y", "multiclass", tuple("abcdefgh")),
    )
    classes = np.digitize(score, np.quantile(score, np.linspace(0, 1, 9)[1:-1])).astype(np.int64)
    eight = replace(data, schema=schema, columns={**data.columns, **more}, y=classes)
    assert 1 <= len(find_pairs(eight)) <= 3
    assert find_pairs(replace(data, group=np.zeros(8_000, np.int64))) == ()


@pytest.mark.parametrize("rows", [1, 3, 30])
def test_few_rows_do_not_raise(rows: int) -> None:
    assert find_pairs(flights(rows)) == ()


def test_empty_columns_and_constant_targets_do_not_raise() -> None:
    data = flights(500)
    empty = {**data.columns, "hour": np.full(500, np.nan), "day": Levels(np.full(500, -1, np.int32), [])}
    assert find_pairs(replace(data, columns=empty)) == ()
    assert find_pairs(replace(data, y=np.zeros(500, np.int64))) == ()


def test_the_mean_of_a_pair_does_not_see_its_own_row() -> None:
    data = flights(signal=0.0)
    learned = learn(Encoding(pairs=(("route", "hour"),)), data)
    at = learned.encoder.feature_names().index("route × hour mean")
    in_fold = learned.encoder.encode_columns(data.columns)[:, at]
    assert np.corrcoef(in_fold, data.y)[0, 1] > 0.3
    assert abs(np.corrcoef(learned.matrix[:, at], data.y)[0, 1]) < 0.05


@pytest.mark.slow
def test_a_search_finds_serves_and_reproduces_them(tmp_path: Path) -> None:
    data = flights()
    texts = {name: each.texts() if isinstance(each, Levels) else each for name, each in data.columns.items()}
    frame = pd.DataFrame({**texts, "late": data.y})
    out = tmp_path / "run"
    run = workbench.search(frame, "late", trials=4, families=["lightgbm"], seed=1, workers=1, out=out)
    assert RunFolder.open(out).problem.pairs == (("route", "hour"),)
    tried = [each for each in RunFolder.open(out).candidates() if each.status == "ok" and each.kind == "bag"]
    scores = {
        each.params["pairs"]: each.score.value for each in tried if each.score and "pairs" in each.params
    }
    assert scores[True] > scores[False] + 0.1
    chosen = next(each.id for each in tried if each.params.get("pairs"))
    bundle = workbench.load(run.export(chosen, tmp_path / "bundle"))
    assert bundle.manifest.format_version == 2
    assert (tmp_path / "bundle" / "pipeline.onnx").exists()
    assert check_bundle(tmp_path / "bundle").ok
    assert run.reproduce(chosen).same
