"""Fits that are slow on purpose, or need much memory, in the worker processes of a search.

Workers are forked from a process that runs a ``sitecustomize`` module found on its path: one is
written there that changes what the families do. So no test depends on how fast the machine is.
"""

from __future__ import annotations

from pathlib import Path

import pytest

_CODE = """
import os, sys, time
if "workbench.automl.worker.fork_server" in sys.orig_argv:
    from workbench.families import family_named
    for name in {families!r}:
        kind = type(family_named(name))
        def slow(self, *args, _fit=kind.fit, **options):
            {body}
            return _fit(self, *args, **options)
        kind.fit = slow
"""


def in_workers(monkeypatch: pytest.MonkeyPatch, folder: Path, families: tuple[str, ...], body: str) -> None:
    """Run a statement before each fit of some families, in every worker that is started from now
    on.
    """
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_CODE.format(families=families, body=body), encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
