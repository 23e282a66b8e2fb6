"""The sha256 hashes of serving packages: from the table that ships, or from pip's package index."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .requirements import Pin

_PATIENCE_S = 30.0
_LINUX_TAGS = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_27", "manylinux_2_26", "manylinux_2_24",
               "manylinux_2_17", "manylinux2014", "manylinux_2_12", "manylinux2010", "manylinux1")  # fmt: skip
TABLE_FILE = Path(__file__).with_name("package_hashes.toml")
Table = Mapping[str, Mapping[str, Sequence[str]]]
#: The platform tags of Linux wheels, by machine.
LINUX = {machine: tuple(f"{tag}_{machine}" for tag in _LINUX_TAGS) for machine in ("x86_64", "aarch64")}


def read_table() -> Table:
    """Return the table: by package and version, the sha256 of each file."""
    table: Table = tomllib.loads(TABLE_FILE.read_text(encoding="utf-8"))
    return table


def with_known_hashes(packages: Sequence[Pin]) -> list[Pin]:
    """Return the pins with their hashes, or unchanged if the table lacks one: pip requires all or
    none.

    Examples
    --------
    >>> with_known_hashes([Pin("h11", "0.0.1")])
    [Pin(name='h11', version='0.0.1', marker='', hashes=())]
    """
    table = read_table()
    found = [tuple(table.get(pin.name, {}).get(pin.version, ())) for pin in packages]
    if not all(found):
        return list(packages)
    return [replace(pin, hashes=known) for pin, known in zip(packages, found, strict=True)]


def with_hashes(pins: Sequence[Pin]) -> list[Pin]:
    """Return the pins with the hashes of the files that pip would install here, and on Linux x86_64
    and aarch64.

    Nothing is installed. pip asks its package index, which takes some seconds.

    Parameters
    ----------
    pins : sequence of Pin

    Returns
    -------
    list of Pin
        Without hashes if those of one package are not available: pip requires all or none.
    """
    found: dict[str, dict[str, None]] = {}
    for options in _targets():
        for name, digest in ask(pins, options):
            found.setdefault(name, {})[digest] = None
    if any(pin.name not in found for pin in pins):
        return list(pins)
    return [replace(pin, hashes=tuple(sorted(found[pin.name]))) for pin in pins]


def _targets() -> list[list[str]]:
    """Return pip's options for each system; no options stand for this one."""
    out: list[list[str]] = [[]]
    here = platform.machine() if sys.platform == "linux" else ""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return out + [options_for(LINUX[machine], version) for machine in LINUX if machine != here]


def options_for(platforms: Sequence[str], python: str) -> list[str]:
    """Return the options with which pip looks up the wheels of another system."""
    words = [word for platform in platforms for word in ("--platform", platform)]
    return [*words, "--python-version", python, "--only-binary=:all:", "--target", "nowhere"]


def ask(pins: Sequence[Pin], options: Sequence[str]) -> list[tuple[str, str]]:
    """Return name and sha256 of each file that pip would install; empty if pip fails."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet",
               "--no-input", "--disable-pip-version-check", "--retries", "0",
               "--timeout", "10", "--report", "-"]  # fmt: skip
    names = [f"{pin.name}=={pin.version}" for pin in pins]
    try:
        done = subprocess.run(
            [*command, *options, *names], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
        report: dict[str, Any] = json.loads(done.stdout) if not done.returncode else {}
        return [
            (
                entry["metadata"]["name"].lower().replace("_", "-").replace(".", "-"),
                entry["download_info"]["archive_info"]["hashes"]["sha256"],
            )
            for entry in report.get("install", [])
        ]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return []
