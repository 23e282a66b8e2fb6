"""The cost of encoding one row: bytes and operations, computed from the encoder's description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import TamperedBundleError, shown
from ..resource_limits import (
    BATCH_BYTES,
    MAX_FEATURES,
    MAX_ROW_BYTES,
    MAX_ROW_OPERATIONS,
    TEXT_BYTES,
    TEXT_WORDS,
)
from .column_pairs import Pair
from .text_steps import Terms, TermScore

if TYPE_CHECKING:
    from .encoder import Encoder

_NUMBER_BYTES = 32  # a Python float in a list
_FEATURE_BYTES = 40  # a number in a list, and a float32
_CURVE_OPERATIONS = 32


@dataclass(frozen=True, slots=True)
class Cost:
    """Memory and operations for one row.

    Attributes
    ----------
    row_bytes : int
        The sum over all intermediate values.
    row_operations : int

    Examples
    --------
    >>> Cost(100, 5) + Cost(20, 1)
    Cost(row_bytes=120, row_operations=6)
    >>> Cost(1 << 20, 0).block_rows(16384)
    1024
    """

    row_bytes: int
    row_operations: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.row_bytes + other.row_bytes, self.row_operations + other.row_operations)

    def block_rows(self, most: int) -> int:
        """Return how many rows fit into one block of `BATCH_BYTES`, at most `most`."""
        return max(1, min(most, BATCH_BYTES // max(self.row_bytes, 1)))


def encoder_cost(encoder: Encoder, numeric: Mapping[str, bool]) -> Cost:
    """Return the cost of one row in an encoder.

    Parameters
    ----------
    encoder : Encoder
        `Encoder.check_columns` must have accepted it.
    numeric : mapping of str to bool
        For each column of the schema, whether its values are numbers.

    Returns
    -------
    Cost

    Raises
    ------
    TamperedBundleError
        If a limit is exceeded; the error names the derived column or step.

    Examples
    --------
    >>> from .encoder import Encoder, Number
    >>> encoder_cost(Encoder((), (Number("age"),)), {"age": True})
    Cost(row_bytes=40, row_operations=33)
    """
    length = {name: _NUMBER_BYTES if is_number else TEXT_BYTES for name, is_number in numeric.items()}
    row_bytes = operations = features = 0
    for extra in encoder.derived:
        if isinstance(extra, Pair):
            length[extra.name] = sum(length[name] for name in extra.columns) + 1
        else:
            length[extra.name] = _NUMBER_BYTES
        row_bytes += length[extra.name]
        operations += length[extra.name]
        _check(f"derived column {shown(extra.name)}", features, row_bytes, operations)
    for step in encoder.steps:
        features += step.size()
        row_bytes += step.size() * _FEATURE_BYTES
        operations += step.size() + _CURVE_OPERATIONS
        if isinstance(step, Terms | TermScore):
            found = TEXT_WORDS * step.ngrams
            longer = max(length[step.column] // TEXT_BYTES, 1)
            operations += longer * (
                8 * TEXT_BYTES + found * (step.size() if isinstance(step, TermScore) else 8)
            )
            row_bytes += longer * found * _FEATURE_BYTES
        _check(f"step {step.op!r} of {shown(step.column)}", features, row_bytes, operations)
    return Cost(row_bytes, operations)


def _check(where: str, features: int, row_bytes: int, operations: int) -> None:
    for what, found, most in (
        ("features", features, MAX_FEATURES),
        ("bytes a row", row_bytes, MAX_ROW_BYTES),
        ("operations a row", operations, MAX_ROW_OPERATIONS),
    ):
        if found > most:
            raise TamperedBundleError(
                f"encoder.json exceeds a limit at {where}",
                found=f"{at_most(found)} {what}",
                expected=f"at most {most:,}",
            )


def at_most(number: int) -> str:
    """Format an integer of any size as a short text.

    Examples
    --------
    >>> at_most(10**400), at_most(1234567)
    ('more than 1e+300', '1,234,567')
    """
    return f"{number:,}" if number < 10**12 else f"{number:.3g}" if number < 10**300 else "more than 1e+300"
