"""Choosing among candidates: prices, limits, the Pareto front, ties and the decision of a run."""

from .choose import RULES, Choice, pick, same_machines
from .decision import Decision, decide
from .expected_cost import COST_COLUMNS, with_expected_costs
from .leaderboard import front_ids, leaderboard_rows
from .leaderboard_row import COLUMNS, Estimate, LeaderboardRow, ServableRow, scored, servable
from .limits import Limits, Shortfall
from .pareto import balance, front_of, knee, pareto
from .preference_weights import Weights, weighted
from .prices import Monthly, PriceSheet, Traffic, load_prices, monthly, price_per_million_usd, read_prices
from .run_decision import RunDecision, read_decision, read_decisions, store_decision, terms_of
from .run_prices import run_prices
from .sentences import compare, describe, lead_score, traffic_words
from .terms import Given, Terms, combine, default_rule, read_given
from .ties import beats, within_noise
from .traffic import parse_traffic

__all__ = [
    "COLUMNS",
    "COST_COLUMNS",
    "RULES",
    "Choice",
    "Decision",
    "Estimate",
    "Given",
    "LeaderboardRow",
    "Limits",
    "Monthly",
    "PriceSheet",
    "RunDecision",
    "ServableRow",
    "Shortfall",
    "Terms",
    "Traffic",
    "Weights",
    "balance",
    "beats",
    "combine",
    "compare",
    "decide",
    "default_rule",
    "describe",
    "front_ids",
    "front_of",
    "knee",
    "lead_score",
    "leaderboard_rows",
    "load_prices",
    "monthly",
    "pareto",
    "parse_traffic",
    "pick",
    "price_per_million_usd",
    "read_decision",
    "read_decisions",
    "read_given",
    "read_prices",
    "run_prices",
    "same_machines",
    "scored",
    "servable",
    "store_decision",
    "terms_of",
    "traffic_words",
    "weighted",
    "with_expected_costs",
    "within_noise",
]
