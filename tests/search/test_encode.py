from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.search.conftest import make_data
from workbench.data.dataset import Dataset
from workbench.families.base import Encoding
from workbench.runtime.schema import Levels
from workbench.search.encode import learn
from workbench.search.parity import difficult_rows

ENCODINGS = [
    Encoding(),
    Encoding(numbers="filled", indicators=True, onehot=8),
    Encoding(numbers="scaled", onehot=30, wide="mean", terms=5),
    Encoding(numbers="quantile", onehot=100, wide="code+mean"),
]


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda encoding: f"{encoding.numbers}-{encoding.wide}")
def test_training_goes_through_the_served_transform(data: Dataset, encoding: Encoding) -> None:
    """All but the out-of-fold columns of the training matrix are the encoder's own, to the bit."""
    learned = learn(encoding, data)
    served = learned.encoder.encode_columns(data.columns)
    assert learned.matrix.dtype == np.float32
    assert learned.matrix.shape == served.shape
    fitted_out_of_fold = ["mean" in name or "leaning" in name for name in learned.encoder.feature_names()]
    plain = ~np.asarray(fitted_out_of_fold)
    np.testing.assert_array_equal(learned.matrix[:, plain], served[:, plain])


@pytest.mark.parametrize("encoding", ENCODINGS[1:], ids=lambda encoding: encoding.numbers)
def test_filled_encodings_give_no_missing_value_whatever_comes(data: Dataset, encoding: Encoding) -> None:
    learned = learn(encoding, data)
    wild = learned.encoder.encode_columns(difficult_rows(data, 500))
    assert np.isfinite(learned.matrix).all()
    assert not np.isnan(wild).any()


def test_means_do_not_see_their_own_row() -> None:
    """A category of noise must not predict the target in the training matrix, as an in-fold mean would."""
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

    from workbench.runtime.encoder import Encoder

    for encoding in ENCODINGS:
        learned = learn(encoding, data)
        again = Encoder.from_json(json.loads(json.dumps(learned.encoder.to_json())))
        np.testing.assert_array_equal(
            again.encode_columns(data.columns), learned.encoder.encode_columns(data.columns)
        )
