"""The errors of the training side, and those of the runtime that belong to the same tree.

::

    WorkbenchError                (workbench.runtime.errors, with those of serving)
    ├── UsageError                the request is wrong: exit code 2
    │   ├── DataError             the data cannot be used: no file, no target, three rows, …
    │   ├── SettingsError         an option has an invalid value
    │   └── RunError              a run folder is missing, broken, taken or of a newer format
    └── WorkError                 the request is valid, but the work failed: exit code 1
        ├── SearchError           no candidate could be trained
        ├── PlatformError         the operating system lacks what the work needs
        ├── PickError             no candidate is within the limits
        ├── ChangedError          someone else changed a decision in the meantime
        ├── FitError              one candidate failed; the search continues
        └── ExportError           the exported model differs from the one that was measured
"""

from __future__ import annotations

from workbench.runtime.errors import (
    BadFileError,
    BadValueError,
    BundleError,
    BundleFormatError,
    InputError,
    MissingColumnError,
    ModelError,
    NoBundleError,
    TamperedBundleError,
    WorkbenchError,
    nearest,
    shown,
)

__all__ = [
    "BadFileError",
    "BadValueError",
    "BundleError",
    "BundleFormatError",
    "ChangedError",
    "DataError",
    "ExportError",
    "FitError",
    "InputError",
    "MissingColumnError",
    "ModelError",
    "NoBundleError",
    "PickError",
    "PlatformError",
    "RunError",
    "SearchError",
    "SettingsError",
    "TamperedBundleError",
    "UsageError",
    "WorkError",
    "WorkbenchError",
    "WorkbenchWarning",
    "nearest",
    "shown",
]


class WorkbenchWarning(UserWarning):
    """A problem that affects how to read a result; the command line prints it as one line."""


class UsageError(WorkbenchError):
    """The request is wrong."""


class DataError(UsageError):
    """The data cannot be used."""


class SettingsError(UsageError):
    """An option has an invalid value."""


class RunError(UsageError):
    """A run folder is missing, broken, already there or of a newer format."""


class WorkError(WorkbenchError):
    """The request is valid, but the work failed."""


class SearchError(WorkError):
    """No candidate could be trained."""


class PlatformError(WorkError):
    """The operating system lacks what the work needs."""


class PickError(WorkError):
    """No candidate is within the limits."""


class ChangedError(WorkError):
    """Someone else changed the decision in the meantime."""


class FitError(WorkError):
    """One candidate failed; the search continues."""


class OutOfTimeError(FitError):
    """A valid candidate did not finish in its time."""


class ExportError(WorkError):
    """The exported model differs from the one that was measured."""
