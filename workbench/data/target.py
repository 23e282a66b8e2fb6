"""The target column: its task, its labels, and the positive label."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.errors import DataError, SettingsError, shown
from workbench.runtime.core.schema import Column1d, Label, Levels, Output, Task, category_text

from .checks.extremes import target_findings
from .dataset import Finding
from .inference.convert import is_text
from .inference.infer import Inferred, infer_column
from .inference.number_marks import NumberMarks
from .inference.vocabulary.no_value import is_never_a_value

TASK_OPTIONS = ("auto", "binary", "multiclass", "regression")

_MOST_WHOLE_CLASSES = 20
_ROWS_A_WHOLE_CLASS = 5
_MOST_CLASSES = 1000
_RARE = 10
_ABOUT_INPUTS = frozenset(
    ["identifier", "index_column", "constant", "all_missing"]
)  # does not concern a target
_OF_KIND = {"number": "regression", "category": "classes"}
_DOUBTFUL = frozenset(
    ["unknown", "unk", "missing", "unbekannt", "inconnu", "desconocido", "sconosciuto", "onbekend"]
)
_SMALLEST, _LARGEST = 1e-30, 1e37  # magnitudes whose squares and sums float32 can represent
_FEW_DIGITS, _NO_DIGITS = 1e-5, 1e-6  # spread over magnitude; float32 rounds to 6e-8 of the magnitude

#: Labels that name the outcome of interest, and labels that name its absence.
_POSITIVE = frozenset(
    ["yes", "true", "positive", "pos", "+", "present", "abnormal", "malignant", "fraud",
     "spam", "churn", "churned", "default", "success", "won", "win", "sick", "disease", "diseased", "case",
     "bad", "died", "dead", "failed", "failure", "accepted", "approved", "cancelled", "canceled"]
)  # fmt: skip
_NEGATIVE = frozenset(
    ["no", "false", "0", "0.0", "-1", "negative", "neg", "-", "absent", "normal", "benign", "control",
     "ham", "healthy", "none", "good", "alive", "ok", "legit", "retained", "stayed", "survived", "rejected",
     "declined"]
)  # fmt: skip
_CLASS_METRICS = (
    "accuracy", "balanced_accuracy", "top_k_accuracy", "average_precision", "f1", "precision", "recall", "jaccard",
    "roc_auc", "matthews_corrcoef", "neg_log_loss", "neg_brier_score", "d2_log_loss_score", "d2_brier_score",
    "positive_likelihood_ratio", "neg_negative_likelihood_ratio",
)  # fmt: skip
_NUMBER_METRICS = (
    "r2",
    "explained_variance",
    "neg_mean",
    "neg_root_mean",
    "neg_median",
    "neg_max_error",
    "max_error",
    "d2_",
)


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The target of every row of the table.

    Attributes
    ----------
    output : Output
    y : numpy.ndarray, shape (n,)
        Class positions (int64) or numbers (float64); -1 or NaN for rows that are not `known`.
    known : numpy.ndarray of bool, shape (n,)
        Rows with a usable target.
    findings : tuple of Finding
    """

    output: Output
    y: np.ndarray
    known: np.ndarray
    findings: tuple[Finding, ...] = ()


