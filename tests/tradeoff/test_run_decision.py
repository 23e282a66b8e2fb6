"""The decision stored in a run: whole files, revisions, and two who decide at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.automl.records.payoff import ClassPayoff
from workbench.errors import ChangedError, RunError, SettingsError
from workbench.tradeoff.prices import Traffic
from workbench.tradeoff.run_decision import (
    DECISION_FILE,
    HISTORY_FILE,
    changed,
    read_decision,
    read_decisions,
    store_decision,
)
from workbench.tradeoff.terms import Given

_HALF = '{"format": 1, "revision": 1, "who": "a", "when": "b", "threshold": 7}'


def test_a_decision_is_read_as_it_was_stored(tmp_path: Path) -> None:
    assert read_decision(tmp_path) is None
    assert read_decisions(tmp_path) == []
    given = Given(pick="best", payoff=ClassPayoff(fp=-5, fn=-40), traffic=Traffic(1e6, 3.0))
    first = store_decision(tmp_path, given, who="ada", why="costs of May", chosen="c0003")
    assert read_decision(tmp_path) == first
    assert (first.revision, first.who, first.why, first.chosen) == (1, "ada", "costs of May", "c0003")
    second = store_decision(tmp_path, Given(threshold=0.3), who="bob")
    assert read_decision(tmp_path) == second
    assert read_decisions(tmp_path) == [first, second]
    assert json.loads((tmp_path / DECISION_FILE).read_text())["format"] == 1


def test_the_later_of_two_is_told_that_it_changed_and_by_whom(tmp_path: Path) -> None:
    store_decision(tmp_path, Given(pick="best"), who="ada", expected=0)
    with pytest.raises(ChangedError, match="revision 1 by ada") as caught:
        store_decision(tmp_path, Given(pick="fastest"), who="bob", expected=0)
    assert "expected none" in str(caught.value)
    stored = read_decision(tmp_path)
    assert stored is not None
    assert (stored.who, stored.given.pick) == ("ada", "best")
    assert store_decision(tmp_path, Given(pick="fastest"), who="bob", expected=1).revision == 2


def test_of_many_at_once_one_wins_and_no_revision_is_lost(tmp_path: Path) -> None:
    def attempt(number: int) -> bool:
        try:
            store_decision(tmp_path, Given(unit=str(number)), who=str(number), expected=0)
        except ChangedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1
        list(pool.map(lambda number: store_decision(tmp_path, Given(unit=str(number))), range(16)))
    assert [each.revision for each in read_decisions(tmp_path)] == list(range(1, 18))


def test_what_a_killed_process_left_is_passed_over(tmp_path: Path) -> None:
    store_decision(tmp_path, Given(pick="best"))
    with (tmp_path / HISTORY_FILE).open("a", encoding="utf-8") as file:
        file.write('{"format": 1, "revis')
    store_decision(tmp_path, Given(pick="fastest"))
    assert [each.given.pick for each in read_decisions(tmp_path)] == ["best", "fastest"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1}', _HALF])
def test_a_decision_that_cannot_be_read_is_no_silent_default(tmp_path: Path, content: str) -> None:
    (tmp_path / DECISION_FILE).write_text(content)
    with pytest.raises(RunError, match="cannot be read"):
        read_decision(tmp_path)


def test_a_newer_format_asks_for_an_upgrade(tmp_path: Path) -> None:
    store_decision(tmp_path, Given(pick="best"))
    path = tmp_path / DECISION_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}))
    with pytest.raises(RunError, match="newer version"):
        read_decision(tmp_path)


def test_what_is_not_mentioned_stays_decided() -> None:
    before = Given(pick="best", threshold=0.3, limits={"max_latency_us": 5.0, "max_size_mb": 1.0}, unit="kWh")
    after = changed(before, Given(limits={"max_latency_us": None}), ("max_size_mb", "pick"))
    assert after == Given(threshold=0.3, limits={"max_latency_us": None}, unit="kWh")
    assert changed(before, Given(), ("limits",)).limits == {}
    with pytest.raises(SettingsError, match="reset: found 'much'"):
        changed(before, Given(), ("much",))


def test_new_payoffs_drop_the_threshold_of_the_old_ones() -> None:
    before = Given(payoff=ClassPayoff(fp=-1, fn=-1), threshold=0.3)
    payoff = ClassPayoff(fp=-5, fn=-40)
    assert changed(before, Given(payoff=payoff)).threshold is None
    assert changed(before, Given(payoff=payoff, threshold=0.2)).threshold == 0.2
    assert changed(before, Given(payoff=before.payoff)).threshold == 0.3, "nothing changed"
