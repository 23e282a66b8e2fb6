"""Workbench: search, choose, export and serve models of tables by accuracy, latency and price.

The names below are imported on first use, so that `workbench.runtime` works without the training
stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.version import __version__

if TYPE_CHECKING:
    from workbench.api import Run, load, open_run, resume, search
    from workbench.estimators import WorkbenchClassifier, WorkbenchRegressor

__all__ = [
    "Run",
    "WorkbenchClassifier",
    "WorkbenchRegressor",
    "__version__",
    "load",
    "open_run",
    "resume",
    "search",
]

_HOMES = {
    "Run": "workbench.api",
    "load": "workbench.api",
    "open_run": "workbench.api",
    "resume": "workbench.api",
    "search": "workbench.api",
    "WorkbenchClassifier": "workbench.estimators",
    "WorkbenchRegressor": "workbench.estimators",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
