from __future__ import annotations

import numpy as np

from workbench.families.shared.dense_columns import ColumnScale, chunks


def test_columns_are_standardised_but_sparse_ones_keep_their_scale() -> None:
    random = np.random.default_rng(0)
    number = random.normal(500.0, 20.0, 1000)
    flag = (random.random(1000) < 0.1).astype(float)
    words = np.where(random.random(1000) < 0.05, 0.3, 0.0)
    constant = np.full(1000, 4.0)
    X = np.stack([number, flag, words, constant], axis=1).astype(np.float32)
    scale = ColumnScale.of(X)
    out = (X - scale.center) * scale.factor
    assert np.allclose(out.mean(axis=0), 0.0, atol=1e-4)
    assert abs(out[:, 0].std() - 1.0) < 1e-4
    assert scale.factor[1:].tolist() == [1.0, 1.0, 0.0]


def test_unfolded_weights_are_equivalent_on_raw_columns() -> None:
    random = np.random.default_rng(1)
    X = random.normal(3.0, 2.0, (50, 4)).astype(np.float32)
    weights, bias = random.normal(size=(4, 2)), random.normal(size=2)
    scale = ColumnScale.of(X)
    outer, offset = scale.unfold(weights, bias)
    assert np.allclose(X @ outer + offset, (X - scale.center) * scale.factor @ weights + bias)


def test_extreme_values_give_a_finite_scale() -> None:
    X = np.array([[3e38], [-3e38], [1.0]], dtype=np.float32)
    scale = ColumnScale.of(X)
    assert np.isfinite(scale.center).all()
    assert np.isfinite(scale.factor).all()


def test_chunks_cover_the_rows_once() -> None:
    X = np.arange(3 * 3_000_000, dtype=np.float32).reshape(3, 3_000_000)
    parts = list(chunks(X))
    assert len(parts) == 3
    assert np.array_equal(np.concatenate(parts), X)
