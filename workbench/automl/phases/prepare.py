"""Before the first fit: divide the rows, describe the data, and write both into the run."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from workbench.data.dataset import Dataset
from workbench.data.repeated_folds import can_cross, fold_table, repeated_folds, same_models
from workbench.data.split import check_splits, holdout, possible_folds, sample

from ..calibration.target_range import floor_of
from ..coordinator.session import Session
from ..features.interactions import find_pairs
from ..records.machine import machine_name
from ..records.messages import Setup
from ..records.run_folder import this_process
from ..records.settings import Settings
from ..scoring.cross_fitting import fold_numbers
from ..scoring.metric_definitions import DEFINITIONS
from .plan import Plan, describe_problem, make_plan, with_comparable_repeats, with_fewer_folds, with_folds

_LEFT_OUT = (
    "identifier",
    "index_column",
    "constant",
    "all_missing",
)  # findings about columns that are not used


def prepare(session: Session, data: Dataset, metric: str) -> Plan:
    """Plan the validation, divide the rows accordingly, and write both into the run."""
    settings = session.settings
    plan = make_plan(
        describe_problem(data, data.n_rows),
        settings.time_s,
        in_time=data.time is not None,
        in_groups=data.group is not None,
        holdout=settings.holdout,
    )
    dev, held_out = _divided(data, plan, settings)
    plan = with_fewer_folds(plan, possible_folds(data, dev, plan.folds, settings.seed))
    crossable = data.n_classes == 2 and can_cross(data, dev)
    plan = with_comparable_repeats(plan, metric, crossable=crossable)
    check_splits(data, dev, plan.folds, settings.seed)
    reserve = np.arange(0)
    if plan.sample and plan.sample < len(dev):
        dev, reserve = sample(data, dev, plan.sample, seed=settings.seed)
    session.run.write_data(data, dev, held_out, reserve)
    _write_folds(session, data, dev, plan)
    if any(column.kind == "text" for column in data.schema.columns):
        from ..features.vocabulary import WordTables

        WordTables(data, session.run.path / "cache").fill()  # while the workers start
    problem = replace(
        describe_problem(data, len(dev)),
        absolute=DEFINITIONS[metric].loss == "absolute",
        **domain_of(data, dev, metric),
        pairs=find_pairs(data, dev, settings.seed),
    )
    session.run.update(
        data={
            "name": data.name,
            "fingerprint": data.fingerprint,
            "rows_read": data.rows_read,
            "rows": data.n_rows,
            "rows_development": len(dev),
            "rows_holdout": len(held_out),
            "rows_reserve": len(reserve),
            "columns": len(data.schema.columns),
        },
        findings=[
            {"code": each.code, "severity": each.severity, "column": each.column, "message": each.message}
            for each in data.findings
        ],
        task=data.schema.output.task,
        classes=list(data.schema.output.classes),
        metric=metric,
        plan=plan.to_json(),
        problem=asdict(problem),
        machine=machine_name(),
        study=f"{session.run.info['name']}-{uuid.uuid4().hex[:8]}",
        repeatable=session.settings.repeatable,
        **this_process(),
    )
    _report(session, data, plan, problem.pairs)
    return plan


def _report(session: Session, data: Dataset, plan: Plan, pairs: Sequence[tuple[str, str]]) -> None:
    """Report the data, how candidates are validated, and what was found in the columns."""
    run, clock = session.run, session.clock
    columns = data.schema.columns
    message = f"{data.n_rows:,} rows, {len(columns)} columns, {data.schema.output.task}"
    message += f"; metric {run.info['metric']}, {_scored_on(plan, run.info['metric'])}; {_held_out(run.holdout_rows)}"
    if len(run.reserve_rows):
        message += f"; configurations are tried on {len(run.dev_rows):,} rows, the best are fitted on more"
    session.report("data", message)
    if pairs:
        named = ", ".join(" × ".join(each) for each in pairs)
        session.report("data", f"pairs of columns also tried as one feature: {named}")
    out = [
        f"{each.column} ({each.code.replace('_', ' ')})" for each in data.findings if each.code in _LEFT_OUT
    ]
    if out:
        session.report("finding", f"columns left out: {', '.join(out)}")
    if clock.bounded and clock.elapsed > 0.5 * clock.budget_s:
        session.report("finding", f"reading the data took {clock.elapsed:.0f} s of {clock.budget_s:g} s")
    for finding in data.findings:
        if finding.severity != "info":
            session.report("finding", finding.message, code=finding.code, column=finding.column)


def _write_folds(session: Session, data: Dataset, dev: np.ndarray, plan: Plan) -> None:
    """Write which fold predicts each row, and which rows ranking metrics may compare."""
    seed = session.settings.seed
    parts = repeated_folds(data, dev, plan.folds, seed, repeats=plan.repeats, crossed=plan.crossed)
    numbers = fold_table(parts, len(dev))
    crossing = np.stack([fold_numbers(each, seed) for each in numbers])
    session.run.write_folds(numbers, same_models(crossing))


def domain_of(data: Dataset, dev: np.ndarray, metric: str) -> dict[str, Any]:
    """Return the fields of `Problem` that follow from a regression metric and the target."""
    if data.schema.output.task != "regression":
        return {}
    loss = DEFINITIONS[metric].loss
    logs, deviance = loss == "logarithms", loss if loss in ("poisson", "gamma") else ""
    out: dict[str, Any] = {"floor": floor_of(metric, data.y[dev]), "deviance": deviance, "logs": logs}
    if logs or deviance:  # the loss decides how the target is transformed
        out["skewed"] = False
    return out


def _divided(data: Dataset, plan: Plan, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Return the development rows and the held-out rows."""
    if plan.holdout:
        return holdout(data, seed=settings.seed, fraction=settings.holdout)
    return np.arange(data.n_rows), np.arange(0)


