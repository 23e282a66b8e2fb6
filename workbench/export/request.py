"""The request of an export: its arguments, read and checked before any work starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.automl.records.candidate import Candidate
from workbench.automl.records.run_folder import RunFolder
from workbench.tradeoff.choose import Choice
from workbench.tradeoff.prices import PriceSheet
from workbench.tradeoff.terms import Terms

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Progress = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True, eq=False)
class ExportRequest:
    """The arguments of `export_bundle`, defaults filled in.

    Attributes
    ----------
    run : RunFolder
    candidate : Candidate
        The candidate that was chosen.
    choice : Choice
        With the terms and prices that the bundle is written under, which follow here.
    terms : Terms
    sheet : PriceSheet
    name, version : str
        Under which the model is served.
    by : str or None
        Who decided; None is the user of this process.
    note : str
        Why.
    masked : tuple of str
        Columns of the golden rows whose values are drawn anew.
    code : tuple of str
        Languages in which the scorer is written as source code.
    hashes, refit : bool
    key : Ed25519PrivateKey or None
        Signs the manifest.
    progress : callable or None
    """

    run: RunFolder
    candidate: Candidate
    choice: Choice
    terms: Terms
    sheet: PriceSheet
    name: str
    version: str
    by: str | None = None
    note: str = ""
    masked: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    hashes: bool = False
    refit: bool = False
    key: Ed25519PrivateKey | None = None
    progress: Progress | None = None

    def step(self, message: str) -> None:
        """Report what the export does next."""
        self._report("step", message)

    def warn(self, message: str) -> None:
        """Report a warning."""
        self._report("warning", message)

    def _report(self, kind: str, message: str) -> None:
        if self.progress:
            self.progress({"kind": kind, "message": message})
