"""The definition of each metric, which determines score, interval, bootstrap and row loss.

A metric is defined in one of three ways. Most are functions of sums over rows (`Definition.sums`,
see `metric_sums`): their standard error follows from the rows' influences, and their bootstrap is a
matrix product. Average precision and one-against-one areas have a formula of their own
(`Definition.exact`). The rest (a median, a maximum) are computed by scikit-learn's scorer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench.families.base import Loss
from workbench.runtime.core.schema import Task

from .formulas import metric_terms as terms
from .formulas.confusion_metrics import DECISION_METRICS
from .formulas.metric_sums import Sums
from .formulas.metric_terms import Predictions

#: With fewer rows a single large error moves the mean of squares too far for a normal interval.
_ROOT_ROWS = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """The properties of a metric.

    Attributes
    ----------
    name : str
        scikit-learn's scorer name; higher is better.
    tasks : tuple of Task
    sums : callable, optional
        From predictions to the terms whose sums determine the metric, or to None if no sums do.
    exact : callable, optional
        From predictions to the score, for a metric without sums.
    of_weights : callable, optional
        From predictions to a function of row weights (b, n) that returns scores (b,): a bootstrap
        without sums.
    loss : Loss
        The loss of a row that models minimise and ensembles are selected by.
    domain, multiclass_domain : (float, float)
        The lowest and the highest value; the second, if given, holds for more than two classes.
    least_target : (float, bool), optional
        The lowest target that the metric is defined for, and whether the target may equal it.
    normal_from : float
        Rows from which the difference between two models is close enough to normal for a
        closed-form interval.
    ranks : bool
        Whether it compares rows with each other, so that the fold of a row matters.
    is_area : bool
        Whether it is an area under ROC curves.
    by_class : bool
        Whether each class is a sample of its own: the smallest class then limits the precision.
    """

    name: str
    tasks: tuple[Task, ...]
    sums: Callable[[Predictions], Sums | None] | None = None
    exact: Callable[[Predictions], float] | None = None
    of_weights: Callable[[Predictions], Callable[[np.ndarray], np.ndarray]] | None = None
    loss: Loss = "log"
    domain: tuple[float, float] = (0.0, 1.0)
    multiclass_domain: tuple[float, float] | None = None
    least_target: tuple[float, bool] | None = None
    normal_from: float = math.inf
    ranks: bool = False
    is_area: bool = False
    by_class: bool = True

    @property
    def decides(self) -> bool:
        """Whether it is a function of predicted classes."""
        return self.name in DECISION_METRICS

    def domain_of(self, n_classes: int) -> tuple[float, float]:
        """Return the lowest and the highest value that the metric can have."""
        if n_classes > 2 and self.multiclass_domain is not None:
            return self.multiclass_domain
        return self.domain


_BOTH: tuple[Task, ...] = ("binary", "multiclass")
_BINARY: tuple[Task, ...] = ("binary",)
_BELOW_ZERO, _BELOW_ONE = (-math.inf, 0.0), (-math.inf, 1.0)


def _area(name: str, tasks: tuple[Task, ...]) -> Definition:
    exact = terms.area_one_against_one(by_size=name.endswith("weighted")) if "ovo" in name else None
    return Definition(
        name, tasks, terms.areas_under_roc(name), exact, ranks=True, is_area=True, normal_from=0
    )


def _number(
    name: str,
    sums: Callable[[Predictions], Sums | None] | None,
    loss: Loss = "squared",
    *,
    least_target: tuple[float, bool] | None = None,
    normal_from: float = math.inf,
) -> Definition:
    return Definition(
        name,
        ("regression",),
        sums,
        loss=loss,
        domain=_BELOW_ZERO if name.startswith("neg_") else _BELOW_ONE,
        least_target=least_target,
        normal_from=normal_from,
        by_class=False,
    )


def _decision(name: str, tasks: tuple[Task, ...]) -> Definition:
    domain = (-1.0, 1.0) if name == "matthews_corrcoef" else (0.0, 1.0)
    return Definition(name, tasks, terms.confused(name), domain=domain)


_AVERAGED = ("precision", "recall", "f1", "jaccard")
_POSITIVE, _NOT_NEGATIVE, _ABOVE_MINUS_ONE = (0.0, False), (0.0, True), (-1.0, False)
_ALL = (
    _area("roc_auc", _BINARY),
    *(_area(f"roc_auc_{each}", _BOTH) for each in ("ovr", "ovo", "ovr_weighted", "ovo_weighted")),
    Definition(
        "average_precision",
        _BINARY,
        exact=terms.mean_average_precision,
        of_weights=terms.precision_of_weights,
        ranks=True,
    ),
    Definition("neg_log_loss", _BOTH, terms.log_loss, domain=_BELOW_ZERO, normal_from=0),
    Definition(
        "neg_brier_score",
        _BOTH,
        terms.brier,
        domain=(-1.0, 0.0),
        multiclass_domain=(-2.0, 0.0),
        normal_from=0,
    ),
    Definition("d2_log_loss_score", _BOTH, terms.d2_log_loss, domain=_BELOW_ONE),
    Definition("d2_brier_score", _BOTH, terms.d2_brier, domain=_BELOW_ONE),
    Definition("accuracy", _BOTH, terms.accuracy, normal_from=0, by_class=False),
    Definition("top_k_accuracy", ("multiclass",), terms.top_two_accuracy, normal_from=0, by_class=False),
    _decision("balanced_accuracy", _BOTH),
    _decision("matthews_corrcoef", _BOTH),
    *(_decision(each, _BINARY) for each in _AVERAGED),
    *(
        _decision(f"{each}_{average}", _BOTH)
        for each in _AVERAGED
        for average in ("macro", "micro", "weighted")
    ),
    _number("neg_root_mean_squared_error", terms.root_mean_square, normal_from=_ROOT_ROWS),
    _number("neg_mean_squared_error", terms.mean_loss("squared"), normal_from=0),
    _number("r2", terms.explained(biased=False)),
    _number("explained_variance", terms.explained(biased=True)),
    _number("neg_max_error", None),
    _number("neg_mean_absolute_error", terms.mean_loss("absolute"), "absolute", normal_from=0),
    _number("neg_median_absolute_error", None, "absolute"),
    _number("neg_mean_absolute_percentage_error", terms.percentage_error, "absolute", normal_from=0),
    _number("d2_absolute_error_score", terms.d2_absolute, "absolute"),
    _number(
        "neg_mean_squared_log_error",
        terms.log_errors("neg_mean_squared_log_error", root=False),
        "logarithms",
        least_target=_ABOVE_MINUS_ONE,
        normal_from=0,
    ),
    _number(
        "neg_root_mean_squared_log_error",
        terms.log_errors("neg_root_mean_squared_log_error", root=True),
        "logarithms",
        least_target=_ABOVE_MINUS_ONE,
        normal_from=_ROOT_ROWS,
    ),
    _number(
        "neg_mean_poisson_deviance",
        terms.deviance("neg_mean_poisson_deviance", "poisson"),
        "poisson",
        least_target=_NOT_NEGATIVE,
        normal_from=0,
    ),
    _number(
        "neg_mean_gamma_deviance",
        terms.deviance("neg_mean_gamma_deviance", "gamma"),
        "gamma",
        least_target=_POSITIVE,
        normal_from=0,
    ),
)
DEFINITIONS = {each.name: each for each in _ALL}


def metric_names(task: Task) -> list[str]:
    """Return the metrics of a task.

    Examples
    --------
    >>> "roc_auc" in metric_names("binary"), "roc_auc" in metric_names("multiclass")
    (True, False)
    """
    return [each.name for each in _ALL if task in each.tasks]
