from __future__ import annotations

import gzip
import lzma
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.ui.files.uploads import (
    forget_stale,
    keep_upload,
    list_tables,
    open_table,
    safe_name,
    save_table,
    suffix_of,
)


@given(st.text())
def test_a_name_never_becomes_a_path(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert not set(safe) & set("/\\. \x00")
    assert len(safe) <= 60


def test_an_upload_lies_under_its_session_and_digest(tmp_path: Path) -> None:
    own = tmp_path / ".app"
    source = keep_upload([b"a,b\n1,2\n"], "../../etc/evil.csv", own, "one")
    assert source.path.is_relative_to(own / "uploads")
    assert source.path.name == f"{source.digest[:16]}.csv"
    assert source.name == "evil.csv"
    other = keep_upload([b"a,b\n1,2\n"], "x.csv", own, "two")
    assert other.path.parent != source.path.parent
    again = keep_upload([b"a,b\n3,4\n"], "x.csv", own, "one")
    assert not source.path.exists()  # one table a session
    assert again.path.exists()


@pytest.mark.parametrize("name", ["x.exe", "csv", "x.csv.7z", ""])
def test_other_endings_are_refused(name: str) -> None:
    with pytest.raises(DataError, match="a name that ends in"):
        suffix_of(name)


def test_saving_never_replaces_another_table(tmp_path: Path) -> None:
    own, data = tmp_path / ".app", tmp_path / "data"
    first = save_table(keep_upload([b"a\n1\n"], "t.csv", own, "s"), data, "t")
    second = save_table(keep_upload([b"a\n2\n"], "t.csv", own, "s"), data, "t")
    assert (first.name, second.name) == ("t.csv", "t-2.csv")
    assert first.read_bytes() == b"a\n1\n"
    assert list_tables(data) == ["t-2.csv", "t.csv"]


def test_only_what_is_listed_can_be_opened(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (tmp_path / "data" / ".hidden.csv").write_text("a\n1\n")
    assert list_tables(tmp_path / "data") == []
    for name in ("../secret.csv", ".hidden.csv", str(tmp_path / "secret.csv")):
        with pytest.raises(DataError, match="one of the tables listed"):
            open_table(tmp_path / "data", name)


def test_uploads_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    old = keep_upload([b"a\n1\n"], "t.csv", tmp_path, "old").path.parent
    new = keep_upload([b"a\n1\n"], "t.csv", tmp_path, "new").path.parent
    os.utime(old, (time.time() - 200_000, time.time() - 200_000))
    forget_stale(tmp_path)
    assert not old.exists()
    assert new.exists()


@pytest.mark.parametrize(("name", "pack"), [("a.csv.gz", gzip.compress), ("a.xz", lzma.compress)])
def test_a_small_upload_that_unpacks_to_much_is_refused(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    content = pack(b"a,b\n" + b"1,2\n" * 500_000)
    with pytest.raises(
        DataError, match=rf"{name} is too large: found more after decompression; expected at most 1 MB"
    ):
        keep_upload([content], name, tmp_path, "token", 1_000_000)
    assert keep_upload([content], name, tmp_path, "token", 10_000_000).name == name