def read_target(
    name: str,
    values: pa.ChunkedArray,
    *,
    task: str = "auto",
    positive: object = None,
    metric_hint: str | None = None,
    marks: NumberMarks | None = None,
    kind: str | None = None,
) -> Target:
    """Read the target column.

    Parameters
    ----------
    name : str
    values : pyarrow.ChunkedArray
    task : {"auto", "binary", "multiclass", "regression"}
        With "auto", strings, booleans and few distinct integers are classes; everything else is
        regression.
    positive : object
        The positive label of a binary task, matched as text.
    metric_hint : str or None
        The requested metric, which may show whether the target holds classes or numbers.
    marks : NumberMarks or None
        The decimal and thousands marks inferred from all columns of the file.
    kind : {"number", "category"} or None
        The kind that the user sets.

    Raises
    ------
    DataError
        If the column cannot be a target.
    SettingsError
        If `positive` is not a label, or `task` does not fit.

    Examples
    --------
    >>> read_target("churn", pa.chunked_array([["yes", "no", "no"]])).output.classes
    ('no', 'yes')
    """
    if task not in TASK_OPTIONS:
        raise SettingsError("no such task", found=shown(task), expected=", ".join(TASK_OPTIONS))
    inferred = _infer(name, values, marks, kind, task)
    if inferred.values is None:
        raise DataError(
            f"target {shown(name)}", found=f"values of type {values.type}", expected="classes or numbers"
        )
    if inferred.column.kind == "datetime":
        raise DataError(
            f"target {shown(name)} holds dates",
            expected="classes or numbers",
            hint="Convert it to a number first.",
        )
    inferred, no_value = _without_no_value(inferred)
    column = inferred.values
    assert column is not None
    numbers = column if isinstance(column, np.ndarray) else None
    usable = np.asarray(column.codes >= 0 if isinstance(column, Levels) else np.isfinite(column))
    if not usable.any():
        raise DataError(f"target {shown(name)} has no value in any row")
    is_number = numbers is not None and inferred.column.kind == "number"
    wanted = _OF_KIND.get(kind or "", "auto") if task == "auto" else task
    chosen = _task(wanted, numbers[usable] if is_number and numbers is not None else None, metric_hint)
    findings = (*(each for each in inferred.findings if each.code not in _ABOUT_INPUTS), *no_value)
    if chosen == "regression":
        read = _regression(name, numbers if is_number else None, column, usable, positive, findings)
        return replace(read, output=replace(read.output, unit=inferred.column.unit))
    if numbers is not None and not is_number:
        labels, codes, merged = _boolean_labels(name, values, numbers, usable)
        findings = (*findings, *merged)
    elif numbers is not None:
        labels, codes = _number_labels(numbers, usable)
    else:
        labels, codes = _text_labels(column)
    return _classification(name, task, labels, codes, positive, findings)


def _infer(
    name: str, values: pa.ChunkedArray, marks: NumberMarks | None, kind: str | None, task: str
) -> Inferred:
    """Infer the target; for regression it is a number even if padded."""
    if kind == "category":  # plain numbers stay numbers as labels
        found = infer_column(name, values, marks=marks)
        plain = found.column.kind == "boolean" or (found.column.kind == "number" and found.column.is_plain)
        return found if plain and not found.column.missing else infer_column(name, values, kind=kind)
    inferred = infer_column(name, values, marks=marks, kind=kind)
    if (
        task == "regression"
        and kind is None
        and inferred.column.kind in ("category", "text")
        and is_text(values)
    ):
        with contextlib.suppress(DataError):
            return infer_column(name, values, marks=marks, kind="number")
    return inferred


def _without_no_value(inferred: Inferred) -> tuple[Inferred, list[Finding]]:
    """Remove words that are never an outcome ("not available") from the classes, if two others are
    left.

    Words that may be an outcome ("unknown") stay, with a finding.
    """
    levels, name = inferred.values, inferred.column.name
    if not isinstance(levels, Levels):
        return inferred, []
    counts = np.bincount(levels.codes + 1, minlength=len(levels.values) + 1)[1:]
    never = [at for at, text in enumerate(levels.values) if counts[at] and is_never_a_value(text)]
    doubtful = [at for at, text in enumerate(levels.values) if counts[at] and text.casefold() in _DOUBTFUL]
    left = int((counts > 0).sum()) - len(never)
    findings = []
    if never and left >= 2:
        codes = np.where(np.isin(levels.codes, never), -1, levels.codes).astype(np.int32)
        inferred = replace(inferred, values=Levels(codes, levels.values))
        listed = ", ".join(shown(levels.values[at]) for at in never[:3])
        message = (
            f"{listed} in {int(counts[never].sum()):,} rows is not a class and was read as a missing target"
        )
        findings.append(Finding("stray_words", "warning", name, message))
    if doubtful and left - len(doubtful) >= 2:
        listed = ", ".join(f"{shown(levels.values[at])} ({counts[at]:,} rows)" for at in doubtful[:3])
        message = (
            f"{listed} is treated as a class; if it means that the outcome is not known, leave those rows out"
        )
        findings.append(Finding("doubtful_class", "warning", name, message))
    return inferred, findings