def _held_out(held_out: np.ndarray) -> str:
    return f"{len(held_out):,} rows held out" if len(held_out) else "no rows held out"


def _scored_on(plan: Plan, metric: str) -> str:
    """Return which rows scores are computed on and which a ranking metric compares, in words."""
    within = ", rows of one fold compared" if DEFINITIONS[metric].ranks and plan.folds > 1 else ""
    return plan.data_name + within


def setup_of(session: Session, plan: Plan, metric: str) -> Setup:
    """Return what workers need to open the run; store the plan's number of folds in the session."""
    session.schedule.folds = plan.folds * plan.repeats
    return Setup(
        session.run.path,
        session.run.problem,
        metric,
        plan.folds,
        _scored_on(plan, metric),
        session.settings.seed,
        plan.repeats,
        plan.refits,
        session.settings.payoff_for(session.run.problem.task),
        plan.crossed,
    )


def widen(session: Session, plan: Plan, folds: int, metric: str) -> None:
    """Change the plan from one validation set to folds; no candidate has been tried yet."""
    run, settings, data = session.run, session.settings, session.run.dataset()
    plan = with_folds(plan, folds, data.n_rows, settings.holdout)
    dev, held_out = _divided(data, plan, settings)
    plan = with_fewer_folds(plan, possible_folds(data, dev, plan.folds, settings.seed))
    run.write_split(dev, held_out)
    _write_folds(session, data, dev, plan)
    run.drop_cache()
    (run.path / "cache").mkdir()
    problem = replace(run.problem, n_rows=len(dev))
    run.update(
        data={**run.info["data"], "rows_development": len(dev), "rows_holdout": len(held_out)},
        plan=plan.to_json(),
        problem=asdict(problem),
    )
    session.pool.reopen(setup_of(session, plan, metric))
    session.report(
        "data", f"fits are quick, so scores are now {_scored_on(plan, metric)}; {_held_out(held_out)}"
    )
