"""The public Python interface: `search`, `open_run`, `resume`, `load` and the `Run` that they share."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from workbench.errors import SettingsError, nearest

if TYPE_CHECKING:
    import pandas as pd

    from workbench.automl.coordinator.session import Progress, Stop
    from workbench.automl.records.run_folder import RunFolder
    from workbench.automl.records.settings import Settings
    from workbench.automl.worker.retrain import Reproduced
    from workbench.runtime.bundle.bundle import Bundle
    from workbench.tradeoff.choose import Choice
    from workbench.tradeoff.leaderboard_row import LeaderboardRow
    from workbench.tradeoff.limits import Limits
    from workbench.tradeoff.prices import PriceSheet
    from workbench.tradeoff.run_decision import RunDecision
    from workbench.tradeoff.terms import Given, Terms


def search(  # noqa: PLR0913 - each is something that a caller may want to say
    data: Any,
    target: str,
    *,
    time: str | float | None = None,
    trials: int | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    used_s: float = 0.0,
    **settings: Any,
) -> Run:
    """Search for models of a table, compared by score, latency and price.

    Parameters
    ----------
    data : path or data frame
        CSV, Parquet, JSON, Excel, ``FILE.db::TABLE``, a pattern, an address or "-" (standard input), packed or not; or
        a pandas, polars or pyarrow table.
    target : str
        The column to learn.
    time : str or float, optional
        Wall-clock budget for everything, such as "90s" or "10m". Default: 5 minutes, or none where `trials` is given.
    trials : int, optional
        Candidates to try at most.
    out : path, optional
        The run's folder. Default: ``runs/NAME``.
    progress : callable, optional
        Gets a mapping for each thing that happens: kind, message, elapsed_s, trials, ok, failed, best_score, …
    stop : callable, optional
        Asked now and then; True finishes early with what there is.
    used_s : float
        Seconds of the budget that are used already.
    **settings
        Any other field of `workbench.automl.records.settings.Settings`: task, metric, positive, families, drop, kinds
        (``{"zip": "category"}``: number, category, text, date or ignore), group, time_column, weight, encoding,
        workers, seed, storage, name; the limits as people write them: max_latency ("2ms"), max_price, max_size
        ("50MB"), max_memory ("4GB"); and money: costs ((5, 40), of a wrong yes and a wrong no, or of each unit too high
        and too low), payoff ("TP=0,FP=-5,FN=-40,TN=0"), unit, prices (a path, a mapping or a `PriceSheet`) and traffic
        ("100000/1d").

    Returns
    -------
    Run

    Raises
    ------
    UsageError
        Where the data, a setting or the folder makes the search impossible.
    SearchError
        Where no candidate but the baseline could be trained.
    PlatformError
        Where the operating system is not supported (Windows).

    Examples
    --------
    >>> import workbench as wb
    >>> run = wb.search("churn.csv", target="Churn", time="5m", max_latency="2ms")  # doctest: +SKIP
    """
    from workbench.automl import arguments
    from workbench.automl.operating_system import check_operating_system

    check_operating_system()
    began = monotonic() - arguments.number("used_s", used_s, "seconds of the budget that are used already")
    asked = _settings(target, time, trials, settings)
    data = arguments.data(data)
    arguments.function("progress", progress), arguments.function("stop", stop)
    if out is not None:
        arguments.path("out", out)
    from workbench.automl.coordinator.pool.fork_server_client import Spawner

    with Spawner() as spawner:  # imports what workers need while this process imports what it needs itself
        from workbench.automl.engine import search as run_search

        folder = Path(out) if out is not None else _default_folder(asked.name or _name_of(data, target))
        used_s = monotonic() - began
        return Run(
            run_search(data, asked, folder, used_s=used_s, progress=progress, stop=stop, spawner=spawner)
        )


def resume(
    path: str | Path,
    *,
    time: str | float | None = None,
    trials: int | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    used_s: float = 0.0,
) -> Run:
    """Go on with a run after a crash, or extend a finished one.

    Parameters
    ----------
    path : path
        The run's folder.
    time : str or float, optional
        How much longer. Without `time` and `trials`, as long as the run was first given.
    trials : int, optional
        Further candidates to try at most.
    progress, stop, used_s
        As in `search`.

    Returns
    -------
    Run
    """
    from workbench.automl import arguments
    from workbench.automl.operating_system import check_operating_system
    from workbench.automl.records.settings import parse_duration

    check_operating_system()
    began = monotonic() - arguments.number("used_s", used_s, "seconds of the budget that are used already")
    path = arguments.path("path", path)
    time_s = None if time is None else parse_duration(time)
    trials = None if trials is None else arguments.whole("trials", trials, 1)
    arguments.function("progress", progress), arguments.function("stop", stop)
    from workbench.automl.coordinator.pool.fork_server_client import Spawner

    with Spawner() as spawner:  # as in `search`
        from workbench.automl.engine import resume as run_resume

        used_s = monotonic() - began
        return Run(
            run_resume(
                path,
                time_s=time_s,
                trials=trials,
                used_s=used_s,
                progress=progress,
                stop=stop,
                spawner=spawner,
            )
        )


def open_run(path: str | Path) -> Run:
    """Open the folder of a run, finished or still going.

    Raises
    ------
    RunError
        Where there is none, it cannot be read, or a newer version wrote it.
    """
    from workbench.automl import arguments
    from workbench.automl.records.run_folder import RunFolder

    return Run(RunFolder.open(arguments.path("path", path)))


def load(path: str | Path) -> Bundle:
    """Open a bundle (a folder or a ``.zip``) for predicting; no training library is imported.

    Raises
    ------
    BundleError
        Where it cannot be used; the file concerned is named.
    """
    from workbench.automl import arguments
    from workbench.runtime.bundle.bundle import open_bundle

    return open_bundle(arguments.path("path", path))


class Run:
    """One search and its candidates.

    Parameters
    ----------
    folder : RunFolder
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return (
            f"Run({str(self.folder.path)!r}, {self.folder.state}, {len(self.folder.candidates())} candidates)"
        )

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    @property
    def info(self) -> dict[str, Any]:
        """The content of ``run.json``, with the state as it is now."""
        return {**self.folder.info, "state": self.folder.state}

    def refresh(self) -> Run:
        """Return the run as its folder stands now."""
        return open_run(self.path)

    # ------------------------------------------------------------ the decision

    @property
    def decision(self) -> RunDecision | None:
        """The decision stored in the run as it is now, or None if nobody has decided.

        Raises
        ------
        RunError
            If it cannot be read, or a newer version wrote it.
        """
        from workbench.tradeoff.run_decision import read_decision

        return read_decision(self.path)

    def decisions(self) -> list[RunDecision]:
        """Return every revision of the decision, the oldest first."""
        from workbench.tradeoff.run_decision import read_decisions

        return read_decisions(self.path)

    def decide(
        self,
        *,
        note: str = "",
        by: str | None = None,
        reset: Sequence[str] = (),
        revision: int | None = None,
        **said: Any,
    ) -> RunDecision:
        """Store a decision in the run: every command, the app, the report and the model card use it from now on.

        What is not mentioned stays as it was decided before. New costs without a threshold drop the threshold that was
        set before.

        Parameters
        ----------
        note : str
            Why, in the words of whoever decides.
        by : str, optional
            Who decides; the user of this process by default.
        reset : sequence of str
            What is no longer decided: "pick", "limits", "payoff", "threshold", "traffic", "prices", "unit", or one
            limit such as "max_latency_us".
        revision : int, optional
            The revision that the caller saw, 0 for none. If another one is stored by now, nothing is written.
        **said
            What is decided, as in `terms`: pick, limits, max_latency, max_price, max_size, costs, payoff, threshold,
            traffic, prices, unit.

        Returns
        -------
        RunDecision

        Raises
        ------
        ChangedError
            If the decision is not the one that the caller saw; it says who changed it.
        SettingsError
            If something makes no sense.
        PickError
            If no candidate meets the limits, or the one named cannot be served.

        Examples
        --------
        >>> import workbench as wb
        >>> run = wb.open_run("runs/churn")  # doctest: +SKIP
        >>> run.decide(costs=(5, 40), traffic="100000/1d", note="costs of the call centre")  # doctest: +SKIP
        """
        from workbench.errors import ChangedError
        from workbench.tradeoff.run_decision import changed, read_decision, store_decision
        from workbench.tradeoff.terms import Given, combine, given_to_search

        spoken = self._given(**said)
        while True:
            before = read_decision(self.path)
            given = changed(before.given if before else Given(), spoken, tuple(reset))
            search = given_to_search(self.folder, prices_needed=given.prices is None)
            terms = combine([("decision", given), ("search", search)])
            rows = self.rows(terms=terms)
            ready = any(row.status == "ok" and row.score is not None for row in rows)
            chosen = _pick(rows, terms).id if ready else None
            seen = before.revision if before else 0
            try:
                return store_decision(
                    self.path,
                    given,
                    who=by,
                    why=note,
                    chosen=chosen,
                    expected=seen if revision is None else revision,
                )
            except ChangedError:
                if revision is not None:
                    raise  # else somebody else was quicker, and this change is made upon theirs

    def terms(self, **now: Any) -> Terms:
        """Return what a choice is made under: said now, else decided, else given to the search, else by default.

        Parameters
        ----------
        **now
            pick (a rule or an id), limits (a `Limits`, all at once), max_latency ("2ms" or "none"), max_price,
            max_size, costs ((5, 40), of a wrong yes and a wrong no, or of each unit too high and too low), payoff
            ("TP=0,FP=-5,FN=-40,TN=0" or a mapping), threshold (a probability), traffic ("100000/1d" or a `Traffic`),
            prices (a path, a mapping or a `PriceSheet`), unit.

        Raises
        ------
        SettingsError
            If something makes no sense, or does not fit the task.
        """
        from workbench.tradeoff.run_decision import terms_of

        return terms_of(self.folder, self._given(**now))

    def _given(self, **said: Any) -> Given:
        from workbench.tradeoff.terms import read_given, task_of

        known = set(inspect.signature(read_given).parameters) - {"task"}
        unknown = sorted(set(said) - known)
        if unknown:
            listed = ", ".join(sorted(known))
            raise SettingsError("argument", found=repr(unknown[0]), expected=f"one of {listed}")
        return read_given(task_of(self.folder), **said)

    def prices(self, path: Any = None) -> PriceSheet:
        """Return the price sheet that counts, with its traffic: `path` (or its content), or that of `terms`."""
        return self.terms(prices=path).sheet

    def limits(
        self,
        max_latency: str | None = None,
        max_price: str | float | None = None,
        max_size: str | None = None,
    ) -> Limits:
        """Return limits for a choice: those given, else the decided ones, else those that the search was given."""
        return self.terms(max_latency=max_latency, max_price=max_price, max_size=max_size).limits

    def rows(self, prices: Any = None, *, terms: Terms | None = None, **now: Any) -> list[LeaderboardRow]:
        """Return the leaderboard as records, best first; `LeaderboardRow.to_dict` makes JSON of one.

        Parameters
        ----------
        prices : path, mapping or PriceSheet, optional
        terms : Terms, optional
            What the rows are computed under; by default `terms` of what is said now.
        **now
            As in `terms`.
        """
        from workbench.tradeoff.expected_cost import with_expected_costs
        from workbench.tradeoff.leaderboard import leaderboard_rows

        under = terms or self.terms(prices=prices, **now)
        rows = leaderboard_rows(self.folder.candidates(), under.sheet, under.limits)
        return with_expected_costs(rows, self.folder, under)

    def front_rows(self, prices: Any = None, **now: Any) -> list[LeaderboardRow]:
        """Return the rows that nothing dominates and that keep the limits, best first."""
        return [row for row in self.rows(prices, **now) if row.on_front]

    def leaderboard(self, **now: Any) -> pd.DataFrame:
        """Return every candidate, one row each, best first; `now` as in `terms`."""
        return _frame(self.rows(**now))

    def front(self, **now: Any) -> pd.DataFrame:
        """Return the candidates that nothing dominates in score, latency and price; `now` as in `terms`."""
        return _frame(self.front_rows(**now))

    def pick(self, how: str | None = None, **now: Any) -> Choice:
        """Choose a candidate: "best", "balanced", "fastest", "cheapest", "lowest-cost" or an id, within limits.

        Parameters
        ----------
        how : str, optional
            By default as decided, else the rule that follows the goal: "lowest-cost" if costs of mistakes are known,
            "balanced" if there are limits on latency, price or size, else "best".
        **now
            As in `terms`, such as max_latency="1ms" or costs=(5, 40).

        Raises
        ------
        PickError
            Where none meets the limits; it says which one failed and by how much the nearest misses.
        """
        from workbench.automl import arguments

        terms = self.terms(pick=None if how is None else arguments.text("how", how), **now)
        return _pick(self.rows(terms=terms), terms)

    def export(self, choice: Choice | str | None, path: str | Path, **options: Any) -> Path:
        """Make a bundle of a choice (or of what `pick` finds for a text, or without one) and return its path.

        The bundle holds the artifact that was measured and predicts with the threshold that the choice was made under.
        Further options are those of `workbench.export.export_bundle`: name, version, note, by, threshold, overwrite,
        hashes, code, sign, and refit, which trains the choice again on all rows where some were held out.

        Raises
        ------
        ExportError
            Where the bundle cannot be made equal to what was measured, or its place is taken.
        """
        from workbench.automl import arguments
        from workbench.export import export_bundle
        from workbench.export.arguments import read_options
        from workbench.tradeoff.choose import Choice

        given, target = read_options(options), arguments.path("path", path)
        if choice is not None and not isinstance(choice, (Choice, str)):
            expected = "what `pick` returns, one of its rules, or a candidate's id"
            raise arguments.wrong("choice", choice, expected)
        chosen = choice if isinstance(choice, Choice) else self.pick(choice)
        return export_bundle(self.folder, chosen, target, **given)

    def reproduce(self, name: str) -> Reproduced:
        """Train a candidate again from its record, on the same rows, and compare the predictions.

        Raises
        ------
        RunError
            Where there is no such candidate, or it has no model.
        FitError
            Where it cannot be trained again.
        """
        from workbench.automl.worker.retrain import reproduce

        return reproduce(self.folder, name)

    def summary(self) -> str:
        """Return a few lines about the run: data, candidates, failures, time used of the time allowed."""
        info, candidates = self.info, self.folder.candidates()
        failed = sum(each.status != "ok" for each in candidates)
        allowed = info.get("seconds_allowed")
        used = info.get("seconds_used")
        data = info.get("data", {})
        time_line = "" if used is None else f"{used:.1f} s used" + (f" of {allowed:g} s" if allowed else "")
        return "\n".join(
            [
                f"{info['name']}: {info['state']}, {data.get('rows', 0):,} rows, {data.get('columns', 0)} columns",
                f"{len(candidates)} candidates, {failed} failed or stopped; {time_line}",
            ]
        )


