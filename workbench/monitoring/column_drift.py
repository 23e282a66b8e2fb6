"""Drift: which columns and predictions have changed since training, how much, and how surely."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from workbench.runtime.bundle import Bundle, open_bundle
from workbench.runtime.core.json_documents import read_json
from workbench.runtime.core.rows import read_rows
from workbench.runtime.core.schema import Column1d
from workbench.runtime.errors import InputError, shown
from workbench.runtime.model.predictor import Predictor

from .alarms import FALSE_ALARMS, PERIOD_S, TOLERANCE, rejected, spent
from .counts import Counts, count_column, prediction_counts, reference_counts
from .effects import jensen_shannon, location_shift, psi, shape_change, share_change, wasserstein
from .evidence import ks_statistic, level_bound, location_bound, order_bound

Change = Literal["none", "shift", "shape", "levels", "missing", "unseen", "range"]
PROFILE_FILE = "profile.json"
_OUT_OF_FOLD_TOLERANCE = 0.25  # standard deviations; up to 0.19 was measured for boosters cut off early
#: How a column's significance level is divided among its tests (weighted Bonferroni): most to the
#: changes that are hardest to find.
_WEIGHTS: dict[str, dict[str, float]] = {
    "number": {"shift": 0.6, "shape": 0.2, "missing": 0.1, "range": 0.1},
    "category": {"levels": 0.6, "unseen": 0.2, "missing": 0.2},
}


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """How one column, or the predictions, differ from the reference.

    Attributes
    ----------
    name : str
    of : {"prediction", "column"}
    rows : int
        Current rows.
    alarm : bool
        Whether there is evidence *and* an effect beyond the tolerance.
    p_value : float
        Bound on the p-value of any change, corrected for the tests of this column alone.
    change : str
        What changed most: a "shift", the "shape", "levels", "missing" values, "unseen" levels, or
        values outside the "range" of training.
    detail : str
        That change in words.
    effect, effect_low : float
        Its size in standard deviations, and the 95 % lower bound that the decision uses.
    psi, js, ks : float
        Population stability index less its expectation without a change; Jensen-Shannon distance
        (base 2); Kolmogorov-Smirnov statistic over the bins.
    wasserstein : float or None
        Of a number, in standard deviations of the reference.
    """

    name: str
    of: Literal["prediction", "column"]
    rows: int
    alarm: bool
    p_value: float
    change: Change
    detail: str
    effect: float
    effect_low: float
    psi: float
    js: float
    ks: float
    wasserstein: float | None


@dataclass(frozen=True, slots=True)
class DriftReport:
    """Every column and the predictions against the reference.

    Attributes
    ----------
    columns : tuple of ColumnDrift
        Alarms first; among them predictions, then by effect.
    rows, reference_rows : int
    level : float
        What this look may spend: false alarms are at most `FALSE_ALARMS` in `PERIOD_S` seconds.
    notes : tuple of str
        What the reference cannot tell.
    """

    columns: tuple[ColumnDrift, ...]
    rows: int
    reference_rows: int
    level: float
    notes: tuple[str, ...] = ()

    @property
    def alarms(self) -> tuple[ColumnDrift, ...]:
        """The columns with an alarm."""
        return tuple(each for each in self.columns if each.alarm)

    def __bool__(self) -> bool:
        return bool(self.alarms)

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON document."""
        names = ColumnDrift.__slots__
        return {
            "rows": self.rows,
            "reference_rows": self.reference_rows,
            "level": self.level,
            "alarms": [each.name for each in self.alarms],
            "columns": [{name: getattr(each, name) for name in names} for each in self.columns],
            "notes": list(self.notes),
        }


