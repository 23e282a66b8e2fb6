"""The records of a search: frozen, written as JSON, read by everybody above."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

Status = Literal["ok", "failed", "stopped"]
Origin = Literal["baseline", "portfolio", "sampler", "derived"]
Kind = Literal["bag", "single", "blend"]
_WITH_GAIN = ", with the gain of averaging"


@dataclass(frozen=True, slots=True)
class Score:
    """A score with its interval.

    Attributes
    ----------
    value : float
        Higher is better, as in scikit-learn's scorers (errors are negative).
    low, high : float
        A 95 % interval.
    metric : str
        The scorer's name.
    data : str
        Which data it was computed on, and how: "out of fold, 5 folds", "validation part", "hold-out".
    rows : int
    """

    value: float
    low: float
    high: float
    metric: str
    data: str
    rows: int


@dataclass(frozen=True, slots=True)
class Measurements:
    """What one served artifact costs, measured on that artifact.

    Attributes
    ----------
    latency_p50_us, latency_p99_us : float
        Wall-clock microseconds of one row as a dict, in process: p50 and p99 of the quietest of several blocks, the one
        with the lowest p99 (so that a busy machine is not taken for a slow model).
    latency_p50_low_us, latency_p50_high_us, latency_p99_low_us, latency_p99_high_us : float
        The lowest and highest block.
    cpu_us_per_row : float
        CPU microseconds of one such call (equal to CPU seconds per million).
    rows_per_s : float
        Rows a second of one thread in batches.
    train_cpu_s : float
        CPU seconds of all fits of the candidate.
    peak_memory_mb : float
        Of the process that trained it.
    artifact_mb : float
        Schema, encoder and model on disk.
    node_visits : float or None
        Tree nodes visited by an average row: a cost without noise.
    quiet : bool
        Whether it was measured with nothing else of the search running.
    calls, blocks : int
        Single-row calls timed in all, and the number of blocks they were timed in.
    threads : int
    machine : str
    """

    latency_p50_us: float
    latency_p99_us: float
    latency_p50_low_us: float
    latency_p50_high_us: float
    latency_p99_low_us: float
    latency_p99_high_us: float
    cpu_us_per_row: float
    rows_per_s: float
    train_cpu_s: float
    peak_memory_mb: float
    artifact_mb: float
    node_visits: float | None
    quiet: bool
    calls: int
    blocks: int
    threads: int = 1
    machine: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One trained, measured, servable model, or the account of why there is none.

    Attributes
    ----------
    id : str
        ``c0017``: the folder ``candidates/c0017`` of the run.
    family : str
    params : mapping
        What the family's `fit` was given.
    origin : {"baseline", "portfolio", "sampler", "derived"}
        "derived": made of candidates that were trained before (a blend, a smaller model cut from a larger one).
    kind : {"bag", "single", "blend"}
        The average of the models of all folds, one model of all rows, or a weighted blend of candidates.
    members : mapping of str to float
        Of a blend: the weight of each candidate in it, 0 for those that its network alone sees. Of a single model: the
        candidate it was cut from, or those that taught it.
    taught : bool
        Whether it learned the answers of other candidates rather than the labels.
    meta_share : float
        Of a blend: what a small network over the members' answers counts for in it; 0 where there is none.
    models : int
        Models that the artifact holds.
    status : {"ok", "failed", "stopped"}
    stage, reason, hint : str
        For a failure: where (encode, fit, convert, parity, measure, score), why, and what to do.
    score : Score or None
        On data that choosing may see (out of fold or validation part).
    holdout : Score or None
        On the hold-out that no choice sees; only for candidates that were on the front when the search ended.
    corrected : Score or None
        The score corrected for having been chosen among many, where there is no hold-out; for the same candidates.
    behind : (float, float, float) or None
        By how much the score is below the best candidate's on the same rows, with a 95 % interval.
    measured : Measurements or None
    busy_cpu_us : float or None
        CPU microseconds a call as the trial itself measured it, beside other trials: comparable between candidates,
        and kept when the quiet figures replace `measured`.
    rounds : int or None
        Rounds of its models, on average.
    fold_rounds : tuple of int
        Rounds of each fold's model: with them it can be trained again without early stopping.
    fold_trained : tuple of int
        Rounds among which each fold's rows chose in parts; 0 where they are too many for that, or none chose.
    clock_rounds : int
        Rounds after which the clock ended its fits, all folds cut to the same; 0 where they ended by themselves.
    more_rows : int
        Rows that it was fitted on beside those of the sample on which configs were tried; 0 where there was none.
    cut : int
        Of a single model: the rounds after which it was cut off; 0 where it was not.
    averaging_gain : float
        What the average of the folds' models is estimated to add to the score of one, which out-of-fold predictions
        cannot show. It is not part of `score`; it puts an average before one of its own models where they are ranked.
    stages : mapping of str to float
        The score of one of its models: "0" as it is, "30" as if it had ended after 30 rounds.
    threshold : float
        Probability from which a binary answer is the positive label.
    parity : float or None
        Largest difference between the library's own prediction and the served artifact's.
    seconds, cpu_s, peak_memory_mb : float
        What the trial took, failures included.
    spent : mapping of str to float
        CPU seconds by what they were spent on: encode, fit, predict, convert, measure.
    """

    id: str
    family: str
    params: Mapping[str, Any]
    origin: Origin
    status: Status
    stage: str = ""
    reason: str = ""
    hint: str = ""
    kind: Kind = "bag"
    members: Mapping[str, float] = field(default_factory=dict)
    taught: bool = False
    meta_share: float = 0.0
    models: int = 1
    score: Score | None = None
    holdout: Score | None = None
    corrected: Score | None = None
    behind: tuple[float, float, float] | None = None
    measured: Measurements | None = None
    busy_cpu_us: float | None = None
    rounds: int | None = None
    fold_rounds: tuple[int, ...] = field(default=())
    fold_trained: tuple[int, ...] = field(default=())
    clock_rounds: int = 0
    more_rows: int = 0
    cut: int = 0
    averaging_gain: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict)
    threshold: float = 0.5
    parity: float | None = None
    seconds: float = 0.0
    cpu_s: float = 0.0
    peak_memory_mb: float = 0.0
    spent: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=())

    @property
    def final(self) -> Score | None:
        """The score to report: on the hold-out, or corrected for the choice, or else the one that chose."""
        return self.holdout or self.corrected or self.score

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``candidate.json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Candidate:
        """Read the content of ``candidate.json``; keys of a later version are passed over."""
        known = {key: value for key, value in document.items() if key in cls.__dataclass_fields__}
        for key in ("score", "holdout", "corrected"):
            if known.get(key):
                known[key] = Score(**known[key])
        if known.get("score") and known["score"].data.endswith(_WITH_GAIN):
            known["score"] = _without_gain(known["score"], known.get("averaging_gain", 0.0))
        if known.get("measured"):
            known["measured"] = Measurements(**known["measured"])
        known["notes"] = tuple(known.get("notes") or ())
        for key in ("fold_rounds", "fold_trained"):
            known[key] = tuple(known.get(key) or ())
        if known.get("behind"):
            known["behind"] = tuple(known["behind"])
        return cls(**known)


def _without_gain(score: Score, gain: float) -> Score:
    """Return a score as it was computed; runs of before 0.2 added the gain of averaging to it."""
    low, value, high = (each - gain for each in (score.low, score.value, score.high))
    return replace(score, low=low, value=value, high=high, data=score.data.removesuffix(_WITH_GAIN))


def value_of(candidate: Candidate) -> float:
    """Return what candidates are ranked by: the score, which is there, and the estimated gain of averaging."""
    assert candidate.score is not None
    return candidate.score.value + candidate.averaging_gain


def averaged(blend: Candidate) -> dict[str, float]:
    """Return the members that count in a blend's average, without those that its network alone sees."""
    return {name: weight for name, weight in blend.members.items() if weight}


def best_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates that ended well, the best first; of equal ones the earlier stays before the later."""
    return sorted(
        (each for each in candidates if each.status == "ok" and each.score), key=value_of, reverse=True
    )
