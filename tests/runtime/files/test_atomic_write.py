"""Atomic writes: the old file or the new one, and nothing left over."""

import threading
from pathlib import Path

import pytest

from workbench.runtime.files.atomic_write import atomic_path, write_atomically
from workbench.runtime.files.writer_lock import remove_leftovers


def test_text_is_written_as_utf8_with_its_line_endings(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_atomically(path, "é\r\n\n")
    assert path.read_bytes() == b"\xc3\xa9\r\n\n"
    write_atomically(path, b"\x00\x01")
    assert path.read_bytes() == b"\x00\x01"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyError), atomic_path(path) as part:
        part.write_text("half")
        raise KeyError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "missing" / "a.txt", "x")


def test_threads_write_to_different_siblings(tmp_path: Path) -> None:
    names: list[Path] = []

    def other() -> None:
        with atomic_path(tmp_path / "a.txt") as part:
            part.write_text("other")
            names.append(part)

    with atomic_path(tmp_path / "a.txt") as part:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        part.write_text("mine")
    assert names != [part]
    assert (tmp_path / "a.txt").read_text() == "mine"


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """`remove_leftovers` recognises the name of the sibling."""
    with atomic_path(tmp_path / "a.txt") as part:
        part.write_text("")
        own = part.name
    left = tmp_path / own.replace(own.split(".")[3].partition("-")[0], "999999999")
    left.write_text("half")
    remove_leftovers(tmp_path / "a.txt", ".part")
    assert not left.exists()
