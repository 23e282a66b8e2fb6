from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from workbench.runtime.errors import ServeError
from workbench.runtime.serving.http.auth import exposed, read_keys


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
        ("", "has no keys"),
        ("just-a-key", "line 1: found no name"),
        ("a: short", "a key of 5 characters"),
        ("a: long enough\na: long enough too", "line 2: found a second key named 'a'"),
        ("\xff", "cannot be read"),
        (
            "a:sha256:zz",
            "found an invalid digest of 9 characters; expected sha256: and 64 hexadecimal digits",
        ),
        ("a:SHA256:" + "0" * 63, "line 1: found an invalid digest"),
        ("a:sha256:" + "0" * 65, "line 1: found an invalid digest"),
        ("a: sha256 : " + "0" * 64, "line 1: found an invalid digest"),
        ("a:sha256=" + "0" * 64, "line 1: found an invalid digest"),
        ("a:sha-512:" + "0" * 128, "line 1: found an invalid digest"),
        ("a:md5:d41d8cd98f00b204e9800998ecf8427e", "line 1: found an invalid digest"),
        ("a:$2b$12$abcdefghijklmnopqrstuv", "line 1: found an invalid digest"),
    ],
)
def test_a_file_that_is_none_is_refused_without_showing_keys(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "keys"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ServeError) as caught:
        read_keys(path)
    assert words in str(caught.value)
    assert "long enough" not in str(caught.value)


def test_keys_that_only_look_a_little_like_digests_are_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("a:shadow:of:a:key\nb:md-five-and-more\nc:" + "0" * 64 + "\n")
    keys = read_keys(path)
    assert keys.owner({b"x-api-key": b"shadow:of:a:key"}) == "a"
    assert keys.owner({b"x-api-key": b"0" * 64}) == "c"


def test_a_file_that_all_may_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "my keys"
    path.write_text("a: a long secret")
    path.chmod(0o644)
    assert "\n" not in exposed(path)
    assert exposed(path).endswith(f"(mode 644). Run: chmod 600 '{path}'")
    for mode in (0o600, 0o640, 0o400):
        path.chmod(mode)
        assert exposed(path) == ""
    assert exposed(tmp_path / "none") == ""


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match="cannot be read"):
        read_keys(tmp_path / "keys")