def drift(
    bundle: str | Path | Bundle, rows: Any, *, elapsed_s: float = PERIOD_S, tolerance: float = TOLERANCE
) -> DriftReport:
    """Compare rows with what a bundle's model learned from.

    Parameters
    ----------
    bundle : path or Bundle
    rows : data frame, list of dict, or mapping of columns
        As for `Bundle.predict`.
    elapsed_s : float
        Seconds since the previous look at this model. It decides which share of the false-alarm
        rate this look may spend; a single look may spend that of a period (14 days).
    tolerance : float
        Effects up to this many standard deviations raise no alarm.

    Returns
    -------
    DriftReport

    Raises
    ------
    InputError
        If a column is missing, a value cannot be read, there are no rows, or a parameter is not a
        number of its range.
    """
    _check_number("elapsed_s", elapsed_s, "seconds above 0", above=True)
    _check_number("tolerance", tolerance, "a number of standard deviations from 0")
    bundle = bundle if isinstance(bundle, Bundle) else open_bundle(bundle)
    profile = read_json(bundle.path / PROFILE_FILE)
    columns = _canonical(bundle, rows)
    current = _counted(bundle.predictor, profile, columns)
    reference = reference_counts(profile)
    predictions = prediction_counts(profile) if "reference" in profile else {}
    return compare(
        {**predictions, **reference},
        current,
        predictions=tuple(predictions),
        level=spent(elapsed_s),
        tolerance=tolerance,
        prediction_tolerance=_prediction_tolerance(profile, tolerance),
        notes=_notes(bundle, profile, reference),
    )


def compare(
    reference: Mapping[str, Counts],
    current: Mapping[str, Counts],
    *,
    predictions: Sequence[str] = (),
    level: float = FALSE_ALARMS,
    tolerance: float = TOLERANCE,
    prediction_tolerance: float | None = None,
    notes: tuple[str, ...] = (),
) -> DriftReport:
    """Compare counts in the same bins.

    Parameters
    ----------
    reference, current : mapping of str to Counts
    predictions : sequence of str
        Which of them are predictions.
    level : float
        Significance level of all columns together (Holm).
    tolerance : float
        Effects up to this many standard deviations raise no alarm.
    prediction_tolerance : float, optional
        The same for predictions. Default: `tolerance`.
    notes : tuple of str
        Passed on to the report.

    Examples
    --------
    >>> before = Counts("age", "number", np.array([0, 500, 500, 0]), 0, edges=np.array([0.0, 1.0, 2.0]))
    >>> after = Counts("age", "number", np.array([0, 100, 900, 0]), 0, edges=np.array([0.0, 1.0, 2.0]))
    >>> [each.change for each in compare({"age": before}, {"age": after}).alarms]
    ['shift']
    """
    names = [name for name in reference if name in current]
    found = [_tests(reference[name], current[name]) for name in names]
    evident = (
        rejected(np.array([test.p_value for test in found]), level) if found else np.zeros(0, dtype=bool)
    )
    columns = []
    for name, test, passed in zip(names, found, evident, strict=True):
        old, new = reference[name], current[name]
        tolerated = (
            tolerance if name not in predictions or prediction_tolerance is None else prediction_tolerance
        )
        columns.append(
            ColumnDrift(
                name=name,
                of="prediction" if name in predictions else "column",
                rows=new.rows,
                alarm=bool(passed and test.effect_low > tolerated),
                p_value=test.p_value,
                change=test.change,
                detail=test.detail,
                effect=test.effect,
                effect_low=test.effect_low,
                psi=float(psi(_with_missing(old), _with_missing(new))),
                js=float(jensen_shannon(_with_missing(old), _with_missing(new))),
                ks=float(ks_statistic(old.bins, new.bins)) if new.bins.sum() else 0.0,
                wasserstein=_distance(old, new),
            )
        )
    columns.sort(key=lambda each: (not each.alarm, each.of != "prediction", -each.effect_low, -each.effect))
    sizes = ((counts.rows, reference[name].rows) for name, counts in current.items() if name in reference)
    rows, before = max(sizes, default=(0, 0))
    return DriftReport(tuple(columns), rows, before, level, notes)


@dataclass(frozen=True, slots=True)
class _Test:
    p_value: float
    change: Change
    detail: str
    effect: float
    effect_low: float


