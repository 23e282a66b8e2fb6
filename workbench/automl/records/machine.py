"""The name of the machine that timings were measured on."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

from .settings import cpu_count


@cache
def machine_name() -> str:
    """Return the processor, the number of processors and the operating system."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass  # not Linux: use the platform's name
    return f"{model}, {cpu_count()} CPUs, {platform.system()} {platform.machine()}"
