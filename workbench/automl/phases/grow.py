"""After a search on a sample: fit its best configurations on more rows.

A sample ranks configurations well in a fraction of the time. The number of further rows depends on
the remaining time. A model of all rows is better than one
of the sample, the more so the more levels a category has. So about half of the time goes to each:
this is successive halving (Jamieson and Talwalkar 2016) with two rungs and rows as the resource.
The new models are validated on the same rows as those of the sample, so they can be compared and
join ensembles.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from workbench.families import BASELINE

from ..coordinator.session import Session
from ..coordinator.time_account import mean_fold_s
from ..records.candidate import Candidate, best_first
from ..records.messages import Config
from .trials import try_grown

_SHARE = 0.55  # of the time between reading the data and the ensembles
_ROUNDS = 1.3  # boosting rounds on more rows, relative to those on the sample
#: Share of the remaining time that fits may plan with; the rest is for encoding the rows and for
#: cache misses of large data.
_SLACK = 0.6
_WORTH = 0.5  # rows that a fit must add, relative to the sample
_MOST_FITS = 6


def keep_time_to_grow(session: Session) -> None:
    """Reserve time for `grow` if configurations are tried on a sample."""
    if len(session.run.reserve_rows) and session.clock.bounded:
        left = max(session.clock.growth_ends - time.monotonic(), 0.0)
        session.time.clock = replace(session.clock, grow_s=_SHARE * left)


def grow(session: Session) -> None:
    """Fit the best configurations on more rows, one per worker, the most promising first."""
    reserve = len(session.run.reserve_rows)
    if not reserve or session.stopping or session.schedule.folds != 1:
        return
    session.report("phase", "fitting the best configurations on more rows")
    waiting = _chosen(session)

    def ask() -> Config | None:
        for parent in waiting:
            more = _affordable(session, parent, reserve)
            name = f"{parent.id}g"
            if more and name not in session.results.candidates:
                return Config(name, parent.family, parent.params, "derived", session.settings.seed, more)
        return None

    try_grown(session, ask)


def _chosen(session: Session) -> Iterator[Candidate]:
    """Yield the candidates to fit on more rows: the best, then those of other families in turn.

    A candidate with different errors improves an ensemble more than the second best of the same
    family.
    """
    candidates = session.results.candidates.values()
    tried = [each for each in candidates if each.origin != "derived" and each.family != BASELINE]
    good = best_first(tried)
    taken: dict[str, int] = {}
    for _ in range(min(len(good), _MOST_FITS)):
        best = min(good, key=lambda each: (taken.get(each.family, 0), good.index(each)))
        taken[best.family] = taken.get(best.family, 0) + 1
        good.remove(best)
        yield best


def _affordable(session: Session, parent: Candidate, reserve: int) -> int:
    """Return how many reserve rows a fit can add in the remaining time; 0 if too few to matter."""
    sample = session.run.info["plan"]["sample"]
    if not session.clock.bounded:
        return reserve
    left = session.clock.growth_ends - time.monotonic()
    slowed = float(np.clip(parent.seconds / max(parent.cpu_s, 1e-3), 1.0, 4.0))
    once = max(mean_fold_s(parent) * slowed * _ROUNDS, 1e-3)
    more = int(sample * (_SLACK * left / once - 1.0))
    return min(more, reserve) if more >= _WORTH * sample else 0
