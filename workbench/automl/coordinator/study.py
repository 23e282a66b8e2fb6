"""The Optuna study behind a search: it suggests parameters and learns from the results."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState

from workbench.errors import SettingsError, shown
from workbench.families.base import Family, Problem
from workbench.families.shared.boosting import with_larger_steps

from ..records.candidate import Candidate, Origin
from ..records.journal import open_journal
from .portfolio import in_turn

#: The sampler optimizes the score alone; the costs are stored with the trial. With all three as
#: objectives it spends most trials on cheap models, which the portfolio and models with fewer
#: rounds provide anyway: the best candidates and ensembles were worse, and the front was not better
#: (`benchmarks/samplers.py`).
OBJECTIVE, COSTS = "score", ("latency_us", "cpu_s_per_million")
FAMILY = "family"
_REPEATS = 8  # attempts to get parameters that were not tried before


class OneFamilySampler(optuna.samplers.TPESampler):
    """TPE over groups of parameters that samples only the group of the trial's family.

    Optuna samples the groups of all families for every trial. With ten families that is about nine
    times the work, and it changes nothing because the groups are sampled independently.
    """

    def sample_relative(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial, search_space: dict[str, Any]
    ) -> dict[str, Any]:
        """Sample the family, then its parameters; see Optuna's `BaseSampler.sample_relative`."""
        choice = {name: each for name, each in search_space.items() if name == FAMILY}
        if not choice:
            return super().sample_relative(study, trial, search_space)
        drawn = super().sample_relative(study, trial, choice)
        family = trial.system_attrs.get("fixed_params", {}).get(FAMILY, drawn.get(FAMILY))
        if family is None:  # the first trials: Optuna samples each parameter at random instead
            return drawn
        own = {name: each for name, each in search_space.items() if name.startswith(f"{family}.")}
        return {**drawn, **super().sample_relative(study, trial, own)}


def default_sampler(seed: int) -> optuna.samplers.BaseSampler:
    """Return the sampler of a search; benchmarks/samplers.py compares it with others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # about `group`
        return OneFamilySampler(
            seed=seed, multivariate=True, group=True, n_startup_trials=10, constant_liar=True
        )


def _costs_of(trial: optuna.trial.FrozenTrial) -> tuple[float, float]:
    """Return the costs of a trial, from its user attributes or, in old studies, its values."""
    if len(trial.values) > 1:
        return trial.values[1], trial.values[2]
    latency_us, cpu_s = (float(trial.user_attrs.get(name, 0.0)) for name in COSTS)
    return latency_us, cpu_s


@dataclass(frozen=True, slots=True)
class _Result:
    """A result: score, costs, and whether the score is an estimate after one fold."""

    score: float
    costs: tuple[float, float]
    pruned: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A trial to run.

    Attributes
    ----------
    trial : optuna.Trial
    family : str
    params : dict
    origin : Origin
    step_scale : float
        Factor by which the portfolio's learning rate was multiplied.
    """

    trial: optuna.Trial
    family: str
    params: dict[str, Any]
    origin: Origin
    step_scale: float = 1.0

    @property
    def id(self) -> str:
        """The id of the candidate. The baseline is not a trial; its id is c0000."""
        return f"c{self.trial.number + 1:04d}"


@dataclass(frozen=True, slots=True)
class _Planned:
    """Parameters to try before the sampler suggests any.

    `key` identifies those of the portfolio; it is empty for parameters that the search adds.
    """

    family: str
    params: dict[str, Any]
    key: str = ""
    step_scale: float = 1.0

    def with_steps(self, scale: float) -> _Planned:
        """Return the same with larger steps, if it is from the portfolio and has steps."""
        params = with_larger_steps(self.params, scale) if self.key else None
        return self if params is None else replace(self, params=params, step_scale=scale)


def _key(family: str, params: Mapping[str, Any]) -> str:
    return json.dumps([family, params], sort_keys=True, default=str)


