from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from tests.runtime.made import ROWS
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.bundle.golden import GoldenFailure, GoldenReport
from workbench.runtime.bundle.manifest_records import TrainingData
from workbench.runtime.errors import InputError, NotReadyError
from workbench.runtime.serving.readiness import _age, check_readiness
from workbench.runtime.serving.serving_settings import ServeSettings

GOOD = GoldenReport(60)
DAY = 86400.0
READ = 1769817600.0  # 2026-01-31, the date of the test bundle's data


def code_of(bundle: Bundle, *, now: float = READ, golden: GoldenReport = GOOD, **options: object) -> str:
    readiness = check_readiness(bundle, ServeSettings(**options), golden=golden, clock=lambda: now)  # type: ignore[arg-type]
    fault = readiness.fault()
    assert readiness.codes() == ({fault.code} if fault else set())
    return fault.code if fault else ""


def test_the_model_expected_is_let_through(bundle: Bundle) -> None:
    digest = bundle.manifest.model_id
    for expect in ("churn@3", digest, digest[:12], f"sha256:{digest.upper()}"):
        assert code_of(bundle, expect=expect) == ""


def test_another_model_is_not(bundle: Bundle) -> None:
    for expect in ("churn@2", "other@3", "0" * 64, "0123456789ab"):
        assert code_of(bundle, expect=expect) == "wrong_model"
    readiness = check_readiness(bundle, ServeSettings(expect="churn@2"), golden=GOOD)
    with pytest.raises(NotReadyError, match=r"wrong model: found churn@3 with digest .*; expected churn@2"):
        readiness.require()


@pytest.mark.parametrize("expect", ["churn", "abc123", "@3", "churn@", ""])
def test_what_names_no_model_is_wrong_usage(bundle: Bundle, expect: str) -> None:
    with pytest.raises(InputError, match="`expect`"):
        code_of(bundle, expect=expect)


def test_data_grows_old_while_a_server_runs(bundle: Bundle) -> None:
    now = [READ + 89 * DAY]
    settings = ServeSettings(max_data_age_s=90 * DAY)
    readiness = check_readiness(bundle, settings, golden=GOOD, clock=lambda: now[0])
    assert readiness.fault() is None
    assert readiness.data_age_s() == 89 * DAY
    now[0] += DAY
    fault = readiness.fault()
    assert fault is not None
    assert fault.code == "stale_data"
    assert "found data of 2026-01-31; expected data of at most 90 days" in fault.text


def test_data_without_a_date_is_stale(bundle: Bundle) -> None:
    data = TrainingData("c0ffee", 10)
    undated = Bundle(bundle.path, dataclasses.replace(bundle.manifest, data=data), bundle.predictor)
    assert code_of(undated, max_data_age_s=1e9) == "stale_data"
    assert code_of(undated) == ""


def test_golden_rows_that_differ_are_named(bundle: Bundle) -> None:
    failures = tuple(GoldenFailure(line, "alone", "[0.1]", "[0.2]") for line in (9, 7, 7))
    assert code_of(bundle, golden=GoldenReport(60, failures)) == "golden_rows"
    fault = check_readiness(bundle, ServeSettings(), golden=GoldenReport(60, failures)).fault()
    assert fault is not None
    assert fault.more == {"lines": [7, 9]}
    assert code_of(bundle, golden=GoldenReport(0)) == "golden_rows"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"tenure": None}, "column 'tenure' is missing: found columns Monthly Charges"),
        ({"tenure": None, "tenures": 3}, "Did you mean 'tenures'?"),
        ({"tenure": "gold"}, "column 'tenure': found 'gold'; expected a number"),
    ],
)
def test_a_sample_of_what_callers_send(
    bundle: Bundle, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    rows = [
        {name: value for name, value in {**row, **change}.items() if value is not None} for row in ROWS[:1]
    ]
    path = tmp_path / "sample.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows * 3), encoding="utf-8")
    assert code_of(bundle, sample=str(path)) == ("forgotten_feature" if words else "")
    fault = check_readiness(bundle, ServeSettings(sample=str(path)), golden=GOOD).fault()
    assert words in (fault.text if fault else "")


def test_a_sample_may_be_the_body_of_a_request(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps({"rows": ROWS}), encoding="utf-8")
    assert code_of(bundle, sample=str(path)) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(90 * 86400.0, "90 days"), (5400.0, "1.5 hours"), (60.0, "1 minutes"), (0.5, "0.5 seconds")],
)
def test_ages_are_told_in_units_that_fit(seconds: float, words: str) -> None:
    assert _age(seconds) == words


def test_a_sample_that_cannot_be_read_is_wrong_usage(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        code_of(bundle, sample=str(tmp_path / "nowhere.csv"))
    (tmp_path / "empty.csv").write_text(",".join(bundle.predictor.names) + "\n")
    with pytest.raises(InputError, match="no rows"):
        code_of(bundle, sample=str(tmp_path / "empty.csv"))
