"""A choice with who made it, when and why: what a bundle keeps."""

from __future__ import annotations

import datetime as dt
import getpass
from dataclasses import asdict, dataclass
from typing import Any

from .choose import Choice


@dataclass(frozen=True, slots=True)
class SetThreshold:
    """The threshold that a person set in the place of the model's own.

    Attributes
    ----------
    value : float
        The positive label is answered where its probability is at least this.
    learned : float
        The model's own threshold.
    label : object
        The positive label.
    """

    value: float
    learned: float
    label: Any

    def to_text(self) -> str:
        """Return the threshold as a sentence.

        Examples
        --------
        >>> SetThreshold(0.37, 0.5, "yes").to_text()
        'Answers yes from a probability of 0.37 on, as whoever decided set it; the model alone would from 0.5 on.'
        """
        return (
            f"Answers {self.label} from a probability of {self.value:g} on, as whoever decided set it; the model "
            f"alone would from {self.learned:g} on."
        )


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
    threshold : SetThreshold or None
        Where they set one.
    """

    choice: Choice
    by: str
    when: str
    note: str = ""
    threshold: SetThreshold | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``decision.json``."""
        threshold = asdict(self.threshold) if self.threshold else None
        return {
            "by": self.by,
            "when": self.when,
            "note": self.note,
            "threshold": threshold,
            **self.choice.to_json(),
        }


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
