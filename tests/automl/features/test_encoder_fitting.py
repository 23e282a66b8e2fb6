from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tests.automl.conftest import make_data
from workbench.automl.features.encoder_fitting import learn
from workbench.automl.worker.parity import difficult_rows
from workbench.data.dataset import Dataset
from workbench.data.intake import load_dataset
from workbench.families.base import Encoding
from workbench.runtime.core.schema import Levels

ENCODINGS = [
    Encoding(),
    Encoding(numbers="filled", indicators=True, onehot=8),
    Encoding(numbers="scaled", onehot=30, wide="mean", terms=5),
    Encoding(numbers="quantile", onehot=100, wide="code+mean"),
    Encoding(numbers="filled", pairs=(("wide", "number"), ("wide", "narrow"), ("wide", "start hour"))),
]


@pytest.mark.parametrize(
    "encoding", ENCODINGS, ids=lambda each: f"{each.numbers}-{each.wide}-{len(each.pairs)}"
)
def test_training_goes_through_the_served_transform(data: Dataset, encoding: Encoding) -> None:
    """All but the out-of-fold columns of the training matrix equal the encoder's, bit by bit."""
    learned = learn(encoding, data)
    served = learned.encoder.encode_columns(data.columns)
    assert learned.matrix.dtype == np.float32
    assert learned.matrix.shape == served.shape
    fitted_out_of_fold = ["mean" in name or "leaning" in name for name in learned.encoder.feature_names()]
    plain = ~np.asarray(fitted_out_of_fold)
    np.testing.assert_array_equal(learned.matrix[:, plain], served[:, plain])


@pytest.mark.parametrize("encoding", ENCODINGS[1:], ids=lambda each: f"{each.numbers}-{len(each.pairs)}")
def test_filled_encodings_never_give_missing_values(data: Dataset, encoding: Encoding) -> None:
    learned = learn(encoding, data)
    wild = learned.encoder.encode_columns(difficult_rows(data, 500))
    assert np.isfinite(learned.matrix).all()
    assert not np.isnan(wild).any()


def test_means_do_not_see_their_own_row() -> None:
    """A category of noise must not predict the target in the training matrix, as an in-fold mean
    would.
    """
    data = make_data("regression", rows=400)
    random = np.random.default_rng(5)
    noise = Levels.of([f"n{value}" for value in random.integers(0, 200, 400)])
    target = random.normal(size=400)
    data = replace(data, columns={**data.columns, "wide": noise}, y=target)
    learned = learn(Encoding(wide="mean"), data)
    at = learned.encoder.feature_names().index("wide mean")
    in_fold = learned.encoder.encode_columns(data.columns)[:, at]
    assert np.corrcoef(in_fold, target)[0, 1] > 0.3
    assert abs(np.corrcoef(learned.matrix[:, at], target)[0, 1]) < 0.2


def test_constant_and_empty_columns_do_not_break_it() -> None:
    data = make_data("binary", rows=60)
    columns = {**data.columns, "number": np.full(60, np.nan), "flag": np.ones(60)}
    for encoding in ENCODINGS:
        learn(encoding, replace(data, columns=columns))


def test_the_encoder_survives_json(data: Dataset) -> None:
    import json

    from workbench.runtime.core.encoder import Encoder

    for encoding in ENCODINGS:
        learned = learn(encoding, data)
        again = Encoder.from_json(json.loads(json.dumps(learned.encoder.to_json())))
        np.testing.assert_array_equal(
            again.encode_columns(data.columns), learned.encoder.encode_columns(data.columns)
        )


def test_the_matrix_is_in_memory_once() -> None:
    random = np.random.default_rng(0)
    frame = {f"x{at}": random.normal(size=40_000) for at in range(40)}
    data = load_dataset({**frame, "y": random.normal(size=40_000)}, target="y")
    tracemalloc.start()
    try:
        learned = learn(Encoding(), data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * learned.matrix.nbytes


def test_reading_and_encoding_call_python_as_often_for_few_rows_as_for_many() -> None:
    """Rows are processed by array operations, without a Python call for each."""

    def table(rows: int) -> dict[str, object]:
        random = np.random.default_rng(0)
        codes = np.arange(rows) % 50
        return {
            "size": random.normal(size=rows),
            "kind": np.array([f"k{at}" for at in range(50)])[codes],
            "seen": np.datetime64("2024-01-01") + codes.astype("timedelta64[D]"),
            "y": random.normal(size=rows) + codes,
        }

    def calls(work: Callable[[], object]) -> int:
        count = 0

        def on_event(frame: object, event: str, argument: object) -> None:
            nonlocal count
            count += event == "call"

        sys.setprofile(on_event)
        try:
            work()
        finally:
            sys.setprofile(None)
        return count

    counts = []
    for rows in (3_000, 30_000):
        frame = pa.table(table(rows))
        encoding = Encoding("quantile", 30, "code+mean", True)
        counts.append(calls(lambda: learn(encoding, load_dataset(frame, target="y"))))  # noqa: B023 - called at once
    assert abs(counts[1] - counts[0]) < 0.1 * counts[0]
