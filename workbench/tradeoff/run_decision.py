"""The decision about a run, stored in its folder and shared by the commands, the app and Python.

::

    runs/NAME/
    ├── decision.json     the current decision with its revision; missing until the first decision
    └── decisions.jsonl   every revision, one per line, oldest first; append-only

A decision holds only what was decided. Everything else comes from the settings of the search, or
the defaults (`terms`). Raise `DECISION_FORMAT` if an older reader would misread the file, and keep
reading older formats.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench.automl.records.file_lock import locked
from workbench.automl.records.run_folder import RunFolder
from workbench.errors import ChangedError, RunError, SettingsError, shown
from workbench.runtime.files.atomic_write import write_atomically

from .decision import user
from .terms import LIMITS, Given, Source, Terms, combine, given_to_search

DECISION_FILE, HISTORY_FILE = "decision.json", "decisions.jsonl"
DECISION_FORMAT = 1
_LOCK = ".decision.lock"
#: The settings of a decision, by the names of `Given`. Limits can also be set and reset one by one.
SETTINGS = ("pick", "limits", "payoff", "threshold", "traffic", "prices", "unit")


@dataclass(frozen=True, slots=True)
class RunDecision:
    """One revision of the decision about a run.

    Attributes
    ----------
    revision : int
        Starts at 1 and increases with every change.
    who, when, why : str
        The author, the time (ISO 8601, UTC), and the reason as the author wrote it.
    given : Given
        The decided settings.
    chosen : str or None
        The candidate that the settings selected at that time.
    """

    revision: int
    who: str
    when: str
    why: str = ""
    given: Given = field(default_factory=Given)
    chosen: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``decision.json``."""
        return {
            "format": DECISION_FORMAT,
            "revision": self.revision,
            "who": self.who,
            "when": self.when,
            "why": self.why,
            "chosen": self.chosen,
            **self.given.to_json(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> RunDecision:
        """Read the content of ``decision.json``; unknown keys are ignored.

        Raises
        ------
        RunError
            If a newer version wrote the document.
        """
        number = int(document["format"])
        if number > DECISION_FORMAT:
            raise RunError(
                "the decision was written by a newer version",
                found=f"decision format {number}",
                expected=f"{DECISION_FORMAT} or older",
                hint="Upgrade workbench.",
            )
        return cls(
            int(document["revision"]),
            str(document["who"]),
            str(document["when"]),
            str(document.get("why") or ""),
            Given.from_json(document),
            document.get("chosen"),
        )

    def to_text(self) -> str:
        """Return revision, author, time and reason as a phrase.

        Examples
        --------
        >>> RunDecision(3, "ada", "2026-12-01T15:00:00+00:00", "costs of May").to_text()
        'revision 3 by ada, 2026-12-01 15:00 UTC: costs of May'
        """
        why = f": {self.why}" if self.why else ""
        return f"revision {self.revision} by {self.who}, {self.when[:16].replace('T', ' ')} UTC{why}"


def read_decision(run: Path) -> RunDecision | None:
    """Return the decision stored in a run's folder, or None if there is none.

    Raises
    ------
    RunError
        If the file cannot be read, or a newer version wrote it.
    """
    path = run / DECISION_FILE
    try:
        return RunDecision.from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SettingsError) as error:
        raise RunError(
            f"{path} cannot be read",
            found=shown(str(error)),
            hint=(f"Move the file away to continue without a decision; {HISTORY_FILE} has all revisions."),
        ) from error


def read_decisions(run: Path) -> list[RunDecision]:
    """Return every revision of a run's decision, oldest first; truncated lines are skipped."""
    try:
        lines = (run / HISTORY_FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    found: dict[int, RunDecision] = {}
    for line in lines:
        try:
            decision = RunDecision.from_json(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, SettingsError):
            continue
        found[decision.revision] = decision
    return [found[number] for number in sorted(found)]


def store_decision(
    run: Path,
    given: Given,
    *,
    who: str | None = None,
    why: str = "",
    chosen: str | None = None,
    expected: int | None = None,
) -> RunDecision:
    """Store a decision as the next revision.

    Parameters
    ----------
    run : Path
        The run's folder.
    given : Given
        The complete decision; it replaces the stored one.
    who : str, optional
        The author; the user of this process by default.
    why : str
    chosen : str, optional
        The candidate that the settings select.
    expected : int, optional
        The revision that the caller read, 0 for none. If another one is stored, nothing is written.

    Raises
    ------
    ChangedError
        If the stored revision is not the expected one; the error names its author.
    RunError
        If the stored decision cannot be read.
    """
    with locked(run / _LOCK):
        before = read_decision(run)
        stored = before.revision if before else 0
        if expected is not None and stored != expected:
            raise ChangedError(
                f"the decision of {run} changed",
                found=before.to_text() if before else "none",
                expected=f"revision {expected}" if expected else "none",
                hint="Review it before deciding again.",
            )
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        decision = RunDecision(stored + 1, who or user(), now, why, given, chosen)
        document = decision.to_json()
        _append(run / HISTORY_FILE, json.dumps(document, ensure_ascii=False) + "\n")
        write_atomically(run / DECISION_FILE, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    return decision


def _append(path: Path, line: str) -> None:
    """Append a line. A truncated last line of a killed process stays a separate line."""
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, 2)
            line = line if file.read(1) == b"\n" else "\n" + line
        file.write(line.encode())


def terms_of(run: RunFolder, now: Given | None = None) -> Terms:
    """Return the terms of a choice: `now`, then the stored decision, then the search settings.

    Raises
    ------
    RunError
        If the stored decision cannot be read.
    SettingsError
        If the price sheet of a run of 0.1.0 is not valid.
    """
    stored = read_decision(run.path)
    layers: list[tuple[Source, Given]] = [("now", now or Given())]
    if stored is not None:
        layers.append(("decision", stored.given))
    needed = all(given.prices is None for _, given in layers)
    layers.append(("search", given_to_search(run, prices_needed=needed)))
    return combine(layers, stored.revision if stored else None)


def changed(before: Given, new: Given, reset: tuple[str, ...] = ()) -> Given:
    """Return the decision with new settings applied.

    Each new setting replaces the stored one. A new payoff without a threshold drops the stored
    threshold, which was set for another payoff.

    Parameters
    ----------
    before, new : Given
    reset : tuple of str
        Settings or limits to remove from the decision.

    Raises
    ------
    SettingsError
        If a setting to reset is unknown.

    Examples
    --------
    >>> before = Given(pick="best", threshold=0.3)
    >>> changed(before, Given(pick="fastest"), ("threshold",))
    Given(pick='fastest', limits={}, payoff=None, threshold=None, traffic=None, prices=None, unit=None)
    """
    known = (*SETTINGS, *LIMITS)
    for name in reset:
        if name not in known:
            raise SettingsError("reset", found=shown(name), expected=f"one of {', '.join(known)}")
    values: dict[str, Any] = {
        name: None if name in reset else getattr(before, name) for name in SETTINGS if name != "limits"
    }
    limits = {} if "limits" in reset else dict(before.limits)
    limits = {name: value for name, value in limits.items() if name not in reset}
    if new.payoff is not None and new.payoff != before.payoff:
        values["threshold"] = None
    if new.prices is not None and not new.prices.traffic.example:
        values["traffic"] = None  # the new sheet has its own
    for name in values:
        if getattr(new, name) is not None:
            values[name] = getattr(new, name)
    return replace(before, limits=limits | dict(new.limits), **values)
