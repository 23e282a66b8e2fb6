"""Signal handlers: installed for a block, restored after it, and never outside the main thread."""

from __future__ import annotations

import ast
import signal
import threading
from pathlib import Path

import pytest

from workbench.runtime.signal_handlers import HANGUP, install_signal_handler, signal_handler

RUNTIME = Path(__file__).parents[2] / "workbench" / "runtime"


def test_handlers_are_restored_even_after_an_error() -> None:
    before = signal.getsignal(signal.SIGTERM)
    received: list[int] = []
    with (
        pytest.raises(KeyError),
        signal_handler(lambda number, _: received.append(number), signal.SIGTERM, HANGUP),
    ):
        signal.raise_signal(signal.SIGTERM)
        raise KeyError
    assert received == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_that_the_system_lacks_is_skipped() -> None:
    assert install_signal_handler(signal.SIG_IGN, None) == {}


def test_another_thread_installs_nothing() -> None:
    before = signal.getsignal(signal.SIGTERM)
    inside: list[object] = []

    def look() -> None:
        with signal_handler(signal.SIG_IGN, signal.SIGTERM):
            inside.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert inside == [before]


def test_no_other_file_of_the_runtime_installs_handlers() -> None:
    found = [
        path.relative_to(RUNTIME).as_posix()
        for path in RUNTIME.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "signal.signal"
    ]
    assert set(found) == {"signal_handlers.py"}
