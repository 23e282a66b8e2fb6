"""The section of the report on the quality of the choice."""

from __future__ import annotations

from contextlib import suppress

from workbench import explain
from workbench.automl.records.payoff import ClassPayoff
from workbench.automl.records.run_folder import RunFolder
from workbench.display import quality as figures
from workbench.display.numbers import amount, count, percent, significant
from workbench.errors import RunError
from workbench.explain import Evidence
from workbench.tradeoff import Terms

from . import words
from .markup import chart, listed, pair, tag


def quality(run: RunFolder, candidate: str, terms: Terms) -> str:
    """Return the curves or errors of the task, and the cost of mistakes."""
    known = explain.evidence_of(run, candidate)
    note = tag("p", words.QUALITY_NOTE.format(rows=count(known.n)), kind="soft")
    if known.task == "regression":
        return note + _numbers(run, candidate, known)
    if known.task == "multiclass":
        table = explain.confusion(known)
        return note + chart(figures.confusion_figure(table, known.classes), "confusion", "Confusions")
    share = float((known.weight * (known.y == 1)).sum() / known.weight.sum())
    drawn = pair(
        chart(figures.roc_figure(explain.roc(known)), "roc", "ROC curve"),
        chart(
            figures.precision_recall_figure(explain.precision_recall(known), share),
            "pr",
            "Precision and recall",
        ),
        chart(figures.calibration_figure(explain.calibration(known)), "calibration", "Calibration"),
        chart(figures.gain_figure(explain.gains(known)), "gain", "Gain"),
    )
    return note + drawn + _money(run, candidate, known, terms)


def _money(run: RunFolder, candidate: str, known: Evidence, terms: Terms) -> str:
    """Return the cost of mistakes at the threshold of the bundle."""
    costs, currency = terms.payoff, terms.sheet.currency
    if not isinstance(costs, ClassPayoff):
        return ""
    threshold = known.threshold if terms.threshold is None else terms.threshold
    made = explain.decisions(known, costs, threshold)
    try:
        unseen = explain.decisions(explain.evidence_of(run, candidate, "holdout"), costs, threshold)
        confirmed = amount(round(unseen.cost), currency)
    except RunError:
        confirmed = "not checked"
    yes = str(known.classes[1])
    sentence = words.MONEY_TEXT.format(
        yes=yes,
        wrong_yes=amount(costs.wrong_yes, currency),
        wrong_no=amount(costs.wrong_no, currency),
        threshold=percent(threshold),
        cost=amount(round(made.cost), currency),
        low=amount(round(made.cost_low), currency),
        high=amount(round(made.cost_high), currency),
        unseen=confirmed,
    )
    cases = words.MONEY_CASES.format(
        yes=yes,
        yes_all=count(made.yes_right + made.yes_wrong),
        yes_right=count(made.yes_right),
        yes_wrong=count(made.yes_wrong),
        no_wrong=count(made.no_wrong),
    )
    table = explain.threshold_table(known, costs)
    drawn = chart(
        figures.threshold_figure(table, threshold, known.threshold, currency),
        "threshold",
        "Cost over threshold",
    )
    return tag("h2", words.MONEY) + tag("p", sentence) + tag("p", cases) + drawn


def _numbers(run: RunFolder, candidate: str, known: Evidence) -> str:
    target = str(run.info.get("settings", {}).get("target", ""))
    sample = explain.residual_sample(known)
    drawn = pair(
        chart(figures.predicted_figure(sample, target), "predicted", "Predicted against actual"),
        chart(figures.residual_figure(sample, target), "residuals", "Residuals"),
    )
    unseen: Evidence | None = None
    with suppress(RunError):
        unseen = explain.evidence_of(run, candidate, "holdout")
    lines = [
        words.COVERAGE_TEXT.format(
            level=percent(row["level"], 0),
            half_width=significant(row["half_width"], 3),
            covered=percent(row["covered"]),
            low=percent(row["low"]),
            high=percent(row["high"]),
        )
        for row in explain.coverage(known, unseen)
    ]
    return drawn + listed(lines)
