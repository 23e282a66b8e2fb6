"""Numbers that are probably not measurements: codes for missing values, and outliers of the target.

They are reported and not changed: only the user knows what they mean.
"""

from __future__ import annotations

import numpy as np

from ..dataset import Finding

_FEWEST = 3  # rows with a code
_SHARE = 0.01
_FEWEST_DISTINCT = 4
_FAR = 2.0  # widths of all other values
_ODD = frozenset(
    sign * number
    for number in (*(float("9" * digits) for digits in range(2, 8)), 99.9, 999.9, 9999.9, 99.99, 999.99, 8888.0, 7777.0,
                   32767.0, 65535.0, 2147483647.0, 4294967295.0)
    for sign in (1, -1)
) | {-32768.0, -2147483648.0, -1.0}  # fmt: skip
_FILL = 1e15  # fill values of scientific formats are larger
_SPACINGS = 3.0  # median gaps between values: how far a number made of nines must be from the others
_FEWEST_ABOVE_ZERO, _ZERO_GAP = 20, 0.2  # other values, and the lowest of them over their median
_TAIL = 6.0  # upper quartile to 95th percentile: 6 of it beyond are about 6.5 standard deviations of a normal
_APART = 2.0
_FEW = 0.01
_FEWEST_ROWS = 30


def missing_codes(name: str, values: np.ndarray, *, target: bool = False) -> list[Finding]:
    """Find numbers such as -200 and 999 that stand for a missing value.

    The lowest and the highest value are checked if at least 1 % of the rows have it. A negative
    value is reported if it is the only negative one, or further from the others than twice their
    range. Another value is reported if it consists of nines or is the limit of an integer type, and
    is far from the others. Zeros are reported if all other numbers are well above them.

    Parameters
    ----------
    name : str
    values : numpy.ndarray
        NaN where missing.
    target : bool
        Whether the column is the target.

    Examples
    --------
    >>> missing_codes("co", np.array([-200.0] * 5 + list(range(1, 60))))[0].message[:33]
    '-200 in 7.8% of the rows looks li'
    """
    known = values[np.isfinite(values)]
    distinct, counts = np.unique(known, return_counts=True)
    if len(distinct) < _FEWEST_DISTINCT:
        return []
    found = _zeros(name, distinct, counts, target=target)
    for end, inner in ((0, distinct[1:]), (-1, distinct[:-1])):
        code, count = float(distinct[end]), int(counts[end])
        share = count / len(values)
        if count < _FEWEST or share < _SHARE or not _stands_apart(code, inner, lowest=end == 0):
            continue
        message = (
            f"{code:.10g} in {share:.1%} of the rows looks like a code for a missing value (all other values are from "
            f"{float(inner[0]):.6g} to {float(inner[-1]):.6g}); if it is, "
        )
        message += "leave those rows out" if target else "leave those cells empty"
        found.append(Finding("missing_code", "warning" if target else "info", name, message))
    return found


def _zeros(name: str, distinct: np.ndarray, counts: np.ndarray, *, target: bool) -> list[Finding]:
    """Report zeros that are far from all other numbers, such as a blood pressure or a length of
    0.
    """
    if distinct[0] != 0.0 or len(distinct) <= _FEWEST_ABOVE_ZERO or counts[0] < _FEWEST:
        return []
    nearest, median = (
        float(distinct[1]),
        float(np.repeat(distinct[1:], counts[1:])[(counts[1:].sum() - 1) // 2]),
    )
    spacing = float(np.median(np.diff(distinct[1:])))
    if nearest < max(_ZERO_GAP * median, _SPACINGS * spacing) or counts[0] > counts[1:].sum():
        return []
    where = "rows out" if target else "cells empty"
    message = (
        f"0 in {int(counts[0]):,} rows is far from all other values ({nearest:.6g} or more); if 0 is not a possible "
        f"value, it stands for a missing one: leave those {where}"
    )
    return [Finding("zero_values", "warning" if target else "info", name, message)]


def _stands_apart(code: float, inner: np.ndarray, *, lowest: bool) -> bool:
    near, spread = float(inner[0] if lowest else inner[-1]), float(inner[-1] - inner[0])
    gap = abs(code - near)
    if code in (0.0, 1.0) or (code == -1.0 and len(inner) < _FEWEST_ROWS and spread <= 1):
        return False
    if gap > _FAR * spread and (code < 0 or code in _ODD or code >= _FILL):
        return True
    if lowest and code < 0 <= near:
        return bool(code == np.floor(code))
    spacing = float(np.median(np.diff(inner)))
    return code in _ODD and gap > _SPACINGS * spacing and abs(code) > abs(near)


def outliers(name: str, known: np.ndarray) -> list[Finding]:
    """Find values of a target that are far from all others: a price of 11,111,111, a year of 9999.

    Positive numbers are compared by their logarithms. A value is reported if it is beyond the 95th
    percentile by six times the distance between that and the upper quartile (likewise below), which
    is about 6.5 standard deviations of a normal distribution, and apart from the next value.

    Parameters
    ----------
    name : str
    known : numpy.ndarray
        Finite numbers.

    Examples
    --------
    >>> prices = np.array([*np.linspace(500, 9000, 200), 11_111_111.0])
    >>> [finding.code for finding in outliers("price", prices)]
    ['outliers']
    >>> outliers("price", prices[:-1])
    []
    """
    if len(known) < _FEWEST_ROWS:
        return []
    found = []
    for sign in (1, -1):
        far = _beyond(known, sign)
        if not len(far) or len(far) > max(1, _FEW * len(known)):
            continue
        often = np.unique(far)[::sign][:3]
        listed = ", ".join(f"{each:,.10g}" for each in often) + (", …" if len(np.unique(far)) > 3 else "")
        side = "above" if sign > 0 else "below"
        many = "value lies" if len(far) == 1 else "values lie"
        message = (
            f"{len(far):,} {many} far {side} all others: {listed} (the median is {float(np.median(known)):,.6g}); "
            "check them, and leave out the rows that are mistakes"
        )
        found.append(Finding("outliers", "warning", name, message))
    return found


def _beyond(known: np.ndarray, sign: int) -> np.ndarray:
    """Return the values that are far beyond the others on one side."""
    positive = float(known.min()) >= 0 and bool((known > 0).mean() > 0.5)
    used = known[known > 0] if positive else known
    scale = np.log(used) if positive else used
    scale = scale * sign
    middle, upper, tail = np.quantile(scale, [0.5, 0.75, 0.95])
    width = max(tail - upper, (upper - middle), 1e-12)
    limit = tail + _TAIL * width
    far = scale > limit
    if not far.any():
        return used[:0]
    inner = float(scale[~far].max())
    if float(scale[far].min()) - middle < _APART * (inner - middle):
        return used[:0]
    return np.asarray(used[far])


def target_findings(name: str, known: np.ndarray) -> list[Finding]:
    """Return findings about the numbers of a target; a frequent code is not also reported as an
    outlier.
    """
    codes = missing_codes(name, known, target=True)
    return codes or outliers(name, known)
