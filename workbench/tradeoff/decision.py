"""A choice with who made it, when and why: what a bundle keeps."""

from __future__ import annotations

import datetime as dt
import getpass
from dataclasses import dataclass
from typing import Any

from .choose import Choice


@dataclass(frozen=True, slots=True)
class Decision:
    """A choice that somebody stands for.

    Attributes
    ----------
    choice : Choice
    by : str
        Who decided.
    when : str
        ISO 8601, UTC.
    note : str
        Why, in their words.
    """

    choice: Choice
    by: str
    when: str
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``decision.json``."""
        return {"by": self.by, "when": self.when, "note": self.note, **self.choice.to_json()}


def decide(choice: Choice, by: str | None = None, note: str = "") -> Decision:
    """Sign a choice, now; `by` defaults to the user of this process.

    Examples
    --------
    >>> decide(Choice({"id": "c1"}, "id"), by="Ada").to_json()["by"]
    'Ada'
    """
    return Decision(choice, by or _user(), dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), note)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container may run as a number without a name
        return "unknown"
