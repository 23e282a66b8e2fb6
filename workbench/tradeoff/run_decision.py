"""The decision about a run, stored in the run: every command, the app and Python read the same one.

::

    runs/NAME/
    ├── decision.json     the decision that counts, with its revision; there is none until somebody decides
    └── decisions.jsonl   every revision, one a line, the oldest first: appended to, never changed

A decision says what somebody decided and nothing else: what it leaves open is as the search was given, or the default
(`terms`). Raise `DECISION_FORMAT` if an older reader would misread one, and keep reading the older ones.
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
#: What a decision may say, by the names of `Given`; limits are also set and reset one by one.
SETTINGS = ("pick", "limits", "payoff", "threshold", "traffic", "prices", "unit")


@dataclass(frozen=True, slots=True)
class RunDecision:
    """A revision of the decision about a run.

    Attributes
    ----------
    revision : int
        From 1, one more with every change.
    who, when, why : str
        Who decided, when (ISO 8601, UTC), and why in their words.
    given : Given
        What was decided.
    chosen : str or None
        The candidate that it came to at that time.
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
        """Read the content of ``decision.json``; keys of a later version are passed over.

        Raises
        ------
        RunError
            If a newer version wrote it.
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
        """Return who decided and when, as a phrase.

        Examples
        --------
        >>> RunDecision(3, "ada", "2026-12-01T15:00:00+00:00", "costs of May").to_text()
        'revision 3 by ada, 2026-12-01 15:00 UTC: costs of May'
        """
        why = f": {self.why}" if self.why else ""
        return f"revision {self.revision} by {self.who}, {self.when[:16].replace('T', ' ')} UTC{why}"


def read_decision(run: Path) -> RunDecision | None:
    """Return the decision stored in a run's folder, or None if nobody has decided.

    Raises
    ------
    RunError
        If it cannot be read, or a newer version wrote it.
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
            hint=f"Move it away to go on without a decision; {HISTORY_FILE} has all revisions.",
        ) from error


def read_decisions(run: Path) -> list[RunDecision]:
    """Return every revision of a run's decision, the oldest first; a line that was cut short is passed over."""
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
        All of what is decided; what it leaves out is no longer decided.
    who : str, optional
        The user of this process by default.
    why : str
    chosen : str, optional
        The candidate that it comes to.
    expected : int, optional
        The revision that the caller saw, 0 for none: if another one is stored by now, nothing is written.

    Raises
    ------
    ChangedError
        If the stored revision is not the expected one; it says by whom it was changed.
    RunError
        If the stored one cannot be read.
    """
    with locked(run / _LOCK):
        before = read_decision(run)
        stored = before.revision if before else 0
        if expected is not None and stored != expected:
            raise ChangedError(
                f"the decision of {run} changed",
                found=before.to_text() if before else "none",
                expected=f"revision {expected}" if expected else "none",
                hint="Look at it before deciding again.",
            )
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        decision = RunDecision(stored + 1, who or user(), now, why, given, chosen)
        document = decision.to_json()
        _append(run / HISTORY_FILE, json.dumps(document, ensure_ascii=False) + "\n")
        write_atomically(run / DECISION_FILE, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    return decision


def _append(path: Path, line: str) -> None:
    """Append a line; one that a killed process left unfinished stays a line of its own."""
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, 2)
            line = line if file.read(1) == b"\n" else "\n" + line
        file.write(line.encode())


def terms_of(run: RunFolder, now: Given | None = None) -> Terms:
    """Return what a choice from a run is made under: what is said now, then the stored decision, then the search's.

    Raises
    ------
    RunError
        If the stored decision cannot be read.
    SettingsError
        If the price sheet of a run of 0.1.0 makes no sense.
    """
    stored = read_decision(run.path)
    layers: list[tuple[Source, Given]] = [("now", now or Given())]
    if stored is not None:
        layers.append(("decision", stored.given))
    needed = all(given.prices is None for _, given in layers)
    layers.append(("search", given_to_search(run, prices_needed=needed)))
    return combine(layers, stored.revision if stored else None)


def changed(before: Given, said: Given, reset: tuple[str, ...] = ()) -> Given:
    """Return what is decided after somebody said more.

    What they say replaces what was decided, setting by setting. New payoffs without a threshold drop the one that was
    set before: it was set for other payoffs.

    Parameters
    ----------
    before, said : Given
    reset : tuple of str
        Settings, or limits, that are no longer decided.

    Raises
    ------
    SettingsError
        If a setting to reset is not known.

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
    if said.payoff is not None and said.payoff != before.payoff:
        values["threshold"] = None
    if said.prices is not None and not said.prices.traffic.example:
        values["traffic"] = None  # the new sheet brings its own
    for name in values:
        if getattr(said, name) is not None:
            values[name] = getattr(said, name)
    return replace(before, limits=limits | dict(said.limits), **values)
