"""The arguments of an export: what each accepts, checked before any work starts (see
`automl.arguments`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.automl import arguments as accept

from .source.languages import LANGUAGES


def _languages(name: str, value: Any) -> tuple[str, ...]:
    """Accept supported languages as a list, or as one string with commas."""
    chosen = accept.words(name, value, '["python", "sql"]')
    for each in chosen:
        accept.one_of(name, each, LANGUAGES)
    return chosen


_READERS: dict[str, accept.Reader] = {
    "name": accept.text,
    "version": accept.text,
    "note": accept.string,
    "by": accept.text,
    "golden": lambda name, value: value,  # `golden.masked_columns` reads it, by the columns of the run
    "overwrite": accept.flag,
    "hashes": accept.flag,
    "refit": accept.flag,
    "code": _languages,
    "sign": accept.path,
    "threshold": lambda name, value: accept.number(name, value, "a probability from 0 to 1", 0.0, 1.0),
    "progress": accept.function,
}


def read_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of an export as `export_bundle` accepts them; None means the default.

    Other keys are ignored: Python itself refuses an unknown argument.

    Raises
    ------
    SettingsError
        If a value has a wrong type.

    Examples
    --------
    >>> read_options({"code": "sql,python", "note": None})
    {'code': ('sql', 'python')}
    """
    return {
        name: read(name, options[name]) for name, read in _READERS.items() if options.get(name) is not None
    }
