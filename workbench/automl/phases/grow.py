"""After a search on a sample: its best configs are fitted on as many rows as the time that is left allows.

A sample ranks configs well and takes a fraction of the time; a model of all rows is better than one of the sample, and
the more so the more levels a category has. So half of the time goes to each: successive halving (Jamieson and
Talwalkar 2016) with two rungs, rows being the resource. What comes out is validated on the rows on which the sample's
models were, so that it competes with them, and joins the blends.
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

_SHARE = 0.55  # of the time between reading the data and polishing
_ROUNDS = 1.3  # rounds on more rows over those on the sample: more can be learned from them
_SLACK = 0.6  # of the time that is left: encoding the rows, and caches that large data does not fit into
_WORTH = 0.5  # rows of the sample's that a fit must add at least
_MOST_FITS = 6


def keep_time_to_grow(session: Session) -> None:
    """Set time aside for `grow`, where configs are tried on a sample."""
    if len(session.run.reserve_rows) and session.clock.bounded:
        left = max(session.clock.growth_ends - time.monotonic(), 0.0)
        session.time.clock = replace(session.clock, grow_s=_SHARE * left)


def grow(session: Session) -> None:
    """Fit the best configs on more rows, one on each worker, the most promising first."""
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
    """Yield what to fit on more rows: the best of all, the best of another family, and on by turns.

    What errs differently is worth more to a blend than the second best of the same kind.
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
    """Return how many rows of the reserve a config's fit can take in the time left; 0 where too few to matter."""
    sample = session.run.info["plan"]["sample"]
    if not session.clock.bounded:
        return reserve
    left = session.clock.growth_ends - time.monotonic()
    slowed = float(np.clip(parent.seconds / max(parent.cpu_s, 1e-3), 1.0, 4.0))
    once = max(mean_fold_s(parent) * slowed * _ROUNDS, 1e-3)
    more = int(sample * (_SLACK * left / once - 1.0))
    return min(more, reserve) if more >= _WORTH * sample else 0
