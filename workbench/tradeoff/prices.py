"""The price sheet, and the formulas for the price of predictions."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from workbench.automl import arguments
from workbench.errors import SettingsError, nearest, shown

_DEFAULT = Path(__file__).with_name("prices.toml")


@dataclass(frozen=True, slots=True)
class Traffic:
    """The expected number of calls.

    Attributes
    ----------
    calls_per_month : float
        Single-row calls in a month.
    peak_calls_per_s : float
        Single-row calls in the busiest second.
    example : bool
        Whether this is the example of the built-in sheet. An example is never called "your
        traffic".
    """

    calls_per_month: float = 1_000_000.0
    peak_calls_per_s: float = 10.0
    example: bool = False


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """The price of one instance, and its load.

    Attributes
    ----------
    instance : str
        Name of the instance, for display.
    usd_per_hour : float
        Price of one instance for one hour, in `currency`.
    vcpus, memory_gb : float
        CPU cores and memory of one instance.
    utilisation : float
        Target utilisation of the cores, in (0, 1].
    request_overhead_cpu_us : float
        CPU microseconds of one request outside the model (HTTP, JSON, checks).
    hours_per_month : float
        Billed hours of an instance in a month.
    min_replicas : int
        Minimum number of instances, also without traffic.
    currency : str
        Currency sign of displayed amounts; nothing is converted.
    traffic : Traffic
    budget_usd_per_month : float or None
        Budget for the machines of a month, in `currency`; candidates above it are marked.

    Raises
    ------
    SettingsError
        If a value is not valid.

    Examples
    --------
    >>> load_prices(None).utilisation
    0.5
    >>> PriceSheet("small", usd_per_hour=-1, vcpus=1)
    Traceback (most recent call last):
    ...
    workbench.errors.SettingsError: price sheet, usd_per_hour: found -1; expected a number of at least 0
    """

    instance: str
    usd_per_hour: float
    vcpus: float
    memory_gb: float = 8.0
    utilisation: float = 0.5
    request_overhead_cpu_us: float = 60.0
    hours_per_month: float = 730.0
    min_replicas: int = 1
    currency: str = "$"
    traffic: Traffic = Traffic(example=True)
    budget_usd_per_month: float | None = None

    def __post_init__(self) -> None:
        for name in ("instance", "currency"):
            if not isinstance(getattr(self, name), str):
                raise _bad(name, getattr(self, name), "a string")
        for name in ("vcpus", "memory_gb", "hours_per_month"):
            _check_number(name, getattr(self, name), above=True)
        for name in ("usd_per_hour", "request_overhead_cpu_us"):
            _check_number(name, getattr(self, name))
        _check_number("utilisation", self.utilisation, above=True, high=1.0)
        _check_number("traffic.calls_per_month", self.traffic.calls_per_month)
        _check_number("traffic.peak_calls_per_s", self.traffic.peak_calls_per_s)
        if type(self.traffic.example) is not bool:
            raise _bad("traffic.example", self.traffic.example, "true or false")
        if self.budget_usd_per_month is not None:
            _check_number("budget_usd_per_month", self.budget_usd_per_month)
        if type(self.min_replicas) is not int or self.min_replicas < 0:
            raise _bad("min_replicas", self.min_replicas, "a whole number of at least 0")

    def to_json(self) -> dict[str, Any]:
        """Return the sheet as a JSON object; `read_prices` reads it back."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Monthly:
    """The cost of a month of the sheet's traffic.

    Attributes
    ----------
    replicas : int
        Instances needed for the busiest second.
    usd : float
        Price of the month, in the sheet's currency.
    utilisation : float
        The share of the paid CPU time that the month's calls use.
    """

    replicas: int
    usd: float
    utilisation: float


def cpu_s_per_million(cpu_us_per_row: float, sheet: PriceSheet) -> float:
    """Return the CPU seconds of a million single-row requests, the request's own overhead included.

    One microsecond per request is one second per million requests.
    """
    return cpu_us_per_row + sheet.request_overhead_cpu_us


def price_per_million_usd(cpu_us_per_row: float, sheet: PriceSheet) -> float:
    """Return the price of a million single-row predictions at the utilisation of the sheet.

    ``price = CPU seconds / (3600 × vcpus × utilisation) × usd_per_hour``, where the CPU seconds of
    a million requests are ``cpu_us_per_row + request_overhead_cpu_us``.

    Parameters
    ----------
    cpu_us_per_row : float
        CPU microseconds of one in-process prediction.
    sheet : PriceSheet

    Returns
    -------
    float
        In the sheet's currency.

    Examples
    --------
    >>> sheet = PriceSheet("two cores", usd_per_hour=0.36, vcpus=2, utilisation=0.5)
    >>> round(price_per_million_usd(40.0, sheet), 6)  # 100 CPU seconds at 0.36 a busy core hour
    0.01
    """
    hours = cpu_s_per_million(cpu_us_per_row, sheet) / 3600.0
    return hours / (sheet.vcpus * sheet.utilisation) * sheet.usd_per_hour


