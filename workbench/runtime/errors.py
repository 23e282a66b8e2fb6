"""Exceptions of the runtime.

::

    WorkbenchError ├── InputError               the rows do not fit the schema: the caller can fix
    them │   ├── MissingColumnError   a column that the model needs is missing │   ├── BadValueError
    a value cannot be read as its column's kind │   │   └── WrongKindError   no value of the column
    can be read: it holds something else │   ├── UnseenError          strict mode: a value or column
    that the training data did not have │   └── BadFileError         a file to score cannot be read,
    or its output cannot be written ├── BundleError              the bundle cannot be used: its
    owner can fix it │   ├── NoBundleError        the path does not exist │   ├──
    TamperedBundleError  a file is missing, truncated, changed or invalid │   └── BundleFormatError
    the bundle has a format that this runtime does not read ├── ModelError               the model
    failed: never the caller's fault ├── NotReadyError            the model is not ready: a
    readiness check failed └── ServeError               the server cannot start: a port in use, no
    such address, a missing package

An error consists of facts (what, found, expected, what to do) and has no status code: the command
line and the HTTP server choose exit codes and status codes. Its ``code`` is one word that tells
programs the kind of the error, in responses, metrics and the log.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Self

_LONGEST_SHOWN = 80
_NUMBERS = re.compile(r"\d[\d.]*(?:[eE][+-]?\d+)?")


def shown(value: object) -> str:
    """Format a value for a message: quoted, on one line, at most 80 characters.

    Examples
    --------
    >>> shown("tw" + "o" * 200)[-6:]
    'ooooo…'
    """
    try:
        text = repr(value)
    except RecursionError:
        text = f"a deeply nested {type(value).__name__}"
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def nearest(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Return the names most similar to `name`, best first.

    Examples
    --------
    >>> nearest("tenuer", ["tenure", "Churn"])
    ['tenure']
    """
    by_lower: dict[str, str] = {}
    for each in names:
        by_lower.setdefault(each.lower().strip(), each)
    close = difflib.get_close_matches(name.lower().strip(), by_lower, n=count, cutoff=0.6)
    return [by_lower[key] for key in close]


class WorkbenchError(Exception):
    """The base of all errors for users; `code` is the kind, for programs.

    Only `found` and `hint` may hold values of rows: the rest may be logged (see `logged`) even if
    rows may not.

    Parameters
    ----------
    what : str
        The thing that is wrong, by name.
    found, expected : str, optional
        The value found, and what was expected.
    hint : str, optional
        What to do.

    Examples
    --------
    >>> print(WorkbenchError("column 'age'", found="'old'", expected="a number", hint="Correct the row."))
    column 'age': found 'old'; expected a number. Correct the row.
    """

    code: str = "failed"

    def __init__(
        self, what: str, *, found: str | None = None, expected: str | None = None, hint: str | None = None
    ) -> None:
        self.what, self.found, self.expected, self.hint = what, found, expected, hint
        facts = [f"found {found}" if found else "", f"expected {expected}" if expected else ""]
        text = "; ".join(fact for fact in facts if fact)
        message = f"{what}: {text}" if text else what
        if hint:
            message = f"{message.rstrip('.')}. {hint}"
        self._place = what
        super().__init__(message)

    @property
    def logged(self) -> str:
        """The message without values of rows, for logs that must not hold them."""
        return f"{self._place}: expected {self.expected}" if self.expected else self._place

    def logged_at(self, place: str) -> Self:
        """Log `place` instead of `what`, which may hold a name from the caller; returns itself."""
        self._place = place
        return self


class InputError(WorkbenchError, ValueError):
    """Rows that do not fit the schema."""

    code = "bad_request"


class MissingColumnError(InputError):
    """A column that the model needs is missing; `row` counts from 0 if only one row lacks it.

    `unmatched` are the names present that match no other column of the model, for suggestions.
    """

    code = "forgotten_feature"

    def __init__(
        self,
        column: str,
        present: Iterable[str],
        row: int | None = None,
        unmatched: Iterable[str] | None = None,
    ) -> None:
        self.column, self.row = column, row
        self.names = names = [str(name) for name in present]
        self.unmatched = names if unmatched is None else list(unmatched)
        where = f"column {shown(column)}" if row is None else f"row {row}, column {shown(column)}"
        close = nearest(column, self.unmatched)
        if close:
            hint = f"Did you mean {', '.join(shown(name) for name in close)}?"
        else:
            hint = "Send every column of the schema; use null for a missing value."
        listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
        super().__init__(f"{where} is missing", found=f"columns {listed or 'none'}", hint=hint)

    def at(self, row: int) -> MissingColumnError:
        """Return the same error for a row."""
        return MissingColumnError(self.column, self.names, row, self.unmatched)


class BadValueError(InputError):
    """A value that cannot be read as its column's kind; `row` counts from 0 if it is known."""

    code = "bad_value"

    def __init__(self, column: str, found: str, expected: str, row: int | None = None) -> None:
        self.column, self.row = column, row
        where = f"column {shown(column)}" if row is None else f"row {row}, column {shown(column)}"
        super().__init__(where, found=found, expected=expected)

    def at(self, row: int) -> BadValueError:
        """Return the same error for a row."""
        return type(self)(self.column, self.found or "", self.expected or "", row)


class WrongKindError(BadValueError):
    """A column with no value that can be read as its kind: it holds something else."""

    code = "forgotten_feature"


class UnseenError(InputError):
    """An unseen category, a number out of range or an extra column, in strict mode.

    Parameters
    ----------
    code : str
        "unseen_category", "out_of_range" or "extra_column".
    text : str
        A description in one line.
    column : str
        The model's column; "" for an extra column.
    """

    def __init__(self, code: str, text: str, column: str = "") -> None:
        self.code = code
        self.place = f"column {shown(column)}" if column else "a column"
        super().__init__(
            text,
            hint="The server runs with `strict`; without it, such a row is predicted and counted.",
        )

    @property
    def logged(self) -> str:
        """The column and the kind, without the value."""
        return f"{self.place}: {self.code.replace('_', ' ')}"


class BadFileError(InputError):
    """A file to score that cannot be read, or an output that cannot be written."""


class BundleError(WorkbenchError):
    """A bundle that cannot be used."""


class NoBundleError(BundleError):
    """The path does not exist."""


class TamperedBundleError(BundleError):
    """A file of the bundle is missing, truncated, changed or invalid."""


class BundleFormatError(BundleError):
    """The bundle has a format that this runtime does not read."""


class ModelError(WorkbenchError):
    """The model failed on rows that fit its schema: a fault of the bundle, not of the caller."""

    code = "model_failed"

    @property
    def logged(self) -> str:
        """The message without its numbers, since some may be values of a row."""
        return _NUMBERS.sub("#", str(self))


class NotReadyError(WorkbenchError):
    """A readiness check failed; `code` names it, such as "golden_rows" or "stale_data"."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)

    @property
    def logged(self) -> str:
        """A fixed text; `code` names the check."""
        return "the model is not ready"


class ServeError(WorkbenchError):
    """The server cannot start."""
