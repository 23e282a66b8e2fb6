"""What a search needs of the operating system."""

from __future__ import annotations

import os
import platform
import socket

from workbench.errors import PlatformError


def check_operating_system() -> None:
    """Refuse a system without fork or Unix sockets, by which a search starts and reaches its
    workers.

    Raises
    ------
    PlatformError
        On Windows, for one.

    Examples
    --------
    >>> check_operating_system()
    """
    if hasattr(os, "fork") and hasattr(socket, "AF_UNIX"):
        return
    raise PlatformError(
        "a search cannot run on this operating system",
        found=platform.system() or "an unknown one",
        expected="Linux or macOS, which have fork and Unix sockets",
        hint="On Windows, use WSL 2 or a Linux container.",
    )
