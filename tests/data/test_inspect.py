"""What inspection finds, and how it says so."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from workbench.data import inspect_data, load_dataset
from workbench.data.checks.input_findings import check_inputs
from workbench.errors import DataError

N = 200


def table(**more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "id": list(range(N)),
        "size": rng.normal(size=N).round(6).tolist(),
        "colour": [None if at % 10 == 0 else "red" if at % 3 else "blue" for at in range(N)],
        "fixed": ["same"] * N,
        "sold": rng.choice(["yes", "no"], N).tolist(),
        **more,
    }


def checks(**more: Any) -> list[tuple[str, str | None]]:
    found = check_inputs(load_dataset(table(**more), target="sold"))
    return [(finding.code, finding.column) for finding in found]


def test_every_column_is_reported_with_its_role() -> None:
    found = inspect_data(table(old=[1, 2] * 100), target="sold", drop=["old"])
    assert {column.name: column.role for column in found.columns} == {
        "id": "identifier", "size": "input", "colour": "input", "fixed": "constant", "sold": "target", "old": "dropped"
    }  # fmt: skip
    colour = found.columns[2]
    assert (colour.kind, colour.missing_ratio, colour.distinct, colour.examples) == (
        "category",
        0.1,
        2,
        ("red", "blue"),
    )
    assert colour.alone is not None and abs(colour.alone - 0.5) < 0.2
    assert found.columns[0].alone is None
    size = found.columns[1]
    assert isinstance(size.low, float) and isinstance(size.high, float) and size.low < 0 < size.high
    assert found.target is not None
    assert found.target["task"] == "binary"
    assert sum(found.target["classes"].values()) == found.target["rows"] == N


def test_without_a_target_columns_are_described_all_the_same() -> None:
    found = inspect_data(table())
    assert found.target is None
    assert [finding.code for finding in found.findings] == ["identifier", "constant"]


def test_the_report_is_json() -> None:
    when = [str(day) for day in np.datetime64("2024-01-01") + np.arange(N) % 30]
    document = json.loads(
        json.dumps(inspect_data(table(when=when), target="sold").to_json(), allow_nan=False)
    )
    assert set(document) == {"name", "rows", "columns", "target", "findings"}
    dates = next(column for column in document["columns"] if column["name"] == "when")
    assert (dates["low"], dates["high"]) == ("2024-01-01T00:00:00", "2024-01-30T00:00:00")


def test_the_text_has_a_line_a_column_and_a_line_a_finding() -> None:
    found = inspect_data(table(), target="sold")
    text = found.to_text()
    for column in found.columns:
        assert any(line.startswith(column.name) for line in text.splitlines())
    for finding in found.findings:
        assert finding.message in text
    assert "target sold: binary" in text


def test_long_texts_are_cut() -> None:
    wide = {f"column {at}": [str(each) for each in range(40)] for at in range(120)}
    wide |= {f"gap {at}": [None] * 30 + ["x", "z"] * 5 for at in range(20)}
    found = inspect_data({**wide, "y": [0, 1] * 20}, target="y")
    lines = found.to_text().splitlines()
    assert sum(line.startswith("column ") for line in lines) <= 81
    assert any("more columns (to_json() has all)" in line for line in lines)
    assert "(--json has all)" in found.to_text(complete="--json has all")
    assert sum("values are missing" in line for line in lines) == 4
    assert any("16 more mostly_missing" in line for line in lines)


def test_repeated_rows_are_counted_without_identifiers() -> None:
    frame = {name: values[: N // 2] * 2 for name, values in table().items()}
    frame["id"] = list(range(N))
    found = check_inputs(load_dataset(frame, target="sold"))
    assert found[0].code == "duplicate_rows"
    assert "100 rows (50.0%)" in found[0].message
    assert checks() == []


def test_columns_that_say_the_same() -> None:
    base = table()
    twin = [{"red": "R", "blue": "B", None: None}[colour] for colour in base["colour"]]
    scaled = [each * 2 for each in base["size"]]
    assert checks(twin=twin) == [("duplicate_columns", "twin")]
    assert checks(copy=base["size"]) == [("duplicate_columns", "copy")]
    assert checks(scaled=scaled, noise=np.random.default_rng(9).normal(size=N)) == []


def test_columns_that_differ_only_far_down_are_not_the_same() -> None:
    rng = np.random.default_rng(0)
    n_rows = 30_000
    one = rng.integers(0, 5, n_rows)
    other = one.copy()
    other[-1] = 5
    data = load_dataset(
        {"a": one, "b": other, "c": rng.normal(size=n_rows), "y": rng.integers(0, 2, n_rows)}, target="y"
    )
    assert check_inputs(data) == []


@pytest.mark.parametrize(("code", "found"), [(999.0, True), (-99.0, True), (1000.0, False), (9.0, False)])
def test_codes_for_missing_values(code: float, found: bool) -> None:
    values = np.random.default_rng(1).integers(0, 7, N).astype(float)
    values[::10] = code
    found_in = {(each.code, each.column) for each in load_dataset(table(v=values), target="sold").findings}
    assert (("missing_code", "v") in found_in) is found
    without_target = {(each.code, each.column) for each in inspect_data(table(v=values)).findings}
    assert (("missing_code", "v") in without_target) is found


def test_gaps_and_dates() -> None:
    day = np.datetime64("2024-01-01") + np.random.default_rng(2).permutation(N)
    found = check_inputs(
        load_dataset(
            table(
                gap=[None] * 150 + [1, 2] * 25,
                when=[str(each) for each in day],
                odd=["1800-01-01", "2024-01-01"] * 100,
            ),
            target="sold",
        )
    )
    said = {(each.code, each.column): each.message for each in found}
    assert "75.0%" in said["mostly_missing", "gap"]
    assert "not in order" in said["dates", "when"]
    assert "`time_column='when'`" in said["dates", "when"]
    assert "100 dates" in said["odd_dates", "odd"]


def test_large_data_are_sampled_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.data.checks.input_findings.MOST_ROWS", 100)
    assert checks()[0] == ("sampled", None)


def test_what_cannot_be_used_is_an_error_here_too() -> None:
    with pytest.raises(DataError, match="Did you mean 'sold'"):
        inspect_data(table(), target="solt")
    with pytest.raises(DataError, match="constant"):
        inspect_data(table(), target="fixed")
    with pytest.raises(DataError, match="column to drop"):
        inspect_data(table(), drop=["nothing"])


def test_the_strongest_columns_are_named_for_a_person_to_judge() -> None:
    rng = np.random.default_rng(1)
    sold = ["yes" if at % 3 == 0 else "no" for at in range(N)]
    hint = [float(at % 3 == 0) + noise for at, noise in enumerate(rng.normal(0.0, 0.7, N))]
    found = inspect_data(table(sold=sold, hint=hint), target="sold")
    [finding] = [each for each in found.findings if each.code == "strongest_columns"]
    assert "'hint' 0." in finding.message and "'size'" not in finding.message
    assert finding.severity == "info"


def test_few_missing_values_are_not_none() -> None:
    rare = [None, *range(5000)]
    shown = inspect_data({"a": [at % 7 for at in range(5001)], "b": rare}).to_text()
    assert "<0.1%" in shown
