"""Encoded matrices, computed once by whichever worker needs them first and memory-mapped by all."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from workbench.families.base import Encoding
from workbench.runtime.encoder import Encoder

from .encode import Learned

_STALE_LOCK_S = 300.0


@dataclass(frozen=True, slots=True)
class MatrixCache:
    """A folder of encoded matrices, keyed by encoding and part of the data."""

    folder: Path

    def learned(
        self, encoding: Encoding, part: str, make: Callable[[], Learned]
    ) -> tuple[Encoder, np.ndarray]:
        """Return the encoder learned on a part, and the part through it (float32, memory-mapped)."""
        stem = self._stem(encoding, part)
        document, array = stem.with_suffix(".json"), stem.with_suffix(".npy")
        if not document.exists():
            with _lock(stem):
                if not document.exists():
                    made = make()
                    _save_array(array, made.matrix)
                    _replace(document, json.dumps(made.encoder.to_json()).encode())
        encoder = Encoder.from_json(json.loads(document.read_text(encoding="utf-8")))
        return encoder, np.load(array, mmap_mode="r")

    def matrix(self, encoding: Encoding, part: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Return a part encoded by an encoder learned elsewhere (float32, memory-mapped)."""
        array = self._stem(encoding, part).with_suffix(".npy")
        if not array.exists():
            with _lock(array):
                if not array.exists():
                    _save_array(array, make())
        loaded: np.ndarray = np.load(array, mmap_mode="r")
        return loaded

    def _stem(self, encoding: Encoding, part: str) -> Path:
        key = hashlib.sha256(json.dumps(asdict(encoding), sort_keys=True).encode()).hexdigest()[:12]
        return self.folder / f"{key}-{part}"


def _save_array(path: Path, array: np.ndarray) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        np.save(file, np.ascontiguousarray(array, dtype=np.float32))
    temporary.replace(path)


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)


@contextmanager
def _lock(stem: Path) -> Iterator[None]:
    """Let one worker compute while others wait; a lock whose holder was killed is taken over."""
    path = stem.with_name(stem.name + ".lock")
    while True:
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            os.write(handle, str(os.getpid()).encode())
            os.close(handle)
            break
        except FileExistsError:
            if _is_stale(path):
                path.unlink(missing_ok=True)
            time.sleep(0.02)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _is_stale(path: Path) -> bool:
    try:
        holder = int(path.read_text(encoding="utf-8") or 0)
        age = time.time() - path.stat().st_mtime
    except (OSError, ValueError):
        return False
    if holder:
        try:
            os.kill(holder, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass  # alive, of another user
    return age > _STALE_LOCK_S
