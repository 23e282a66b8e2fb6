"""Encoded matrices: the first worker that needs one computes it, all workers memory-map it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from workbench.families.base import Encoding
from workbench.runtime.core.encoder import Encoder
from workbench.runtime.files.atomic_write import atomic_path, write_atomically

from ..features.encoder_fitting import Learned
from ..records.file_lock import locked


@dataclass(frozen=True, slots=True)
class MatrixCache:
    """A folder of encoded matrices, keyed by encoding and part of the data."""

    folder: Path

    def learned(
        self, encoding: Encoding, make: Callable[[], tuple[Learned, list[np.ndarray]]]
    ) -> tuple[Encoder, np.ndarray, np.ndarray]:
        """Return the encoder, the encoded rows (float32, memory-mapped) and the target columns.

        `make` also returns the target columns' values in each fold, which are stored for `fold`.
        """
        stem = self._stem(encoding, "rows")
        document, array = stem.with_suffix(".json"), stem.with_suffix(".npy")
        if not document.exists():
            with locked(stem.with_suffix(".lock")):
                if not document.exists():
                    made, blocks = make()
                    _save_array(array, made.matrix)
                    for at, block in enumerate(blocks):
                        _save_array(self._stem(encoding, f"fold{at}").with_suffix(".npy"), block)
                    places = made.target_columns.tolist()
                    content = {"encoder": made.encoder.to_json(), "target_columns": places}
                    write_atomically(document, json.dumps(content))
        content = json.loads(document.read_text(encoding="utf-8"))
        places = np.asarray(content["target_columns"], dtype=np.int64)
        return Encoder.from_json(content["encoder"]), np.load(array, mmap_mode="r"), places

    def fold(self, encoding: Encoding, split: int) -> np.ndarray:
        """Return the values of the target columns in a fold, for all rows.

        `learned` stored them.
        """
        block: np.ndarray = np.load(self._stem(encoding, f"fold{split}").with_suffix(".npy"))
        return block

    def matrix(self, encoding: Encoding, part: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Return rows encoded by an encoder that was learned elsewhere (float32, memory-mapped)."""
        array = self._stem(encoding, part).with_suffix(".npy")
        if not array.exists():
            with locked(array.with_suffix(".lock")):
                if not array.exists():
                    _save_array(array, make())
        loaded: np.ndarray = np.load(array, mmap_mode="r")
        return loaded

    def in_parts(
        self, encoding: Encoding, part: str, shape: tuple[int, int], make: Callable[[], Iterable[np.ndarray]]
    ) -> np.ndarray:
        """Return a matrix that is made and written block by block (float32, memory-mapped)."""
        array = self._stem(encoding, part).with_suffix(".npy")
        if not array.exists():
            with locked(array.with_suffix(".lock")):
                if not array.exists():
                    _save_parts(array, shape, make())
        loaded: np.ndarray = np.load(array, mmap_mode="r")
        return loaded

    def _stem(self, encoding: Encoding, part: str) -> Path:
        key = hashlib.sha256(json.dumps(asdict(encoding), sort_keys=True).encode()).hexdigest()[:12]
        return self.folder / f"{key}-{part}"


def _save_array(path: Path, array: np.ndarray) -> None:
    with atomic_path(path) as part, part.open("wb") as file:
        np.save(file, np.ascontiguousarray(array, dtype=np.float32))


def _save_parts(path: Path, shape: tuple[int, int], parts: Iterable[np.ndarray]) -> None:
    header = {
        "descr": np.lib.format.dtype_to_descr(np.dtype(np.float32)),
        "fortran_order": False,
        "shape": shape,
    }
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype=np.float32).data)
