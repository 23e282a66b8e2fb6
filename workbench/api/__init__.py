"""The public Python interface: `search`, `resume`, `open_run`, `load` and `Run`."""

from .run import Run
from .verbs import load, open_run, resume, search

__all__ = ["Run", "load", "open_run", "resume", "search"]
