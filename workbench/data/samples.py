"""Sample tables: small ones from scikit-learn, and a simulated one whose best possible score is
known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from sklearn import datasets

from workbench.errors import DataError, nearest, shown

from .subscriptions import TARGET, make_subscriptions

Sample = tuple[pd.DataFrame, str]


def names() -> list[str]:
    """Return the names of the sample tables.

    Examples
    --------
    >>> names()
    ['subscriptions', 'breast_cancer', 'wine', 'iris', 'digits', 'diabetes']
    """
    return list(_SAMPLES)


def load_sample(name: str) -> Sample:
    """Return a sample table and the name of its target.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    frame : pandas.DataFrame
    target : str

    Raises
    ------
    DataError
        If there is no such table.

    Examples
    --------
    >>> frame, target = load_sample("iris")
    >>> frame.shape, target
    ((150, 5), 'species')
    """
    if name not in _SAMPLES:
        close = nearest(name, _SAMPLES) or list(_SAMPLES)
        raise DataError(f"there is no sample table {shown(name)}", hint=f"Did you mean {' or '.join(close)}?")
    return _SAMPLES[name]()


def _subscriptions() -> Sample:
    return make_subscriptions(), TARGET


def _bundled(loader: Callable[..., Any], target: str) -> Callable[[], Sample]:
    """Return a function that loads a table of scikit-learn, with label names if it has them."""

    def load() -> Sample:
        bunch = loader(as_frame=True)
        frame: pd.DataFrame = bunch.data.copy()
        labels = getattr(bunch, "target_names", None)
        if labels is None or loader is datasets.load_digits:
            frame[target] = bunch.target
        else:
            frame[target] = [str(labels[code]) for code in bunch.target]
        return frame, target

    return load


_SAMPLES: dict[str, Callable[[], Sample]] = {
    "subscriptions": _subscriptions,
    "breast_cancer": _bundled(datasets.load_breast_cancer, "diagnosis"),
    "wine": _bundled(datasets.load_wine, "cultivar"),
    "iris": _bundled(datasets.load_iris, "species"),
    "digits": _bundled(datasets.load_digits, "digit"),
    "diabetes": _bundled(datasets.load_diabetes, "progression"),
}
