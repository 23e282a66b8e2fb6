"""A choice with who made it, when and why: what a bundle keeps."""

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
        The candidate's own threshold, as the search left it.
    label : object
        The positive label.
    how : {"set", "payoff", "model"}
        Whether somebody set it, it follows from what outcomes pay, or it is the candidate's own.
    source : {"now", "decision", "search", "default"}
        Who said so (`terms`).
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
        'Answers yes from a probability of 0.37 on, as whoever decided set it; the model alone would from 0.5 on.'
        >>> ServedThreshold(0.15, 0.15, "yes", "payoff").to_text()
        'Answers yes from a probability of 0.15 on, where the costs of mistakes put it.'
        """
        why = {
            "set": ", as whoever decided set it",
            "payoff": ", where the costs of mistakes put it",
            "model": ", the model's own threshold",
        }[self.how]
        own = f"; the model alone would from {self.learned:g} on" if self.value != self.learned else ""
        return f"Answers {self.label} from a probability of {self.value:.6g} on{why}{own}."


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
    threshold : ServedThreshold or None
        Of a yes-or-no model; None if the model has none.
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
    """Sign a choice, now; `by` defaults to the user of this process.

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
    """Return the user of this process, "unknown" if it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container may run as a number without a name
        return "unknown"
