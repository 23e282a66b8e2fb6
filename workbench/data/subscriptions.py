"""A simulated table of a streaming service's customers, whose probabilities of cancelling are
known.

Each row is drawn in two steps. Nine independent *factors* with a few *states* each (how long ago
the customer signed up, the sentiment of the last comment, …) determine the log-odds of cancelling.
Then columns express the states with irrelevant variation: a state "less than two hours a week"
becomes a number below two, a tier of cities becomes one of its cities, a sentiment becomes a
sentence. The columns determine the states exactly and carry nothing else, so the true probability
of a row has finitely many values with known frequencies, and the best ROC AUC on new rows is
computed by enumeration, not estimated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

TARGET = "cancelled"
ROWS = 4000

_TODAY = np.datetime64("2025-06-30")
_BASE = -1.7
_NO_CONTACT = "never"


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor that affects cancelling.

    Attributes
    ----------
    name : str
    states : tuple of str
    shares : tuple of float
        The probability of each state; they sum to 1.
    effects : tuple of float
        The effect of each state on the log-odds.
    """

    name: str
    states: tuple[str, ...]
    shares: tuple[float, ...]
    effects: tuple[float, ...]


FACTORS = (
    Factor("plan", ("basic", "standard", "premium"), (0.45, 0.35, 0.2), (0.5, 0.0, -0.5)),
    Factor("contract", ("monthly", "yearly"), (0.65, 0.35), (0.6, -1.1)),
    Factor("tickets", ("none", "few", "many"), (0.6, 0.28, 0.12), (-0.3, 0.2, 1.1)),
    Factor("login", ("recent", "weeks", "months", _NO_CONTACT), (0.5, 0.25, 0.15, 0.1), (-0.7, 0.1, 1.2, 0.6)),
    Factor("tier", ("fibre", "cable", "remote"), (0.5, 0.3, 0.2), (-0.5, 0.1, 1.0)),
    Factor("tenure", ("new", "settled", "loyal"), (0.25, 0.45, 0.3), (0.9, 0.0, -0.8)),
    Factor("mood", ("silent", "happy", "neutral", "unhappy"), (0.55, 0.2, 0.13, 0.12), (0.0, -0.9, 0.1, 1.3)),
    Factor("hours", ("low", "medium", "high"), (0.3, 0.45, 0.25), (0.8, 0.0, -0.6)),
    Factor("auto_renew", ("off", "on"), (0.4, 0.6), (0.7, -0.5)),
)  # fmt: skip

_TICKETS = {"none": (0, 0), "few": (1, 2), "many": (3, 9)}
_LOGIN_DAYS = {"recent": (0, 9), "weeks": (10, 34), "months": (35, 160)}
_TENURE_DAYS = {"new": (20, 182), "settled": (183, 729), "loyal": (730, 2200)}
_HOURS = {"low": (0.0, 2.0), "medium": (2.0, 8.0), "high": (8.0, 30.0)}
_PRICES = {"basic": 7.99, "standard": 12.99, "premium": 17.99}
_PAYMENTS = ("credit card", "direct debit", "invoice", "online wallet")
_CITIES_A_TIER = 60
_OPENERS = (
    "To be honest,",
    "So far",
    "Overall",
    "For me",
    "Lately",
    "At home",
    "On my phone",
    "As a family we feel",
)
_SUBJECTS = (
    "the catalogue", "the app", "the picture quality", "the support team", "the sound", "the price", "the search",
    "the kids section", "the film archive", "the new layout", "the download feature", "the sport channel",
)  # fmt: skip
_JUDGEMENTS = {
    "happy": (
        "is wonderful",
        "is great value",
        "works perfectly",
        "is a joy",
        "got really good",
        "never disappoints",
    ),
    "neutral": (
        "is okay",
        "is about average",
        "could be larger",
        "is what it is",
        "is fine",
        "has not changed",
    ),
    "unhappy": (
        "is awful",
        "keeps crashing",
        "is far too expensive",
        "is a mess",
        "got worse",
        "made me angry",
    ),
}


