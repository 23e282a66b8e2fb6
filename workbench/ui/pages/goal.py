"""The page Goal: ask for the goal, and start the search."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench.automl.records.payoff import Payoff, parse_payoff
from workbench.automl.scoring.metrics import DEFAULT_METRIC
from workbench.data import Inspection
from workbench.display.numbers import count, metric_words, plain, significant
from workbench.display.words import TASKS, family_name
from workbench.errors import WorkbenchError
from workbench.families import BASELINE, family_names
from workbench.tradeoff import load_prices
from workbench.ui.files.folders import Workspace
from workbench.ui.files.uploads import safe_name, save_table
from workbench.ui.jobs.examples import free_name
from workbench.ui.jobs.goals import Goal, SearchRequest, prices_path, sheet_of, write_prices
from workbench.ui.jobs.searches import start_search
from workbench.ui.panels.header import refused
from workbench.ui.state import cached_reads
from workbench.ui.state.drafts import Draft
from workbench.ui.state.selection import payoff_text
from workbench.ui.state.session_state import Pages, draft, keep_answers, open_draft, restore_answers
from workbench.ui.texts import general
from workbench.ui.texts import goal as texts

_USUAL_TIME = "1m"
_EXAMPLE = Goal(quiet_calls=100.0, busy_calls=10_000.0)  # shown as placeholders, never used
#: The widgets whose values survive a reload.
_KEYS = (
    "positive", "wrong_yes", "wrong_no", "right_yes", "right_no", "over", "under", "unit", "latency", "quiet_calls",
    "busy_calls", "budget", "time", "families", "trials", "workers", "seed", "group", "time_column", "weight",
    "storage", "max_size", "max_memory", "hourly", "cores",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    """The answers of the page."""

    goal: Goal
    time: str
    name: str
    options: tuple[tuple[str, str], ...]
    prices: dict[str, Any]
    problem: str


def show(workspace: Workspace, pages: Pages) -> None:
    """Ask for the goal, and offer to start the search."""
    st.title(general.GOAL)
    st.markdown(texts.INTRO)
    if refused("search", "analyst"):
        return
    open_draft(workspace.own)
    current = draft()
    if current is None or not current.target:
        st.info(texts.NO_DATA, icon=":material/info:")
        st.page_link(pages.data, label=texts.GO_DATA, icon=":material/table:")
        return
    try:
        seen = cached_reads.table_look(
            str(current.source.path),
            current.source.digest,
            current.target,
            current.drop,
            current.said_kinds,
            current.encoding,
        ).inspection
    except WorkbenchError as error:
        st.error(plain(error, 600))
        st.page_link(pages.data, label=texts.GO_DATA, icon=":material/table:")
        return
    about = seen.target or {}
    st.caption(
        texts.ABOUT.format(
            name=plain(current.original.name),
            rows=count(seen.rows),
            target=plain(current.target),
            task=TASKS[about["task"]],
        )
    )
    stem = safe_name(current.original.name, "run")
    keys = {*_KEYS, f"name:{stem}", f"metric:{about['task']}"}
    restore_answers(keys)
    asked = _ask(workspace, current, seen, stem)
    keep_answers(keys)
    _offer(workspace, pages, current, asked)


def _ask(workspace: Workspace, current: Draft, seen: Inspection, stem: str) -> _Asked:
    about = seen.target or {}
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(texts.QUALITY)
        options = _ask_metric(about["task"])
        if about["task"] != "multiclass":
            st.subheader(texts.MISTAKES, help=texts.MISTAKES_HELP)
        if about["task"] == "binary":
            options += _ask_mistakes(about)
        elif about["task"] == "regression":
            options += _ask_unit_costs(about)
        payoff, problem = _payoff_asked(about["task"])
        if problem:
            st.warning(plain(problem), icon=":material/edit:")
        if payoff is not None:
            options += (("--payoff", payoff_text(payoff)),)
    with right:
        st.subheader(texts.SPEED)
        quiet, busy, budget, limit = _ask_speed()
        options += limit
        st.subheader(texts.EFFORT)
        _forget_unless("time", texts.TIMES)
        st.session_state.setdefault("time", _USUAL_TIME)
        time = st.selectbox(
            texts.TIME,
            list(texts.TIMES),
            format_func=lambda each: texts.TIMES[each],
            help=texts.TIME_HELP,
            key="time",
        )
        name = st.text_input(
            texts.NAME, free_name(workspace, stem), help=texts.NAME_HELP, max_chars=60, key=f"name:{stem}"
        ).strip()
    with st.expander(texts.EXPERT, icon=":material/tune:"):
        expert, prices = _ask_expert(current, seen)
    goal = Goal(payoff, quiet, busy, budget or None)
    drops = tuple(("--drop", column) for column in current.drop)
    kinds = tuple(("--kind", f"{column}={kind}") for column, kind in current.said_kinds)
    encoding = (("--encoding", current.encoding),) if current.encoding else ()
    return _Asked(goal, time, name, (*options, *drops, *kinds, *encoding, *expert), prices, problem)


def _forget_unless(key: str, options: Collection[Any]) -> None:
    """Remove an answer that is not an option any more, after a change of target or columns."""
    kept = st.session_state.get(key)
    known = all(each in options for each in kept) if isinstance(kept, list) else kept in options
    if kept is not None and not known:
        del st.session_state[key]


def _ask_metric(task: str) -> tuple[tuple[str, str], ...]:
    usual = DEFAULT_METRIC[task]

    def write(metric: str) -> str:
        label = metric_words(metric).label
        return texts.METRIC_USUAL.format(label=label) if metric == usual else label

    _forget_unless(f"metric:{task}", texts.METRICS[task])
    metric = st.selectbox(
        texts.METRIC, texts.METRICS[task], format_func=write, help=texts.METRIC_HELP, key=f"metric:{task}"
    )
    st.caption(texts.EXAMPLES.get(metric, ""))
    return (("--metric", metric),)


def _ask_mistakes(about: Any) -> tuple[tuple[str, str], ...]:
    """Ask for the positive class and the costs; return the options for the class."""
    labels = [str(label) for label in about["classes"]]
    usual = str(about["positive"])
    _forget_unless("positive", labels)
    yes = st.selectbox(
        texts.POSITIVE, labels, index=labels.index(usual) if usual in labels else 1, key="positive"
    )
    no = next(label for label in labels if label != yes)
    words = {"yes": plain(yes), "no": plain(no)}
    one, two = st.columns(2)
    _ask_amount(one, "wrong_yes", texts.WRONG_YES.format(**words), texts.WRONG_YES_HELP.format(**words))
    _ask_amount(two, "wrong_no", texts.WRONG_NO.format(**words), texts.WRONG_NO_HELP.format(**words))
    with st.expander(texts.RIGHT_PAYS, icon=":material/payments:"):
        one, two = st.columns(2)
        _ask_amount(one, "right_yes", texts.RIGHT_YES.format(**words), texts.RIGHT_HELP, negative=True)
        _ask_amount(two, "right_no", texts.RIGHT_NO.format(**words), texts.RIGHT_HELP, negative=True)
    return () if yes == usual else (("--positive", yes),)


def _ask_unit_costs(about: Any) -> tuple[tuple[str, str], ...]:
    """Ask for the cost of each unit too high or too low; return the options for the unit."""
    unit = st.text_input(texts.UNIT, help=texts.UNIT_HELP, placeholder=texts.UNIT_EXAMPLE, key="unit").strip()
    words = {"unit": plain(unit or texts.UNIT_OF.format(target=about["name"]))}
    one, two = st.columns(2)
    _ask_amount(one, "over", texts.OVER.format(**words), texts.OVER_HELP)
    _ask_amount(two, "under", texts.UNDER.format(**words), texts.UNDER_HELP)
    return (("--unit", unit),) if unit else ()


def _ask_amount(place: Any, key: str, label: str, help_text: str, *, negative: bool = False) -> None:
    place.number_input(
        f"{label} ({plain(load_prices().currency)})",
        min_value=None if negative else 0.0,
        value=None,
        step=1.0,
        format="%.2f",
        placeholder=texts.NOT_GIVEN,
        help=help_text,
        key=key,
    )


def _payoff_asked(task: str) -> tuple[Payoff | None, str]:
    """Return the payoff of the amounts and the problem with them; both empty without amounts."""
    names = {"binary": ("wrong_yes", "wrong_no"), "regression": ("over", "under")}.get(task, ())
    given: list[Any] = [st.session_state.get(name) for name in names]
    if not names or given == [None, None]:
        return None, ""
    if None in given:
        return None, texts.BOTH_COSTS
    more = [st.session_state.get(name) or 0.0 for name in ("right_yes", "right_no")]
    amounts = (
        {"TP": more[0], "FP": -given[0], "FN": -given[1], "TN": more[1]}
        if task == "binary"
        else {"OVER": -given[0], "UNDER": -given[1]}
    )
    try:
        return parse_payoff({name: value + 0.0 for name, value in amounts.items()}, "costs"), ""
    except WorkbenchError as error:
        return None, str(error)


def _ask_speed() -> tuple[float | None, float | None, float | None, tuple[tuple[str, str], ...]]:
    _forget_unless("latency", texts.LATENCIES)
    limit = st.selectbox(
        texts.LATENCY,
        list(texts.LATENCIES),
        format_func=lambda each: texts.LATENCIES[each],
        help=texts.LATENCY_HELP,
        key="latency",
    )
    one, two, three = st.columns(3)
    quiet = one.number_input(
        texts.QUIET, min_value=0.0, value=None, step=100.0, format="%.0f", help=texts.CALLS_HELP,
        placeholder=texts.EXAMPLE_VALUE.format(value=count(_EXAMPLE.quiet_calls or 0)), key="quiet_calls",
    )  # fmt: skip
    busy = two.number_input(
        texts.BUSY, min_value=0.0, value=None, step=1_000.0, format="%.0f", help=texts.CALLS_HELP,
        placeholder=texts.EXAMPLE_VALUE.format(value=count(_EXAMPLE.busy_calls or 0)), key="busy_calls",
    )  # fmt: skip
    currency = load_prices().currency
    budget = three.number_input(
        f"{texts.BUDGET} ({plain(currency)})", min_value=0.0, value=None, step=10.0, format="%.0f",
        help=texts.BUDGET_HELP, placeholder=texts.NOT_GIVEN, key="budget",
    )  # fmt: skip
    traffic = Goal(quiet_calls=quiet, busy_calls=busy).traffic
    used = traffic or load_prices().traffic
    words = texts.TRAFFIC if traffic else texts.TRAFFIC_EXAMPLE
    st.caption(
        words.format(calls=count(used.calls_per_month), peak=plain(significant(used.peak_calls_per_s)))
    )
    return quiet, busy, budget, (("--max-latency", limit),) if limit else ()


def _ask_expert(current: Draft, seen: Inspection) -> tuple[tuple[tuple[str, str], ...], dict[str, Any]]:
    columns = [column.name for column in seen.columns if column.name not in (current.target, *current.drop)]
    kinds = [name for name in family_names() if name != BASELINE]
    for key in ("group", "time_column", "weight"):
        _forget_unless(key, columns)
    _forget_unless("families", kinds)
    left, middle, right = st.columns(3)
    with left:
        families = st.multiselect(
            texts.FAMILIES, kinds, format_func=family_name, help=texts.FAMILIES_HELP, key="families"
        )
        trials = st.number_input(texts.TRIALS, min_value=0, value=0, help=texts.TRIALS_HELP, key="trials")
        workers = st.number_input(texts.WORKERS, min_value=0, value=0, help=texts.WORKERS_HELP, key="workers")
        seed = st.number_input(texts.SEED, min_value=0, value=0, help=texts.SEED_HELP, key="seed")
    with middle:
        roles = [
            ("--group", st.selectbox(texts.GROUP, columns, index=None, help=texts.GROUP_HELP, key="group")),
            (
                "--time-column",
                st.selectbox(
                    texts.TIME_COLUMN, columns, index=None, help=texts.TIME_COLUMN_HELP, key="time_column"
                ),
            ),
            (
                "--weight",
                st.selectbox(texts.WEIGHT, columns, index=None, help=texts.WEIGHT_HELP, key="weight"),
            ),
            ("--storage", st.text_input(texts.STORAGE, help=texts.STORAGE_HELP, key="storage").strip()),
        ]
    with right:
        size = st.number_input(texts.SIZE, min_value=0.0, value=0.0, help=texts.SIZE_HELP, key="max_size")
        memory = st.number_input(
            texts.MEMORY, min_value=0, value=0, step=500, help=texts.MEMORY_HELP, key="max_memory"
        )
        shipped = load_prices()
        hourly = st.number_input(
            f"{texts.HOURLY} ({plain(shipped.currency)})",
            min_value=0.0,
            value=float(shipped.usd_per_hour),
            step=0.01,
            format="%.3f",
            help=texts.HOURLY_HELP,
            key="hourly",
        )
        cores = st.number_input(texts.CORES, min_value=1, value=int(shipped.vcpus), key="cores")
    numbers = [
        ("--trials", str(trials) if trials else ""),
        ("--workers", str(workers) if workers else ""),
        ("--seed", str(seed) if seed else ""),
        ("--max-size", f"{size:g}MB" if size else ""),
        ("--max-memory", f"{memory}MB" if memory else ""),
        ("--families", ",".join(families)),
    ]
    options = tuple((name, str(value)) for name, value in [*roles, *numbers] if value)
    return options, {"usd_per_hour": hourly, "vcpus": cores}


def _offer(workspace: Workspace, pages: Pages, current: Draft, asked: _Asked) -> None:
    problem = asked.problem
    if not asked.name or safe_name(asked.name, "") != asked.name:
        problem = texts.NAME_BAD
    elif free_name(workspace, asked.name) != asked.name:
        problem = texts.NAME_TAKEN.format(name=plain(asked.name))
    if problem and problem != asked.problem:
        st.warning(problem, icon=":material/edit:")
    suffix = "".join(current.source.path.suffixes)
    table = (workspace.data / f"{safe_name(current.original.name)}{suffix}").as_posix()
    shown = _request(workspace, current, asked, table)
    st.caption(texts.COMMAND)
    st.code(shown.command(), language="bash", wrap_lines=True)
    if st.button(
        texts.START, type="primary", icon=":material/rocket_launch:", disabled=bool(problem), key="start"
    ):
        try:
            with st.spinner(texts.STARTING):
                _start(workspace, current, asked)
        except (WorkbenchError, OSError) as error:
            st.error(plain(error))
            return
        st.switch_page(pages.search, query_params={"run": asked.name})


def _start(workspace: Workspace, current: Draft, asked: _Asked) -> None:
    kept = current.source.path.parent == workspace.data
    path = (
        current.source.path
        if kept
        else save_table(current.source, workspace.data, safe_name(current.original.name))
    )
    sheet = sheet_of(asked.goal, asked.prices)
    if sheet is not None:
        write_prices(workspace.own, asked.name, sheet)
    start_search(workspace.own, asked.name, _request(workspace, current, asked, str(path)))


def _request(workspace: Workspace, current: Draft, asked: _Asked, table: str) -> SearchRequest:
    """Return the search of a table, with its price sheet unless it is the built-in one."""
    name = asked.name or "NAME"
    own_sheet = sheet_of(asked.goal, asked.prices) is not None
    more = (("--prices", prices_path(workspace.own, name).as_posix()),) if own_sheet else ()
    out = (workspace.runs / name).as_posix()
    return SearchRequest(table, current.target, out, asked.time, (*asked.options, *more))
