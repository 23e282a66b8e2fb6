"""Payoffs of right and wrong predictions, and the threshold that maximises the expected payoff.

A payoff is money gained for one case; a cost is a negative payoff. Amounts are in the price sheet's
currency.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workbench.errors import SettingsError, nearest, shown


@dataclass(frozen=True, slots=True)
class ClassPayoff:
    """Payoff of each of the four outcomes of a binary prediction.

    Attributes
    ----------
    tp : float
        True positive: predicted yes, actual yes.
    fp : float
        False positive: predicted yes, actual no.
    fn : float
        False negative: predicted no, actual yes.
    tn : float
        True negative: predicted no, actual no.

    Raises
    ------
    SettingsError
        If an amount is not a number, or a wrong prediction pays more than the right one.

    Examples
    --------
    >>> payoff = ClassPayoff(fp=-5, fn=-40)
    >>> payoff.wrong_yes, payoff.wrong_no, round(payoff.threshold, 3)
    (5.0, 40.0, 0.111)
    """

    tp: float = 0.0
    fp: float = 0.0
    fn: float = 0.0
    tn: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            _check_amount(name.upper(), value)
        for wrong, right, loss in (("FP", "TN", self.wrong_yes), ("FN", "TP", self.wrong_no)):
            if loss < 0:
                found = f"{wrong}={self.to_json()[wrong]:g} above {right}={self.to_json()[right]:g}"
                raise SettingsError(
                    "payoff",
                    found=found,
                    expected="a wrong prediction that pays at most as much as the right one",
                    hint=f"A payoff is money gained: write a cost as a negative number, such as {wrong}=-5.",
                )

    @property
    def wrong_yes(self) -> float:
        """Cost of a false positive, compared with a true negative."""
        return self.tn - self.fp

    @property
    def wrong_no(self) -> float:
        """Cost of a false negative, compared with a true positive."""
        return self.tp - self.fn

    @property
    def threshold(self) -> float:
        """The probability from which predicting yes pays at least as much as predicting no.

        ``(TN - FP) / ((TN - FP) + (TP - FN))``, for calibrated probabilities (Elkan, "The
        foundations of cost-sensitive learning", 2001). It depends on the amounts alone and is not
        tuned on rows, so a cost measured at this threshold is not optimistic. It is 0.5 if right
        and wrong pay the same.
        """
        both = self.wrong_yes + self.wrong_no
        return self.wrong_yes / both if both else 0.5

    def costs(self, y: np.ndarray, output: np.ndarray, threshold: float | None = None) -> np.ndarray:
        """Return the cost of each case; a negative cost is a gain.

        Parameters
        ----------
        y : numpy.ndarray of int, shape (n,)
            1 if the case is a yes.
        output : numpy.ndarray, shape (n, 2)
            Probabilities.
        threshold : float, optional
            Yes is predicted from this probability on. Default: the property `threshold`.

        Examples
        --------
        >>> p = np.array([0.9, 0.2, 0.05])
        >>> ClassPayoff(tp=3, fp=-5, fn=-40).costs(np.array([1, 0, 1]), np.column_stack([1 - p, p])).tolist()
        [-3.0, 5.0, 40.0]
        """
        yes, truth = output[:, 1] >= (self.threshold if threshold is None else threshold), y == 1
        paid = np.where(truth, np.where(yes, self.tp, self.fn), np.where(yes, self.fp, self.tn))
        return np.asarray(-paid.astype(np.float64) + 0.0)

    def to_json(self) -> dict[str, float]:
        """Return the amounts by outcome: TP, FP, FN, TN."""
        return {name.upper(): value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class NumberPayoff:
    """Payoff of each unit by which a predicted number is too high or too low.

    Attributes
    ----------
    over, under : float
        Per unit of the target, usually negative.

    Raises
    ------
    SettingsError
        If an amount is not a number, or errors have no cost.

    Examples
    --------
    >>> NumberPayoff(over=-2, under=-5).costs(np.array([10.0, 10.0]), np.array([[13.0], [9.0]])).tolist()
    [6.0, 5.0]
    """

    over: float = 0.0
    under: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            _check_amount(name.upper(), value)
        if self.over + self.under >= 0:
            raise SettingsError(
                "payoff",
                found=f"OVER={self.over:g}, UNDER={self.under:g}",
                expected="errors that have a cost",
                hint="A payoff is money gained: write a cost as a negative number, such as OVER=-2,UNDER=-5.",
            )

    @property
    def threshold(self) -> None:
        """Numbers have no threshold."""
        return None

    def costs(self, y: np.ndarray, output: np.ndarray, threshold: float | None = None) -> np.ndarray:
        """Return the cost of each case.

        Parameters
        ----------
        y : numpy.ndarray, shape (n,)
        output : numpy.ndarray, shape (n, 1)
            Predicted numbers.
        threshold : None
            Ignored; both payoffs have the same signature.
        """
        del threshold
        error = output[:, 0].astype(np.float64) - np.asarray(y, dtype=np.float64)
        return np.asarray(np.where(error > 0, -self.over * error, self.under * error) + 0.0)

    def to_json(self) -> dict[str, float]:
        """Return the amounts: OVER and UNDER."""
        return {name.upper(): value for name, value in asdict(self).items()}


Payoff = ClassPayoff | NumberPayoff
_OUTCOMES: Mapping[type, tuple[str, ...]] = {
    ClassPayoff: ("TP", "FP", "FN", "TN"),
    NumberPayoff: ("OVER", "UNDER"),
}


def parse_payoff(given: str | Mapping[str, Any] | Payoff, name: str = "payoff") -> Payoff:
    """Read a payoff as users write it.

    Parameters
    ----------
    given : str, mapping or payoff
        Such as ``"TP=0,FP=-5,FN=-40,TN=0"``, or ``"OVER=-2,UNDER=-5"`` for a number. A missing
        outcome pays 0.
    name : str
        The parameter that errors name.

    Raises
    ------
    SettingsError
        If an outcome is unknown or given twice, an amount is not a number, or errors have no cost.

    Examples
    --------
    >>> parse_payoff("FP=-5, FN=-40")
    ClassPayoff(tp=0.0, fp=-5.0, fn=-40.0, tn=0.0)
    >>> parse_payoff({"OVER": -2, "UNDER": -5})
    NumberPayoff(over=-2.0, under=-5.0)
    """
    if isinstance(given, (ClassPayoff, NumberPayoff)):
        return given
    expected = "TP=…,FP=…,FN=…,TN=… for a binary target, or OVER=…,UNDER=… for a number"
    pairs: list[tuple[str, Any]]
    if isinstance(given, Mapping):
        pairs = [(str(key), value) for key, value in given.items()]
    else:
        parts = [part.partition("=") for part in str(given).split(",") if part.strip()]
        pairs = [(key, value) for key, _, value in parts]
    values: dict[str, float] = {}
    for key, value in pairs:
        outcome = key.strip().upper()
        if outcome in values or not any(outcome in each for each in _OUTCOMES.values()):
            close = nearest(outcome, [each for names in _OUTCOMES.values() for each in names], 1)
            hint = (
                "It is given twice." if outcome in values else f"Did you mean {close[0]}?" if close else None
            )
            raise SettingsError(name, found=shown(key.strip()), expected=expected, hint=hint)
        values[outcome] = _amount(value, f"{name}, {outcome}")
    for kind, outcomes in _OUTCOMES.items():
        if values and set(values) <= set(outcomes):
            payoff: Payoff = kind(**{each.lower(): value for each, value in values.items()})
            if isinstance(payoff, ClassPayoff) and payoff.wrong_yes + payoff.wrong_no == 0:
                raise SettingsError(
                    name, found="no difference between right and wrong", expected="a cost above 0"
                )
            return payoff
    raise SettingsError(name, found=shown(given), expected=expected)


def parse_costs(given: str | Sequence[float], name: str = "costs") -> tuple[float, float]:
    """Read the costs of a wrong yes and a wrong no, or of each unit too high and too low.

    Examples
    --------
    >>> parse_costs("5,40"), parse_costs((5, 40))
    ((5.0, 40.0), (5.0, 40.0))
    """
    expected = 'two numbers from 0, not both 0, such as 5,40: of a wrong "yes" and a wrong "no"'
    parts = given.split(",") if isinstance(given, str) else given
    try:
        if isinstance(given, (Mapping, set, frozenset, bytes)):
            raise TypeError
        first, second = (float(part) for part in parts)
    except (TypeError, ValueError):
        raise SettingsError(name, found=shown(given), expected=expected) from None
    if not (min(first, second) >= 0 and 0 < first + second < math.inf):
        raise SettingsError(name, found=shown(given), expected=expected)
    return first, second


def payoff_of_costs(costs: tuple[float, float], task: str, name: str = "costs") -> Payoff:
    """Return the payoff for two costs.

    Raises
    ------
    SettingsError
        If the task is neither binary nor regression.

    Examples
    --------
    >>> payoff_of_costs((5, 40), "binary"), payoff_of_costs((2, 5), "regression")
    (ClassPayoff(tp=0.0, fp=-5, fn=-40, tn=0.0), NumberPayoff(over=-2, under=-5))
    """
    if task == "binary":
        return ClassPayoff(fp=0 - costs[0], fn=0 - costs[1])
    if task == "regression":
        return NumberPayoff(over=0 - costs[0], under=0 - costs[1])
    raise SettingsError(name, found=f"a {task} target", expected="a binary or numeric target")


def check_payoff(payoff: Payoff, task: str, name: str = "payoff") -> None:
    """Raise `SettingsError` if a payoff does not fit the task."""
    wanted = {"binary": ClassPayoff, "regression": NumberPayoff}.get(task)
    if wanted is not None and isinstance(payoff, wanted):
        return
    expected = "TP, FP, FN and TN with a binary target, or OVER and UNDER with a number"
    given = "payoffs of two classes" if isinstance(payoff, ClassPayoff) else "payoffs of a number"
    raise SettingsError(name, found=f"{given} with a {task} target", expected=expected)


def _amount(value: Any, name: str) -> float:
    try:
        if isinstance(value, bool):
            raise ValueError
        amount = float(value)
    except (TypeError, ValueError):
        raise SettingsError(name, found=shown(value), expected="an amount, such as -5") from None
    _check_amount(name, amount)
    return amount


def _check_amount(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise SettingsError(f"payoff, {name}", found=shown(value), expected="an amount, such as -5")
