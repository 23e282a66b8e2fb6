"""A choice with its author, time and reason, as a bundle stores it."""

from __future__ import annotations

import datetime as dt
import getpass
from dataclasses import asdict, dataclass
from typing import Any

from .choose import Choice


@dataclass(frozen=True, slots=True)
class ServedThreshold:
    """The threshold that a bundle predicts with.

    Attributes
    ----------
    value : float
        The positive label is predicted if its probability is at least this.
    learned : float
        The candidate's own threshold, from the search.
    label : object
        The positive label.
    how : {"set", "payoff", "model"}
        Whether it was set, follows from the payoff, or is the candidate's own.
    source : {"now", "decision", "search", "default"}
        Where the threshold comes from (`terms`).
    """

    value: float
    learned: float
    label: Any
    how: str = "set"
    source: str = "now"

    def to_text(self) -> str:
        """Return the threshold as a sentence.

        Examples
        --------
        >>> ServedThreshold(0.37, 0.5, "yes").to_text()
        "Predicts yes from a probability of 0.37, set in the decision; the model's own threshold is 0.5."
        >>> ServedThreshold(0.15, 0.15, "yes", "payoff").to_text()
        'Predicts yes from a probability of 0.15, which follows from the costs of mistakes.'
        """
        why = {
            "set": ", set in the decision",
            "payoff": ", which follows from the costs of mistakes",
            "model": ", the model's own threshold",
        }[self.how]
        own = f"; the model's own threshold is {self.learned:g}" if self.value != self.learned else ""
        return f"Predicts {self.label} from a probability of {self.value:.6g}{why}{own}."


@dataclass(frozen=True, slots=True)
class Decision:
    """A choice with its author, time and reason.

    Attributes
    ----------
    choice : Choice
    by : str
        The author.
    when : str
        ISO 8601, UTC.
    note : str
        The reason, as the author wrote it.
    threshold : ServedThreshold or None
        The threshold of a binary model; None for other tasks.
    """

    choice: Choice
    by: str
    when: str
    note: str = ""
    threshold: ServedThreshold | None = None

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
    """Sign a choice with the current time; `by` defaults to the user of this process.

    Examples
    --------
    >>> from workbench.tradeoff.leaderboard_row import ServableRow
    >>> row = ServableRow("c1", "linear", metric="roc_auc", score=0.9, latency_p50_us=12.0,
    ...                   latency_p99_us=20.0, cpu_us_per_row=12.0, price_per_million_usd=0.002)
    >>> decide(Choice(row, "id"), by="Ada").to_json()["by"]
    'Ada'
    """
    return Decision(choice, by or user(), dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), note)


def user() -> str:
    """Return the user name of this process, "unknown" if there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container may run under a user id without a name
        return "unknown"
