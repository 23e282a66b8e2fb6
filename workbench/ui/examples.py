"""The example run: a table that ships here, searched for half a minute, so that nobody meets an empty app."""

from __future__ import annotations

from pathlib import Path

from .goals import Goal, SearchRequest, save_goal, write_prices
from .searches import start_search
from .uploads import Source, digest_of
from .workspace import Workspace

SAMPLE, TIME = "subscriptions", "30s"
# Made up, as the table is: a call to a customer who would have stayed, and a subscription lost.
GOAL = Goal(wrong_yes=5.0, wrong_no=40.0, quiet_calls=2_000, busy_calls=40_000, budget=200.0)


def write_sample(name: str, folder: Path) -> tuple[Source, str]:
    """Write a table that ships as a CSV file; return it with the name of its target.

    Raises
    ------
    DataError
        Where there is no such table.
    """
    from workbench.data.samples import load_sample  # brings scikit-learn, which pages do without

    frame, target = load_sample(name)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv"
    draft = path.with_name(f".{path.name}.draft")
    frame.to_csv(draft, index=False)
    draft.replace(path)
    return Source(path, path.name, digest_of(path)), target


def start_example(workspace: Workspace, name: str, time: str = TIME) -> None:
    """Start the search of the example under a name that no run has."""
    source, target = write_sample(SAMPLE, workspace.data)
    save_goal(workspace.own, name, GOAL)
    prices = write_prices(workspace.own, name, GOAL)
    request = SearchRequest(
        str(source.path), target, str(workspace.runs / name), time, (("--prices", str(prices)),)
    )
    start_search(workspace.own, name, request)


def free_name(workspace: Workspace, wanted: str) -> str:
    """Return a name that no run and no started search has: the wanted one, or that with a number."""
    name, number = wanted, 1
    while (workspace.runs / name).exists() or (workspace.own / f"{name}.started.json").exists():
        number += 1
        name = f"{wanted}-{number}"
    return name
