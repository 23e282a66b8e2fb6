"""Parse traffic profiles: calls over a time that repeats."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from workbench.automl import arguments
from workbench.errors import SettingsError, shown

from .prices import Traffic

_PIECE = re.compile(r"\s*([\d_.]+)\s*/\s*([\d.]+\s*[a-z]*)\s*")
_SIGMAS = 3.0  # standard deviations between the mean and the busiest second of Poisson arrivals
_MONTH_S = 365.0 / 12.0 * 86_400.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A number of calls over a time in seconds."""

    calls: float
    seconds: float

    @property
    def busiest_per_s(self) -> float:
        """Calls in the busiest second of Poisson arrivals: ``mean + 3 √mean``."""
        mean = self.calls / self.seconds
        return mean + _SIGMAS * math.sqrt(mean)


def read_traffic(text: str) -> list[Piece]:
    """Parse traffic: ``CALLS/TIME`` pieces, or requests per second by hour.

    Parameters
    ----------
    text : str
        Such as ``100/30m,10000/30m``, or ``hourly:2,2,1,1,5,20`` with one number per hour.

    Raises
    ------
        SettingsError
        If the text is not a traffic profile.

    Examples
    --------
    >>> read_traffic("100/30m,10000/30m")
    [Piece(calls=100.0, seconds=1800.0), Piece(calls=10000.0, seconds=1800.0)]
    >>> read_traffic("hourly:2,0.5")[1]
    Piece(calls=1800.0, seconds=3600.0)
    """
    kind, colon, numbers = text.partition(":")
    pieces = []
    for part in (numbers if colon else text).split(","):
        found = _PIECE.fullmatch(part if not colon else f"{part}/1h")
        if not found or (colon and kind.strip() != "hourly"):
            expected = "calls and times such as 100/30m,10000/30m, or requests/s such as hourly:2,5,20"
            raise SettingsError("traffic", found=shown(text), expected=expected)
        seconds = arguments.duration("traffic", found[2])
        try:
            calls = float(found[1]) * (seconds if colon else 1.0)
        except ValueError:
            raise SettingsError("traffic", found=shown(part), expected="a number of calls") from None
        pieces.append(Piece(calls, seconds))
    return pieces


def parse_traffic(text: str) -> Traffic:
    """Return the calls of a month and of its busiest second, for a profile that repeats all month.

    Parameters
    ----------
    text : str
        As for `read_traffic`: ``1000000/30d`` is a million calls a month, ``100/30m,10000/30m``
        alternates a quiet and a busy half hour.

    Raises
    ------
        SettingsError
        If the text is not a traffic profile, or has no calls.

    Examples
    --------
    >>> traffic = parse_traffic("3600/1h")
    >>> round(traffic.calls_per_month), traffic.peak_calls_per_s
    (2628000, 4.0)
    """
    pieces = read_traffic(text)
    seconds = sum(piece.seconds for piece in pieces)
    calls = sum(piece.calls for piece in pieces) / seconds * _MONTH_S
    if not calls > 0:
        raise SettingsError("traffic", found=shown(text), expected="some calls, such as 10000/1d")
    return Traffic(calls, max(piece.busiest_per_s for piece in pieces))