def _task(task: str, numbers: np.ndarray | None, metric_hint: str | None) -> Task | Literal["classes"]:
    if task == "regression":
        return "regression"
    if task != "auto" or numbers is None:
        return "classes"
    if metric_hint and metric_hint.startswith(_CLASS_METRICS):
        return "classes"
    if metric_hint and metric_hint.startswith(_NUMBER_METRICS):
        return "regression"
    head = np.unique(numbers[:100_000])
    if len(head) > _MOST_WHOLE_CLASSES:
        return "regression"
    distinct = np.unique(numbers)
    if len(distinct) <= 2:
        return "classes"
    whole = bool((distinct == np.floor(distinct)).all())
    few = len(distinct) <= _MOST_WHOLE_CLASSES and len(distinct) * _ROWS_A_WHOLE_CLASS <= len(numbers)
    return "classes" if whole and few else "regression"


def _regression(
    name: str,
    numbers: np.ndarray | None,
    values: Column1d,
    usable: np.ndarray,
    positive: object,
    findings: tuple[Finding, ...],
) -> Target:
    if numbers is None:
        found = shown(next(iter(values.values), "")) if isinstance(values, Levels) else "a yes or a no"
        raise DataError(f"target {shown(name)}", found=found, expected="numbers for regression")
    if positive is not None:
        raise SettingsError("regression has no positive label", found=shown(positive))
    known = numbers[usable]
    if float(known.min()) == float(known.max()):
        raise DataError(f"target {shown(name)} is constant", found=f"{known[0]:g} in every row")
    y = np.where(usable, numbers, np.nan)
    about = [*target_findings(name, known), *_about_digits(name, known)]
    return Target(Output(name, "regression"), y, usable, (*findings, *about))


def _about_digits(name: str, known: np.ndarray) -> list[Finding]:
    """Check that float32, the type of served predictions, has enough digits to distinguish the
    targets.

    Raises
    ------
    DataError
        If it has almost none.
    """
    size = float(np.abs(known).max())
    if not _SMALLEST < size < _LARGEST:
        raise DataError(
            f"target {shown(name)} is out of the range of float32, the type of served predictions",
            found=f"a magnitude of {size:.3g}",
            hint="Divide it by a constant first.",
        )
    spread = float((known / size).std()) * size
    if spread >= _FEW_DIGITS * size:
        return []
    message = f"numbers around {size:.6g} that differ by {spread:.3g}"
    if spread < _NO_DIGITS * size:
        raise DataError(
            f"target {shown(name)} is too far from zero for float32, the type of served predictions",
            found=message,
            hint="Subtract a constant first, such as its mean.",
        )
    text = (
        f"{message}: predictions are float32 and are rounded to {size * 6e-8:.2g}; subtract a constant first"
    )
    return [Finding("few_digits", "warning", name, text)]


def _boolean_labels(
    name: str, values: pa.ChunkedArray, numbers: np.ndarray, usable: np.ndarray
) -> tuple[list[Label], np.ndarray, list[Finding]]:
    """Return the labels of a boolean column: True and False, or the words used (the most frequent
    spelling of each).
    """
    codes = np.where(usable, numbers, -1).astype(np.int64)
    if pa.types.is_boolean(values.type):
        return [False, True], codes, []
    spelled: dict[int, list[str]] = {0: [], 1: []}
    counts = pc.value_counts(values).to_pylist()
    for entry in sorted(counts, key=lambda entry: -int(entry["counts"])):
        text = str(entry["values"] or "").strip()
        for code, known in ((0, ("false", "f", "no", "n", "off")), (1, ("true", "t", "yes", "y", "on"))):
            if text.lower() in known and text not in spelled[code]:
                spelled[code].append(text)
    merged = [
        Finding("spellings", "warning", name, f"{' and '.join(map(shown, texts))} are treated as one class")
        for texts in spelled.values()
        if len(texts) > 1
    ]
    words = [texts[0] for texts in spelled.values() if texts]
    if {word.lower() for word in words} <= {"true", "false"}:
        return [False, True], codes, merged
    if len(words) < 2:
        return [words[0]], np.where(usable, 0, -1), merged
    return [words[0], words[1]], codes, merged


def _number_labels(numbers: np.ndarray, usable: np.ndarray) -> tuple[list[Label], np.ndarray]:
    distinct, positions = np.unique(numbers[usable], return_inverse=True)
    codes = np.full(len(numbers), -1, dtype=np.int64)
    codes[usable] = positions
    return [int(each) if each.is_integer() else each for each in distinct.tolist()], codes


