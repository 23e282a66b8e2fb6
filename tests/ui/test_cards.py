from __future__ import annotations

from pathlib import Path

from workbench.export.catalog import BundleEntry
from workbench.ui.cards import bundle_table, run_facts


def test_the_facts_of_a_run_leave_out_what_it_does_not_say() -> None:
    info = {
        "settings": {"target": "Churn", "task": "auto"},
        "task": "binary",
        "data": {"name": "churn.csv", "rows": 5000},
        "seconds_used": 48.2,
        "seconds_allowed": 60.0,
    }
    assert run_facts(info) == [
        "churn.csv",
        "predicts Churn (yes or no)",
        "5,000 rows",
        "took 48 s of 1 min",
    ]
    assert run_facts({}) == []
    assert run_facts({"settings": None, "data": 3, "seconds_used": 5}) == ["took 5 s"]


def test_bundles_are_listed_with_what_their_manifests_have() -> None:
    whole = BundleEntry(
        "bundles/churn-2",
        name="churn",
        version="2",
        created="2026-01-31T12:00:00Z",
        metric="roc_auc",
        score=0.914,
        latency_p50_us=33.0,
        run="r1",
        candidate="c0003",
    )
    broken = BundleEntry("bundles/team/cut", name="cut", error="cut short")
    table = bundle_table([whole, broken], Path("bundles"))
    assert table[0] == {
        "folder": "churn-2",
        "name": "churn",
        "version": "2",
        "created": "2026-01-31 12:00 UTC",
        "score": "91.4 % AUC",
        "latency": "0.033 ms",
        "run": "r1",
        "candidate": "c0003",
        "problem": "",
    }
    assert {name: text for name, text in table[1].items() if text} == {
        "folder": "team/cut",
        "score": "–",
        "latency": "–",
        "problem": "cut short",
    }