def _tests(reference: Counts, current: Counts) -> _Test:
    p_value, effects = changes(reference, current.bins[None], np.array([current.missing]))
    sizes = {name: (float(size[0]), float(low[0])) for name, (size, low) in effects.items()}
    # A renamed level is one that is gone, too: what breaks the schema is named first.
    breaks: list[Change] = ["missing", "unseen"]
    broken = [name for name in breaks if sizes.get(name, (0.0, 0.0))[1] > TOLERANCE]
    change = max(broken or list(sizes), key=lambda name: (sizes[name][1], abs(sizes[name][0])))
    if change == "shape" and sizes["shift"][1] > sizes["shape"][1] / 2:
        change = "shift"  # which moves the distribution function, too, and says more
    size, low = sizes[change]
    if size == 0:
        return _Test(float(p_value[0]), "none", "no change", 0.0, 0.0)
    return _Test(float(p_value[0]), change, _in_words(change, size, reference, current), abs(size), low)


def changes(
    reference: Counts, bins: np.ndarray, missing: np.ndarray
) -> tuple[np.ndarray, dict[Change, tuple[np.ndarray, np.ndarray]]]:
    """Test windows of one column for each kind of change.

    Parameters
    ----------
    reference : Counts
    bins : numpy.ndarray of int, shape (windows, bins)
        Current rows in each bin.
    missing : numpy.ndarray of int, shape (windows,)
        Current rows without a value.

    Returns
    -------
    p_value : numpy.ndarray, shape (windows,)
        Bound on the p-value of any change, corrected for the number of the column's tests.
    effects : dict of str to (numpy.ndarray, numpy.ndarray)
        By kind of change its size in standard deviations, with its sign, and a lower bound of its
        absolute value.
    """
    old = np.broadcast_to(reference.bins, bins.shape)
    given = (
        np.array([reference.bins.sum(), reference.missing]),
        np.stack([bins.sum(axis=-1), missing], axis=-1),
    )
    bounds = {"missing": _last(level_bound(*_same_shape(*given)))}
    effects: dict[Change, tuple[np.ndarray, np.ndarray]] = {
        "missing": _both(_last, share_change(*_same_shape(*given)))
    }
    if reference.kind == "number":
        bounds["shift"] = location_bound(old, bins)
        effects["shift"] = location_shift(old, bins)
        outside = _same_shape(_outside(reference.bins), _outside(bins))
        bounds["range"] = _last(level_bound(*outside))
        effects["range"] = _both(_last, share_change(*outside))
        bounds["shape"] = order_bound(old, bins)
        effects["shape"] = shape_change(old, bins)
    else:
        # Each listed level for itself: an order by frequency, or all rare ones together, would be a
        # choice that the reference made, and the rows that made it look different from all others.
        listed = level_bound(old, bins)[..., : len(reference.levels)]
        bounds["levels"] = listed.min(axis=-1, initial=1.0) * max(listed.shape[-1], 1)
        sizes, lows = (each[..., : len(reference.levels)] for each in share_change(old, bins))
        if len(reference.levels):
            most = np.argmax(lows + 1e-9 * np.abs(sizes), axis=-1)[..., None]
            effects["levels"] = _both(
                lambda each: np.take_along_axis(each, most, axis=-1)[..., 0], (sizes, lows)
            )
        expected, worth = reference.unseen_expected
        unseen = np.stack([bins.sum(axis=-1) - bins[..., -1], bins[..., -1]], axis=-1)
        pair = _same_shape(np.array([worth - expected, expected]), unseen)
        more = bins[..., -1] * worth > expected * bins.sum(axis=-1)  # fewer are no reason for an alarm
        bounds["unseen"] = np.where(more, _last(level_bound(*pair)), 1.0)
        effects["unseen"] = _both(lambda each: np.where(more, each[..., -1], 0.0), share_change(*pair))
    corrected = [bound / _WEIGHTS[reference.kind][name] for name, bound in bounds.items()]
    return np.minimum(np.min(corrected, axis=0), 1.0), effects


def _last(values: np.ndarray) -> np.ndarray:
    return values[..., -1]


