"""What can go wrong while a model answers.

::

    WorkbenchError
    ├── InputError               the rows do not fit the schema: the caller can mend it
    │   ├── MissingColumnError   a column that the model needs is not there
    │   ├── BadValueError        a value cannot be read as its column's kind
    │   │   └── WrongKindError   no value of the column can: it holds something else
    │   ├── UnseenError          strict mode: a category, range or column that training never met
    │   └── BadFileError         a file to score cannot be read, or its output not be written
    ├── BundleError              the bundle cannot be used: whoever made or moved it can mend it
    │   ├── NoBundleError        there is nothing at the path given
    │   ├── TamperedBundleError  a file of it is missing, cut short or changed
    │   └── BundleFormatError    it was written in a format that this runtime does not know
    ├── ModelError               the model itself failed: never the caller's fault
    ├── NotReadyError            the model must not answer: it is another one, too old, or answers otherwise
    └── ServeError               the server cannot start: a port in use, no such address, a missing package

Errors are built from facts (what, found, expected, what to do) and know no status codes:
the command line and the HTTP server translate them. Each has a ``code``, one word for programs that need to tell
them apart: in answers, metrics and the log.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Self

_LONGEST_SHOWN = 80
_NUMBERS = re.compile(r"\d[\d.]*(?:[eE][+-]?\d+)?")


def shown(value: object) -> str:
    """Render a value for a message: quoted, on one line, never longer than 80 characters.

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
    """Return the names that look most like `name`, best first.

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
    """The base of every error that is meant for a user; `code` is its kind, for programs.

    Values of rows stand in `found` and `hint` alone: the rest may be logged (`logged`) where rows may not.

    Parameters
    ----------
    what : str
        What is wrong, naming the thing it is wrong with.
    found, expected : str, optional
        What was there and what should have been.
    hint : str, optional
        What to do about it.

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
        """What a log may hold of it that must hold no values of rows."""
        return f"{self._place}: expected {self.expected}" if self.expected else self._place

    def logged_at(self, place: str) -> Self:
        """Put `place` into the log in place of `what`, where that holds a name that the caller gave."""
        self._place = place
        return self


class InputError(WorkbenchError, ValueError):
    """Rows that do not fit the schema."""

    code = "bad_request"


class MissingColumnError(InputError):
    """A column that the model needs is not in the input; `row` counts from 0 where only that one lacks it.

    `spare` are the names present that no other column of the model goes by: one of them may be the one meant.
    """

    code = "forgotten_feature"

    def __init__(
        self,
        column: str,
        present: Iterable[str],
        row: int | None = None,
        spare: Iterable[str] | None = None,
    ) -> None:
        self.column, self.row = column, row
        self.names = names = [str(name) for name in present]
        self.spare = names if spare is None else list(spare)
        where = f"column {shown(column)}" if row is None else f"row {row}, column {shown(column)}"
        close = nearest(column, self.spare)
        if close:
            hint = f"Did you mean {', '.join(shown(name) for name in close)}?"
        else:
            hint = "Send every column of the schema; use null for a missing value."
        listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
        super().__init__(f"{where} is missing", found=f"columns {listed or 'none'}", hint=hint)

    def at(self, row: int) -> MissingColumnError:
        """Return the same error with its row named."""
        return MissingColumnError(self.column, self.names, row, self.spare)


class BadValueError(InputError):
    """A value that cannot be read as its column's kind; `row` counts from 0 where it is known."""

    code = "bad_value"

    def __init__(self, column: str, found: str, expected: str, row: int | None = None) -> None:
        self.column, self.row = column, row
        where = f"column {shown(column)}" if row is None else f"row {row}, column {shown(column)}"
        super().__init__(where, found=found, expected=expected)

    def at(self, row: int) -> BadValueError:
        """Return the same error with its row named."""
        return type(self)(self.column, self.found or "", self.expected or "", row)


class WrongKindError(BadValueError):
    """A column of which no value can be read as its kind: it holds something else under that name."""

    code = "forgotten_feature"


class UnseenError(InputError):
    """What strict mode refuses: an unseen category, a number out of range, or a column that the model lacks.

    Parameters
    ----------
    code : str
        "unseen_category", "out_of_range" or "extra_column".
    text : str
        What was seen, in one line.
    column : str
        Of the model, where there is one.
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
        """Where it was, without what it was."""
        return f"{self.place}: {self.code.replace('_', ' ')}"


class BadFileError(InputError):
    """A file to score that cannot be read, or an output that cannot be written."""


class BundleError(WorkbenchError):
    """A bundle that cannot be used."""


class NoBundleError(BundleError):
    """There is nothing at the path given: a path to correct, not a bundle to mend."""


class TamperedBundleError(BundleError):
    """A file of the bundle is missing, cut short or changed."""


class BundleFormatError(BundleError):
    """The bundle was written in a format that this runtime does not know."""


class ModelError(WorkbenchError):
    """The model failed on rows that fit its schema: a fault of the bundle, never of the caller."""

    code = "model_failed"

    @property
    def logged(self) -> str:
        """The whole message, without the numbers in it: some may be a row's."""
        return _NUMBERS.sub("#", str(self))


class NotReadyError(WorkbenchError):
    """A model that must not answer; `code` says why: "golden_rows", "wrong_model", "stale_data" and the like."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)

    @property
    def logged(self) -> str:
        """That it is so; `code` says why."""
        return "the model is not ready"


class ServeError(WorkbenchError):
    """The server cannot start."""
