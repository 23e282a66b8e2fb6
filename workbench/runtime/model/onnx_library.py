"""Import ONNX Runtime with its telemetry turned off.

Since 1.29 its Linux builds send telemetry when they are imported: they store an identity and a
queue of events under ``~/.cache`` and resolve the name of a server. This module turns it off before
the import, in this process and its child processes.
"""

from __future__ import annotations

import os
from typing import Any

_SWITCH = "ORT_DISABLE_TELEMETRY"


def disable_telemetry() -> None:
    """Turn telemetry off in this process and its children, unless the user has set the variable."""
    os.environ.setdefault(_SWITCH, "1")


def import_onnxruntime() -> Any:
    """Import and return the module; no other code imports it."""
    disable_telemetry()
    import onnxruntime

    return onnxruntime
