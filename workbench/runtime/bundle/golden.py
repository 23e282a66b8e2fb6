"""The golden rows of a bundle: real inputs with the model's outputs at export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.json_documents import check_values, parse_json, read_document
from ..errors import TamperedBundleError, WorkbenchError, shown
from ..model.predictor import Predictor
from ..resource_limits import MAX_GOLDEN_OPERATIONS, MAX_GOLDEN_ROWS

ABSOLUTE = 1e-5
RELATIVE = 1e-5
_SHOWN_FAILURES = 3


@dataclass(frozen=True, slots=True)
class GoldenFailure:
    """A golden row whose output differs; `line` counts from 1, as in an editor."""

    line: int
    way: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"line {self.line} ({self.way}): found {self.found}, expected {self.expected}"


@dataclass(frozen=True, slots=True)
class GoldenReport:
    """The result of replaying the golden rows.

    Attributes
    ----------
    rows : int
    failures : tuple of GoldenFailure
    largest_difference : float
        The largest absolute difference from an expected probability or number.
    """

    rows: int
    failures: tuple[GoldenFailure, ...] = ()
    largest_difference: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether there were rows and all outputs matched."""
        return self.rows > 0 and not self.failures

    def summary(self) -> str:
        """Return the report as one line.

        Examples
        --------
        >>> GoldenReport(50).summary()
        '50 golden rows match (largest difference 0)'
        """
        if not self.rows:
            return "there are no golden rows"
        if self.ok:
            return f"{self.rows} golden rows match (largest difference {self.largest_difference:.2g})"
        shown_failures = "; ".join(str(failure) for failure in self.failures[:_SHOWN_FAILURES])
        more = len(self.failures) - _SHOWN_FAILURES
        lines = len({failure.line for failure in self.failures})
        text = f"{lines} of {self.rows} golden rows differ: {shown_failures}"
        return f"{text}; and {more} more" if more > 0 else text


def read_entries(path: Path) -> list[dict[str, Any]]:
    """Read ``golden.jsonl``: each line an object with an input and an output object.

    Raises
    ------
    TamperedBundleError
        If a line cannot be read, or there are too many rows.
    """
    content = read_document(path)
    check_values(content, path.name)
    entries = []
    for number, line in enumerate(content.splitlines(), start=1):
        if number > MAX_GOLDEN_ROWS:
            raise TamperedBundleError(
                f"{path.name} has too many rows", expected=f"at most {MAX_GOLDEN_ROWS:,}"
            )
        entry = parse_json(line, f"{path.name}, line {number},")
        if not isinstance(entry, dict) or not all(
            isinstance(entry.get(part), dict) for part in ("input", "output")
        ):
            raise TamperedBundleError(
                f"{path.name}, line {number}", found=shown(entry), expected="an input and an output object"
            )
        entries.append(entry)
    return entries


def read_golden(path: Path) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Read ``golden.jsonl`` as pairs of input and expected output.

    Raises
    ------
    TamperedBundleError
        As for `read_entries`.
    """
    return [(entry["input"], entry["output"]) for entry in read_entries(path)]


def read_for(predictor: Predictor, path: Path) -> list[dict[str, Any]]:
    """Read ``golden.jsonl`` for a replay, with a limit on the operations that it takes.

    Raises
    ------
    TamperedBundleError
        As for `read_entries`; also if all rows together exceed the limit on operations.
    """
    entries = read_entries(path)
    operations = len(entries) * predictor.cost.row_operations
    if operations > MAX_GOLDEN_OPERATIONS:
        raise TamperedBundleError(
            f"{path.name} exceeds a limit",
            found=f"{len(entries):,} rows of {predictor.cost.row_operations:,} operations each",
            expected=f"at most {MAX_GOLDEN_OPERATIONS:,} operations in all",
        )
    return entries


def replay(predictor: Predictor, path: Path) -> GoldenReport:
    """Predict every golden row alone and all of them as one batch, and compare the outputs.

    Two numbers match if they differ by at most ``1e-5 + 1e-5 * |expected|``. If the two best
    classes are that close to each other, either label matches.

    Raises
    ------
    TamperedBundleError
        If the file cannot be read.
    """
    pairs = [(entry["input"], entry["output"]) for entry in read_for(predictor, path)]
    failures: list[GoldenFailure] = []
    largest = 0.0
    for way, results in (("alone", _alone(predictor, pairs)), ("in a batch", _batch(predictor, pairs))):
        for line, ((_, expected), result) in enumerate(zip(pairs, results, strict=True), start=1):
            if isinstance(result, WorkbenchError):
                failures.append(GoldenFailure(line, way, f"an error ({result})", "a prediction"))
                continue
            difference, found, wanted = _compare(predictor, result, expected)
            largest = max(largest, difference)
            if found:
                failures.append(GoldenFailure(line, way, found, wanted))
    return GoldenReport(len(pairs), tuple(failures), largest)


_Pairs = list[tuple[Mapping[str, Any], Mapping[str, Any]]]


def _alone(predictor: Predictor, pairs: _Pairs) -> Iterator[np.ndarray | WorkbenchError]:
    for row, _ in pairs:
        try:
            yield predictor.predict_row(row)
        except WorkbenchError as error:
            yield error


def _batch(predictor: Predictor, pairs: _Pairs) -> list[np.ndarray | WorkbenchError]:
    try:
        return list(predictor.predict_rows([row for row, _ in pairs]))
    except WorkbenchError as error:
        return [error] * len(pairs)


def _compare(predictor: Predictor, result: np.ndarray, expected: Mapping[str, Any]) -> tuple[float, str, str]:
    """Return the largest difference, and what was found and expected if they do not match."""
    key = "probabilities" if predictor.classes else "value"
    found = result.astype(np.float64)
    try:
        wanted = np.atleast_1d(np.asarray(expected.get(key), dtype=np.float64))
    except (TypeError, ValueError):
        wanted = np.empty(0)
    if wanted.shape != found.shape:
        return 0.0, f"{found.size} numbers", f"{key} {shown(expected.get(key))}"
    allowed = ABSOLUTE + RELATIVE * np.abs(wanted)
    gaps = np.abs(found - wanted)
    if not (gaps <= allowed).all():
        return float(np.nanmax(gaps, initial=0.0)), _numbers(found), _numbers(wanted)
    if predictor.classes:
        label = predictor.decide(result[None])[0].item()
        if (
            label != expected.get("label") or type(label) is not type(expected.get("label"))
        ) and not _near_tie(predictor, found):
            return float(gaps.max()), f"label {shown(label)}", shown(expected.get("label"))
    return float(gaps.max()), "", ""


def _near_tie(predictor: Predictor, probabilities: np.ndarray) -> bool:
    if predictor.schema.output.task == "binary":
        return bool(abs(probabilities[1] - predictor.schema.output.threshold) <= ABSOLUTE + RELATIVE)
    first, second = np.sort(probabilities)[-2:][::-1]
    return bool(first - second <= ABSOLUTE + RELATIVE)


def _numbers(values: np.ndarray) -> str:
    return "[" + ", ".join(f"{value:.6g}" for value in values[:4]) + (", …]" if len(values) > 4 else "]")
