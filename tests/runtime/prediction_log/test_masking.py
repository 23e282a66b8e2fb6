"""Masks: what the options mean, and that a masked value cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.runtime.errors import InputError
from workbench.runtime.prediction_log.masking import Masks, read_masks

NAMES = ["age", "name", "a=hash"]
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


def test_a_column_is_removed_or_hashed(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"0123456789abcdef\n")
    masks = read_masks(["age", "name=hash"], NAMES, key)
    assert (masks.removed, masks.hashed) == ({"age"}, {"name"})
    assert read_masks(["a=hash"], NAMES).removed == {"a=hash"}


@pytest.mark.parametrize(
    ("given_masks", "content", "words"),
    [
        (["nam"], None, "Did you mean 'name'?"),
        (["name=hash"], None, "`mask_key`"),
        (["name=hash"], b"short", "expected at least 16"),
    ],
)
def test_a_wrong_mask_is_one_clear_error(
    tmp_path: Path, given_masks: list[str], content: bytes | None, words: str
) -> None:
    key = tmp_path / "key" if content is not None else None
    if key is not None and content is not None:
        key.write_bytes(content)
    with pytest.raises(InputError, match=words.replace("?", r"\?")):
        read_masks(given_masks, NAMES, key)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES))
def test_masks_keep_what_they_must_and_no_more(row: dict[str, Any]) -> None:
    masks = Masks(frozenset(["a"]), frozenset(["b"]), b"0123456789abcdef")
    found = masks.apply(row)
    assert "a" not in found
    assert found.get("c") == row.get("c")
    if row.get("b") is not None:
        assert found["b"] != row["b"]
        assert len(found["b"]) == 32
        assert found["b"] == masks.digest(row["b"])
        assert found["b"] != Masks(hashed=frozenset(["b"]), key=b"another key 0123").digest(row["b"])
