"""Settings of the server, and the command line options that set them."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from .. import quantities
from ..errors import InputError, nearest, shown
from ..prediction_log.options import LogOptions, add_log_options, log_options_of

MAX_BODY_BYTES = 10_000_000
LOG_OFF = "off"
LOG_ROWS_NOTICE = "warning: rows go into the request log; the prediction log (--log-dir) replaces --log-rows"
#: Options whose fields have a unit in their name.
_OPTIONS = {
    "max_body": "max_body_bytes",
    "timeout": "timeout_s",
    "max_data_age": "max_data_age_s",
    "drain": "drain_s",
}
_ORIGIN = re.compile(r"https?://[A-Za-z0-9._~%\[\]:-]+")
_URL = re.compile(r"https?://[A-Za-z0-9._~%\[\]:-]+(?:/[!-~]*)?")


def duration_s(text: str, *, zero: bool = False) -> float:
    """Parse a duration such as ``30``, ``90s``, ``10m``, ``12h``, ``90d`` or ``2w`` as seconds.

    Raises
    ------
    ValueError
        If the text is not a duration, or is 0 without `zero`.

    Examples
    --------
    >>> duration_s("90d") / 86400
    90.0
    """
    try:
        return quantities.seconds(text, zero=zero)
    except ValueError as error:
        raise ValueError(f"found {shown(text)}; expected {error}") from None


def from_environment(name: str, otherwise: str) -> str:
    """Return an environment variable, or `otherwise` if it is unset or empty."""
    return os.environ.get(name, "").strip() or otherwise


def default_host() -> str:
    """Return the default address to listen on; container images set ``$WORKBENCH_HOST``."""
    return from_environment("WORKBENCH_HOST", "127.0.0.1")


def default_drain_s() -> float:
    """Return the default drain time in seconds.

    Raises
    ------
    InputError
        If ``$WORKBENCH_DRAIN`` is not a duration.
    """
    text = from_environment("WORKBENCH_DRAIN", "0")
    try:
        return duration_s(text, zero=True)
    except ValueError as error:
        raise InputError(f"$WORKBENCH_DRAIN: {error}") from None


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Settings of the server.

    Attributes
    ----------
    host : str
        The address to listen on; by default ``$WORKBENCH_HOST``, or else 127.0.0.1, which only this
        machine can reach.
    port : int
        0 lets the system choose one, which is printed on standard error.
    workers : int
        Processes that share the port.
    log : str or None
        A file for the request log, one JSON line a request; None is standard error, "off" is no
        log.
    log_rows : bool
        Whether the log holds inputs and outputs, for monitoring.
    prediction_log : LogOptions or None
        The folder of the prediction log, and what it holds; None is no such log.
    max_body_bytes : int
        Requests with longer bodies are refused with status 413.
    queue : int
        Requests of one process that may wait or be in progress; more are refused with status 503.
    timeout_s : float
        Seconds that a request may take, including receiving its body.
    drain_s : float
        Seconds after SIGTERM for which the server still handles requests while it reports that it
        is not ready; by default ``$WORKBENCH_DRAIN``, or else 0.
    auth_file : str or None
        A file of API keys; see `auth`.
    tls_cert, tls_key : str or None
        PEM files of the certificate chain and its key.
    terse_errors : bool
        Whether callers without a key get only the kind of an error.
    expect : str or None
        The expected model: a digest (at least 12 digits of the model id) or ``NAME@VERSION``.
    max_data_age_s : float or None
        The most seconds since the training data was read.
    strict : bool
        Whether unseen categories, numbers out of range and extra columns are errors.
    sample : str or None
        A file of rows as in requests, checked before the first one.
    cors : tuple of str
        Origins whose pages may call the server from a browser; ``*`` is any.
    public_url : str or None
        The URL of the server for callers, in ``/openapi.json``; None is the URL of that document.

    Examples
    --------
    >>> ServeSettings(port=0).workers
    1
    """

    host: str = field(default_factory=default_host)
    port: int = 8080
    workers: int = 1
    log: str | None = None
    log_rows: bool = False
    prediction_log: LogOptions | None = None
    max_body_bytes: int = MAX_BODY_BYTES
    queue: int = 512
    timeout_s: float = 30.0
    drain_s: float = field(default_factory=default_drain_s)
    auth_file: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    terse_errors: bool = False
    expect: str | None = None
    max_data_age_s: float | None = None
    strict: bool = False
    sample: str | None = None
    cors: tuple[str, ...] = ()
    public_url: str | None = None

    def __post_init__(self) -> None:
        """Validate origins and URL."""
        for origin in self.cors:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                expected = "a scheme and a host, such as https://app.example.com, or *"
                raise InputError("cors", found=shown(origin), expected=expected)
        if self.public_url is not None and not _URL.fullmatch(self.public_url):
            expected = "a URL such as https://api.example.com/churn"
            raise InputError("public_url", found=shown(self.public_url), expected=expected)


