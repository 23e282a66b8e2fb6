"""The candidates so far, and which worker has an ensemble open."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as some

from workbench.automl.coordinator.results import Results
from workbench.automl.records.candidate import Candidate, Score
from workbench.automl.worker.workspace import Workspace


@given(some.lists(some.tuples(some.integers(0, 2), some.integers(-5, 5)), max_size=20))
def test_the_results_know_which_worker_has_which_ensemble_open(written: list[tuple[int, int]]) -> None:
    nothing: Any = None
    results = Results()
    spaces = {worker: cast(Any, SimpleNamespace(artifact=None)) for worker in range(3)}
    for at, (worker, value) in enumerate(written):
        score = Score(value, value, value, "neg_log_loss", "out of fold", 100)
        results.mark_open(worker, Candidate(f"b{at}", "blend", {}, "derived", "ok", score=score))
        results.mark_open(worker, Candidate(f"f{at}", "blend", {}, "derived", "failed"))
        Workspace.keep_open(spaces[worker], f"b{at}", value, nothing)
    held = {worker: space.artifact.name for worker, space in spaces.items() if space.artifact}
    for at in range(len(written)):
        found = results.opened_by(f"b{at}")
        assert (held.get(found) == f"b{at}") if found is not None else (f"b{at}" not in held.values())
    if written:
        best = max(range(len(written)), key=lambda at: written[at][1])  # the first of the best
        assert any(written[int(name[1:])][1] == written[best][1] for name in held.values())
