"""The public Python interface: `search`, `open_run`, `resume`, `load` and the `Run` that they share."""

from .run import Run
from .verbs import load, open_run, resume, search

__all__ = ["Run", "load", "open_run", "resume", "search"]