def add_check_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the readiness checks and of strict mode."""
    group = parser.add_argument_group("checks")
    group.add_argument(
        "--expect",
        metavar="MODEL",
        help="the expected model, NAME@VERSION or at least 12 digits of its id; another one is not ready",
    )
    group.add_argument(
        "--max-data-age",
        type=_argument(duration_s),
        metavar="90d",
        help="a model with older training data is not ready",
    )
    group.add_argument(
        "--sample",
        metavar="FILE",
        help="rows as in requests; if they do not fit the schema, the model is not ready",
    )
    group.add_argument(
        "--strict",
        action="store_true",
        help="refuse unseen categories, numbers out of range and extra columns instead of counting them",
    )


def add_serve_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``serve``; `settings_of` converts them to `ServeSettings`."""
    default = ServeSettings(drain_s=0.0)
    parser.add_argument(
        "--host", default=default.host, help="default: $WORKBENCH_HOST, or 127.0.0.1, this machine only"
    )
    parser.add_argument(
        "--port",
        type=_argument(_port),
        default=from_environment("PORT", str(default.port)),
        metavar="N",
        help="default: $PORT, or 8080",
    )
    parser.add_argument(
        "--workers", type=_argument(_positive), default=1, metavar="N", help="processes; default: 1"
    )
    parser.add_argument(
        "--log", metavar="FILE", help='file for the request log, or "off"; default: standard error'
    )
    parser.add_argument("--log-rows", action="store_true", help="log inputs and outputs too")
    add_log_options(parser)
    limits = parser.add_argument_group("limits")
    limits.add_argument(
        "--max-body",
        type=_argument(_positive),
        default=default.max_body_bytes,
        metavar="BYTES",
        help="largest body of a request, else status 413; default: 10 MB",
    )
    limits.add_argument(
        "--queue",
        type=_argument(_positive),
        default=default.queue,
        metavar="N",
        help=f"most requests of a process in progress, else status 503; default: {default.queue}",
    )
    limits.add_argument(
        "--timeout",
        type=_argument(duration_s),
        default=default.timeout_s,
        metavar="30s",
        help="most time of a request, from its first byte to the response; default: 30s",
    )
    limits.add_argument(
        "--drain",
        type=_argument(lambda text: duration_s(text, zero=True)),
        default=from_environment("WORKBENCH_DRAIN", "0"),
        metavar="5s",
        help="time after SIGTERM for which requests are still handled while not ready; default: $WORKBENCH_DRAIN, or 0",
    )
    safety = parser.add_argument_group("safety")
    safety.add_argument(
        "--auth-file",
        metavar="FILE",
        help="API keys, one NAME:KEY a line; requests without one get status 401",
    )
    safety.add_argument("--tls-cert", metavar="FILE", help="certificate chain (PEM): serve HTTPS")
    safety.add_argument("--tls-key", metavar="FILE", help="the certificate's key (PEM)")
    safety.add_argument(
        "--cors",
        action="append",
        metavar="ORIGIN",
        help="origin whose pages may call from a browser, such as https://app.example.com; repeatable; * is any",
    )
    safety.add_argument(
        "--terse-errors",
        action="store_true",
        help="return only the kind of an error to callers without a key",
    )
    parser.add_argument(
        "--public-url",
        metavar="URL",
        help="URL of the server in /openapi.json; default: the URL of that document",
    )
    add_check_options(parser)


def settings_of(options: argparse.Namespace) -> ServeSettings:
    """Return the settings given by the options of `add_serve_options`."""
    given = {**vars(options), "cors": tuple(options.cors or ())}
    given["prediction_log"] = log_options_of(options)
    renamed = {field: option for option, field in _OPTIONS.items()}
    return ServeSettings(
        **{each.name: given[renamed.get(each.name, each.name)] for each in fields(ServeSettings)}
    )


def settings_from(table: dict[str, Any], where: str) -> ServeSettings:
    """Build settings from a table of a configuration file, whose keys are option names.

    Raises
    ------
    InputError
        If a key is unknown or has the wrong type; the error names it.

    Examples
    --------
    >>> settings_from({"port": 0, "max_data_age": "90d", "log": "off"}, "[http]").max_data_age_s
    7776000.0
    """
    names = {each.name: each for each in fields(ServeSettings) if each.name != "prediction_log"}
    option = _OPTIONS
    values: dict[str, Any] = {}
    for key, value in table.items():
        plain = key.replace("-", "_")
        name = option.get(plain, plain)
        if name not in names or plain in option.values():
            known = [each for each in (*names, *option) if each not in option.values()]
            close = nearest(plain, known, 1)
            hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}."
            raise InputError(f"{where}, key {shown(key)} is unknown", hint=hint)
        values[name] = _typed(
            f"{where}, key {shown(key)}", value, str(names[name].type), zero=name == "drain_s"
        )
    return ServeSettings(**values)


def _typed(where: str, value: Any, kind: str, *, zero: bool = False) -> Any:
    """Convert a value of a configuration file to the type of a field."""
    if kind.startswith("tuple"):
        listed = [value] if isinstance(value, str) else value
        if isinstance(listed, list) and all(isinstance(each, str) for each in listed):
            return tuple(listed)
        raise InputError(where, found=shown(value), expected="a list of strings")
    if kind.startswith("float") and isinstance(value, str):
        try:
            return duration_s(value, zero=zero)
        except ValueError as error:
            raise InputError(f"{where}: {error}") from None
    expected: dict[str, type | tuple[type, ...]] = {
        "str": str,
        "int": int,
        "bool": bool,
        "float": (int, float),
    }
    first = kind.split(" ", maxsplit=1)[0]
    good = isinstance(value, expected[first]) and (first == "bool" or not isinstance(value, bool))
    if not good or (first in ("int", "float") and value < 0):
        raise InputError(where, found=shown(value), expected=f"a value of type {first}")
    return value


def _argument(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Wrap a reader so that argparse shows the message of its ValueError."""

    def wrapped(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return wrapped


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"found {text!r}; expected a whole number") from None


def _positive(text: str) -> int:
    number = _whole(text)
    if number < 1:
        raise ValueError(f"found {text!r}; expected a whole number of at least 1")
    return number


def _port(text: str) -> int:
    number = _whole(text)
    if not 0 <= number <= 65535:
        raise ValueError(f"found {text!r}; expected a port from 0 to 65535")
    return number
