"""A search ends with a model, whatever the load of the machine and the time that it was given.

Where the time is up and nothing is there but failures, the baseline and one quick model are fitted all the same, beyond
the budget: a search that ends with nothing has used its time in vain. What is under way and nearly done is finished;
else a quick config is started anew. Its fits are not killed, but given a time after which they stop with what they
have, and only the folds of the first repeat are fitted. A search that somebody stops is not prolonged.
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

_SIZES = ("n_estimators", "width", "depth")  # params of which the smallest make the quickest fit
_MOST_TRIED = 3
_FOLD_SHARE, _LEAST_FOLD_S = (
    0.15,
    5.0,
)  # of the budget, and at least: after which a fit stops with what it has
_WORTH_SHARE, _WORTH_LEAST_S = (
    0.5,
    5.0,
)  # of the budget, and at least: what finishing what is under way may take


def finish_first(session: Session, study: Study, families: Sequence[Family]) -> None:
    """See to it that there are a baseline and a model, where the time is up and nobody has stopped the search.

    Parameters
    ----------
    session : Session
        Its trials may still be under way: those that are not finished here are left to `trials.wind_down`.
    study : Study
    families : sequence of Family
        Those that the search may try.
    """
    if session.results.has_baseline and session.results.has_model:
        return
    ready = _Attempts(session, study, families)
    while not session.stopping and ready.go_on():
        while session.pool.idle and hand_out(session, None):
            pass
        if not session.pool.busy:
            return
        collect(session, study, wait_s=0.25)


@dataclass(slots=True)
class _Attempts:
    """The baseline and the model that are being fitted, and what is tried next where a model's fit fails."""

    session: Session
    study: Study
    families: Sequence[Family]
    under_way: str = ""
    tried: int = 0
    added_baseline: bool = False
    configs: Iterator[tuple[str, dict[str, Any]]] | None = None

    def go_on(self) -> bool:
        """Tell whether anything is still to be waited for, after seeing to it that something is under way."""
        session = self.session
        needs_baseline = not session.results.has_baseline
        if needs_baseline and BASELINE_ID not in session.schedule.trials and not self.added_baseline:
            self.added_baseline = True
            add_baseline(session)
        if not session.results.has_model and self.under_way not in session.schedule.trials:
            self.under_way = self._next()
            if self.under_way:
                self._extend(session.schedule.trials[self.under_way])
        return (
            needs_baseline and BASELINE_ID in session.schedule.trials
        ) or self.under_way in session.schedule.trials

    def _next(self) -> str:
        """Return the trial to finish: one that is under way already, at first, or a new one; else an empty name."""
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
        """Return the trial under way that would be finished soonest, if that is soon; else an empty name."""
        session, left = self.session, dict[str, float]()
        for name, trial in session.schedule.trials.items():
            if name != BASELINE_ID and (trial.folds.done or trial.folds.running):
                missing = _folds_needed(session) - len(trial.folds.done)
                usual = max([each.seconds for each in trial.folds.done.values()], default=0.0)
                usual = usual or session.time.typical_fold_s(trial.config.family)
                if usual:
                    left[name] = max(missing, 0) * usual
        soonest = min(left, key=lambda name: left[name], default="")
        budget_s = session.clock.budget_s if session.clock.bounded else 0.0
        worth = max(_WORTH_SHARE * budget_s, _WORTH_LEAST_S) * session.settings.workers
        return soonest if soonest and left[soonest] <= worth else ""

    def _extend(self, trial: Trial) -> None:
        """Let a trial run beyond the time, in the folds of the first repeat, and say so."""
        session, clock = self.session, self.session.clock
        trial.raced = trial.limits.overtime = True
        trial.folds.total = _folds_needed(session)
        usual = session.time.typical_fold_s(trial.config.family)
        trial.limits.fold_s = max(
            _FOLD_SHARE * clock.budget_s, 2.0 * usual, _LEAST_FOLD_S
        )  # no end where there is no clock
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
        """Tell whether everything that was tried broke the limit of memory."""
        failed = [each for each in self.session.results.candidates.values() if each.status != "ok"]
        return bool(failed) and all(_broke_memory(each) for each in failed)


def _broke_memory(candidate: Candidate) -> bool:
    return candidate.reason.startswith("memory ")


def _folds_needed(session: Session) -> int:
    """Return the folds of the first repeat."""
    return min(int(session.run.info["plan"]["folds"]), session.schedule.folds)


def quick_configs(families: Sequence[Family], problem: Problem) -> list[tuple[str, dict[str, Any]]]:
    """Return a quick config of each family, the quickest family first.

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
