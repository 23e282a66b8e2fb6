"""The report of `verify_bundle`: one check after the other."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """The result of a check.

    Attributes
    ----------
    ok : bool or None
        None if the check could not be made.
    detail : str
        What was found, or why the check could not be made.
    """

    ok: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Check:
    """A check with its result.

    Attributes
    ----------
    name : str
    ok : bool or None
        None if it was not made; `detail` gives the reason.
    detail : str
    """

    name: str
    ok: bool | None
    detail: str

    @property
    def status(self) -> str:
        """One of "ok", "failed", "not checked"."""
        return {True: "ok", False: "failed", None: "not checked"}[self.ok]


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The checks of a bundle and their results.

    Examples
    --------
    >>> report = VerifyReport("bundles/churn", (Check("checksums", True, "31 files"),))
    >>> report.ok
    True
    >>> print(report.to_text())
    ok           checksums: 31 files
    bundles/churn: 1 of 1 checks passed
    """

    path: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether no check failed and at least one passed."""
        return all(check.ok is not False for check in self.checks) and any(check.ok for check in self.checks)

    def to_text(self) -> str:
        """Return one line for each check, and a summary."""
        lines = [f"{check.status:<12} {check.name}: {check.detail}" for check in self.checks]
        passed = sum(check.ok is True for check in self.checks)
        failed = sum(check.ok is False for check in self.checks)
        skipped = len(self.checks) - passed - failed
        last = f"{self.path}: {passed} of {len(self.checks)} checks passed"
        last += f", {failed} failed" if failed else ""
        last += f", {skipped} not checked" if skipped else ""
        return "\n".join([*lines, last])

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        checks = [{**asdict(check), "status": check.status} for check in self.checks]
        return {"path": self.path, "ok": self.ok, "checks": checks}
