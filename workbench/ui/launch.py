"""Start the app: a Streamlit server in a separate process."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.errors import RunError, SettingsError, shown
from workbench.runtime.signal_handlers import signal_handler

from .files.remote_sources import read_places
from .state.access import read_roles

_CONFIG = Path(__file__).with_name("config.toml")
_ENTRY = Path(__file__).parent / "entry" / "app.py"


def launch(  # noqa: PLR0913 - one parameter per option of the app
    runs_dir: str | Path = "runs",
    port: int = 8501,
    headless: bool = False,
    *,
    bundles_dir: str | Path | None = None,
    data_dir: str | Path | None = None,
    roles: str | Path | None = None,
    host: str = "localhost",
    upload_mb: float = 200.0,
    example: bool = True,
    allow: Sequence[str] = (),
    allow_private: bool = False,
) -> int:
    """Serve the app until it is stopped.

    Parameters
    ----------
    runs_dir : path
        Folder of runs. It does not have to exist yet.
    port : int
        1 to 65535, or 0 for any free port.
    headless : bool
        Do not open a browser.
    bundles_dir : path, optional
        Folder of exports; by default the folder ``bundles`` next to `runs_dir`.
    data_dir : path, optional
        Folder of tables, also for saved uploads; by default the folder ``data`` next to `runs_dir`.
    roles : path, optional
        File of user roles (see `access.read_roles`); it requires a log-in.
    host : str
        Address to listen on. Without `roles` there is no log-in: on another address than
        ``localhost``, everyone who reaches the app can use it.
    upload_mb : float
        Maximum size of an upload, in millions of bytes.
    example : bool
        Whether to create an example run when a folder without runs is opened for the first time.
    allow : sequence of str
        Folders and URL prefixes from which tables can be loaded (see `remote_sources.read_places`);
        none by default.
    allow_private : bool
        Whether these URLs may resolve to addresses outside the public internet.

    Returns
    -------
    int
        Exit code of Streamlit; 0 after Ctrl-C.

    Raises
    ------
    RunError
        If `runs_dir` is a file.
    SettingsError
        If the port is not valid or in use, or the roles file or an allowed source is not valid.
    """
    if Path(runs_dir).is_file():
        raise RunError(f"runs folder {runs_dir}", found="a file", expected="a folder of runs")
    if not 0 <= port <= 65535:
        raise SettingsError("port", found=shown(port), expected="a number from 0 to 65535")
    if roles is not None:
        read_roles(Path(roles))
    read_places(allow, allow_private)
    _check_free(host, port)
    command = app_command(
        runs_dir,
        port or free_port(host),
        headless,
        bundles_dir=bundles_dir,
        data_dir=data_dir,
        roles=roles,
        host=host,
        upload_mb=upload_mb,
        example=example,
        allow=allow,
        allow_private=allow_private,
    )
    process = subprocess.Popen(command)
    with _stopped_together(process):
        return process.wait()
    return 0  # after Ctrl-C


@contextmanager
def _stopped_together(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Stop the app with this process: a terminal sends Ctrl-C to both, SIGTERM only to one."""
    with signal_handler(lambda *_: process.terminate(), signal.SIGTERM):
        try:
            yield
        except KeyboardInterrupt:
            process.wait()


def app_command(  # noqa: PLR0913 - as `launch`
    runs_dir: str | Path,
    port: int,
    headless: bool,
    *,
    bundles_dir: str | Path | None = None,
    data_dir: str | Path | None = None,
    roles: str | Path | None = None,
    host: str = "localhost",
    upload_mb: float = 200.0,
    example: bool = True,
    allow: Sequence[str] = (),
    allow_private: bool = False,
) -> list[str]:
    """Return the command that `launch` runs, with theme and settings of the app as options.

    Examples
    --------
    >>> app_command("runs", 8501, True)[-2:]
    ['--', 'runs']
    """
    settings = tomllib.loads(_CONFIG.read_text(encoding="utf-8"))
    settings["server"].update(
        port=port, headless=headless, address=host, maxUploadSize=max(1, round(upload_mb))
    )
    options = [f"--{name}={_option(value)}" for name, value in _flat(settings)]
    folders = [str(runs_dir)] if bundles_dir is None else [str(runs_dir), str(bundles_dir)]
    named = (("--data", data_dir), ("--roles", roles))
    more = [f"{name}={Path(value).resolve()}" for name, value in named if value is not None]
    more += [] if example else ["--no-example"]
    more += [f"--allow={place if '://' in place else Path(place).resolve()}" for place in allow]
    more += ["--allow-private"] if allow_private else []
    return [sys.executable, "-m", "streamlit", "run", str(_ENTRY), *options, "--", *more, *folders]


def free_port(host: str = "localhost") -> int:
    """Return a free TCP port."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        return int(listener.getsockname()[1])


def _check_free(host: str, port: int) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            hint = "Use another port, or stop the process that uses it."
            raise SettingsError(f"cannot listen on {host}:{port}", found=error.strerror, hint=hint) from error


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _option(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
