"""One writer for a path: a second one is refused, and a killed one blocks nobody."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from workbench.runtime.errors import BadFileError
from workbench.runtime.files.writer_lock import lock_path, remove_leftovers, sole_writer
from workbench.runtime.files.writers import replacing

HOLD = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from workbench.runtime.files.writer_lock import sole_writer\n"
    "with sole_writer(Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


def gone_process() -> int:
    """Return the number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_another_process_is_named_and_a_killed_one_blocks_nobody(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        named = rf"out\.csv is being written by another process: found process {other.pid}"
        with pytest.raises(BadFileError, match=named), sole_writer(target):
            pass
        with pytest.raises(BadFileError, match="is being written"), replacing(target):
            pass
        other.kill()
    assert lock_path(target).exists()
    with sole_writer(target):
        assert lock_path(target).read_text() == str(os.getpid())
    assert list(tmp_path.iterdir()) == []


def test_threads_of_one_process_are_told_apart_and_all_come_in_turn(tmp_path: Path) -> None:
    target, inside, done = tmp_path / "out", [], []

    def work() -> None:
        while True:
            try:
                with sole_writer(target):
                    inside.append(1)
                    assert len(inside) == 1
                    inside.pop()
                    done.append(1)
                    return
            except BadFileError:
                continue

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 8
    assert list(tmp_path.iterdir()) == []


def test_a_lock_in_a_folder_made_anew_is_left_to_its_holder(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    with sole_writer(tmp_path, lock):
        lock.unlink()
        with sole_writer(tmp_path, lock):
            pass
        lock.write_text("another one's")
    assert lock.read_text() == "another one's"


def test_leftovers_of_gone_processes_are_removed_and_nothing_else(tmp_path: Path) -> None:
    gone, target = gone_process(), tmp_path / "b[1]"
    keep = {f".b[1].{os.getppid()}", ".b[1].x", ".b[1].1.2", f".b1.{gone}", f".b[1].{gone}.part", "b[1]"}
    for name in (*keep, f".b[1].{gone}"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    (tmp_path / f".b[1].{os.getpid()}").touch()  # of a killed process with the same number as this one
    remove_leftovers(target)
    assert {each.name for each in tmp_path.iterdir()} == keep


def test_a_part_that_a_killed_process_left_goes_with_the_next_output(tmp_path: Path) -> None:
    (tmp_path / f".out.csv.{gone_process()}.part").write_text("half")
    with replacing(tmp_path / "out.csv") as part:
        part.write_text("whole")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("out.csv", "whole")]