def monthly(cpu_us_per_row: float, sheet: PriceSheet) -> Monthly:
    """Return the instances and the price of a month of the sheet's traffic.

    ``replicas = max(min_replicas, ⌈peak calls/s × CPU seconds a call / (vcpus × utilisation)⌉)``,
    ``price = replicas × usd_per_hour × hours_per_month``, ``utilisation = calls a month × CPU
    seconds a call / (replicas × vcpus × 3600 × hours_per_month)``.

    The fleet has a fixed size: the replicas of the busiest second are billed all month.

    Parameters
    ----------
    cpu_us_per_row : float
        CPU microseconds of one in-process prediction.
    sheet : PriceSheet

    Returns
    -------
    Monthly

    Examples
    --------
    >>> sheet = PriceSheet("two cores", 0.10, 2, traffic=Traffic(1e9, peak_calls_per_s=10_000))
    >>> month = monthly(140.0, sheet)  # 200 µs a request: 2 cores at the peak, 4 of them half busy
    >>> month.replicas, month.usd, round(month.utilisation, 3)
    (2, 146.0, 0.019)
    """
    cpu_s_per_call = cpu_s_per_million(cpu_us_per_row, sheet) / 1e6
    cores_at_peak = sheet.traffic.peak_calls_per_s * cpu_s_per_call / sheet.utilisation
    # A rounding error must not add an instance.
    replicas = max(sheet.min_replicas, math.ceil(cores_at_peak / sheet.vcpus - 1e-9))
    paid_cpu_s = replicas * sheet.vcpus * 3600.0 * sheet.hours_per_month
    used = sheet.traffic.calls_per_month * cpu_s_per_call / paid_cpu_s if paid_cpu_s else 0.0
    return Monthly(replicas, replicas * sheet.usd_per_hour * sheet.hours_per_month, used)


def load_prices(path: str | Path | None = None) -> PriceSheet:
    """Read a price sheet from TOML or JSON; None returns the built-in one.

    Raises
    ------
    SettingsError
        If the file cannot be read, or a key or value is not valid.

    Examples
    --------
    >>> load_prices().currency
    '$'
    """
    shipped = _read_document(_DEFAULT)
    if path is None:
        return read_prices(shipped)
    own = _read_document(arguments.path("prices", path))
    merged = {**shipped, **own}
    if isinstance(own.get("traffic"), dict):
        traffic = {**shipped["traffic"], "example": False, **own["traffic"]}
        if traffic != shipped["traffic"] and traffic.get("example") is True:
            traffic["example"] = False  # a copy of the built-in sheet with other figures
        merged["traffic"] = traffic
    try:
        return read_prices(merged)
    except SettingsError as error:
        raise SettingsError(
            f"{path}: {error.what}", found=error.found, expected=error.expected, hint=error.hint
        ) from None


def read_prices(document: Mapping[str, Any]) -> PriceSheet:
    """Build a price sheet from a mapping, such as `PriceSheet.to_json` gives.

    Raises
    ------
    SettingsError
        If a key is unknown or missing, or a value is not valid.
    """
    _check_keys(document, PriceSheet, "")
    values = dict(document)
    traffic = values.get("traffic", {})
    if not isinstance(traffic, Mapping):
        raise _bad("traffic", traffic, "a table with calls_per_month and peak_calls_per_s")
    _check_keys(traffic, Traffic, "traffic.")
    values["traffic"] = Traffic(**traffic)
    for name in ("instance", "usd_per_hour", "vcpus"):
        if name not in values:
            raise SettingsError(f"price sheet, {name}", found="nothing", expected="a value")
    return PriceSheet(**values)


def _check_keys(document: Mapping[str, Any], record: type, prefix: str) -> None:
    known = list(get_type_hints(record)) if prefix else [each.name for each in fields(PriceSheet)]
    for key in document:
        if key not in known:
            close = nearest(key, known, 1)
            hint = f"Did you mean {prefix}{close[0]}?" if close else None
            raise SettingsError(
                "price sheet", found=f"unknown key {prefix}{key}", expected=", ".join(known), hint=hint
            )


def _read_document(path: Path) -> dict[str, Any]:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(
            f"price sheet {path}", found="bytes that are not UTF-8", expected="TOML or JSON"
        ) from None
    except OSError as error:
        raise SettingsError(
            f"price sheet {path} cannot be read", found=error.strerror or str(error)
        ) from None
    try:
        document = json.loads(content) if path.suffix.lower() == ".json" else tomllib.loads(content)
    except ValueError as error:
        raise SettingsError(f"price sheet {path}", found=str(error), expected="TOML or JSON") from None
    if not isinstance(document, dict):
        raise SettingsError(f"price sheet {path}", found=type(document).__name__, expected="a JSON object")
    return document


def _check_number(name: str, value: Any, *, above: bool = False, high: float = math.inf) -> None:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if good and value >= 0 and (value > 0 or not above) and value <= high:
        return
    bound = "more than 0" if above else "of at least 0"
    until = f" and at most {high:g}" if math.isfinite(high) else ""
    raise _bad(name, value, f"a number {bound}{until}")


def _bad(name: str, value: Any, expected: str) -> SettingsError:
    return SettingsError(f"price sheet, {name}", found=shown(value), expected=expected)
