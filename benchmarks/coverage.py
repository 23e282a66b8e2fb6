"""How often the interval of the corrected estimate holds the truth, on a made table whose truth is
known.

Again and again: draw rows of the table, let candidates predict them out of fold, choose the best,
estimate what it is worth; then train it on all drawn rows and score it on a large fresh sample. Run
it with::

    python benchmarks/coverage.py
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd

from workbench.automl.scoring.bias_correction import corrected
from workbench.automl.scoring.metrics import Metric
from workbench.data.subscriptions import TARGET, make_subscriptions

ROWS, FOLDS, CANDIDATES = 400, 5, 10
BLOCKS, INFORMATIVE = 10, 8  # of features; the first ones matter
Candidate = tuple[tuple[int, ...], float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One repetition.

    Attributes
    ----------
    truth : float
        The served model's score on the fresh sample: the chosen candidate, trained on all drawn
        rows.
    fold_truth : float
        The mean of that of its fold models: what its out-of-fold score estimates.
    plain, plain_low, plain_high : float
        The chosen candidate's own out-of-fold score.
    value, low, high : float
        The corrected estimate.
    """

    truth: float
    fold_truth: float
    plain: float
    plain_low: float
    plain_high: float
    value: float
    low: float
    high: float


def features(frame: pd.DataFrame) -> list[np.ndarray]:
    """Return blocks of standardised features, one for each thing the table tells."""
    today = np.datetime64("2025-06-30")
    tenure = (today - frame["signed_up"].to_numpy().astype("datetime64[D]")).astype(float)
    login = (today - frame["last_login"].to_numpy().astype("datetime64[D]")).astype(float)
    login[~np.isfinite(login) | (login < 0)] = 200.0
    comment = frame["last_comment"].fillna("").astype(str)
    good = comment.str.contains("wonderful|value|perfectly|joy|good|never disappoints").to_numpy(float)
    bad = comment.str.contains("awful|crashing|expensive|mess|worse|angry").to_numpy(float)
    blocks = [
        [(frame["plan"] == plan).to_numpy(float) for plan in ("basic", "premium")],
        [(frame["contract"] == "monthly").to_numpy(float)],
        [frame["support_tickets"].to_numpy(float)],
        [login, (login == 200.0).astype(float)],
        [tenure],
        [good, bad],
        [np.log1p(frame["hours_per_week"].to_numpy(float))],
        [frame["auto_renew"].to_numpy(float)],
        [frame["age"].fillna(41).to_numpy(float), (frame["newsletter"] == "yes").to_numpy(float)],
        [(frame["payment"] == payment).to_numpy(float) for payment in ("credit card", "invoice")],
    ]
    out = [np.column_stack(block) for block in blocks]
    return [(block - block.mean(axis=0)) / block.std(axis=0) for block in out]


