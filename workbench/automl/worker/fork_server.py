"""The fork server: it imports the training libraries once and forks each worker in milliseconds.

The pool runs it as ``python -m workbench.automl.worker.fork_server ADDRESS`` and writes one line to
its standard input for each worker it wants. A process that has never trained forks fast and has no
library threads. Unlike `multiprocessing`, the server never imports the user's main script. When its
standard input closes, because the search ended or was killed, the server kills its workers, removes
the folder of its address and exits.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Client
from pathlib import Path


def preload() -> None:
    """Import the libraries that trials use, so that forked workers share them."""
    # Importing pandas takes a third of the libraries' start time; trials work on plain arrays.
    sys.modules["pandas"] = None  # type: ignore[assignment]
    import lightgbm  # noqa: F401
    import sklearn.ensemble
    import sklearn.linear_model  # noqa: F401
    import xgboost  # noqa: F401

    import workbench.automl.worker.task_loop  # noqa: F401
    from workbench.runtime.model.onnx_library import import_onnxruntime

    import_onnxruntime()
    del sys.modules["pandas"]
    with suppress(ImportError):  # optional; every fit fails if it was imported without pandas
        import catboost  # noqa: F401


def main(address: str) -> int:
    """Fork a worker for each line on standard input, until it closes."""
    words = _words()
    key = bytes.fromhex(next((word for word in words if word), ""))
    children: set[int] = set()
    if key:
        preload()
    for word in words:
        _reap(children)
        if word is None:
            continue
        pid = os.fork()
        if pid == 0:
            _work(address, key)
        children.add(pid)
    for pid in children:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(Path(address).parent, ignore_errors=True)  # the search that made it has ended
    return 0


def _words() -> Iterator[str | None]:
    """Yield the lines of standard input until it closes, and None every 0.1 s without a line."""
    waiting = b""
    while True:
        while b"\n" in waiting:
            line, _, waiting = waiting.partition(b"\n")
            yield line.decode("ascii")
        ready, _, _ = select.select([0], [], [], 0.1)
        if not ready:
            yield None
            continue
        more = os.read(0, 4096)
        if not more:
            return
        waiting += more


def _reap(children: set[int]) -> None:
    for pid in list(children):
        with suppress(ChildProcessError):
            done, _ = os.waitpid(pid, os.WNOHANG)
            if done == 0:
                continue
        children.discard(pid)


def _work(address: str, key: bytes) -> None:
    """Run a worker; exit the process instead of returning into the server's loop."""
    from workbench.automl.worker.task_loop import serve

    code = 1
    try:
        os.close(0)
        with Client(address, family="AF_UNIX", authkey=key) as connection:
            serve(connection)
        code = 0
    except (EOFError, OSError):
        code = 0  # the search has ended: there is no one to report to
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
