"""The distinct strings of a column with their row counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.runtime.core.schema import MISSING_TEXT, Levels


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """The distinct strings of a column.

    Attributes
    ----------
    raw : Levels
        As in the data.
    known : tuple of str
        Distinct strings that are not missing, without surrounding blanks.
    rows : mapping of str to int
        The number of rows of each.
    """

    raw: Levels
    known: tuple[str, ...]
    rows: dict[str, int]

    @classmethod
    def of(cls, raw: Levels) -> Texts:
        """Return the number of rows of each string."""
        counts = np.bincount(raw.codes[raw.codes >= 0], minlength=len(raw.values)).tolist()
        rows: dict[str, int] = {}
        for text, count in zip(raw.values, counts, strict=True):
            plain = text.strip()
            if plain not in MISSING_TEXT:
                rows[plain] = rows.get(plain, 0) + count
        return cls(raw, tuple(rows), rows)

    def count(self, texts: Sequence[str]) -> int:
        """Return the number of rows with one of the strings."""
        return sum(self.rows.get(text, 0) for text in texts)
