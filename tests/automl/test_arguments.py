"""A wrong argument is refused by its own name, in one line, before any work starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.automl import arguments
from workbench.errors import UsageError

WRONG: list[tuple[str, Any]] = [
    ("costs", 5),
    ("costs", (1,)),
    ("costs", (1, 2, 3)),
    ("costs", "1,x"),
    ("costs", {1: 2, 3: 4}),
    ("costs", (0, 0)),
    ("metric", ["f1"]),
    ("metric", 5),
    ("families", 5),
    ("families", [1]),
    ("families", "linear,"),
    ("families", {"linear": 1}),
    ("drop", [["a"]]),
    ("drop", 1.5),
    ("time", []),
    ("time", "soon"),
    ("time", True),
    ("trials", "3"),
    ("trials", 1.5),
    ("trials", True),
    ("trials", 0),
    ("workers", 1.5),
    ("workers", "2"),
    ("seed", None),
    ("seed", "x"),
    ("seed", -1),
    ("seed", 2**31),
    ("holdout", "x"),
    ("holdout", [0.2]),
    ("holdout", float("nan")),
    ("holdout", 0.9),
    ("task", 5),
    ("task", "clasify"),
    ("positive", ["yes"]),
    ("group", ["a"]),
    ("group", frozenset(["a"])),
    ("time_column", np.array([1, 2])),
    ("weight", [1, 2]),
    ("max_latency", 5),
    ("max_latency", []),
    ("max_price", "x"),
    ("max_size", 5),
    ("max_memory", "lots"),
    ("storage", 5),
    ("prices", 5),
    ("traffic", 5),
    ("traffic", "often"),
    ("payoff", 5),
    ("unit", 5),
    ("name", 5),
    ("out", 5),
    ("progress", 5),
    ("stop", "yes"),
    ("used_s", "x"),
    ("target", ["y"]),
    ("target", None),
    ("target", pd.Series(["yes", "no"])),
    ("data", np.zeros((3, 2))),
    ("data", None),
    ("data", [1, 2]),
    ("data", pd.Series([1, 2])),
]


@pytest.mark.parametrize(
    ("name", "value"),
    WRONG,
    ids=[f"{name}={type(value).__name__}-{at}" for at, (name, value) in enumerate(WRONG)],
)
def test_a_search_names_the_wrong_argument(name: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "workbench.automl.coordinator.pool.fork_server_client.Spawner.__enter__", _not_reached
    )
    given: dict[str, Any] = {"data": pd.DataFrame({"a": [1], "y": ["no"]}), "target": "y", name: value}
    with pytest.raises(UsageError) as caught:
        wb.search(**given)
    message = str(caught.value)
    assert message.startswith(f"{name}: found ") and "expected" in message
    assert "--" not in message and "\n" not in message


def _not_reached(*_: object) -> None:
    raise AssertionError("the workers were started before the arguments were checked")


@pytest.mark.parametrize("name", ["code", "famlies", "time_s", "max_latency_us", "trial"])
def test_an_unknown_setting_is_named(name: str) -> None:
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
        wb.search("a.csv", "y", **{name: "1"})  # type: ignore[arg-type]


def test_a_list_of_names_may_be_any_iterable_or_one_name() -> None:
    assert arguments.columns("drop", "a,b") == ("a,b",)  # a column's name may hold a comma
    assert arguments.columns("drop", pd.Index(["a", "b"])) == ("a", "b")
    assert arguments.columns("drop", [0, ("a", 1)]) == ("0", "('a', 1)")
    assert arguments.words("families", "linear, mlp", "") == ("linear", "mlp")
    assert arguments.words("families", {"linear"}, "") == ("linear",)
    assert arguments.whole("trials", np.int64(3), 1) == 3


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: wb.resume(5), "path"),
        (lambda: wb.resume("runs/x", time=[]), "time"),
        (lambda: wb.resume("runs/x", trials="3"), "trials"),
        (lambda: wb.resume("runs/x", progress=1), "progress"),
        (lambda: wb.open_run(5), "path"),
        (lambda: wb.open_run(""), "path"),
        (lambda: wb.load(None), "path"),
    ],
)
def test_the_other_doors_name_theirs(call: Any, name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name}: found "):
        call()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"how": 5}, "how"),
        ({"how": ["best"]}, "how"),
        ({"how": "bst"}, "how"),
        ({"max_latency": 5}, "max_latency"),
        ({"max_price": "cheap"}, "max_price"),
        ({"max_size": 3}, "max_size"),
        ({"prices": 5}, "prices"),
    ],
)
def test_a_pick_names_its_own(searched: Path, options: dict[str, Any], name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name}: found "):
        wb.open_run(searched / "runs" / "small").pick(**options)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"choice": 5}, "choice"),
        ({"path": 5}, "path"),
        ({"name": 5}, "name"),
        ({"name": "a/b"}, "name"),
        ({"version": 2}, "version"),
        ({"note": ["why"]}, "note"),
        ({"by": 5}, "by"),
        ({"overwrite": "yes"}, "overwrite"),
        ({"hashes": 1}, "hashes"),
        ({"code": 5}, "code"),
        ({"code": "cobol"}, "code"),
        ({"sign": 5}, "sign"),
        ({"threshold": "0.5"}, "threshold"),
        ({"threshold": 2.0}, "threshold"),
        ({"progress": 5}, "progress"),
    ],
)
def test_an_export_names_its_own(searched: Path, tmp_path: Path, options: dict[str, Any], name: str) -> None:
    run = wb.open_run(searched / "runs" / "small")
    given = {"choice": "best", "path": tmp_path / "b", **options}
    with pytest.raises(UsageError, match=f"^{name}: found "):
        run.export(**given)
    assert not (tmp_path / "b").exists()


def test_an_unknown_option_of_an_export_is_named(searched: Path, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="overwite"):
        wb.open_run(searched / "runs" / "small").export("best", tmp_path / "b", overwite=True)  # type: ignore[call-arg]
