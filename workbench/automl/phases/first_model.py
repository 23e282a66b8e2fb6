"""Ensure that a search ends with a model, however busy the machine and short the budget.

If the time is up and no candidate has succeeded, the baseline and one quick model are fitted beyond
the budget, because a search without any model is useless. A fit that is nearly done is completed;
otherwise a quick configuration is started. Its folds are not killed: they stop at a deadline and
keep the rounds fitted so far. Only the folds of the first repeat are fitted. A search that the user
stops is not extended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.families.base import Family, Problem

from ..coordinator.results import BASELINE_ID
from ..coordinator.session import Session
from ..coordinator.study import Study
from ..coordinator.trial import Trial
from ..records.candidate import Candidate
from .trials import add_baseline, begin, collect, drop, hand_out

_SIZES = ("n_estimators", "width", "depth")  # params whose smallest values give the quickest fit
_MOST_TRIED = 3
#: Share of the budget, and least seconds, after which a fit stops with the rounds fitted so far.
_FOLD_SHARE, _LEAST_FOLD_S = 0.15, 5.0
#: Share of the budget, and least seconds, that completing a trial under way may take.
_WORTH_SHARE, _WORTH_LEAST_S = 0.5, 5.0


def finish_first(session: Session, study: Study, families: Sequence[Family]) -> None:
    """Fit the baseline and a model if they are missing, unless somebody has stopped the search.

    Parameters
    ----------
    session : Session
        Its trials may still be under way. Those not completed here are left to `trials.wind_down`.
    study : Study
    families : sequence of Family
        The families that the search may try.
    """
    if session.results.has_baseline and session.results.has_model:
        return
    attempts = _Attempts(session, study, families)
    while not session.stopping and attempts.advance():
        while session.pool.idle and hand_out(session, None):
            pass
        if not session.pool.busy:
            return
        collect(session, study, wait_s=0.25)


@dataclass(slots=True)
class _Attempts:
    """The baseline and the model to fit, and what is tried if the model's fit fails."""

    session: Session
    study: Study
    families: Sequence[Family]
    under_way: str = ""
    tried: int = 0
    added_baseline: bool = False
    configs: Iterator[tuple[str, dict[str, Any]]] | None = None

    def advance(self) -> bool:
        """Start what is missing and not under way; return whether there is anything to wait for."""
        session = self.session
        needs_baseline = not session.results.has_baseline
        if needs_baseline and BASELINE_ID not in session.schedule.trials and not self.added_baseline:
            self.added_baseline = True
            add_baseline(session)
        if not session.results.has_model and self.under_way not in session.schedule.trials:
            self.under_way = self._next()
            if self.under_way:
                self._extend(session.schedule.trials[self.under_way])
        awaited = {self.under_way, BASELINE_ID} if needs_baseline else {self.under_way}
        return not awaited.isdisjoint(session.schedule.trials)

    def _next(self) -> str:
        """Return the id of the trial to complete, under way or new; an empty string if none."""
        session = self.session
        nearly = self._nearly_done() if self.tried == 0 else ""
        ended = "the time was up" if session.clock.bounded else "every other candidate had failed"
        for name in [name for name in session.schedule.trials if name not in (nearly, BASELINE_ID)]:
            drop(session, self.study, name, ended)
        if self.tried >= _MOST_TRIED:
            return ""
        self.tried += 1
        if nearly:
            return nearly
        self.configs = self.configs or iter(quick_configs(self.families, session.run.problem))
        for family, params in self.configs:
            asked = self.study.ask_for(family, params)
            if asked is not None:
                return begin(session, asked).config.id
        return ""

    def _nearly_done(self) -> str:
        """Return the id of the trial that ends soonest, if soon enough; else an empty string."""
        session, left = self.session, dict[str, float]()
        for name, trial in session.schedule.trials.items():
            if name != BASELINE_ID and (trial.folds.done or trial.folds.running):
                missing = _folds_needed(session) - len(trial.folds.done)
                fold_s = max([each.seconds for each in trial.folds.done.values()], default=0.0)
                fold_s = fold_s or session.time.typical_fold_s(trial.config.family)
                if fold_s:
                    left[name] = max(missing, 0) * fold_s
        soonest = min(left, key=lambda name: left[name], default="")
        budget_s = session.clock.budget_s if session.clock.bounded else 0.0
        worth = max(_WORTH_SHARE * budget_s, _WORTH_LEAST_S) * session.settings.workers
        return soonest if soonest and left[soonest] <= worth else ""

    def _extend(self, trial: Trial) -> None:
        """Let a trial run beyond the time budget, in the folds of the first repeat; report it."""
        session, clock = self.session, self.session.clock
        trial.raced = trial.limits.overtime = True
        trial.folds.total = _folds_needed(session)
        fold_s = session.time.typical_fold_s(trial.config.family)
        # Infinite, like the budget, if only a number of trials bounds the search.
        trial.limits.fold_s = max(_FOLD_SHARE * clock.budget_s, 2.0 * fold_s, _LEAST_FOLD_S)
        unlimited = self._over_memory()
        trial.limits.unlimited_memory = unlimited
        session.pool.extend(trial.config.id)
        session.pacing.overtime = True
        why = (
            f"no model was ready after {clock.elapsed:.0f} s"
            if clock.bounded
            else "no candidate could be trained"
        )
        broken = ["time"] * clock.bounded + ["memory"] * unlimited
        beyond = f" beyond the limit of {' and '.join(broken)}" if broken else ""
        session.report("late", f"{why}: fitting {trial.config.id} {trial.config.family}{beyond}")

    def _over_memory(self) -> bool:
        """Return whether every candidate failed at the memory limit."""
        failed = [each for each in self.session.results.candidates.values() if each.status != "ok"]
        return bool(failed) and all(_broke_memory(each) for each in failed)


def _broke_memory(candidate: Candidate) -> bool:
    return candidate.reason.startswith("memory ")


def _folds_needed(session: Session) -> int:
    """Return the folds of the first repeat."""
    return min(int(session.run.info["plan"]["folds"]), session.schedule.folds)


def quick_configs(families: Sequence[Family], problem: Problem) -> list[tuple[str, dict[str, Any]]]:
    """Return one quick configuration of each family, the quickest family first.

    Examples
    --------
    >>> from workbench.families import get_families
    >>> problem = Problem("binary", 2, 1_000, 5)
    >>> found = quick_configs(list(get_families(["mlp", "lightgbm"]).values()), problem)
    >>> [(name, params.get("n_estimators") or params["width"]) for name, params in found]
    [('lightgbm', 20), ('mlp', 32)]
    """
    ordered = sorted(families, key=lambda family: family.traits.first_model_rank)
    portfolios = [(family.name, family.portfolio(problem)) for family in ordered]
    return [(name, min(points, key=_size)) for name, points in portfolios if points]


def _size(params: dict[str, Any]) -> float:
    size = 1.0
    for name in _SIZES:
        if isinstance(params.get(name), int | float):
            size *= float(params[name])
    return size
