from __future__ import annotations

import json
import math
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import SettingsError
from workbench.tradeoff.prices import (
    Monthly,
    PriceSheet,
    Traffic,
    load_prices,
    monthly,
    price_per_million_usd,
    read_prices,
)

SHEET = PriceSheet("two cores", usd_per_hour=0.36, vcpus=2.0, utilisation=0.5, request_overhead_cpu_us=60.0)


def test_a_million_requests_of_100_cpu_microseconds_take_100_cpu_seconds() -> None:
    # 100 s on a fleet whose busy core costs 0.36 / (2 cores x 0.5) = 0.36 an hour
    assert price_per_million_usd(40.0, SHEET) == pytest.approx(100 / 3600 * 0.36)


@given(cpu=st.floats(0.1, 1e6), factor=st.floats(1.1, 50))
def test_price_grows_with_cpu_time_and_falls_with_utilisation(cpu: float, factor: float) -> None:
    price = price_per_million_usd(cpu, SHEET)
    assert price_per_million_usd(cpu * factor, SHEET) > price
    assert price_per_million_usd(cpu, replace(SHEET, utilisation=1.0)) == pytest.approx(price / 2)
    assert price_per_million_usd(cpu, replace(SHEET, usd_per_hour=0.72)) == pytest.approx(price * 2)


def test_monthly_pays_the_replicas_of_the_busiest_second() -> None:
    # 10,000 calls/s x 200 us = 2 busy cores, 4 at half utilisation, two instances of two cores
    sheet = replace(SHEET, traffic=Traffic(calls_per_month=1e9, peak_calls_per_s=10_000.0))
    assert monthly(140.0, sheet) == Monthly(
        2, 2 * 0.36 * 730, pytest.approx(1e9 * 200e-6 / (2 * 2 * 3600 * 730))
    )


def test_monthly_never_rents_less_than_the_least_number_of_replicas() -> None:
    idle = replace(SHEET, min_replicas=3, traffic=Traffic(0.0, 0.0))
    assert monthly(10.0, idle) == Monthly(3, pytest.approx(3 * 0.36 * 730), 0.0)
    assert monthly(10.0, replace(idle, min_replicas=0)) == Monthly(0, 0.0, 0.0)


@given(cpu=st.floats(0.1, 1e5), peak=st.floats(0, 1e5), cores=st.floats(0.25, 96))
def test_replicas_carry_the_peak_and_one_less_would_not(cpu: float, peak: float, cores: float) -> None:
    sheet = replace(SHEET, vcpus=cores, min_replicas=0, traffic=Traffic(1.0, peak))
    needed = peak * (cpu + 60.0) / 1e6 / 0.5 / cores
    replicas = monthly(cpu, sheet).replicas
    assert replicas >= needed - 1e-6
    assert replicas - 1 < needed or replicas == 0


def test_the_sheet_that_ships_is_the_default_of_a_file_that_says_less(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text('usd_per_hour = 1\ncurrency = "€"\n[traffic]\npeak_calls_per_s = 99\n', encoding="utf-8")
    own, shipped = load_prices(path), load_prices()
    assert own == replace(
        shipped,
        usd_per_hour=1,
        currency="€",
        traffic=Traffic(shipped.traffic.calls_per_month, peak_calls_per_s=99),
    )


def test_json_and_to_json_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(SHEET.to_json()), encoding="utf-8")
    assert load_prices(path) == SHEET == read_prices(SHEET.to_json())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("usd_per_hourr = 1", "unknown key usd_per_hourr"),
        ("usd_per_hour = -1", "usd_per_hour: found -1"),
        ('usd_per_hour = "cheap"', "found 'cheap'; expected a number"),
        ("usd_per_hour = nan", "usd_per_hour: found nan"),
        ("vcpus = 0", "vcpus: found 0"),
        ("vcpus = true", "vcpus: found True"),
        ("utilisation = 50", "utilisation: found 50"),
        ("min_replicas = 1.5", "a whole number"),
        ("currency = 3", "currency: found 3"),
        ("traffic = 3", "traffic: found 3"),
        ("[traffic]\npeak = 3", "unknown key traffic.peak"),
        ("[traffic]\ncalls_per_month = -3", "traffic.calls_per_month: found -3"),
        ("usd_per_hour = ", "expected TOML or JSON"),
    ],
)
def test_a_sheet_that_makes_no_sense_is_refused_by_key(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_prices(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_misspelt_key_is_answered_with_the_right_one(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"utilization": 0.5}')
    with pytest.raises(SettingsError, match="Did you mean utilisation"):
        load_prices(tmp_path / "p.json")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00x", b"[1, 2]"])
def test_files_that_are_no_sheet(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "prices.json"
    path.write_bytes(content)
    with pytest.raises(SettingsError):
        load_prices(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_prices(tmp_path / "none.toml")


def test_infinite_numbers_are_refused() -> None:
    with pytest.raises(SettingsError):
        replace(SHEET, hours_per_month=math.inf)


def test_a_copied_sheet_with_other_traffic_is_no_example(tmp_path: Path) -> None:
    shipped = files("workbench.tradeoff").joinpath("prices.toml").read_text(encoding="utf-8")
    path = tmp_path / "prices.toml"
    path.write_text(shipped, encoding="utf-8")
    assert load_prices(path).traffic.example
    path.write_text(
        shipped.replace("calls_per_month = 1_000_000", "calls_per_month = 5_000_000"), encoding="utf-8"
    )
    assert not load_prices(path).traffic.example
    path.write_text("usd_per_hour = 1", encoding="utf-8")
    assert load_prices(path).traffic.example
