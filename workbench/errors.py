"""What can go wrong before a model serves: the training side's half of the tree.

::

    WorkbenchError                (workbench.runtime.errors, with the serving half)
    ├── UsageError                the request cannot be carried out as asked: exit code 2
    │   ├── DataError             the data cannot be used: no such file, no target, three rows, …
    │   ├── SettingsError         an option has a value that makes no sense
    │   └── RunError              a run folder is missing, broken, in the way or of a newer format
    └── WorkError                 the request was fine, the work failed: exit code 1
        ├── SearchError           no candidate could be trained
        ├── PlatformError         the operating system lacks what the work needs
        ├── PickError             no candidate meets the limits
        ├── ChangedError          a decision was changed by somebody else in the meantime
        ├── FitError              one candidate failed; the search goes on
        └── ExportError           the bundle could not be made equal to what was measured
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
    """Something that whoever reads the result should know; the command line prints it as one line."""


class UsageError(WorkbenchError):
    """The request cannot be carried out as asked."""


class DataError(UsageError):
    """The data cannot be used."""


class SettingsError(UsageError):
    """An option has a value that makes no sense."""


class RunError(UsageError):
    """A run folder is missing, broken, in the way or of a newer format."""


class WorkError(WorkbenchError):
    """The request was fine, the work failed."""


class SearchError(WorkError):
    """No candidate could be trained."""


class PlatformError(WorkError):
    """The operating system lacks what the work needs."""


class PickError(WorkError):
    """No candidate meets the limits."""


class ChangedError(WorkError):
    """What was to be changed was changed by somebody else in the meantime."""


class FitError(WorkError):
    """One candidate failed; the search goes on."""


class OutOfTimeError(FitError):
    """A candidate was not through when its time was up: nothing is wrong with it."""


class ExportError(WorkError):
    """The bundle could not be made equal to what was measured."""
