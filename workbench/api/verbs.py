"""The functions of the Python interface: `search`, `resume`, `open_run` and `load`.

Every option is a named argument, so that ``help()``, tab completion and type checkers show it.
Tests hold the signatures and docstrings equal to
`workbench.automl.records.search_settings.SETTINGS`.
"""

# ruff: noqa: PLR0913 - as many arguments as there are options

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from .run import Run

if TYPE_CHECKING:
    from workbench.automl.coordinator.session import Progress, Stop
    from workbench.automl.records.payoff import Payoff
    from workbench.automl.records.settings import Settings
    from workbench.runtime.bundle.bundle import Bundle
    from workbench.tradeoff.prices import PriceSheet, Traffic


def search(
    data: Any,
    target: str,
    *,
    time: str | float | None = None,
    trials: int | None = None,
    name: str | None = None,
    task: str = "auto",
    metric: str = "auto",
    positive: str | int | bool | None = None,
    drop: Sequence[str] | str = (),
    kinds: Mapping[str, str] | None = None,
    group: str | None = None,
    time_column: str | None = None,
    weight: str | None = None,
    encoding: str | None = None,
    holdout: float | None = None,
    costs: str | Sequence[float] | None = None,
    payoff: str | Mapping[str, float] | Payoff | None = None,
    unit: str | None = None,
    traffic: str | Traffic | None = None,
    prices: str | Path | Mapping[str, Any] | PriceSheet | None = None,
    max_latency: str | None = None,
    max_price: str | float | None = None,
    max_size: str | None = None,
    max_memory: str | None = None,
    families: Sequence[str] | str = (),
    workers: int | None = None,
    seed: int = 0,
    storage: str | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    used_s: float = 0.0,
) -> Run:
    """Search for models of a table, compared by score, latency and price.

    Parameters
    ----------
    data : path or data frame
        A CSV, Parquet, JSON or Excel file, ``FILE.db::TABLE``, a glob pattern, a URL or "-"
        (standard input), compressed or not; or a pandas, polars or pyarrow table.
    target : str
        The column to predict; for a file without a header its number, from 0.
    time : str or float, optional
        Wall-clock limit for everything, starting up and measuring included, such as 90s, 10m or 1h.
        Default: 5m, or no limit with `trials` alone.
    trials : int, optional
        Maximum number of candidates, the baseline not counted. Default: no limit.
    name : str, optional
        The run's name. Default: the data file's.
    task : str
        The kind of problem: auto, binary, multiclass or regression. Default: auto, from the target.
    metric : str
        A scikit-learn scorer such as roc_auc or neg_mean_absolute_error; higher is better. Default:
        auto, which is roc_auc, neg_log_loss or neg_root_mean_squared_error.
    positive : str, int or bool, optional
        The label of the positive class in a binary task. Default: detected and reported.
    drop : sequence of str or str
        Columns to leave out. Default: none.
    kinds : mapping of str to str, optional
        How to read columns: as number, category, text or date, or ignore them. Default: detected.
    group : str, optional
        A column whose rows of equal value stay on one side of every split. Default: none.
    time_column : str, optional
        A column to validate forward in time by. Default: none.
    weight : str, optional
        A column with the weight of each row, in fitting and in scores; 0 leaves a row out. Default:
        none.
    encoding : str, optional
        The encoding of a text file, such as shift_jis or cp1250. Default: detected from all its
        bytes.
    holdout : float, optional
        Fraction of rows held out for the final score. Default: a fifth (up to 20,000 rows) if rows
        are plenty or in time, else none, and the final score is corrected for the choice.
    costs : str or (float, float), optional
        Cost of a wrong "yes" and of a wrong "no", which sets the threshold of every candidate and
        the choice; for regression, cost of each unit too high and too low. Default: a threshold of
        0.5, or one tuned to a metric of decisions.
    payoff : str, mapping or Payoff, optional
        Payoff of each outcome, negative for a cost, in place of `costs`; for regression
        OVER=…,UNDER=…. Default: none.
    unit : str, optional
        The unit of a predicted number, such as kWh. Default: the one in the target column, else
        none.
    traffic : str or Traffic, optional
        Expected calls, such as 100000/1d, or 100/30m,10000/30m in turn. Default: the price sheet's.
    prices : str, path, mapping or PriceSheet, optional
        A price sheet (TOML or JSON); its content is stored in the run. Default: the one that ships,
        with an example of traffic.
    max_latency : str, optional
        Limit on the p99 latency of one row in process, in its quietest block. Default: none.
    max_price : str or float, optional
        Limit on the price of a million predictions, in the price sheet's currency. Default: none.
    max_size : str, optional
        Limit on the size of the model's files. Default: none.
    max_memory : str, optional
        Limit on the memory of one trial, which is stopped if it needs more. Default: four fifths of
        the machine, shared by the workers.
    families : sequence of str or str
        Families to search. Default: all that are installed.
    workers : int, optional
        Number of concurrent trials, one thread each. Default: one per processor.
    seed : int
        Random seed; with `trials`, one worker and no `time`, equal seeds give equal candidates.
        Default: 0.
    storage : str, optional
        An Optuna storage, to watch with Optuna's own tools. Default: a journal in the run folder.
    out : path, optional
        The run folder to create. Default: ``runs/NAME``.
    progress : callable, optional
        Receives one mapping per event: kind, message, elapsed_s, trials, ok, failed, best_score, …
        The lines that the command line prints are logged as well (logger ``workbench``, level INFO;
        DEBUG for every candidate): ``logging.basicConfig(level=logging.INFO)`` shows them.
    stop : callable, optional
        Called regularly; the search finishes with the candidates so far once it returns True.
    used_s : float
        Seconds of the time budget that are already used.

    Returns
    -------
    Run

    Raises
    ------
    UsageError
        If the data, a setting or the folder makes the search impossible.
    SearchError
        If no candidate but the baseline could be trained.
    PlatformError
        If the operating system is not supported (Windows).

    Examples
    --------
    >>> import workbench as wb
    >>> run = wb.search("churn.csv", target="Churn", time="5m", max_latency="2ms")  # doctest: +SKIP
    """
    given = dict(locals())  # every argument by its name: `SETTINGS` says which of them are settings
    from workbench.automl import arguments
    from workbench.automl.operating_system import check_operating_system

    check_operating_system()
    began = monotonic() - arguments.number("used_s", used_s, "seconds of the budget that are already used")
    asked = _settings(given)
    data = arguments.data(data)
    arguments.function("progress", progress), arguments.function("stop", stop)
    if out is not None:
        arguments.path("out", out)
    from workbench.automl.coordinator.pool.fork_server_client import Spawner

    with Spawner() as spawner:  # imports what workers need while this process imports what it needs itself
        from workbench.automl.engine import search as run_search
        from workbench.automl.progress_lines import logged

        folder = Path(out) if out is not None else _default_folder(asked.name or _name_of(data, target))
        used_s = monotonic() - began
        return Run(
            run_search(
                data, asked, folder, used_s=used_s, progress=logged(progress), stop=stop, spawner=spawner
            )
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
    """Resume a run after a crash, or extend a finished one.

    Parameters
    ----------
    path : path
        The run's folder.
    time : str or float, optional
        Further wall-clock time, such as "5m". Without `time` and `trials`, as much as the search
        had.
    trials : int, optional
        Maximum number of further candidates.
    progress, stop, used_s
        As in `search`.

    Returns
    -------
    Run

    Raises
    ------
    RunError
        If there is no run, it cannot be read, or a newer version wrote it.
    SearchError
        If no candidate but the baseline could be trained.

    Examples
    --------
    >>> import workbench as wb
    >>> run = wb.resume("runs/churn", time="5m")  # doctest: +SKIP
    """
    from workbench.automl import arguments
    from workbench.automl.operating_system import check_operating_system
    from workbench.automl.records.search_settings import BY_NAME

    check_operating_system()
    began = monotonic() - arguments.number("used_s", used_s, "seconds of the budget that are already used")
    path = arguments.path("path", path)
    time_s = None if time is None else arguments.duration("time", time)
    trials = None if trials is None else BY_NAME["trials"].accept(trials)
    arguments.function("progress", progress), arguments.function("stop", stop)
    from workbench.automl.coordinator.pool.fork_server_client import Spawner

    with Spawner() as spawner:  # as in `search`
        from workbench.automl.engine import resume as run_resume
        from workbench.automl.progress_lines import logged

        used_s = monotonic() - began
        return Run(
            run_resume(
                path,
                time_s=time_s,
                trials=trials,
                used_s=used_s,
                progress=logged(progress),
                stop=stop,
                spawner=spawner,
            )
        )


def open_run(path: str | Path) -> Run:
    """Open the folder of a run, finished or still running.

    Raises
    ------
    RunError
        If there is none, it cannot be read, or a newer version wrote it.
    """
    from workbench.automl import arguments
    from workbench.automl.records.run_folder import RunFolder

    return Run(RunFolder.open(arguments.path("path", path)))


def load(path: str | Path) -> Bundle:
    """Open a bundle (a folder or a ``.zip``) for predictions; no training library is imported.

    Raises
    ------
    BundleError
        If it cannot be used; the message names the file.
    """
    from workbench.automl import arguments
    from workbench.runtime.bundle.bundle import open_bundle

    return open_bundle(arguments.path("path", path))


def _settings(given: dict[str, Any]) -> Settings:
    from workbench.automl.records.settings import read_settings

    return read_settings({**given, **_money(given.pop("prices"), given.pop("traffic"))})


def _money(prices: Any, traffic: Any) -> dict[str, Any]:
    """Return the price sheet's content with the traffic, as the run stores it."""
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
    """Name a run after its file, or after its target if the data is a frame."""
    stem = Path(str(data)).name.split(".")[0] if isinstance(data, (str, Path)) else str(target)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.") or "run"


def _default_folder(name: str) -> Path:
    """Return ``runs/NAME``, with a number if that exists."""
    folder, count = Path("runs") / name, 2
    while folder.exists():
        folder, count = Path("runs") / f"{name}-{count}", count + 1
    return folder
