"""The number of replicas for expected traffic, and their price."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench.tradeoff.prices import PriceSheet
from workbench.tradeoff.traffic import Piece


@dataclass(frozen=True, slots=True)
class Need:
    """The replicas for one traffic profile.

    Attributes
    ----------
    calls, seconds : float
    busiest_per_s : float
    replicas : int
        Instances of the price sheet.
    cpu_percent : float
        Average CPU use of their cores.
    price : float
        The price of the replicas for that time, in the currency of the price sheet.
    currency : str
    """

    calls: float
    seconds: float
    busiest_per_s: float
    replicas: int
    cpu_percent: float
    price: float
    currency: str

    def to_json(self) -> dict[str, Any]:
        """Return the record as a JSON object."""
        return asdict(self)

    def to_text(self) -> str:
        """Return the record as one line of text.

        Examples
        --------
        >>> print(Need(10000, 1800, 12.6, 1, 0.03, 0.05, "$").to_text())
        10,000 calls in 30 min (12.6/s in the busiest second): 1 replica, 0.0 % busy, $0.05
        """
        many = f"{self.replicas} replica{'' if self.replicas == 1 else 's'}"
        time = f"{self.seconds / 60:g} min" if self.seconds < 7200 else f"{self.seconds / 3600:g} h"
        busy = f"({self.busiest_per_s:,.1f}/s in the busiest second)"
        price = f"{self.currency}{self.price:.2g}"
        return f"{self.calls:,.0f} calls in {time} {busy}: {many}, {self.cpu_percent:.1f} % busy, {price}"


def needs(pieces: Sequence[Piece], cpu_us_per_request: float, sheet: PriceSheet) -> tuple[Need, ...]:
    """Return the replicas for each traffic profile, from the measured CPU time of a request.

    ``replicas = max(min_replicas, 1, ⌈busiest calls/s × CPU seconds a call / (vcpus ×
    utilisation)⌉)``

    Examples
    --------
    >>> from workbench.tradeoff.prices import load_prices
    >>> from workbench.tradeoff.traffic import read_traffic
    >>> few, many = needs(read_traffic("100/30m,10000000/30m"), 100.0, load_prices())
    >>> few.replicas, many.replicas, round(many.price, 2)
    (1, 1, 0.05)
    """
    out = []
    for piece in pieces:
        cores = piece.busiest_per_s * cpu_us_per_request / 1e6 / sheet.utilisation
        replicas = max(sheet.min_replicas, 1, math.ceil(cores / sheet.vcpus - 1e-9))
        busy = piece.calls * cpu_us_per_request / 1e6 / (replicas * sheet.vcpus * piece.seconds)
        price = replicas * sheet.usd_per_hour * piece.seconds / 3600.0
        out.append(
            Need(
                piece.calls, piece.seconds, piece.busiest_per_s, replicas, busy * 100.0, price, sheet.currency
            )
        )
    return tuple(out)


def targets(cpu_us_per_request: float, sheet: PriceSheet, most_busy: float | None = None) -> dict[str, float]:
    """Return the targets of an autoscaler: CPU use as a share, and requests per second.

    Parameters
    ----------
    cpu_us_per_request : float
    sheet : PriceSheet
        Its utilisation is the target share of a core.
    most_busy : float, optional
        The measured share above which latency is too high; the target is at most this share.

    Examples
    --------
    >>> from workbench.tradeoff.prices import load_prices
    >>> targets(100.0, load_prices())
    {'cpu_percent': 50, 'requests_per_s_per_core': 5000.0}
    """
    busy = sheet.utilisation if most_busy is None else min(sheet.utilisation, most_busy)
    rate = busy * 1e6 / cpu_us_per_request
    return {"cpu_percent": max(1, round(100 * busy)), "requests_per_s_per_core": round(rate, 1)}
