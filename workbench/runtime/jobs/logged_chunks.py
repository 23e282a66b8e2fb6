"""What the prediction log gets of a file that is scored: a request for each chunk of rows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..core.rows import plain_values
from ..core.unseen_values import UnseenReport
from ..files.formats import Chunk
from ..prediction_log.background import PredictionLog
from ..prediction_log.records import LoggedRequest

ROUTE = "batch"


class ChunkRecorder:
    """Records the chunks of one file; the job waits if the log's queue is full.

    Parameters
    ----------
    log : PredictionLog
    where : mapping of str to int
        The position among a chunk's columns of each column of the model.
    classifier : bool
        Whether predictions come with probabilities.
    """

    def __init__(self, log: PredictionLog, where: Mapping[str, int], *, classifier: bool) -> None:
        self._log, self._where, self._classifier = log, where, classifier
        self._request_id = f"batch-{os.urandom(6).hex()}"
        self._rows = 0

    def record(
        self, chunk: Chunk, scored: Sequence[Any], errors: Mapping[int, str], unseen: UnseenReport
    ) -> None:
        """Record a chunk: its prediction, probabilities and errors, as `batch.score_chunk` returns
        them.
        """
        labels, *shares = [_plain(values) for values in scored[:-1]]
        self._log.record(
            LoggedRequest(
                self._request_id,
                ROUTE,
                200,
                partial(_rows, chunk, self._where),
                chunk.rows,
                labels,
                list(zip(*shares, strict=True)) if self._classifier else None,
                tuple(unseen.counts),
                errors=dict(errors) or None,
                first_row=self._rows,
            ),
            wait=True,
        )
        self._rows += chunk.rows


def _rows(chunk: Chunk, where: Mapping[str, int]) -> list[dict[str, Any]]:
    columns = [_plain(chunk.columns[at]) for at in where.values()]
    return [dict(zip(where, values, strict=True)) for values in zip(*columns, strict=True)]


def _plain(values: Any) -> list[Any]:
    plain = plain_values(values)
    if isinstance(plain, np.ndarray):
        kind = plain.dtype.kind
        return list((plain.astype("datetime64[us]") if kind == "M" else plain).tolist())
    return plain
