"""Check that a bundle is complete and still predicts as at export."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import BundleError, NoBundleError
from .bundle import open_bundle


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The results of all checks of a bundle."""

    bundle: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return all(check.ok for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {"bundle": self.bundle, "ok": self.ok, "checks": [asdict(check) for check in self.checks]}

    def to_text(self) -> str:
        """Return the report as text.

        Examples
        --------
        >>> print(CheckReport("churn", (Check("files", True, "12 files as listed"),)).to_text())
        ok      files: 12 files as listed
        churn is complete and predicts as at export
        """
        lines = [
            f"{'ok    ' if check.ok else 'FAILED'}  {check.name}: {check.detail}" for check in self.checks
        ]
        verdict = "is complete and predicts as at export" if self.ok else "must not be used"
        return "\n".join([*lines, f"{self.bundle} {verdict}"])


def check_bundle(path: str | Path) -> CheckReport:
    """Check every file of a bundle against the manifest, and every golden row against its output.

    Parameters
    ----------
    path : str or Path
        The bundle's folder or zip.

    Returns
    -------
    CheckReport
        A bundle that cannot be opened is a failed check, not an exception.

    Raises
    ------
    NoBundleError
        If `path` does not exist.
    """
    try:
        bundle = open_bundle(path)
    except NoBundleError:
        raise
    except BundleError as error:
        return CheckReport(str(path), (Check("files", False, str(error)),))
    count = len(bundle.manifest.files)
    files = Check("files", True, f"{count} files are as manifest.json lists them")
    try:
        report = bundle.replay_golden()
        golden = Check("golden rows", report.ok, report.summary())
    except BundleError as error:
        golden = Check("golden rows", False, str(error))
    return CheckReport(str(path), (files, golden))
