"""The distinct texts of a column, each with the number of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.runtime.core.schema import MISSING_TEXT, Levels


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """The distinct texts of a column.

    Attributes
    ----------
    raw : Levels
        As they are in the data.
    known : tuple of str
        Those that are not missing, blanks stripped, each once.
    rows : mapping of str to int
        How many rows have each of them.
    """

    raw: Levels
    known: tuple[str, ...]
    rows: dict[str, int]

    @classmethod
    def of(cls, raw: Levels) -> Texts:
        """Count the rows of each text."""
        counts = np.bincount(raw.codes[raw.codes >= 0], minlength=len(raw.values)).tolist()
        rows: dict[str, int] = {}
        for text, count in zip(raw.values, counts, strict=True):
            plain = text.strip()
            if plain not in MISSING_TEXT:
                rows[plain] = rows.get(plain, 0) + count
        return cls(raw, tuple(rows), rows)

    def count(self, texts: Sequence[str]) -> int:
        """Return how many rows have one of some texts."""
        return sum(self.rows.get(text, 0) for text in texts)