def _text_labels(values: Column1d) -> tuple[list[Label], np.ndarray]:
    assert isinstance(values, Levels)
    seen = np.unique(values.codes[values.codes >= 0])
    order = sorted(seen.tolist(), key=values.values.__getitem__)
    table = np.full(len(values.values) + 1, -1, dtype=np.int64)
    table[order] = np.arange(len(order))
    return [values.values[at] for at in order], table[values.codes]


def _classification(
    name: str,
    task: str,
    labels: list[Label],
    codes: np.ndarray,
    positive: object,
    findings: tuple[Finding, ...],
) -> Target:
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    present = np.flatnonzero(counts)
    if len(present) < 2:
        raise DataError(
            f"target {shown(name)} is constant", found=f"{shown(labels[int(present[0])])} in every row"
        )
    known = int(counts.sum())
    if len(labels) > _MOST_CLASSES or (len(labels) > 2 and len(labels) * 2 > known):
        hint = 'Name another column, or use `task="regression"` for numbers.'
        raise DataError(
            f"target {shown(name)}",
            found=f"{len(labels)} distinct values in {known} rows",
            expected="classes",
            hint=hint,
        )
    if task == "binary" and len(labels) > 2:
        listed = ", ".join(shown(label) for label in labels[:6]) + (", …" if len(labels) > 6 else "")
        raise SettingsError(
            f"target {shown(name)} is not binary",
            found=f"{len(labels)} classes: {listed}",
            hint='Use `task="multiclass"`.',
        )
    if len(labels) == 2:
        at = _positive(labels, counts, positive)
        if at == 0:
            labels, codes = [labels[1], labels[0]], np.where(codes >= 0, 1 - codes, codes)
            counts = counts[::-1]
    elif positive is not None:
        raise SettingsError(
            "only a binary task has a positive label", found=f"{shown(positive)} and {len(labels)} classes"
        )
    chosen: Task = "binary" if len(labels) == 2 else "multiclass"
    if task == "multiclass" and chosen == "binary":
        message = "the target has two classes: the task is binary"
        findings = (*findings, Finding("task", "info", name, message))
    findings = (*findings, *_about_classes(name, labels, counts))
    return Target(Output(name, chosen, tuple(labels)), codes, codes >= 0, findings)


def _positive(labels: Sequence[Label], counts: np.ndarray, positive: object) -> int:
    """Return the position of the positive label: the given one, else by its meaning, else the rarer
    one.
    """
    texts = [str(label) for label in labels]
    if positive is not None:
        wanted = category_text(positive)
        for candidates in (texts, [text.lower() for text in texts]):
            if wanted in candidates:
                return candidates.index(wanted)
            if wanted.lower() in candidates:
                return candidates.index(wanted.lower())
        listed = " and ".join(shown(label) for label in labels)
        raise SettingsError("the positive label is not a class", found=shown(positive), expected=listed)
    words = [text.lower() for text in texts]
    if set(words) in ({"y", "n"}, {"t", "f"}):
        return 0 if words[0] in ("y", "t") else 1
    meant = [at for at, word in enumerate(words) if word in _POSITIVE]
    if len(meant) == 1:
        return meant[0]
    absent = [at for at, word in enumerate(words) if word in _NEGATIVE]
    if len(absent) == 1:
        return 1 - absent[0]
    return 0 if counts[0] < counts[1] else 1


def _about_classes(name: str, labels: Sequence[Label], counts: np.ndarray) -> list[Finding]:
    found: list[Finding] = []
    rare = [at for at in range(len(labels)) if counts[at] < _RARE]
    if rare:
        listed = ", ".join(f"{shown(labels[at])} ({counts[at]})" for at in rare[:6]) + (
            ", …" if len(rare) > 6 else ""
        )
        message = f"classes with fewer than {_RARE} rows: {listed}; they are hard to learn and to score"
        found.append(Finding("rare_class", "warning", name, message))
    share = counts.min() / counts.sum()
    if len(labels) == 2 and share < 0.1:
        at = int(counts.argmin())
        message = f"{shown(labels[at])} is {share:.1%} of the rows; accuracy is not informative"
        found.append(Finding("imbalance", "info", name, message))
    return found
