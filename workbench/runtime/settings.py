"""How a bundle is served: every option in one record, and the command line options that fill it."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from .errors import InputError, nearest, shown

MAX_BODY_BYTES = 10_000_000
LOG_OFF = "off"
_UNIT_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw]?)")


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """How to serve.

    Attributes
    ----------
    host : str
        The address to listen on; the default is reached from this machine only.
    port : int
        0 lets the system choose one; it is said on standard error.
    workers : int
        Processes that share the port.
    log : str or None
        A file for the request log, one JSON line a request; None is standard error, "off" none at all.
    log_rows : bool
        Whether the log holds inputs and outputs, as monitoring wants it.
    max_body_bytes : int
        Longer requests are refused with 413.
    queue : int
        Requests of one process that may wait or be worked on; one more is refused with 503.
    timeout_s : float
        Seconds that a request may take, its body's arrival included.
    auth_file : str or None
        A file of API keys; see `auth`.
    tls_cert, tls_key : str or None
        PEM files of the certificate chain and its key.
    terse_errors : bool
        Whether callers without a key are told no more than the kind of an error.
    expect : str or None
        The model that should be served: a digest (at least 12 digits of the model id) or ``NAME@VERSION``.
    max_data_age_s : float or None
        Seconds that may have passed since the training data was read.
    strict : bool
        Whether unseen categories, numbers out of range and extra columns are refused instead of counted.
    sample : str or None
        A file of rows as callers will send them, checked before the first request.

    Examples
    --------
    >>> ServeSettings(port=0).workers
    1
    """

    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    log: str | None = None
    log_rows: bool = False
    max_body_bytes: int = MAX_BODY_BYTES
    queue: int = 512
    timeout_s: float = 30.0
    auth_file: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    terse_errors: bool = False
    expect: str | None = None
    max_data_age_s: float | None = None
    strict: bool = False
    sample: str | None = None


def duration_s(text: str) -> float:
    """Read a duration such as ``30``, ``90s``, ``10m``, ``12h``, ``90d`` or ``2w`` as seconds.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> duration_s("90d") / 86400
    90.0
    """
    found = _DURATION.fullmatch(text.strip().lower())
    if not found or float(found[1]) <= 0:
        raise ValueError(f"found {shown(text)}; expected a duration such as 30s, 12h or 90d")
    return float(found[1]) * _UNIT_S[found[2] or "s"]


def add_check_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which model may answer, and how strictly rows are read."""
    group = parser.add_argument_group("refusals")
    group.add_argument(
        "--expect",
        metavar="MODEL",
        help="NAME@VERSION or a digest (12 digits or more of the model id); another model is never ready",
    )
    group.add_argument(
        "--max-data-age",
        type=_argument(duration_s),
        metavar="90d",
        help="a model whose training data is older is not ready",
    )
    group.add_argument(
        "--sample", metavar="FILE", help="rows as callers will send them; one that does not fit: not ready"
    )
    group.add_argument(
        "--strict",
        action="store_true",
        help="refuse unseen categories, numbers out of range and extra columns instead of counting them",
    )


def add_serve_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``serve``; `settings_of` turns what was given into `ServeSettings`."""
    default = ServeSettings()
    parser.add_argument("--host", default=default.host, help="default: 127.0.0.1, this machine only")
    parser.add_argument(
        "--port",
        type=_argument(_port),
        default=os.environ.get("PORT", str(default.port)),
        metavar="N",
        help="default: $PORT, or 8080",
    )
    parser.add_argument(
        "--workers", type=_argument(_positive), default=1, metavar="N", help="processes; default: 1"
    )
    parser.add_argument("--log", metavar="FILE", help='where the request log goes, or "off"; default: stderr')
    parser.add_argument("--log-rows", action="store_true", help="log inputs and outputs too")
    limits = parser.add_argument_group("limits")
    limits.add_argument(
        "--max-body",
        type=_argument(_positive),
        default=default.max_body_bytes,
        metavar="BYTES",
        help="of a request, else 413; default: 10 MB",
    )
    limits.add_argument(
        "--queue",
        type=_argument(_positive),
        default=default.queue,
        metavar="N",
        help=f"requests of a process under way, else 503; default: {default.queue}",
    )
    limits.add_argument(
        "--timeout",
        type=_argument(duration_s),
        default=default.timeout_s,
        metavar="30s",
        help="for a request from its first byte to its answer; default: 30s",
    )
    safety = parser.add_argument_group("safety")
    safety.add_argument("--auth-file", metavar="FILE", help="API keys, one NAME:KEY a line; others get 401")
    safety.add_argument("--tls-cert", metavar="FILE", help="certificate chain (PEM): serve HTTPS")
    safety.add_argument("--tls-key", metavar="FILE", help="the certificate's key (PEM)")
    safety.add_argument(
        "--terse-errors", action="store_true", help="tell strangers only the kind of an error"
    )
    add_check_options(parser)


def settings_of(options: argparse.Namespace) -> ServeSettings:
    """Return the settings that the options of `add_serve_options` were given."""
    given = vars(options)
    renamed = {"max_body_bytes": "max_body", "timeout_s": "timeout", "max_data_age_s": "max_data_age"}
    return ServeSettings(
        **{each.name: given[renamed.get(each.name, each.name)] for each in fields(ServeSettings)}
    )


def settings_from(table: dict[str, Any], where: str) -> ServeSettings:
    """Build settings from a table of a configuration file; its keys are the options' names.

    Raises
    ------
    InputError
        Naming the key that is unknown or of another type.

    Examples
    --------
    >>> settings_from({"port": 0, "max_data_age": "90d", "log": "off"}, "[http]").max_data_age_s
    7776000.0
    """
    names = {each.name: each for each in fields(ServeSettings)}
    option = {"max_body": "max_body_bytes", "timeout": "timeout_s", "max_data_age": "max_data_age_s"}
    values: dict[str, Any] = {}
    for key, value in table.items():
        plain = key.replace("-", "_")
        name = option.get(plain, plain)
        if name not in names or plain in option.values():
            known = [each for each in (*names, *option) if each not in option.values()]
            close = nearest(plain, known, 1)
            hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}."
            raise InputError(f"{where}, key {shown(key)} is unknown", hint=hint)
        values[name] = _typed(f"{where}, key {shown(key)}", value, str(names[name].type))
    return ServeSettings(**values)


def _typed(where: str, value: Any, kind: str) -> Any:
    """Return a value of a configuration file as the type that a field is annotated with."""
    if kind.startswith("float") and isinstance(value, str):
        try:
            return duration_s(value)
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
    """Return a reader of one argument whose complaint argparse shows as it is."""

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