def _both(
    take: Callable[[np.ndarray], np.ndarray], pair: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    return take(pair[0]), take(pair[1])


def _same_shape(old: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.broadcast_to(old, new.shape), new


def _outside(bins: np.ndarray) -> np.ndarray:
    beyond = bins[..., 0] + bins[..., -1]
    return np.stack([bins.sum(axis=-1) - beyond, beyond], axis=-1)


def _in_words(change: Change, size: float, old: Counts, new: Counts) -> str:
    if change == "shift":
        return f"shifted by {size:+.2f} standard deviations"
    if change == "shape":
        return f"the distribution function moved by {0.399 * size:.3f}"
    if change == "missing":
        return _share_words("missing", old.missing / max(old.rows, 1), new.missing / max(new.rows, 1))
    if change == "range":
        before, after = (_last(_outside(each.bins)) / max(each.bins.sum(), 1) for each in (old, new))
        return _share_words("outside the range of training", before, after)
    before, after = (each.bins / max(each.bins.sum(), 1) for each in (old, new))
    if change == "unseen":
        expected = old.once / max(old.bins.sum(), 1)
        return f"levels not in the training data: {after[-1]:.1%} of rows, {expected:.1%} expected"
    at = int(np.argmax(np.abs(np.sqrt(after[:-2]) - np.sqrt(before[:-2]))))
    return _share_words(new.labels()[at], before[at], after[at])


def _share_words(what: str, before: float, after: float) -> str:
    return f"{what}: {before:.1%} before, {after:.1%} now"


def _with_missing(counts: Counts) -> np.ndarray:
    return np.append(counts.bins, counts.missing)


def _distance(old: Counts, new: Counts) -> float | None:
    if old.edges is None or not old.std or not new.bins.sum():
        return None
    inner = (old.edges, old.bins[1:-1], new.bins[1:-1])
    return wasserstein(inner[1], inner[2], inner[0], old.std)


def _check_number(name: str, value: Any, expected: str, *, above: bool = False) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not (value > 0 if above else value >= 0):
        raise InputError(name, found=shown(value), expected=expected)


def _prediction_tolerance(profile: Mapping[str, Any], tolerance: float) -> float:
    """Out-of-fold predictions are those of other models than the exported one, whose spread may
    differ a little.
    """
    held_out = profile.get("reference", {}).get("of") == "held-out"
    return tolerance if held_out else max(tolerance, _OUT_OF_FOLD_TOLERANCE)


def _notes(bundle: Bundle, profile: Mapping[str, Any], reference: Mapping[str, Counts]) -> tuple[str, ...]:
    notes = []
    if "reference" not in profile:
        notes.append(
            "drift of the predictions cannot be told: this bundle holds those of the rows that its model "
            "learned from; export it again"
        )
    skipped = [name for name in bundle.schema.names if name not in reference]
    if skipped:
        notes.append(f"not compared (dates, or without a value in training): {', '.join(skipped)}")
    return tuple(notes)


def _canonical(bundle: Bundle, rows: Any) -> dict[str, Column1d]:
    read = read_rows(rows, bundle.schema.names)
    columns = bundle.predictor.transposed(read) if isinstance(read, list) else read
    # missing values that the model would refuse are a finding here, not an error
    schema = [replace(column, nullable=True) for column in bundle.schema.columns]
    canonical = {column.name: column.read_many(columns[column.name]) for column in schema}
    if not canonical or not len(next(iter(canonical.values()))):
        raise InputError("rows", found="none", expected="at least one row")
    return canonical


def _counted(
    predictor: Predictor, profile: Mapping[str, Any], columns: Mapping[str, Column1d]
) -> dict[str, Counts]:
    levels = {
        column.name: frozenset(map(str, column.categories or ())) for column in predictor.schema.columns
    }
    counted = {
        name: count_column(counts, columns[name], levels.get(name, frozenset()))
        for name, counts in reference_counts(profile).items()
        if name in columns
    }
    output = predictor.predict_canonical(columns).astype(np.float64)
    wanted = prediction_counts(profile)
    shift = output.shape[1] - len(wanted)
    for at, (name, counts) in enumerate(wanted.items()):
        counted[name] = count_column(counts, output[:, at + shift])
    return counted