class Study:
    """Asks Optuna for candidates: the portfolio first, then the sampler.

    Parameters
    ----------
    folder : Path
        The folder of the run; it holds the journal if there is no `storage`.
    storage : str or None
        An Optuna storage URL.
    name : str
        The study's name in the storage.
    families : sequence of Family
        All families except the baseline.
    problem : Problem
    sampler : optuna.samplers.BaseSampler
    steer_by_costs : bool
        Whether the costs are objectives of a new study, for benchmarks/samplers.py.
    """

    def __init__(
        self,
        folder: Path,
        storage: str | None,
        name: str,
        families: Sequence[Family],
        problem: Problem,
        sampler: optuna.samplers.BaseSampler,
        *,
        steer_by_costs: bool = False,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._families = {family.name: family for family in families}
        self._choices = list(self._families)
        self._problem = problem
        directions = [
            StudyDirection.MAXIMIZE,
            *([StudyDirection.MINIMIZE] * len(COSTS) if steer_by_costs else []),
        ]
        try:
            self._study = optuna.create_study(
                storage=storage or open_journal(folder / "optuna.journal"),
                study_name=name,
                directions=directions,
                sampler=sampler,
                load_if_exists=True,
            )
        except (ImportError, ValueError) as error:
            raise SettingsError("storage", found=shown(storage), expected="an Optuna storage URL") from error
        except Exception as error:  # SQLAlchemy raises its own types if a storage is not available
            if storage is None:
                raise
            first = str(error).splitlines()[0][:200]
            raise SettingsError(
                "storage", found=first, hint="Check that the storage can be reached."
            ) from error
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # names for the dashboard
            self._study.set_metric_names([OBJECTIVE, *COSTS][: len(self._study.directions)])
        self._results: dict[str, _Result] = {}
        self._waiting: list[_Planned] = []
        self._recover()

    def _recover(self) -> None:
        """Plan what a killed search has not tried of the portfolio; repeat deferred trials."""
        trials = self._study.get_trials(deepcopy=False)
        self._choices = self._settled_choices(trials)
        enqueued = self._study.user_attrs.get("portfolio")  # earlier versions enqueued all of it
        if not enqueued:
            families = [each for name, each in self._families.items() if name in self._choices]
            known = {trial.user_attrs.get("planned") for trial in trials}
            planned = [
                (name, params, _key(name, params)) for name, params in in_turn(families, self._problem)
            ]
            self._waiting = [_Planned(*each) for each in planned if each[-1] not in known]
        if not trials:
            return
        taken_up = self._study.user_attrs.get("taken_up", -1)
        self._study.set_user_attr("taken_up", trials[-1].number)
        for trial in trials:
            if trial.number > taken_up and trial.user_attrs.get("deferred"):
                self._enqueue_again(trial)
            elif trial.values and "params" in trial.user_attrs:
                pruned = trial.state == TrialState.PRUNED
                self._results[trial.user_attrs["params"]] = _Result(trial.values[0], _costs_of(trial), pruned)

    def _enqueue_next(self, step_scale: float) -> None:
        """Enqueue the next planned parameters, unless a trial of a killed search is waiting."""
        if not self._waiting or self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            return
        next_ = self._waiting.pop(0).with_steps(step_scale)
        fixed = {
            FAMILY: next_.family,
            **{f"{next_.family}.{name}": each for name, each in next_.params.items()},
        }
        attrs = {"origin": "portfolio", "planned": next_.key, "haste": next_.step_scale}
        self._study.enqueue_trial(fixed, user_attrs=attrs)

    def repeat_with_larger_steps(self, asked: Asked, factor: float) -> None:
        """Plan to try a booster's parameters next, with steps larger by a factor."""
        params = with_larger_steps(asked.params, factor)
        if params is not None and _key(asked.family, params) not in self._results:
            self._waiting.insert(0, _Planned(asked.family, params, step_scale=asked.step_scale * factor))

    def _enqueue_again(self, trial: optuna.trial.FrozenTrial) -> None:
        params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
        if params:
            attrs = {"origin": trial.user_attrs.get("origin", "sampler")}
            self._study.enqueue_trial(params, user_attrs=attrs)

    def left_running(self) -> list[Asked]:
        """Return the trials that a killed search left running, to be completed or repeated."""
        left = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return [
            Asked(
                optuna.Trial(self._study, trial._trial_id),
                trial.params.get(FAMILY, ""),
                {},
                trial.user_attrs.get("origin", "sampler"),
            )
            for trial in left
        ]

    def repeat(self, asked: Asked) -> None:
        """Mark a trial that was left running as failed, and enqueue its parameters again."""
        (trial,) = (
            each for each in self._study.get_trials(deepcopy=False) if each.number == asked.trial.number
        )
        self._study.tell(asked.trial, state=TrialState.FAIL)
        self._enqueue_again(trial)

    def _settled_choices(self, trials: Sequence[optuna.trial.FrozenTrial]) -> list[str]:
        """Return the families that the study started with; Optuna does not allow other choices."""
        if not trials:
            self._study.set_user_attr("families", self._choices)
            return self._choices
        drawn = (each.distributions[FAMILY] for each in trials if FAMILY in each.distributions)
        first = next((each.choices for each in drawn if isinstance(each, CategoricalDistribution)), None)
        return list(self._study.user_attrs.get("families") or first or self._choices)

    @property
    def absent(self) -> list[str]:
        """Families that the study started with and that are not installed here."""
        return [name for name in self._choices if name not in self._families]

    @property
    def count(self) -> int:
        """Number of trials that have ended, whatever their state."""
        ended = (TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED)
        return len(self._study.get_trials(deepcopy=False, states=ended))

    def ask(self, step_scale: float = 1.0) -> Asked:
        """Return the next trial; parameters tried before get their earlier result and are skipped.

        Parameters
        ----------
        step_scale : float
            Factor for the learning rates of the portfolio's boosters, above 1 if time is short.
        """
        for attempt in range(_REPEATS + 1):
            self._enqueue_next(step_scale)
            trial, family = self._ask_family()
            params = self._families[family].suggest(trial, self._problem)
            key = _key(family, params)
            known = self._results.get(key)
            if known is None or attempt == _REPEATS:
                break
            self._record(trial, known)
        trial.set_user_attr("params", key)
        attrs = trial.user_attrs
        return Asked(trial, family, params, attrs.get("origin", "sampler"), attrs.get("haste", 1.0))

    def ask_for(self, family: str, params: Mapping[str, Any]) -> Asked | None:
        """Return a trial of these parameters; None if they were tried before."""
        if family not in self._choices or _key(family, params) in self._results:
            return None
        planned, self._waiting = self._waiting, [_Planned(family, dict(params), _key(family, params))]
        try:
            asked = self.ask()
        finally:
            self._waiting = [each for each in planned if each.key != _key(family, params)]
        if asked.family == family:
            return asked
        self.defer(asked)  # a trial of a killed search was waiting and came first
        return None

    def _ask_family(self) -> tuple[optuna.Trial, str]:
        """Return a trial of an installed family; mark trials of other families as failed."""
        skipped = 0
        while True:
            trial = self._study.ask()
            family = trial.suggest_categorical(FAMILY, self._choices)
            if family in self._families:
                return trial, family
            self._study.tell(trial, state=TrialState.FAIL)
            skipped += 1
            if skipped > _REPEATS:  # the sampler may prefer a family that is not installed
                own = next(name for name in self._families if name in self._choices)
                self._study.enqueue_trial({FAMILY: own}, skip_if_exists=False)
                skipped = 0

    def tell(
        self,
        asked: Asked,
        candidate: Candidate,
        costs: tuple[float, float] | None,
        excess: Mapping[str, float] | None = None,
    ) -> None:
        """Record the result of a trial.

        Parameters
        ----------
        asked : Asked
        candidate : Candidate
        costs : (float, float) or None
            Latency (µs) and CPU seconds per million rows; None for a failure.
        excess : mapping, optional
            By how much each limit is exceeded. Above zero, the sampler treats the trial as
            infeasible.
        """
        trial = asked.trial
        trial.set_user_attr("candidate", candidate.id)
        if candidate.reason:
            trial.set_user_attr("reason", candidate.reason)
        if costs is None or candidate.score is None:
            self._study.tell(trial, state=TrialState.FAIL)
            return
        for name, amount in (excess or {}).items():
            trial.set_constraint(name, amount)
        self._finish(trial, _Result(candidate.score.value, costs))

    def tell_estimate(
        self, asked: Asked, candidate: Candidate, score: float, costs: tuple[float, float]
    ) -> None:
        """Record the estimated score of a trial that was stopped early after its first fold.

        The trial counts as pruned, with the estimate as its value after one fold. The sampler
        learns from it: TPE ranks pruned trials below complete ones, by their last value.
        """
        asked.trial.set_user_attr("candidate", candidate.id)
        asked.trial.set_user_attr("reason", candidate.reason)
        self._finish(asked.trial, _Result(score, costs, pruned=True))

    def defer(self, asked: Asked) -> None:
        """Give back a trial for which there is no time; a resumed search tries it again."""
        asked.trial.set_user_attr("deferred", True)
        self._study.tell(asked.trial, state=TrialState.FAIL)

    def _finish(self, trial: optuna.Trial, result: _Result) -> None:
        self._results[trial.user_attrs["params"]] = result
        self._record(trial, result)

    def _record(self, trial: optuna.Trial, result: _Result) -> None:
        for name, value in zip(COSTS, result.costs, strict=True):
            trial.set_user_attr(name, value)
        objectives = len(self._study.directions)
        if result.pruned and objectives == 1:
            trial.report(result.score, step=1)
            self._study.tell(trial, state=TrialState.PRUNED)
            return
        # Studies of earlier versions have the costs as objectives; Optuna cannot prune with
        # several.
        self._study.tell(trial, [result.score, *result.costs][:objectives])
