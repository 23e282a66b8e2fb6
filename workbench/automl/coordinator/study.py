"""The Optuna study behind a search: ask for parameters, tell what came of them."""

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

#: What a trial is told: the sampler steers by the score alone, and the costs are kept beside it. Told all three, it
#: spends most trials on what is cheap, which the portfolio and models cut off earlier give anyway: the best candidates
#: and blends were worse, and the front no better (`benchmarks/samplers.py`).
OBJECTIVE, COSTS = "score", ("latency_us", "cpu_s_per_million")
FAMILY = "family"
_REPEATS = 8


class OneFamilySampler(optuna.samplers.TPESampler):
    """TPE over groups of parameters, of which it samples only those that a trial uses: its family's.

    Optuna samples every family's group for every trial, which with ten families costs nine times the work and changes
    nothing, since the groups are sampled apart from one another.
    """

    def sample_relative(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial, search_space: dict[str, Any]
    ) -> dict[str, Any]:
        """Sample the family, then its parameters; see `optuna.samplers.BaseSampler.sample_relative`."""
        choice = {name: each for name, each in search_space.items() if name == FAMILY}
        if not choice:
            return super().sample_relative(study, trial, search_space)
        drawn = super().sample_relative(study, trial, choice)
        family = trial.system_attrs.get("fixed_params", {}).get(FAMILY, drawn.get(FAMILY))
        if family is None:  # of the first trials nothing is drawn here: each parameter is sampled at random
            return drawn
        own = {name: each for name, each in search_space.items() if name.startswith(f"{family}.")}
        return {**drawn, **super().sample_relative(study, trial, own)}


def default_sampler(seed: int) -> optuna.samplers.BaseSampler:
    """Return the sampler that a search asks; benchmarks/samplers.py compares it with others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # `group`: chosen knowingly
        return OneFamilySampler(
            seed=seed, multivariate=True, group=True, n_startup_trials=10, constant_liar=True
        )


def _costs_of(trial: optuna.trial.FrozenTrial) -> tuple[float, float]:
    """Return the costs of a trial: kept beside its score, or, in a study that is steered by them, among its values."""
    if len(trial.values) > 1:
        return trial.values[1], trial.values[2]
    latency_us, cpu_s = (float(trial.user_attrs.get(name, 0.0)) for name in COSTS)
    return latency_us, cpu_s


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known of params that were tried: score, costs, and whether the score is an estimate of a first fold's."""

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
        By what the learning rate that the portfolio has was multiplied.
    """

    trial: optuna.Trial
    family: str
    params: dict[str, Any]
    origin: Origin
    step_scale: float = 1.0

    @property
    def id(self) -> str:
        """The candidate's id; the baseline, which is no trial, is c0000."""
        return f"c{self.trial.number + 1:04d}"


@dataclass(frozen=True, slots=True)
class _Planned:
    """Params to try before the sampler is asked: the portfolio's, known by `key`, or some that the search came upon."""

    family: str
    params: dict[str, Any]
    key: str = ""
    step_scale: float = 1.0

    def with_steps(self, scale: float) -> _Planned:
        """Return the same with larger steps, where it is of the portfolio and has steps."""
        params = with_larger_steps(self.params, scale) if self.key else None
        return self if params is None else replace(self, params=params, step_scale=scale)


def _key(family: str, params: Mapping[str, Any]) -> str:
    return json.dumps([family, params], sort_keys=True, default=str)


