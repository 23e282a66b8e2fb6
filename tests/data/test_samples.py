"""The tables that ship, and the one whose best score is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from workbench.data import load_dataset, subscriptions
from workbench.data.samples import load_sample, names
from workbench.data.subscriptions import FACTORS, best_reachable_auc, make_subscriptions
from workbench.errors import DataError

TABLES = Path(__file__).parents[2] / "datasets"


@pytest.mark.parametrize("name", names())
def test_samples_can_be_learned_from(name: str) -> None:
    frame, target = load_sample(name)
    data = load_dataset(frame, target=target)
    assert data.n_rows == len(frame)
    assert not [finding for finding in data.findings if finding.severity == "error"]


def test_a_sample_that_does_not_exist() -> None:
    with pytest.raises(DataError, match="Did you mean iris"):
        load_sample("irs")


def test_subscriptions_have_columns_of_every_kind() -> None:
    data = load_dataset(make_subscriptions(), target="cancelled")
    kinds = {column.name: column.kind for column in data.schema.columns}
    assert kinds == {
        "signed_up": "datetime", "plan": "category", "contract": "category", "monthly_price": "number",
        "payment": "category", "city": "category", "age": "number", "hours_per_week": "number",
        "support_tickets": "number", "last_login": "datetime", "auto_renew": "boolean", "newsletter": "boolean",
        "last_comment": "text",
    }  # fmt: skip
    assert [(finding.code, finding.column) for finding in data.findings] == [("identifier", "customer_id")]
    assert data.schema.output.classes == ("no", "yes")
    nullable = {column.name for column in data.schema.columns if column.nullable}
    assert nullable == {"age", "last_login", "last_comment"}


def test_the_same_seed_makes_the_same_table() -> None:
    pd.testing.assert_frame_equal(make_subscriptions(50, seed=3), make_subscriptions(50, seed=3))
    assert not make_subscriptions(50, seed=3).equals(make_subscriptions(50, seed=4))


def states_shown(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Read the states back from the columns alone."""
    today = np.datetime64("2025-06-30")
    tenure = (today - frame["signed_up"].to_numpy()) / np.timedelta64(1, "D")
    login = (today - frame["last_login"].to_numpy()) / np.timedelta64(1, "D")
    comments = frame["last_comment"]
    mood = np.zeros(len(frame), dtype=int)
    for code, name in enumerate(("happy", "neutral", "unhappy"), start=1):
        judgements = tuple(subscriptions._JUDGEMENTS[name])
        mood[[isinstance(text, str) and text.endswith(judgements) for text in comments]] = code
    cities = sorted({*frame["city"]})
    tiers = dict(zip(cities, map(city_tier, cities), strict=True))
    return {
        "plan": frame["plan"].map({"basic": 0, "standard": 1, "premium": 2}).to_numpy(),
        "contract": (frame["contract"] == "yearly").to_numpy().astype(int),
        "tickets": np.digitize(frame["support_tickets"], [1, 3]),
        "login": np.where(np.isnan(login), 3, np.digitize(np.nan_to_num(login), [10, 35])),
        "tier": frame["city"].map(tiers).to_numpy(),
        "tenure": np.digitize(tenure, [183, 730]),
        "mood": mood,
        "hours": np.digitize(frame["hours_per_week"], [2.0, 8.0]),
        "auto_renew": frame["auto_renew"].to_numpy().astype(int),
    }


def city_tier(city: str) -> int:
    rng = np.random.default_rng(0)
    for tier, name in enumerate(("fibre", "cable", "remote")):
        if city in subscriptions._cities(np.full(3000, name), rng):
            return tier
    raise AssertionError(city)


def test_the_columns_show_the_states_and_the_best_score_is_what_they_reach() -> None:
    frame = make_subscriptions(20_000, seed=1)
    common = {city for city, count in frame["city"].value_counts().items() if count >= 20}
    frame = frame[frame["city"].isin(common)]
    states = states_shown(frame)
    odds = sum(np.asarray(factor.effects)[states[factor.name]] for factor in FACTORS)
    odds = odds + subscriptions._together(states["contract"], states["tickets"])
    for factor in FACTORS:
        shares = np.bincount(states[factor.name], minlength=len(factor.states)) / len(frame)
        np.testing.assert_allclose(shares, factor.shares, atol=0.02)
    # the standard error of an AUC of 0.86 on 20,000 rows is about 0.003
    assert roc_auc_score(frame["cancelled"] == "yes", odds) == pytest.approx(best_reachable_auc(), abs=0.012)


def test_the_best_score_is_exact() -> None:
    rng = np.random.default_rng(2)
    n_rows = 400_000
    states = {factor.name: rng.choice(len(factor.states), n_rows, p=factor.shares) for factor in FACTORS}
    odds = subscriptions._BASE + sum(np.asarray(factor.effects)[states[factor.name]] for factor in FACTORS)
    odds = np.round(odds + subscriptions._together(states["contract"], states["tickets"]), 9)
    drawn = rng.random(n_rows) < 1 / (1 + np.exp(-odds))
    # ten standard errors would be 0.006
    assert roc_auc_score(drawn, odds) == pytest.approx(best_reachable_auc(), abs=0.003)


@pytest.mark.parametrize(
    ("name", "target"), [("subscriptions", "cancelled"), ("diabetes", "progression"), ("wine", "cultivar")]
)
def test_tables_in_the_repository_are_the_samples(name: str, target: str) -> None:
    frame, expected = load_sample(name)
    assert expected == target
    on_disk = load_dataset(TABLES / f"{name}.csv", target=target)
    assert on_disk.fingerprint == load_dataset(frame, target=target).fingerprint
    assert (TABLES / f"{name}.md").exists()
