from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from workbench.runtime.auth import read_keys
from workbench.runtime.errors import ServeError


def test_keys_are_named_and_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    digest = hashlib.sha256(b"another secret").hexdigest()
    path.write_text(f"# who may ask\n\nbilling: a:long:secret\nops:sha256:{digest}\n")
    keys = read_keys(path)
    assert keys.owner({b"authorization": b"Bearer a:long:secret"}) == "billing"
    assert keys.owner({b"authorization": b"bearer another secret"}) == "ops"
    assert keys.owner({b"x-api-key": b"another secret"}) == "ops"
    for headers in (
        {},
        {b"authorization": b"Basic a:long:secret"},
        {b"authorization": b"Bearer"},
        {b"authorization": b"Bearer a:long:secret2"},
        {b"x-api-key": b""},
        {b"x-api-key": digest.encode()},
        {b"x-api-key": b"wrong", b"authorization": b"Bearer a:long:secret"},
    ):
        assert keys.owner(headers) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no key"),
        ("just-a-key", "line 1: found no name"),
        ("a: short", "a key of 5 characters"),
        ("a: long enough\na: long enough too", "line 2: found a second key of 'a'"),
        ("\xff", "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_refused_without_showing_keys(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "keys"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ServeError) as caught:
        read_keys(path)
    assert words in str(caught.value)
    assert "long enough" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match="cannot be read"):
        read_keys(tmp_path / "keys")
