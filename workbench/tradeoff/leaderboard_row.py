"""One row of a leaderboard: a candidate with its score, measurements and costs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import Any, NamedTuple

from workbench.automl.records.candidate import Kind, Origin, Status

#: The columns that scripts may rely on, in order; more follow them.
COLUMNS = (
    "id",
    "family",
    "score",
    "score_low",
    "score_high",
    "metric",
    "latency_p50_us",
    "latency_p99_us",
    "cpu_us_per_row",
    "rows_per_s",
    "train_cpu_s",
    "peak_memory_mb",
    "artifact_mb",
    "price_per_million_usd",
    "on_front",
    "status",
    "reason",
)


class Estimate(NamedTuple):
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """A candidate as the leaderboard shows it. None means "not known".

    The fields are the columns of `Run.leaderboard` and the keys of ``--json``, in the same order.

    Attributes
    ----------
    id, family : str
    score, score_low, score_high : float or None
        The score that the search chose by, with a 95 % interval; higher is better.
    metric : str or None
        The scorer's name.
    latency_p50_us, latency_p99_us : float or None
        Wall-clock microseconds of one row in process, of the block with the lowest p99.
    cpu_us_per_row : float or None
        CPU microseconds of one such call.
    rows_per_s : float or None
        Rows a second of one thread in batches.
    train_cpu_s : float or None
        CPU seconds of all fits.
    peak_memory_mb, artifact_mb : float or None
        Peak memory of the training process, and size of the artifact, in millions of bytes.
    price_per_million_usd : float or None
        Price of a million predictions, in the price sheet's currency.
    on_front : bool
        Whether the row is on the Pareto front of score, p50 latency and price.
    status : {"ok", "failed", "stopped"}
    reason : str
        Why the candidate failed or was stopped.
    score_data, score_rows : str and int, or None
        The data that the score was computed on, and the number of rows.
    holdout_score, holdout_low, holdout_high : float or None
        The score on the held-out set, with a 95 % interval.
    final_score, final_low, final_high, final_data : float and str, or None
        The score to report: on the held-out set, or corrected for selection bias; and on what data.
    behind : (float, float, float) or None
        The score gap to the best candidate on the same rows, with a 95 % interval.
    compared_with : str or None
        The id of that best candidate.
    equal_to_best : bool
        Whether the score is statistically tied with the best.
    quiet : bool
        Whether latency was measured with nothing else of the search running.
    latency_p50_low_us, latency_p50_high_us, latency_p99_low_us, latency_p99_high_us : float or None
        The lowest and the highest block.
    node_visits : float or None
        Tree nodes visited by an average row.
    calls, blocks, threads, machine : int and str, or None
        How latency was measured.
    price_per_month_usd, replicas, utilisation : float and int, or None
        What the traffic costs a month in machines, how many, and how busy they are.
    rounds : int or None
        Boosting rounds or epochs, averaged over the models.
    params : mapping
    kind : {"bag", "single", "blend"}
    models : int
        Models that the artifact holds.
    members : mapping of str to float
        Of an ensemble: the weight of each candidate.
    meta_share : float
        Of an ensemble: the weight of its stacker.
    taught : bool
        Whether the model was distilled from other candidates.
    averaging_gain : float
        What averaging the folds' models is estimated to add to the score.
    origin : {"baseline", "portfolio", "sampler", "derived"}
    stage, hint : str
        Of a failure: where, and what to do.
    parity : float or None
        Largest difference between the library's prediction and the served one.
    seconds, cpu_s : float
        Wall-clock and CPU seconds of the trial.
    clock_rounds : int
        Rounds after which the time budget ended all fits; 0 if it did not.
    notes : tuple of str
    expected_cost_per_1000, expected_cost_low, expected_cost_high : float or None
        What the mistakes of 1,000 cases cost, with a 95 % interval; see `expected_cost`.
    expected_cost_data : str or None
        The rows, and how the threshold was chosen.
    cost_threshold : float or None
        Probability from which the positive class is predicted.
    total_cost_per_month_usd, total_cost_low_usd, total_cost_high_usd : float or None
        Mistakes and machines of a month, with a 95 % interval.
    total_cost_data : str or None
        The traffic.
    cost_behind : (float, float, float) or None
        The gap in expected cost to the candidate that costs least, on the same rows, with a 95 %
        interval.
    cost_compared_with : str or None
        The id of that candidate.
    final_cost_per_1000, final_cost_low, final_cost_high : float or None
        The expected cost on the held-out set.

    Examples
    --------
    >>> row = LeaderboardRow("c0001", "linear", status="failed", reason="out of memory")
    >>> row.score, row.to_dict()["reason"]
    (None, 'out of memory')
    """

    id: str
    family: str
    _: KW_ONLY
    score: float | None = None
    score_low: float | None = None
    score_high: float | None = None
    metric: str | None = None
    latency_p50_us: float | None = None
    latency_p99_us: float | None = None
    cpu_us_per_row: float | None = None
    rows_per_s: float | None = None
    train_cpu_s: float | None = None
    peak_memory_mb: float | None = None
    artifact_mb: float | None = None
    price_per_million_usd: float | None = None
    on_front: bool = False
    status: Status = "ok"
    reason: str = ""
    score_data: str | None = None
    score_rows: int | None = None
    holdout_score: float | None = None
    holdout_low: float | None = None
    holdout_high: float | None = None
    final_score: float | None = None
    final_low: float | None = None
    final_high: float | None = None
    final_data: str | None = None
    behind: tuple[float, float, float] | None = None
    compared_with: str | None = None
    equal_to_best: bool = False
    quiet: bool = False
    latency_p50_low_us: float | None = None
    latency_p50_high_us: float | None = None
    latency_p99_low_us: float | None = None
    latency_p99_high_us: float | None = None
    node_visits: float | None = None
    calls: int | None = None
    blocks: int | None = None
    threads: int | None = None
    machine: str | None = None
    price_per_month_usd: float | None = None
    replicas: int | None = None
    utilisation: float | None = None
    rounds: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind = "bag"
    models: int = 1
    members: Mapping[str, float] = field(default_factory=dict)
    meta_share: float = 0.0
    taught: bool = False
    averaging_gain: float = 0.0
    origin: Origin = "portfolio"
    stage: str = ""
    hint: str = ""
    parity: float | None = None
    seconds: float = 0.0
    cpu_s: float = 0.0
    clock_rounds: int = 0
    notes: tuple[str, ...] = ()
    expected_cost_per_1000: float | None = None
    expected_cost_low: float | None = None
    expected_cost_high: float | None = None
    expected_cost_data: str | None = None
    cost_threshold: float | None = None
    total_cost_per_month_usd: float | None = None
    total_cost_low_usd: float | None = None
    total_cost_high_usd: float | None = None
    total_cost_data: str | None = None
    cost_behind: tuple[float, float, float] | None = None
    cost_compared_with: str | None = None
    final_cost_per_1000: float | None = None
    final_cost_low: float | None = None
    final_cost_high: float | None = None

    @property
    def sort_score(self) -> float:
        """The score; -infinity if it is not known, so that rows can be sorted by it."""
        return -math.inf if self.score is None else self.score

    @property
    def rank_score(self) -> float:
        """The score plus the estimated gain of averaging; -infinity without a score.

        Examples
        --------
        >>> LeaderboardRow("c1", "linear", score=0.5, averaging_gain=0.25).rank_score
        0.75
        """
        return self.sort_score + self.averaging_gain

    @property
    def expected_cost(self) -> Estimate | None:
        """What the mistakes of 1,000 cases cost, if a payoff is known."""
        return _estimate(self.expected_cost_per_1000, self.expected_cost_low, self.expected_cost_high)

    @property
    def total_cost(self) -> Estimate | None:
        """What mistakes and machines cost a month, if a payoff is known."""
        return _estimate(self.total_cost_per_month_usd, self.total_cost_low_usd, self.total_cost_high_usd)

    def to_dict(self) -> dict[str, Any]:
        """Return the row as a JSON-safe object: the columns in order, tuples as lists."""
        return {each.name: json_safe(getattr(self, each.name)) for each in fields(self)}


@dataclass(frozen=True, slots=True)
class ServableRow(LeaderboardRow):
    """A row with the status "ok" whose score, latency and price are known: one that can be picked.

    Examples
    --------
    >>> row = ServableRow("c1", "linear", metric="roc_auc", score=0.9, latency_p50_us=12.0,
    ...                   latency_p99_us=20.0, cpu_us_per_row=12.0, price_per_million_usd=0.002)
    >>> [each.id for each in servable([row, LeaderboardRow("c2", "mlp", status="failed")])]
    ['c1']
    """

    _: KW_ONLY
    score: float
    metric: str
    latency_p50_us: float
    latency_p99_us: float
    cpu_us_per_row: float
    price_per_million_usd: float
    replicas: int = 1


#: The fields that a servable row has, and other rows may lack.
_NEEDED = (
    "score",
    "metric",
    "latency_p50_us",
    "latency_p99_us",
    "cpu_us_per_row",
    "price_per_million_usd",
    "replicas",
)


def row_of(values: Mapping[str, Any]) -> LeaderboardRow:
    """Return a row of its fields by name: a `ServableRow` if it can be picked.

    NaN and infinity become None, since JSON cannot hold them.

    Examples
    --------
    >>> type(row_of({"id": "c1", "family": "mlp", "status": "ok", "score": float("nan")})).__name__
    'LeaderboardRow'
    """
    safe = {name: json_safe(value) for name, value in values.items()}
    for name in ("behind", "cost_behind", "notes"):
        if safe.get(name) is not None:
            safe[name] = tuple(safe[name])
    ready = safe["status"] == "ok" and all(safe.get(name) is not None for name in _NEEDED)
    return ServableRow(**safe) if ready else LeaderboardRow(**safe)


def servable(rows: Iterable[LeaderboardRow]) -> list[ServableRow]:
    """Return the rows that can be picked: status "ok", with a score, a latency and a price."""
    return [row for row in rows if isinstance(row, ServableRow)]


def scored(rows: Iterable[LeaderboardRow]) -> list[LeaderboardRow]:
    """Return the rows with the status "ok" and a score."""
    return [row for row in rows if row.status == "ok" and row.score is not None]


def json_safe(value: Any) -> Any:
    """Return the value with what JSON cannot hold (NaN, infinity) as None and tuples as lists.

    Examples
    --------
    >>> json_safe({"a": float("nan"), "b": (1, 2.5)})
    {'a': None, 'b': [1, 2.5]}
    """
    if isinstance(value, Mapping):
        return {str(key): json_safe(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_safe(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _estimate(value: float | None, low: float | None, high: float | None) -> Estimate | None:
    return None if value is None or low is None or high is None else Estimate(value, low, high)
