from __future__ import annotations

from dataclasses import replace

from tests.ui.made import candidate_of, rows_of
from workbench.display.sentences import advice, in_words, limit_costs, summary, take_cheaper
from workbench.tradeoff import Limits, ServableRow, Traffic, describe, load_prices, pick, servable

BUSY = replace(load_prices(), traffic=Traffic(1e9, 20_000.0))


def by_id(name: str) -> ServableRow:
    return next(row for row in servable(rows_of()) if row.id == name)


def test_points_times_and_money_a_month() -> None:
    words = in_words(by_id("c0002"), by_id("c0004"), BUSY)
    assert words.startswith("LightGBM c0002 is 2.9 points less accurate than Extra trees c0004")
    assert "is 30 times faster" in words
    assert "saves $" in words
    assert words.endswith("a month for machines at your traffic.")
    shipped = load_prices()
    assert in_words(by_id("c0002"), by_id("c0004"), shipped).endswith("at an example traffic.")
    assert summary(by_id("c0002"), shipped).endswith("a month for machines at an example traffic.")
    assert "more a month" in in_words(by_id("c0004"), by_id("c0002"), BUSY)


def test_money_of_mistakes_leads_where_it_is_known() -> None:
    first, second = (
        replace(
            by_id(name),
            expected_cost_per_1000=cost,
            expected_cost_low=cost - 5.0,
            expected_cost_high=cost + 5.0,
            total_cost_per_month_usd=cost * 1000.0 + 73.0,
            total_cost_low_usd=(cost - 5.0) * 1000.0 + 73.0,
            total_cost_high_usd=(cost + 5.0) * 1000.0 + 73.0,
        )
        for name, cost in (("c0002", 300.0), ("c0004", 250.0))
    )
    assert in_words(first, second, BUSY).endswith("and costs $50,000 more a month in total at your traffic.")
    assert "(within noise)" in in_words(replace(first, expected_cost_low=200.0), second, BUSY)
    assert summary(first, BUSY).endswith(
        "costs $300 per 1,000 cases in mistakes, $300,073 a month in total at your traffic."
    )


def test_predictions_that_pay_are_not_said_to_cost_less_than_nothing() -> None:
    row = replace(
        by_id("c0002"),
        expected_cost_per_1000=-300.0,
        expected_cost_low=-310.0,
        expected_cost_high=-290.0,
        total_cost_per_month_usd=-299_927.0,
        total_cost_low_usd=-309_927.0,
        total_cost_high_usd=-289_927.0,
    )
    assert summary(row, BUSY).endswith(
        "and pays $300 per 1,000 cases, $299,927 a month after machines at your traffic."
    )
    assert (
        "its predictions pay $300.00 per 1,000 cases [$290.00, $310.00], minus machines $299,927 a month"
        in describe(row, "$", BUSY.traffic)
    )


def test_the_final_score_leads() -> None:
    row = replace(by_id("c0004"), final_score=0.9, final_low=0.88, final_high=0.92)
    assert "reaches 90.0 % correct ordering (AUC)" in summary(row, BUSY)


def test_an_error_is_larger_or_smaller() -> None:
    metric = "neg_mean_absolute_error"
    made = [candidate_of(i, "linear", -10.0 - i, 50.0 / (i + 1), metric=metric) for i in range(2)]
    rows = servable(rows_of(made))
    worse = next(row for row in rows if row.id == "c0001")
    better = next(row for row in rows if row.id == "c0000")
    assert "has a 1 (10 %) larger average error than" in in_words(worse, better, BUSY)
    assert "smaller average error" in in_words(better, worse, BUSY)


def test_what_a_limit_costs() -> None:
    rows, sheet = rows_of(), load_prices()
    tight = limit_costs(rows, "best", Limits(max_latency_us=100.0, max_size_mb=50.0), sheet)
    assert [each.limit for each in tight] == ["max_latency_us", "max_size_mb"]
    assert tight[0].without is not None
    assert tight[0].without.id == "c0004"
    assert "1.7 points more accurate" in tight[0].sentence
    assert tight[1].without is None
    assert "costs nothing" in tight[1].sentence
    [nothing] = limit_costs(rows, "best", Limits(max_latency_us=0.5), sheet)
    assert "rules out every candidate" in nothing.sentence


def test_the_cheaper_of_equals_is_to_be_taken() -> None:
    rows = rows_of([candidate_of(1, "linear", 0.905, 4.0), candidate_of(2, "xgboost", 0.91, 90.0)])
    sheet = load_prices()
    assert take_cheaper(pick(rows, "best", sheet=sheet), sheet) == "", "both need one machine"
    rows = [replace(row, replicas=at) for at, row in enumerate(rows)]
    words = take_cheaper(pick(rows, "best", sheet=sheet), sheet)
    assert "Linear model c0001 is statistically tied with XGBoost c0002" in words
    assert "take the cheaper" in words
    assert take_cheaper(pick(rows, "fastest", sheet=sheet), sheet) == ""


def test_advice_names_each_other_candidate_once() -> None:
    rows, sheet = rows_of(), load_prices()
    sentences = advice(pick(rows, "balanced", sheet=sheet), rows, sheet)
    assert len({sentence.split(" is ")[0] for sentence in sentences}) == len(sentences) >= 3
