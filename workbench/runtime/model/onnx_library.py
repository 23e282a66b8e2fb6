"""ONNX Runtime, imported so that it reports to nobody.

From 1.29 on its Linux builds send telemetry as soon as they are imported: they keep an identity and a queue of events
under ``~/.cache`` and look up a server's name. It is off before every import here, and in every process started here.
"""

from __future__ import annotations

import os
from typing import Any

_SWITCH = "ORT_DISABLE_TELEMETRY"


def disable_telemetry() -> None:
    """Turn telemetry off in this process and those that it starts; a value that the user set stays."""
    os.environ.setdefault(_SWITCH, "1")


def import_onnxruntime() -> Any:
    """Return the module; the only place that imports it."""
    disable_telemetry()
    import onnxruntime

    return onnxruntime
