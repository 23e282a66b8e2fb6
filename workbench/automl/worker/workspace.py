"""The state that all tasks of a run share in a worker: rows, folds and encoded matrices."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.dataset import Dataset
from workbench.data.repeated_folds import repeated_folds
from workbench.families.base import Encoding, Problem, Sample, Shared
from workbench.runtime.core.encoder import Code, Encoder
from workbench.runtime.core.schema import Column1d
from workbench.runtime.model.predictor import Predictor

from ..features.encoder_fitting import Learned, learn
from ..features.vocabulary import WordTables
from ..records.messages import Setup
from ..scoring.cross_fitting import fold_numbers
from ..scoring.metrics import Metric
from .matrix_cache import MatrixCache
from .parity import gate_columns

_CACHED_BYTES = 2e9  # of matrices with fold-specific features and of the libraries' binned forms
_COMPARISON_ROWS = 1_500
_PART_ROWS = 100_000  # encoded at a time, so that a large matrix is not in memory twice


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """The rows of the search, encoded.

    Attributes
    ----------
    encoder : Encoder
        The one that is served.
    X : numpy.ndarray of float32, shape (n, width)
        Features made from the target have values learned without the row.
    target_columns : numpy.ndarray of int64
    """

    encoder: Encoder
    X: np.ndarray
    target_columns: np.ndarray

    @property
    def codes(self) -> tuple[int, ...]:
        """The features that are codes of categories."""
        kinds = [isinstance(step, Code) for step in self.encoder.steps for _ in step.names()]
        return tuple(at for at, is_code in enumerate(kinds) if is_code)


@dataclass(frozen=True, slots=True, eq=False)
class OpenArtifact:
    """An artifact that stays open for its measurement: a large one takes seconds to open again."""

    name: str
    score: float
    predictor: Predictor


@dataclass(slots=True, eq=False)
class Workspace:
    """The rows, folds and caches of a search.

    Attributes
    ----------
    data : Dataset
        All rows of the run.
    dev_rows, holdout_rows : numpy.ndarray of int64
        Positions of the rows to learn from, and of the held-out set.
    reserve_rows : numpy.ndarray of int64
        Positions of further rows, if those to learn from are a sample.
    dev : Dataset
        The rows to learn from (n of them); folds are positions in it.
    splits : list of (train, valid)
        Folds, those of the first repeat first.
    folds : int
        Folds of one repeat.
    compared : numpy.ndarray of int, shape (n,), or None
        Metrics of ranking compare rows of equal numbers: see `RunFolder.compared`.
    artifact : OpenArtifact or None
        The best ensemble that this worker has written.
    """

    data: Dataset
    dev_rows: np.ndarray
    holdout_rows: np.ndarray
    setup: Setup
    metric: Metric
    cache: MatrixCache
    tables: WordTables
    reserve_rows: np.ndarray = field(default_factory=lambda: np.arange(0))
    dev: Dataset = field(init=False)
    splits: list[tuple[np.ndarray, np.ndarray]] = field(init=False)
    folds: int = field(init=False)
    artifact: OpenArtifact | None = None
    compared: np.ndarray | None = None
    _encoded: dict[Encoding, Encoded] = field(default_factory=dict)
    _shared: OrderedDict[Any, Shared] = field(default_factory=OrderedDict)
    _gate: dict[str, Column1d] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dev = self.data.take(self.dev_rows)
        setup = self.setup
        parts = repeated_folds(
            self.data, self.dev_rows, setup.folds, setup.seed, repeats=setup.repeats, crossed=setup.crossed
        )
        self.folds = len(parts[0])
        self.splits = [split for part in parts for split in part]

    @property
    def problem(self) -> Problem:
        """The properties of the data that search spaces depend on."""
        return self.setup.problem

    @property
    def candidates(self) -> Path:
        """The folder of all candidates."""
        return self.setup.run / "candidates"

    def keep_open(self, name: str, score: float, predictor: Predictor) -> None:
        """Keep a candidate's artifact open, unless a better one is; see `Results.mark_open`."""
        if self.artifact is None or score > self.artifact.score:
            self.artifact = OpenArtifact(name, score, predictor)

    def opened(self, name: str) -> Predictor:
        """Return a candidate's artifact; opens it if it is not open."""
        if self.artifact is not None and self.artifact.name == name:
            return self.artifact.predictor
        return Predictor.load(self.candidates / name / "predictor")

    def fold_of(self) -> np.ndarray:
        """Return the fold of the first repeat that validates each row.

        -1 for rows that always train.

        Everything learned from out-of-fold predictions is cross-fitted by it, so a single
        validation part is divided at random into five.
        """
        out = np.full(self.dev.n_rows, -1, dtype=np.int64)
        for at, (_, valid) in enumerate(self.splits[: self.folds]):
            out[valid] = at
        return fold_numbers(out, self.setup.seed)

    def comparison_rows(self) -> np.ndarray:
        """Return the rows that every fold's model predicts, to measure their disagreement."""
        valid = np.flatnonzero(self.fold_of() >= 0)
        random = np.random.default_rng(self.setup.seed)
        return np.sort(random.permutation(valid)[:_COMPARISON_ROWS])

    # ------------------------------------------------------------ encoded rows

    def encoded(self, encoding: Encoding) -> Encoded:
        """Return the encoded rows; the first worker that needs an encoding learns it."""
        if encoding not in self._encoded:
            encoder, X, places = self.cache.learned(encoding, lambda: self._learn(encoding))
            self._encoded[encoding] = Encoded(encoder, X, places)
        return self._encoded[encoding]

    def gate(self, encoding: Encoding) -> np.ndarray:
        """Return the encoded rows of the parity check."""
        encoder = self.encoded(encoding).encoder
        return self.cache.matrix(encoding, "gate", lambda: encoder.encode_columns(self.gate_rows()))

    def gate_rows(self) -> dict[str, Column1d]:
        """Return the rows of the parity check, the same for every candidate."""
        if not self._gate:
            self._gate.update(gate_columns(self.data, self.holdout_rows, self.setup.seed))
        return self._gate

    def samples(self, encoding: Encoding, split: int) -> tuple[Sample, Sample]:
        """Return the rows to fit on and to validate on in a fold."""
        train, valid = self.splits[split]
        shared = self._matrix(encoding, split)
        return Sample.part(shared, train, f"train{split}"), Sample.part(shared, valid, f"valid{split}")

    def grown(self, encoding: Encoding, more: int) -> Sample:
        """Return the training rows of a sample's only fold, followed by `more` rows of the reserve.

        The served encoder encodes the reserve. It was learned without these rows, so features made
        from the target have the values that new rows get.
        """
        train = self.splits[0][0]
        rows = np.random.default_rng(self.setup.seed).permutation(self.reserve_rows)[:more]
        rows.sort()  # neighbouring rows are read together from disk
        encoder, sample = self.encoded(encoding).encoder, self.matrix(encoding, 0)

        def parts() -> Iterator[np.ndarray]:
            for start in range(0, len(train), _PART_ROWS):
                yield sample[train[start : start + _PART_ROWS]]
            for start in range(0, len(rows), _PART_ROWS):
                yield encoder.encode_columns(self.data.take(rows[start : start + _PART_ROWS]).columns)

        shape = (len(train) + len(rows), encoder.width)
        X = self.cache.in_parts(encoding, f"grown{len(rows)}", shape, parts)
        y = np.concatenate([self.dev.y[train], self.data.y[rows]])
        weight = None
        if self.data.weight is not None and self.dev.weight is not None:
            weight = np.concatenate([self.dev.weight[train], self.data.weight[rows]])
        return Sample(X, y, weight)

    def whole(self, encoding: Encoding) -> Sample:
        """Return all rows, to fit one model on them."""
        encoded = self.encoded(encoding)
        return Sample(np.asarray(encoded.X), self.dev.y, self.dev.weight, encoded.codes)

    def matrix(self, encoding: Encoding, split: int) -> np.ndarray:
        """Return all rows with a fold's target features, float32 (n, width)."""
        return self._matrix(encoding, split).X

    def _matrix(self, encoding: Encoding, split: int) -> Shared:
        encoded = self.encoded(encoding)
        key = (encoding, split if len(encoded.target_columns) else -1)
        if key in self._shared:
            self._shared.move_to_end(key)
            return self._shared[key]
        X = encoded.X
        if len(encoded.target_columns):
            X = np.array(X)
            X[:, encoded.target_columns] = self.cache.fold(encoding, split)
        self._shared[key] = Shared(X, self.dev.y, self.dev.weight, encoded.codes)
        while len(self._shared) > 1 and sum(each.X.nbytes for each in self._shared.values()) > _CACHED_BYTES:
            self._shared.popitem(last=False)
        return self._shared[key]

    def _learn(self, encoding: Encoding) -> tuple[Learned, list[np.ndarray]]:
        learned = learn(encoding, self.dev, self.setup.seed, self.tables)
        blocks = []
        if len(learned.target_columns):
            for train, _ in self.splits:
                inside = np.zeros(self.dev.n_rows, dtype=bool)
                inside[train] = True
                blocks.append(learned.refit(inside))
        return learned, blocks
