"""Upper limits on latency, price, size and memory, and the candidates within them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from workbench.automl import arguments

from .leaderboard_row import LeaderboardRow


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper limits of a model; None means no limit.

    Attributes
    ----------
    max_latency_us : float or None
        p99 of one row in process, microseconds.
    max_price_usd : float or None
        Price of a million predictions.
    max_size_mb : float or None
        Size of the artifact.
    max_memory_mb : float or None
        Peak memory of the process that trained it.

    Examples
    --------
    >>> Limits.parse(max_latency="5ms", max_size="50MB")
    Limits(max_latency_us=5000.0, max_price_usd=None, max_size_mb=50.0, max_memory_mb=None)
    """

    max_latency_us: float | None = None
    max_price_usd: float | None = None
    max_size_mb: float | None = None
    max_memory_mb: float | None = None

    @classmethod
    def parse(
        cls,
        max_latency: str | None = None,
        max_price: str | float | None = None,
        max_size: str | None = None,
        max_memory: str | None = None,
    ) -> Limits:
        """Read the limits as they are written on the command line.

        Raises
        ------
        SettingsError
            If a limit is not valid or lacks its unit.
        """
        return cls(
            None if max_latency is None else arguments.latency("max_latency", max_latency),
            None if max_price is None else arguments.price("max_price", max_price),
            None if max_size is None else arguments.size("max_size", max_size),
            None if max_memory is None else arguments.size("max_memory", max_memory),
        )

    def meets(self, row: LeaderboardRow) -> bool:
        """Return whether a leaderboard row is within every limit."""
        return not self.shortfalls(row)

    def shortfalls(self, row: LeaderboardRow) -> list[Shortfall]:
        """Return the limits that a leaderboard row exceeds; an unknown value exceeds its limit.

        Examples
        --------
        >>> row = LeaderboardRow("c1", "linear", latency_p99_us=80.0)
        >>> [str(miss) for miss in Limits(max_latency_us=50).shortfalls(row)]
        ['p99 latency 80 µs, limit 50 µs (1.6 times)']
        """
        out = []
        for limit, column in _COLUMN_OF.items():
            bound = getattr(self, limit)
            if bound is None:
                continue
            value = getattr(row, column)
            if value is None or not value <= bound:
                out.append(Shortfall(limit, column, math.inf if value is None else float(value), bound))
        return out

    def to_json(self) -> dict[str, float]:
        """Return the limits that are set."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def __bool__(self) -> bool:
        return bool(self.to_json())


_COLUMN_OF = {
    "max_latency_us": "latency_p99_us",
    "max_price_usd": "price_per_million_usd",
    "max_size_mb": "artifact_mb",
    "max_memory_mb": "peak_memory_mb",
}
_WORDS = {
    "max_latency_us": ("p99 latency", "µs"),
    "max_price_usd": ("price per million", ""),
    "max_size_mb": ("size", "MB"),
    "max_memory_mb": ("training memory", "MB"),
}


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A limit that a row exceeds.

    Attributes
    ----------
    limit : str
        The field of `Limits`.
    column : str
        The column of the leaderboard.
    value, bound : float
        The value (infinity if it is not known) and the limit.
    """

    limit: str
    column: str
    value: float
    bound: float

    @property
    def times(self) -> float:
        """The value as a multiple of the limit."""
        return self.value / self.bound

    def __str__(self) -> str:
        words, unit = _WORDS[self.limit]
        bound = f"{self.bound:.4g} {unit}".strip()
        if math.isinf(self.value):
            return f"{words} not known, limit {bound}"
        return f"{words} {f'{self.value:.4g} {unit}'.strip()}, limit {bound} ({self.times:.3g} times)"
