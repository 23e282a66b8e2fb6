"""A run in Python: its candidates, the decision about it, and its export as a bundle.

Every option is a named argument, so that ``help()``, tab completion and type checkers show it.
Tests hold the signatures and docstrings equal to
`workbench.automl.records.search_settings.SETTINGS`.
"""

# ruff: noqa: PLR0913 - as many arguments as there are options

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from workbench.automl.coordinator.session import Progress
    from workbench.automl.records.payoff import Payoff
    from workbench.automl.records.run_folder import RunFolder
    from workbench.automl.worker.retrain import Reproduced
    from workbench.tradeoff.choose import Choice
    from workbench.tradeoff.leaderboard_row import LeaderboardRow
    from workbench.tradeoff.limits import Limits
    from workbench.tradeoff.prices import PriceSheet, Traffic
    from workbench.tradeoff.run_decision import RunDecision
    from workbench.tradeoff.terms import Given, Terms


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
        """Return the run in the present state of its folder."""
        from workbench.automl.records.run_folder import RunFolder

        return Run(RunFolder.open(self.path))

    # ------------------------------------------------------------ the decision

    @property
    def decision(self) -> RunDecision | None:
        """The decision stored in the run, or None.

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
        pick: str | None = None,
        limits: Limits | None = None,
        max_latency: str | None = None,
        max_price: str | float | None = None,
        max_size: str | None = None,
        costs: str | Sequence[float] | None = None,
        payoff: str | Mapping[str, float] | Payoff | None = None,
        threshold: float | None = None,
        traffic: str | Traffic | None = None,
        prices: str | Path | Mapping[str, Any] | PriceSheet | None = None,
        unit: str | None = None,
    ) -> RunDecision:
        """Store a decision in the run, for every command, the app, the report and the model card.

        A setting that is not given keeps its earlier decision. New costs without a threshold drop
        the threshold that was set before.

        Parameters
        ----------
        note : str
            The reason, in the words of the person who decides.
        by : str, optional
            Who decides. Default: the user of this process.
        reset : sequence of str
            Settings that are no longer decided: "pick", "limits", "payoff", "threshold", "traffic",
            "prices", "unit", or one limit such as "max_latency_us".
        revision : int, optional
            The revision that the caller saw, 0 for none. If the stored one differs, nothing is
            written.
        pick, limits, max_latency, max_price, max_size, costs, payoff, threshold,
        traffic, prices, unit
            What is decided, as in `terms`.

        Returns
        -------
        RunDecision

        Raises
        ------
        ChangedError
            If the stored decision is not the one that the caller saw; the message names who changed
            it.
        SettingsError
            If a value has a wrong type, is out of range, or does not fit the task.
        PickError
            If no candidate is within the limits, or the one named cannot be served.

        Examples
        --------
        >>> import workbench as wb
        >>> run = wb.open_run("runs/churn")  # doctest: +SKIP
        >>> run.decide(costs=(5, 40), traffic="100000/1d", note="call centre")  # doctest: +SKIP
        """
        asked = dict(locals())
        from workbench.errors import ChangedError
        from workbench.tradeoff.run_decision import changed, read_decision, store_decision
        from workbench.tradeoff.terms import Given, combine, given_to_search

        now = self._given(asked)
        while True:
            before = read_decision(self.path)
            given = changed(before.given if before else Given(), now, tuple(reset))
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
                    raise  # otherwise apply this change to the decision that was stored meanwhile

    def terms(
        self,
        *,
        pick: str | None = None,
        limits: Limits | None = None,
        max_latency: str | None = None,
        max_price: str | float | None = None,
        max_size: str | None = None,
        costs: str | Sequence[float] | None = None,
        payoff: str | Mapping[str, float] | Payoff | None = None,
        threshold: float | None = None,
        traffic: str | Traffic | None = None,
        prices: str | Path | Mapping[str, Any] | PriceSheet | None = None,
        unit: str | None = None,
    ) -> Terms:
        """Return the terms of a choice.

        The first source that has a setting counts: an argument, the stored decision, the search,
        the default.

        Parameters
        ----------
        pick : str, optional
            A rule ("best", "balanced", "fastest", "cheapest", "lowest-cost") or a candidate's id.
        limits : Limits, optional
            All limits at once; None in it is "no limit".
        max_latency : str, optional
            Limit on the p99 latency of one row in process, in its quietest block. "none" lifts it.
        max_price : str or float, optional
            Limit on the price of a million predictions, in the price sheet's currency. "none" lifts
            it.
        max_size : str, optional
            Limit on the size of the model's files. "none" lifts it.
        costs : str or (float, float), optional
            Cost of a wrong "yes" and of a wrong "no", which sets the threshold of every candidate
            and the choice; for regression, cost of each unit too high and too low.
        payoff : str, mapping or Payoff, optional
            Payoff of each outcome, negative for a cost, in place of `costs`; for regression
            OVER=…,UNDER=….
        threshold : float, optional
            Probability from which a binary model predicts its positive label.
        traffic : str or Traffic, optional
            Expected calls, such as 100000/1d, or 100/30m,10000/30m in turn.
        prices : str, path, mapping or PriceSheet, optional
            A price sheet (TOML or JSON); its content is stored in the run.
        unit : str, optional
            The unit of a predicted number, such as kWh.

        Returns
        -------
        Terms

        Raises
        ------
        SettingsError
            If a value has a wrong type, is out of range, or does not fit the task.

        Examples
        --------
        >>> import workbench as wb
        >>> wb.open_run("runs/churn").terms(max_latency="1ms").limits  # doctest: +SKIP
        """
        given = dict(locals())
        return self._terms(given)

    def _given(self, arguments: Mapping[str, Any]) -> Given:
        """Read those of a method's arguments that are terms."""
        from workbench.tradeoff.terms import TERMS, read_given, task_of

        return read_given(task_of(self.folder), **{name: arguments.get(name) for name in TERMS})

    def prices(self, path: str | Path | Mapping[str, Any] | PriceSheet | None = None) -> PriceSheet:
        """Return the price sheet with its traffic: `path` (or its content), or that of `terms`."""
        return self.terms(prices=path).sheet

    def limits(
        self,
        max_latency: str | None = None,
        max_price: str | float | None = None,
        max_size: str | None = None,
    ) -> Limits:
        """Return the limits on a choice: those given, else decided, else those of the search."""
        return self.terms(max_latency=max_latency, max_price=max_price, max_size=max_size).limits

    def rows(self, *, terms: Terms | None = None) -> list[LeaderboardRow]:
        """Return the leaderboard as records, best first (`LeaderboardRow.to_dict` gives JSON).

        Parameters
        ----------
        terms : Terms, optional
            The terms that prices, costs and the front are computed under. Default: those of
            `terms()`.
        """
        from workbench.tradeoff.expected_cost import with_expected_costs
        from workbench.tradeoff.leaderboard import leaderboard_rows

        under = terms or self.terms()
        rows = leaderboard_rows(self.folder.candidates(), under.sheet, under.limits)
        return with_expected_costs(rows, self.folder, under)

    def front_rows(self, *, terms: Terms | None = None) -> list[LeaderboardRow]:
        """Return the rows on the Pareto front within the limits, best first; see `rows`."""
        return [row for row in self.rows(terms=terms) if row.on_front]

    def leaderboard(
        self,
        *,
        limits: Limits | None = None,
        max_latency: str | None = None,
        max_price: str | float | None = None,
        max_size: str | None = None,
        costs: str | Sequence[float] | None = None,
        payoff: str | Mapping[str, float] | Payoff | None = None,
        threshold: float | None = None,
        traffic: str | Traffic | None = None,
        prices: str | Path | Mapping[str, Any] | PriceSheet | None = None,
        unit: str | None = None,
    ) -> pd.DataFrame:
        """Return one row per candidate, best first.

        Parameters
        ----------
        limits, max_latency, max_price, max_size, costs, payoff, threshold,
        traffic, prices, unit
            As in `terms`.
        """
        given = dict(locals())
        return _frame(self.rows(terms=self._terms(given)))

    def front(
        self,
        *,
        limits: Limits | None = None,
        max_latency: str | None = None,
        max_price: str | float | None = None,
        max_size: str | None = None,
        costs: str | Sequence[float] | None = None,
        payoff: str | Mapping[str, float] | Payoff | None = None,
        threshold: float | None = None,
        traffic: str | Traffic | None = None,
        prices: str | Path | Mapping[str, Any] | PriceSheet | None = None,
        unit: str | None = None,
    ) -> pd.DataFrame:
        """Return the candidates on the Pareto front of score, latency and price, best first.

        Parameters
        ----------
        limits, max_latency, max_price, max_size, costs, payoff, threshold,
        traffic, prices, unit
            As in `terms`.
        """
        given = dict(locals())
        return _frame(self.front_rows(terms=self._terms(given)))

    def pick(
        self,
        how: str | None = None,
        *,
        limits: Limits | None = None,
        max_latency: str | None = None,
        max_price: str | float | None = None,
        max_size: str | None = None,
        costs: str | Sequence[float] | None = None,
        payoff: str | Mapping[str, float] | Payoff | None = None,
        threshold: float | None = None,
        traffic: str | Traffic | None = None,
        prices: str | Path | Mapping[str, Any] | PriceSheet | None = None,
        unit: str | None = None,
    ) -> Choice:
        """Choose a candidate within the limits.

        Parameters
        ----------
        how : str, optional
            "best", "balanced", "fastest", "cheapest", "lowest-cost" or a candidate's id. Default:
            the stored decision, else "lowest-cost" if costs of mistakes are known, "balanced" if
            there are limits on latency, price or size, else "best".
        limits, max_latency, max_price, max_size, costs, payoff, threshold,
        traffic, prices, unit
            As in `terms`.

        Returns
        -------
        Choice

        Raises
        ------
        PickError
            If no candidate is within the limits; the message names the limit and the nearest miss.

        Examples
        --------
        >>> import workbench as wb
        >>> wb.open_run("runs/churn").pick("balanced", max_latency="1ms")  # doctest: +SKIP
        """
        given = dict(locals())
        from workbench.automl import arguments

        if how is not None:
            arguments.text("how", how)
        terms = self._terms({**given, "pick": how})
        return _pick(self.rows(terms=terms), terms)

    def _terms(self, arguments: Mapping[str, Any]) -> Terms:
        from workbench.tradeoff.run_decision import terms_of

        return terms_of(self.folder, self._given(arguments))

    def export(
        self,
        choice: Choice | str | None,
        path: str | Path,
        *,
        name: str | None = None,
        version: str | None = None,
        note: str = "",
        by: str | None = None,
        golden: str | Sequence[str] = "real",
        overwrite: bool = False,
        hashes: bool = False,
        code: Sequence[str] | str = (),
        sign: str | Path | None = None,
        threshold: float | None = None,
        refit: bool = False,
        progress: Progress | None = None,
    ) -> Path:
        """Write a choice as a bundle: the measured artifact, with the threshold of the choice.

        Parameters
        ----------
        choice : Choice or str, optional
            What `pick` returns, one of its rules, or a candidate's id. None picks by the terms of
            the run.
        path : path
            The folder to create; a name that ends in ``.zip`` gives one zip file.
        name : str, optional
            The model's name. Default: the run's.
        version : str, optional
            The model's version. Default: the next free one among the bundles beside `path`: 1, 2,
            3, ….
        note : str
            The reason for the choice. Default: that of the stored decision, if its terms count.
        by : str, optional
            Who decided. Default: whoever stored that decision, else the user of this process.
        golden : str or sequence of str
            "real" writes real rows into ``golden.jsonl``; "masked:COL,…", or a list of columns,
            draws the values of those columns anew from each column's own distribution.
        overwrite : bool
            Whether to replace a bundle at `path`.
        hashes : bool
            Whether pip asks its package index for the hashes of ``requirements.txt``. By default
            those that ship with Workbench are used; if there are none, the pins have no hashes and
            the file notes it.
        code : sequence of str or str
            Languages to write the scorer in as source code: python, c, java, javascript, sql.
        sign : path, optional
            A private key (Ed25519, PEM) that signs the manifest.
        threshold : float, optional
            Probability from which a binary model predicts its positive label. Default: that of the
            choice.
        refit : bool
            Whether to train the choice again on all rows, if the search held some out. It takes
            about as long as the fits did. The scores in the bundle remain those of the measured
            candidate.
        progress : callable, optional
            Receives one mapping per event: kind ("step" or "warning") and message.

        Returns
        -------
        Path
            Of the bundle.

        Raises
        ------
        SettingsError
            If an option has a wrong type or value, or `path` is taken.
        PickError
            If no candidate is within the limits.
        ExportError
            If a refit fails, or the exported model's predictions differ from those of its library.

        Examples
        --------
        >>> import workbench as wb
        >>> run = wb.open_run("runs/churn")  # doctest: +SKIP
        >>> run.export(run.pick("balanced"), "bundles/churn", code=["sql"])  # doctest: +SKIP
        """
        given = dict(locals())
        from workbench.automl import arguments
        from workbench.automl.progress_lines import logged
        from workbench.export import export_bundle
        from workbench.export.arguments import read_options
        from workbench.tradeoff.choose import Choice

        options, target = read_options(given), arguments.path("path", path)
        if choice is not None and not isinstance(choice, (Choice, str)):
            expected = "what `pick` returns, one of its rules, or a candidate's id"
            raise arguments.wrong("choice", choice, expected)
        chosen = choice if isinstance(choice, Choice) else self.pick(choice)
        return export_bundle(self.folder, chosen, target, **{**options, "progress": logged(progress)})

    def reproduce(self, name: str) -> Reproduced:
        """Train a candidate again from its record, on the same rows, and compare the predictions.

        Raises
        ------
        RunError
            If the candidate does not exist or has no model.
        FitError
            If it cannot be trained again.
        """
        from workbench.automl.worker.retrain import reproduce

        return reproduce(self.folder, name)

    def summary(self) -> str:
        """Return a short summary: data, candidates, failures, time used and time limit."""
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
