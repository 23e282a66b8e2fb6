"""Run the real server of a bundle as a process, and read its CPU time and memory."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from workbench.errors import ExportError
from workbench.runtime.model.onnx_library import disable_telemetry

_START_S = 60.0
_STOP_S = 40.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready."""

    host: str
    port: int
    process: psutil.Process

    def cpu_s(self) -> float:
        """Return the CPU seconds used by the server and its workers."""
        total = 0.0
        for each in self._all():
            with suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                total += times.user + times.system
        return total

    def memory_mb(self) -> float:
        """Return the resident memory of the server and its workers, in MB."""
        total = 0.0
        for each in self._all():
            with suppress(psutil.NoSuchProcess):
                total += each.memory_info().rss
        return total / 1e6

    def _all(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def served(bundle: Path, *, workers: int = 1) -> Iterator[Server]:
    """Serve a bundle on a free port of this machine during a with block.

    Raises
    ------
    ExportError
        If the server does not start or the model is not ready.
    """
    words = [
        sys.executable,
        "-P",
        "-m",
        "workbench.runtime",
        "serve",
        str(bundle),
        "--port",
        "0",
        "--log",
        "off",
    ]
    words += ["--workers", str(workers), "--queue", "100000"]
    disable_telemetry()
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            url = _url_of(process)
            _wait(url, process)
            parts = urlsplit(url)
            yield Server(str(parts.hostname), int(parts.port or 0), psutil.Process(process.pid))
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_S)
            if process.poll() is None:
                process.kill()


def _url_of(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        found = re.search(r"http://\S+", line)
        if found:
            return found[0]
        lines.append(line.strip())
    raise ExportError("the server did not start", found=" ".join(lines)[:300] or "no message")


def _wait(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/v2/health/ready", timeout=5):  # noqa: S310 - our own server
                return
        except urllib.error.HTTPError as error:
            raise ExportError("the model is not ready", found=error.read().decode()[:300]) from None
        except OSError:
            time.sleep(0.05)
    raise ExportError("the server did not become ready", found=f"no response within {_START_S:g} s")