class Study:
    """Asks Optuna for candidates: the portfolio first, then the sampler.

    Parameters
    ----------
    folder : Path
        The run's folder, which keeps the journal where there is no `storage`.
    storage : str or None
        An Optuna storage URL.
    name : str
        The study's name in the storage.
    families : sequence of Family
        Without the baseline.
    problem : Problem
    sampler : optuna.samplers.BaseSampler
    steer_by_costs : bool
        Whether the costs of a new study are objectives too, as benchmarks/samplers.py compares.
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
        except Exception as error:  # SQLAlchemy raises its own kinds for a storage that is not there
            if storage is None:
                raise
            first = str(error).splitlines()[0][:200]
            raise SettingsError(
                "storage", found=first, hint="Check that the storage can be reached."
            ) from error
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # names for the dashboard
            self._study.set_metric_names([OBJECTIVE, *COSTS][: len(self._study.directions)])
        self._told: dict[str, _Told] = {}
        self._waiting: list[_Planned] = []
        self._recover()

    def _recover(self) -> None:
        """Plan the portfolio, or what of it a killed search had not come to; repeat what was deferred."""
        trials = self._study.get_trials(deepcopy=False)
        self._choices = self._settled_choices(trials)
        enqueued = self._study.user_attrs.get("portfolio")  # all of it, as an earlier version did
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
                self._told[trial.user_attrs["params"]] = _Told(trial.values[0], _costs_of(trial), pruned)

    def _enqueue_next(self, step_scale: float) -> None:
        """Enqueue what is planned next, unless a trial waits that a killed search has left."""
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
        """Try a booster's params again, next of all, with steps larger by a factor."""
        params = with_larger_steps(asked.params, factor)
        if params is not None and _key(asked.family, params) not in self._told:
            self._waiting.insert(0, _Planned(asked.family, params, step_scale=asked.step_scale * factor))

    def _enqueue_again(self, trial: optuna.trial.FrozenTrial) -> None:
        params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
        if params:
            attrs = {"origin": trial.user_attrs.get("origin", "sampler")}
            self._study.enqueue_trial(params, user_attrs=attrs)

    def left_running(self) -> list[Asked]:
        """Return the trials that a killed search was at, to be told or repeated."""
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
        """Fail a trial that was left running, and ask for the same again later."""
        (trial,) = (
            each for each in self._study.get_trials(deepcopy=False) if each.number == asked.trial.number
        )
        self._study.tell(asked.trial, state=TrialState.FAIL)
        self._enqueue_again(trial)

    def _settled_choices(self, trials: Sequence[optuna.trial.FrozenTrial]) -> list[str]:
        """Return the families that the study began with: a choice keeps its options, whatever is installed now."""
        if not trials:
            self._study.set_user_attr("families", self._choices)
            return self._choices
        drawn = (each.distributions[FAMILY] for each in trials if FAMILY in each.distributions)
        first = next((each.choices for each in drawn if isinstance(each, CategoricalDistribution)), None)
        return list(self._study.user_attrs.get("families") or first or self._choices)

    @property
    def absent(self) -> list[str]:
        """The families that the study began with and that cannot be trained here."""
        return [name for name in self._choices if name not in self._families]

    @property
    def count(self) -> int:
        """Trials ended so far, whatever came of them."""
        ended = (TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED)
        return len(self._study.get_trials(deepcopy=False, states=ended))

    def ask(self, step_scale: float = 1.0) -> Asked:
        """Return the next trial; params that were tried before are answered from memory and passed over.

        Parameters
        ----------
        step_scale : float
            By what to multiply the learning rates of the portfolio's boosters, where time is short for them.
        """
        for attempt in range(_REPEATS + 1):
            self._enqueue_next(step_scale)
            trial, family = self._ask_family()
            params = self._families[family].suggest(trial, self._problem)
            key = _key(family, params)
            known = self._told.get(key)
            if known is None or attempt == _REPEATS:
                break
            self._record(trial, known)
        trial.set_user_attr("params", key)
        attrs = trial.user_attrs
        return Asked(trial, family, params, attrs.get("origin", "sampler"), attrs.get("haste", 1.0))

    def ask_for(self, family: str, params: Mapping[str, Any]) -> Asked | None:
        """Return a trial of these params, before all that is planned; None where they have been tried."""
        if family not in self._choices or _key(family, params) in self._told:
            return None
        planned, self._waiting = self._waiting, [_Planned(family, dict(params), _key(family, params))]
        try:
            asked = self.ask()
        finally:
            self._waiting = [each for each in planned if each.key != _key(family, params)]
        if asked.family == family:
            return asked
        self.defer(asked)  # a trial that a killed search has left was waiting before it
        return None

    def _ask_family(self) -> tuple[optuna.Trial, str]:
        """Return a trial of a family that can be trained here; of one that cannot there is nothing to tell."""
        passed_over = 0
        while True:
            trial = self._study.ask()
            family = trial.suggest_categorical(FAMILY, self._choices)
            if family in self._families:
                return trial, family
            self._study.tell(trial, state=TrialState.FAIL)
            passed_over += 1
            if passed_over > _REPEATS:  # a sampler may like nothing else
                own = next(name for name in self._families if name in self._choices)
                self._study.enqueue_trial({FAMILY: own}, skip_if_exists=False)
                passed_over = 0

    def tell(
        self,
        asked: Asked,
        candidate: Candidate,
        costs: tuple[float, float] | None,
        excess: Mapping[str, float] | None = None,
    ) -> None:
        """Tell what came of a trial.

        Parameters
        ----------
        asked : Asked
        candidate : Candidate
        costs : (float, float) or None
            Latency (µs) and CPU (s per million); None for a failure.
        excess : mapping, optional
            By how much limits are broken: above zero, the sampler counts the trial as infeasible.
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
        self._finish(trial, _Told(candidate.score.value, costs))

    def tell_estimate(
        self, asked: Asked, candidate: Candidate, score: float, costs: tuple[float, float]
    ) -> None:
        """Tell what a trial would have come to that was stopped early, after its first fold.

        It counts as pruned, with the estimate as its value after one fold. The sampler learns from it: TPE ranks pruned
        trials behind the complete ones, by their last value.
        """
        asked.trial.set_user_attr("candidate", candidate.id)
        asked.trial.set_user_attr("reason", candidate.reason)
        self._finish(asked.trial, _Told(score, costs, pruned=True))

    def defer(self, asked: Asked) -> None:
        """Give back a trial for which there is no time; a resumed search takes it up."""
        asked.trial.set_user_attr("deferred", True)
        self._study.tell(asked.trial, state=TrialState.FAIL)

    def _finish(self, trial: optuna.Trial, told: _Told) -> None:
        self._told[trial.user_attrs["params"]] = told
        self._record(trial, told)

    def _record(self, trial: optuna.Trial, told: _Told) -> None:
        for name, value in zip(COSTS, told.costs, strict=True):
            trial.set_user_attr(name, value)
        objectives = len(self._study.directions)
        if told.pruned and objectives == 1:
            trial.report(told.score, step=1)
            self._study.tell(trial, state=TrialState.PRUNED)
            return
        # A study of an earlier version has the costs among its objectives, and with several nothing can be pruned.
        self._study.tell(trial, [told.score, *told.costs][:objectives])