def _pick(rows: Sequence[LeaderboardRow], terms: Terms) -> Choice:
    from workbench.tradeoff.choose import pick

    return pick(rows, terms.pick, terms.limits, terms.sheet, terms=terms)


def _frame(rows: Sequence[LeaderboardRow]) -> pd.DataFrame:
    import pandas as pd

    from workbench.tradeoff.leaderboard_row import COLUMNS

    records = [row.to_dict() for row in rows]
    return pd.DataFrame.from_records(records) if records else pd.DataFrame(columns=list(COLUMNS))


def _settings(target: Any, time: Any, trials: Any, more: dict[str, Any]) -> Settings:
    """Read every setting of a search; a wrong one is refused under the name that the caller gave it."""
    from workbench.automl import arguments
    from workbench.automl.records.settings import (
        DEFAULT_TIME_S,
        Settings,
        parse_duration,
        parse_latency,
        parse_size,
    )
    from workbench.tradeoff.limits import parse_price

    given = {"trials": trials, **more}
    if more.get("seed", 0) is None:
        raise arguments.wrong("seed", None, "a whole number; 0 is the default")
    limits: dict[str, tuple[str, Callable[[Any, str], Any]]] = {
        "max_latency": ("max_latency_us", parse_latency),
        "max_size": ("max_size_mb", parse_size),
        "max_memory": ("max_memory_mb", parse_size),
        "max_price": ("max_price", parse_price),
    }
    known = [*arguments.READERS, *limits, "prices", "traffic"]
    for name in given:
        if name not in known:
            close = nearest(name, known, 1)
            hint = f"Did you mean {close[0]}?" if close else None
            expected = f"one of {', '.join(sorted(['target', 'time', *known]))}"
            raise SettingsError("search", found=f"setting {name!r}", expected=expected, hint=hint)
    values: dict[str, Any] = _money(given.pop("prices", None), given.pop("traffic", None))
    for name, value in given.items():
        if value is None:
            continue
        if name in limits:
            field, read = limits[name]
            values[field] = read(value, name)
        else:
            values[name] = arguments.READERS[name](name, value)
    default = DEFAULT_TIME_S if trials is None else None
    time_s = default if time is None else parse_duration(time)
    return Settings(target=arguments.target(target), time_s=time_s, **values).checked()


