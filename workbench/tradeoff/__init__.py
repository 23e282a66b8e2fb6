"""Candidates become a choice: what each costs, which ones nothing dominates, and the one that is taken."""

from .choose import RULES, Choice, pick
from .decision import Decision, decide
from .leaderboard import COLUMNS, front_ids, leaderboard_rows
from .limits import Limits, Shortfall
from .noise import beats, within_noise
from .pareto import balance, front_of, knee, pareto
from .prices import Monthly, PriceSheet, Traffic, load_prices, monthly, price_per_million_usd, read_prices
from .sentences import compare, describe
from .weights import Weights, weighted

__all__ = [
    "COLUMNS",
    "RULES",
    "Choice",
    "Decision",
    "Limits",
    "Monthly",
    "PriceSheet",
    "Shortfall",
    "Traffic",
    "Weights",
    "balance",
    "beats",
    "compare",
    "decide",
    "describe",
    "front_ids",
    "front_of",
    "knee",
    "leaderboard_rows",
    "load_prices",
    "monthly",
    "pareto",
    "pick",
    "price_per_million_usd",
    "read_prices",
    "weighted",
    "within_noise",
]
