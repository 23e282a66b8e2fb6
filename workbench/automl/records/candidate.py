"""The records of a candidate: its score, its measurements and how it was made, stored as JSON."""

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
        The data that it was computed on: "out of fold, 5 folds", "validation part", "hold-out".
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
    """The measured serving cost of an artifact.

    Attributes
    ----------
    latency_p50_us, latency_p99_us : float
        Wall-clock microseconds of one row as a dict, in process: p50 and p99 of the block with the
        lowest p99 of several (so that a busy machine does not look like a slow model).
    latency_p50_low_us, latency_p50_high_us, latency_p99_low_us, latency_p99_high_us : float
        The lowest and highest block.
    cpu_us_per_row : float
        CPU microseconds of one such call (equal to CPU seconds per million rows).
    rows_per_s : float
        Rows per second of one thread, in batches.
    train_cpu_s : float
        CPU seconds of all fits of the candidate.
    peak_memory_mb : float
        Peak memory of the process that trained it.
    artifact_mb : float
        Schema, encoder and model on disk.
    node_visits : float or None
        Tree nodes that an average row visits: a noise-free cost.
    quiet : bool
        Whether nothing else of the search was running.
    calls, blocks : int
        Number of timed single-row calls, and of blocks of calls.
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
    """A trained and measured model that can be served, or the record of a failure.

    Attributes
    ----------
    id : str
        ``c0017``: the folder ``candidates/c0017`` of the run.
    family : str
    params : mapping
        The parameters of the family's `fit`.
    origin : {"baseline", "portfolio", "sampler", "derived"}
        "derived": made from earlier candidates (an ensemble, a smaller model cut from a larger
        one).
    kind : {"bag", "single", "blend"}
        The average of the models of all folds, one model of all rows, or an ensemble of candidates.
    members : mapping of str to float
        For an ensemble: the weight of each candidate, 0 for those that only the stacker sees. For a
        single model: the candidate that it was cut from, or its teachers.
    taught : bool
        Whether it was distilled: it learned predictions of other candidates instead of the labels.
    meta_share : float
        For an ensemble: the weight of a small network over the members' predictions; 0 without one.
    models : int
        Number of models in the artifact.
    status : {"ok", "failed", "stopped"}
    stage, reason, hint : str
        For a failure: the step (encode, fit, convert, parity, measure, score), the reason, and what
        to do.
    score : Score or None
        On the data that candidates are selected by (out of fold or validation part).
    holdout : Score or None
        On the held-out set; only for candidates on the front at the end of the search.
    corrected : Score or None
        Without a held-out set, the score corrected for selection bias; for the same candidates.
    behind : (float, float, float) or None
        The best candidate's score minus this one's, on the same rows, with a 95 % interval.
    measured : Measurements or None
    busy_cpu_us : float or None
        CPU microseconds per call as the trial measured it, while other trials ran: comparable
        between candidates, and kept when uncontended measurements replace `measured`.
    rounds : int or None
        Mean rounds of its models.
    fold_rounds : tuple of int
        Rounds of each fold's model; with them it can be retrained without early stopping.
    fold_trained : tuple of int
        Rounds that cross-fitted early stopping chose among in each fold; 0 without it.
    clock_rounds : int
        Rounds at which all folds were cut because the time limit ended a fit; 0 if it ended none.
    more_rows : int
        Training rows besides those of the sample that configs were tried on; 0 without a sample.
    cut : int
        For a single model: the rounds after which it was cut off; 0 if it was not.
    averaging_gain : float
        Estimated gain in score of averaging the folds' models, which out-of-fold predictions do not
        show. It is not part of `score`; the ranking adds it, so that an average ranks above one of
        its own models.
    stages : mapping of str to float
        The score of one of its models: "0" after all rounds, "30" after 30 rounds.
    threshold : float
        Probability from which the positive label is predicted.
    parity : float or None
        Largest difference between the library's prediction and the served artifact's.
    seconds, cpu_s, peak_memory_mb : float
        Time and memory of the trial, failed ones included.
    spent : mapping of str to float
        CPU seconds by step: encode, fit, predict, convert, measure.
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
        """The reported score: held-out, else corrected for selection bias, else out of fold."""
        return self.holdout or self.corrected or self.score

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``candidate.json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Candidate:
        """Read the content of ``candidate.json``; unknown keys (of later versions) are ignored."""
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
    """Return a score without the averaging gain, which runs before 0.2 added to it."""
    low, value, high = (each - gain for each in (score.low, score.value, score.high))
    return replace(score, low=low, value=value, high=high, data=score.data.removesuffix(_WITH_GAIN))


def value_of(candidate: Candidate) -> float:
    """Return the ranking value of a scored candidate: the score plus the averaging gain."""
    assert candidate.score is not None
    return candidate.score.value + candidate.averaging_gain


def averaged(blend: Candidate) -> dict[str, float]:
    """Return the members of an ensemble's average, without those that only the stacker sees."""
    return {name: weight for name, weight in blend.members.items() if weight}


def best_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates with status "ok", the best first; equal ones keep their order."""
    return sorted(
        (each for each in candidates if each.status == "ok" and each.score), key=value_of, reverse=True
    )