def candidates(count: int, *, alike: bool, seed: int) -> list[Candidate]:
    """Return blocks of features and ridge penalties.

    Alike: each sees four of the eight blocks that matter, so that luck decides which is best.
    Otherwise two see all blocks, and the others half of them.
    """
    random = np.random.default_rng(seed)
    if alike:
        every = list(combinations(range(INFORMATIVE), INFORMATIVE // 2))
        return [(every[at], 10.0) for at in random.permutation(len(every))[:count]]
    out: list[Candidate] = [(tuple(range(BLOCKS)), penalty) for penalty in (1.0, 30.0)]
    while len(out) < count:
        chosen = tuple(sorted(random.choice(BLOCKS, BLOCKS // 2, replace=False).tolist()))
        out.append((chosen, float(random.choice([1.0, 10.0, 50.0]))))
    return out[:count]


def fit(X: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """Return the coefficients of a logistic regression with a ridge penalty, by Newton's method."""
    wide = np.column_stack([np.ones(len(X)), X])
    ridge = np.diag(np.r_[1e-6, np.full(X.shape[1], penalty)])
    beta = np.zeros(wide.shape[1])
    for _ in range(8):
        p = 1.0 / (1.0 + np.exp(-np.clip(wide @ beta, -30, 30)))
        slope = wide.T @ (p - y) + ridge @ beta
        step = np.linalg.solve((wide * (p * (1 - p))[:, None]).T @ wide + ridge, slope)
        beta -= step
        if np.abs(step).max() < 1e-6:
            break
    return beta


def predict(X: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Return probabilities of both classes."""
    p = 1.0 / (1.0 + np.exp(-np.clip(beta[0] + X @ beta[1:], -30, 30)))
    return np.column_stack([1.0 - p, p])


def repetitions(
    count: int,
    *,
    metric: str = "roc_auc",
    alike: bool = True,
    rows: int = ROWS,
    fresh: int = 40_000,
    n_candidates: int = CANDIDATES,
    seed: int = 0,
) -> Iterator[Outcome]:
    """Yield outcomes, each of rows that no other repetition sees."""
    frame = make_subscriptions(count * rows + fresh, seed)
    blocks, y = features(frame), (frame[TARGET] == "yes").to_numpy(np.int64)
    new = slice(count * rows, None)
    judge = Metric(metric, "binary", 2, seed)
    asked = candidates(n_candidates, alike=alike, seed=seed)
    matrices = [np.column_stack([blocks[at] for at in chosen]) for chosen, _ in asked]
    random = np.random.default_rng(seed)

    def fresh_score(number: int, beta: np.ndarray) -> float:
        return judge.score(y[new], predict(matrices[number][new], beta), None, "fresh").value

    for at in range(count):
        mine = slice(at * rows, (at + 1) * rows)
        target, fold = y[mine], _deal(y[mine], random)
        outputs, models = {}, {}
        for number, (_, penalty) in enumerate(asked):
            outputs[str(number)], models[number] = out_of_fold(matrices[number][mine], target, fold, penalty)
        scores = {
            name: judge.score(target, out, None, "out of fold", fold=fold) for name, out in outputs.items()
        }
        best = int(max(scores, key=lambda name: scores[name].value))
        served = fit(matrices[best][mine], target, asked[best][1])
        own, found = scores[str(best)], corrected(judge, target, outputs, fold=fold, seed=at)
        yield Outcome(
            truth=fresh_score(best, served),
            fold_truth=float(np.mean([fresh_score(best, beta) for beta in models[best]])),
            plain=own.value,
            plain_low=own.low,
            plain_high=own.high,
            value=found.value,
            low=found.low,
            high=found.high,
        )


def out_of_fold(
    X: np.ndarray, y: np.ndarray, fold: np.ndarray, penalty: float
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return out-of-fold probabilities and the fold models."""
    out, models = np.empty((len(y), 2)), []
    for number in range(FOLDS):
        models.append(fit(X[fold != number], y[fold != number], penalty))
        out[fold == number] = predict(X[fold == number], models[-1])
    return out, models


def _deal(y: np.ndarray, random: np.random.Generator) -> np.ndarray:
    order = random.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    fold = np.empty(len(y), dtype=np.int64)
    fold[order] = np.arange(len(y)) % FOLDS
    return fold


def summary(outcomes: list[Outcome]) -> dict[str, float]:
    """Return bias and coverage; `_t` is a mean over its standard error."""
    table = pd.DataFrame([asdict(each) for each in outcomes])
    inside = (table["low"] <= table["truth"]) & (table["truth"] <= table["high"])
    plain = (table["plain_low"] <= table["truth"]) & (table["truth"] <= table["plain_high"])
    out: dict[str, float] = {"repetitions": len(table)}
    gaps = {
        "winner_minus_truth": table["plain"] - table["truth"],
        "winner_minus_fold_truth": table["plain"] - table["fold_truth"],
        "corrected_minus_truth": table["value"] - table["truth"],
        "corrected_minus_fold_truth": table["value"] - table["fold_truth"],
    }
    for name, gap in gaps.items():
        out[name] = float(gap.mean())
        out[f"{name}_t"] = float(gap.mean() / (gap.std() / len(gap) ** 0.5))
    out["corrected_covers"] = float(inside.mean())
    out["winner_covers"] = float(plain.mean())
    out["missed_below"] = float((table["truth"] < table["low"]).mean())
    out["missed_above"] = float((table["truth"] > table["high"]).mean())
    out["mean_width"] = float((table["high"] - table["low"]).mean())
    return out


def main() -> int:
    """Print the figures of both kinds of candidates, under three metrics, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--candidates", type=int, default=CANDIDATES)
    parser.add_argument("--metrics", default="roc_auc,neg_log_loss,f1")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    figures = []
    for metric, alike in product(options.metrics.split(","), (True, False)):
        done = repetitions(
            options.repetitions,
            metric=metric,
            alike=alike,
            rows=options.rows,
            n_candidates=options.candidates,
            seed=options.seed,
        )
        rounded = {name: round(value, 4) for name, value in summary(list(done)).items()}
        figures.append({"metric": metric, "alike": alike, "rows": options.rows, **rounded})
        print(json.dumps(figures[-1]), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
