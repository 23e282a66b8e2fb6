"""Word counts of text columns, computed once per search and shared by its workers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import sparse

from workbench.data.dataset import Dataset
from workbench.runtime.core.schema import Levels
from workbench.runtime.core.text_steps import words
from workbench.runtime.files.atomic_write import write_atomically

from ..records.file_lock import locked

NGRAMS = 2
LEAST_ROWS = 3  # rows that a word must occur in


@dataclass(frozen=True, slots=True, eq=False)
class WordTable:
    """The number of times that each word occurs in each distinct text.

    Attributes
    ----------
    counts : scipy.sparse.csr_matrix, shape (distinct texts + 1, words)
        The last row is empty, for a missing text.
    vocabulary : list of str
    """

    counts: sparse.csr_matrix
    vocabulary: list[str]

    def rows(self, values: Levels) -> sparse.csr_matrix:
        """Return the counts of each row of a column with the table's distinct texts."""
        return self.counts[values.codes]


@dataclass(slots=True)
class WordTables:
    """The word tables of a data set's text columns, made on first use.

    Parameters
    ----------
    data : Dataset
        All rows of the search.
    folder : Path or None
        Folder that shares the tables between processes.
    """

    data: Dataset
    folder: Path | None = None
    _known: dict[str, WordTable] = field(default_factory=dict)

    def of(self, name: str) -> WordTable:
        """Return the table of a text column."""
        if name not in self._known:
            values = self.data.columns[name]
            assert isinstance(values, Levels)
            self._known[name] = self._shared(name, values)
        return self._known[name]

    def fill(self) -> None:
        """Make the tables of all text columns."""
        for column in self.data.schema.columns:
            if column.kind == "text":
                self.of(column.name)

    def _stem(self, name: str) -> Path | None:
        return self.folder and self.folder / f"words-{self.data.schema.names.index(name)}"

    def _shared(self, name: str, values: Levels) -> WordTable:
        """Read the table that another process has made, or make it while the others wait."""
        stem = self._stem(name)
        if stem is None:
            return count_words(values)
        with locked(stem.with_suffix(".lock")):
            return self._read(name) or self._make(name, values)

    def _read(self, name: str) -> WordTable | None:
        stem = self._stem(name)
        if stem is None or not stem.with_suffix(".json").exists():
            return None
        vocabulary = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
        return WordTable(sparse.load_npz(stem.with_suffix(".npz")), vocabulary)

    def _make(self, name: str, values: Levels) -> WordTable:
        table = count_words(values)
        stem = self._stem(name)
        if stem is not None:
            sparse.save_npz(stem.with_suffix(".npz"), table.counts, compressed=False)
            # Written last: a reader that finds it finds both files complete.
            write_atomically(stem.with_suffix(".json"), json.dumps(table.vocabulary))
        return table


def count_words(values: Levels) -> WordTable:
    """Count the words and pairs of words of each distinct text.

    Those in fewer than three rows are omitted.

    Examples
    --------
    >>> table = count_words(Levels.of(["so good", "so good", "so bad", "so so", None]))
    >>> dict(zip(table.vocabulary, table.counts.sum(axis=0).tolist()[0]))
    {'so': 4.0}
    """
    index: dict[str, int] = {}
    lists = [[index.setdefault(word, len(index)) for word in words(text, NGRAMS)] for text in values.values]
    starts = np.concatenate([[0], np.cumsum([len(each) for each in lists])]).astype(np.int64)
    flat = np.fromiter(_flatten(lists), dtype=np.int64, count=int(starts[-1]))
    shape = (len(lists), max(len(index), 1))
    counts = sparse.csr_matrix((np.ones(len(flat), dtype=np.float32), flat, starts), shape=shape)
    counts.sum_duplicates()
    rows = np.bincount(values.codes[values.codes >= 0], minlength=len(lists)).astype(np.float64)
    present = sparse.csr_matrix((np.ones_like(counts.data), counts.indices, counts.indptr), shape=shape)
    kept = np.flatnonzero(np.asarray(present.T @ rows).ravel() >= LEAST_ROWS)
    vocabulary = list(index)
    empty = sparse.csr_matrix((1, len(kept)), dtype=np.float32)
    whole = sparse.vstack([counts[:, kept], empty], format="csr")
    return WordTable(whole, [vocabulary[at] for at in kept.tolist()])


def _flatten(lists: Iterable[list[int]]) -> Iterable[int]:
    for each in lists:
        yield from each
