"""A user of the app without a browser: a session over the web socket that sends what a browser
sends and reads on.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from workbench.ui.launch import app_command, free_port


class Session:
    """One open page.

    Parameters
    ----------
    address : str
        Of the app, such as ``http://localhost:8501``.
    query : str
        Of the page's address, without the question mark.
    page : str
        The page's name in its address.
    """

    def __init__(self, address: str, page: str, query: str) -> None:
        where = address.replace("http://", "ws://") + "/_stcore/stream"
        self._socket = connect(where, subprotocols=["streamlit"], max_size=None)  # type: ignore[list-item]
        self._page, self._query = page, query
        self.sliders: dict[str, Any] = {}
        self._fragments: dict[str, str] = {}
        self.received = 0

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def open(self) -> float:
        """Draw the page; return the seconds it took."""
        return self._run(BackMsg())

    def move(self, label: str, part: float) -> float:
        """Move a slider to a part of its range, 0 to 1; return the seconds until the page is
        drawn.
        """
        slider = self.sliders[label]
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id = slider.id
        at = round(part * (len(slider.options) - 1)) if slider.options else 0
        value = float(at) if slider.options else slider.min + part * (slider.max - slider.min)
        state.double_array_value.data.append(value)
        message.rerun_script.fragment_id = self._fragments[label]
        return self._run(message)

    def _run(self, message: BackMsg) -> float:
        message.rerun_script.query_string = self._query
        message.rerun_script.page_name = self._page
        begin = time.perf_counter()
        self._socket.send(message.SerializeToString())
        while True:
            data = self._socket.recv(timeout=120)
            self.received += len(data)
            answer = ForwardMsg()
            answer.ParseFromString(data)  # type: ignore[arg-type]  # the app sends bytes
            kind = answer.WhichOneof("type")
            if kind == "delta" and answer.delta.new_element.WhichOneof("type") == "slider":
                slider = answer.delta.new_element.slider
                self.sliders[slider.label] = slider
                self._fragments[slider.label] = answer.delta.fragment_id
            elif kind == "script_finished":
                return time.perf_counter() - begin


@contextmanager
def served(runs: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Serve the app over a folder of runs; yield its address and its process."""
    port = free_port()
    server = subprocess.Popen(app_command(runs, port, True, example=False), stdout=subprocess.DEVNULL)
    try:
        address = f"http://localhost:{port}"
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health").close()
                break
            except urllib.error.URLError:
                time.sleep(0.1)
        yield address, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(timeout=30)


class Watch:
    """The memory and processor time of a process while something happens."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.peak_mb = 0.0
        self.cpu_s = 0.0

    def __enter__(self) -> Watch:
        self._before = self._cpu()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.cpu_s = self._cpu() - self._before

    @property
    def now_mb(self) -> float:
        """Resident memory of the process and of those that it started."""
        return float(sum(each.memory_info().rss for each in self._all()) / 1e6)

    def _all(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]

    def _cpu(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)

    def _look(self) -> None:
        while not self._over.wait(0.05):
            try:
                self.peak_mb = max(self.peak_mb, self.now_mb)
            except psutil.Error:
                continue  # one of them has just ended


def load_average() -> str:
    """Return how busy the machine is, for whoever reads the figures."""
    if sys.platform != "linux":
        return ""
    return f"load of the machine before: {psutil.getloadavg()[0]:.1f}"
