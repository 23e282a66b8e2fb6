"""The options of the prediction log: on a command line, and in the table ``[log]`` of a
configuration.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import quantities
from ..errors import InputError, shown

#: Keys of the table ``[log]`` that are about the prediction log.
TABLE_KEYS = ("dir", "mask", "mask_key", "sample", "keep", "max_size")


@dataclass(frozen=True, slots=True)
class LogOptions:
    """How the prediction log is kept.

    Attributes
    ----------
    folder : Path
    mask : tuple of str
        Columns to leave out (``COL``) or to hash (``COL=hash``).
    mask_key : str or None
        A file with the key of the hashes.
    sample : float
        The share of rows that is logged.
    keep_s : float or None
        Seconds for which sealed files are kept; None is for ever.
    max_mb : float or None
        Megabytes that sealed files may have together; None is no limit.
    endpoint : str or None
        The name of the endpoint; None is the model's name.
    """

    folder: Path
    mask: tuple[str, ...] = ()
    mask_key: str | None = None
    sample: float = 1.0
    keep_s: float | None = None
    max_mb: float | None = None
    endpoint: str | None = None

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        if not 0.0 < self.sample <= 1.0:
            raise InputError("`log_sample`", found=shown(self.sample), expected="above 0 and at most 1")


def add_log_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the prediction log to a command."""
    group = parser.add_argument_group("prediction log")
    group.add_argument(
        "--log-dir", metavar="DIR", help="keep the prediction log, with inputs and outputs, in this folder"
    )
    group.add_argument(
        "--mask",
        action="append",
        metavar="COL[=hash]",
        help="leave a column out of it, or log a keyed hash of its values; repeatable",
    )
    group.add_argument("--mask-key", metavar="FILE", help="the key of the hashes, at least 16 bytes")
    group.add_argument(
        "--log-sample", type=_share, default=1.0, metavar="0.1", help="share of rows logged; default: all"
    )
    group.add_argument(
        "--log-keep", type=_seconds, metavar="30d", help="remove sealed files that are older; default: never"
    )
    group.add_argument(
        "--log-max-size",
        type=_megabytes,
        metavar="10GB",
        help="remove the oldest sealed files beyond it; default: no limit",
    )


def log_options_of(options: argparse.Namespace) -> LogOptions | None:
    """Return what the options of `add_log_options` were given; None without ``--log-dir``."""
    if options.log_dir is None:
        return None
    return LogOptions(
        Path(options.log_dir),
        tuple(options.mask or ()),
        options.mask_key,
        options.log_sample,
        options.log_keep,
        options.log_max_size,
    )


def log_options_from(table: Mapping[str, Any], where: str, base: Path) -> LogOptions | None:
    """Return the options in the table ``[log]`` of a configuration; None without ``dir``.

    Parameters
    ----------
    table : mapping
    where : str
        How messages name the table.
    base : Path
        The folder that paths are relative to.

    Raises
    ------
    InputError
        If a value is of another type, or other keys stand without ``dir``.

    Examples
    --------
    >>> log_options_from({"dir": "logs", "keep": "30d"}, "[log]", Path("/srv")).keep_s
    2592000.0
    """
    given = [key for key in TABLE_KEYS if key in table]
    if "dir" not in table:
        if given:
            raise InputError(
                f"{where}, {given[0]}", found="no key dir", expected="dir, the folder of the log"
            )
        return None
    mask = table.get("mask", [])
    mask = [mask] if isinstance(mask, str) else mask
    if not isinstance(mask, list) or not all(isinstance(each, str) for each in mask):
        raise InputError(f"{where}, mask", found=shown(mask), expected="a list of strings")
    share = table.get("sample", 1.0)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        raise InputError(f"{where}, sample", found=shown(share), expected="above 0 and at most 1")
    for key in ("dir", "mask_key"):
        if key in table and (not isinstance(table[key], str) or not table[key]):
            raise InputError(f"{where}, {key}", found=shown(table[key]), expected="a string")
    return LogOptions(
        base / table["dir"],
        tuple(mask),
        str(base / table["mask_key"]) if "mask_key" in table else None,
        float(share),
        _quantity(table, where, "keep", quantities.seconds),
        _quantity(table, where, "max_size", quantities.megabytes),
    )


def _quantity(table: Mapping[str, Any], where: str, key: str, read: Callable[[str], float]) -> float | None:
    if key not in table:
        return None
    try:
        return read(str(table[key]))
    except ValueError as error:
        raise InputError(f"{where}, {key}", found=shown(table[key]), expected=str(error)) from None


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0.0 < share <= 1.0:
        raise argparse.ArgumentTypeError(f"found {shown(text)}; expected a share above 0 and at most 1")
    return share


def _seconds(text: str) -> float:
    try:
        return quantities.seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"found {shown(text)}; expected {error}") from None


def _megabytes(text: str) -> float:
    try:
        return quantities.megabytes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"found {shown(text)}; expected {error}") from None