def _money(prices: Any, traffic: Any) -> dict[str, Any]:
    """Return the content of the price sheet, with the traffic: a run keeps it, so that it can be moved."""
    from dataclasses import replace

    from workbench.automl import arguments
    from workbench.tradeoff.prices import Traffic
    from workbench.tradeoff.terms import sheet_of
    from workbench.tradeoff.traffic import parse_traffic

    if prices is None and traffic is None:
        return {}
    sheet = sheet_of(prices)
    if isinstance(traffic, str):
        traffic = parse_traffic(traffic)
    if traffic is not None and not isinstance(traffic, Traffic):
        raise arguments.wrong("traffic", traffic, "calls and times such as 100000/1d")
    return {"prices": (sheet if traffic is None else replace(sheet, traffic=traffic)).to_json()}


def _name_of(data: Any, target: str) -> str:
    """Name a run after its file, or after its target where the data is a frame."""
    stem = Path(str(data)).name.split(".")[0] if isinstance(data, (str, Path)) else str(target)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.") or "run"


def _default_folder(name: str) -> Path:
    """Return ``runs/NAME``, numbered where that is taken."""
    folder, count = Path("runs") / name, 2
    while folder.exists():
        folder, count = Path("runs") / f"{name}-{count}", count + 1
    return folder