def make_subscriptions(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Draw the table.

    Parameters
    ----------
    rows : int
    seed : int

    Returns
    -------
    pandas.DataFrame, shape (rows, 15)
        The target is the last column: "yes" if the customer cancelled.

    Examples
    --------
    >>> make_subscriptions(rows=100).shape
    (100, 15)
    """
    rng = np.random.default_rng(seed)
    states = {factor.name: rng.choice(len(factor.states), rows, p=factor.shares) for factor in FACTORS}
    odds = np.full(rows, _BASE)
    for factor in FACTORS:
        odds += np.asarray(factor.effects)[states[factor.name]]
    odds += _together(states["contract"], states["tickets"])
    cancelled = rng.random(rows) < 1.0 / (1.0 + np.exp(-odds))
    words = {factor.name: np.asarray(factor.states)[states[factor.name]] for factor in FACTORS}
    frame = _written(words, rng)
    frame[TARGET] = np.where(cancelled, "yes", "no")
    return frame


def best_reachable_auc() -> float:
    """Return the ROC AUC of the true probabilities, which a model can exceed on new rows by chance
    only.

    It is computed over all combinations of states, each with a weight and a probability p: the
    probability that a cancelling customer has a higher p than a staying one, with ties counting
    half.

    Examples
    --------
    >>> 0.85 < best_reachable_auc() < 0.95
    True
    """
    grids = np.meshgrid(*(np.arange(len(factor.states)) for factor in FACTORS), indexing="ij")
    states = {factor.name: grid.ravel() for factor, grid in zip(FACTORS, grids, strict=True)}
    weight, odds = np.ones(grids[0].size), np.full(grids[0].size, _BASE)
    for factor in FACTORS:
        weight *= np.asarray(factor.shares)[states[factor.name]]
        odds += np.asarray(factor.effects)[states[factor.name]]
    odds = np.round(odds + _together(states["contract"], states["tickets"]), 9)  # equal sums in any order
    p = 1.0 / (1.0 + np.exp(-odds))
    _, place = np.unique(odds, return_inverse=True)
    cancels, stays = np.bincount(place, weight * p), np.bincount(place, weight * (1.0 - p))
    below = np.cumsum(stays) - stays
    return math.fsum(cancels * (below + 0.5 * stays)) / (math.fsum(cancels) * math.fsum(stays))


def _together(contract: np.ndarray, tickets: np.ndarray) -> np.ndarray:
    """Return the interaction of two factors: many tickets have more effect if the customer can
    leave at any time.
    """
    return np.where((contract == 0) & (tickets == 2), 0.9, 0.0)


def _written(words: dict[str, np.ndarray], rng: np.random.Generator) -> pd.DataFrame:
    """Return the columns that express the states."""
    n_rows = len(words["plan"])
    price = np.array([_PRICES[plan] for plan in words["plan"]]) - rng.choice(
        [0.0, 1.0, 2.0], n_rows, p=[0.7, 0.2, 0.1]
    )
    age = np.round(rng.normal(41, 13, n_rows).clip(18, 90))
    age[rng.random(n_rows) < 0.08] = np.nan
    return pd.DataFrame(
        {
            "customer_id": [
                f"C{number:06d}" for number in rng.choice(900_000, n_rows, replace=False) + 100_000
            ],
            "signed_up": _TODAY - _days(words["tenure"], _TENURE_DAYS, rng),
            "plan": words["plan"],
            "contract": words["contract"],
            "monthly_price": np.round(price, 2),
            "payment": rng.choice(_PAYMENTS, n_rows, p=[0.4, 0.3, 0.1, 0.2]),
            "city": _cities(words["tier"], rng),
            "age": age,
            "hours_per_week": _hours(words["hours"], rng),
            "support_tickets": _whole(words["tickets"], _TICKETS, rng),
            "last_login": _logins(words["login"], rng),
            "auto_renew": words["auto_renew"] == "on",
            "newsletter": rng.choice(["yes", "no"], n_rows, p=[0.35, 0.65]),
            "last_comment": _comments(words["mood"], rng),
        }
    )


def _whole(states: np.ndarray, ranges: dict[str, tuple[int, int]], rng: np.random.Generator) -> np.ndarray:
    low = np.array([ranges[state][0] for state in states])
    high = np.array([ranges[state][1] for state in states])
    drawn: np.ndarray = rng.integers(low, high, endpoint=True)
    return drawn


def _days(states: np.ndarray, ranges: dict[str, tuple[int, int]], rng: np.random.Generator) -> np.ndarray:
    return _whole(states, ranges, rng).astype("timedelta64[D]")


def _logins(states: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    known = states != _NO_CONTACT
    out = np.full(len(states), np.datetime64("NaT", "D"), dtype="datetime64[D]")
    out[known] = _TODAY - _days(states[known], _LOGIN_DAYS, rng)
    return out


def _hours(states: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    low = np.array([_HOURS[state][0] for state in states])
    high = np.array([_HOURS[state][1] for state in states])
    drawn: np.ndarray = low + rng.random(len(states)) * (high - low)
    return np.asarray(np.floor(drawn * 10) / 10)  # rounded down, to stay in the state


def _cities(tiers: np.ndarray, rng: np.random.Generator) -> list[str]:
    """Return a city of each row's tier, with a skewed distribution."""
    starts = ("North", "South", "Ash", "Oak", "Mill", "King", "Stone", "Lake", "Green", "Silver")
    ends = ("ford", "ton", "bury", "field", "ham", "port", "wood", "bridge", "gate", "mere", "dale", "wick",
            "combe", "stead", "cliff", "haven", "moor", "well")  # fmt: skip
    every = [start + end for end in ends for start in starts]
    shares = 1.0 / np.arange(1, _CITIES_A_TIER + 1)
    picks = rng.choice(_CITIES_A_TIER, len(tiers), p=shares / shares.sum())
    first = {"fibre": 0, "cable": 1, "remote": 2}
    return [every[3 * int(pick) + first[tier]] for pick, tier in zip(picks, tiers, strict=True)]


def _comments(moods: np.ndarray, rng: np.random.Generator) -> list[str | None]:
    out: list[str | None] = []
    for mood in moods:
        opener, subject = rng.choice(_OPENERS), rng.choice(_SUBJECTS)
        judgement = rng.choice(_JUDGEMENTS.get(str(mood), ("",)))
        out.append(None if mood == "silent" else f"{opener} {subject} {judgement}")
    return out
