"""Strings of the page Export."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INTRO = "Export writes the measured model as a bundle and verifies it."
GO_CHOOSE = "Go to the front"
NAME = "Name"
NAME_HELP = "The name under which the model is served. Letters, digits, dot, underscore, hyphen."
VERSION = "Version"
VERSION_HELP = "Letters, digits, dot, underscore, hyphen."
BY = "Decided by"
BY_LOGIN = "From your log-in."
NOTE = "Reason"
NOTE_HELP = "Stored in the bundle's decision.json."
THRESHOLD = "Predict “{yes}” from this probability (%)"
THRESHOLD_HELP = (
    "The exported model uses this threshold everywhere. It also returns the probability, so callers "
    "can apply their own threshold."
)
THRESHOLD_FROM: Mapping[str, str] = MappingProxyType(
    {
        "set": (
            "Set by hand, and stored in the run and in the bundle's decision.json. The search set {own}."
        ),
        "payoff": "Implied by the costs of mistakes. The search set {own}.",
        "model": (
            "From the search: costs and threshold are not set. The page Choose shows the cost of "
            "other thresholds."
        ),
    }
)
REFIT = "Train again on all rows first"
REFIT_HELP = (
    "The search held rows out to score its candidates. Without this option, the bundle contains the "
    "model that was scored and timed. With it, the same configuration is trained on those rows too. "
    "This takes about as long as training in the search, and the new model is not scored."
)
GOLDEN = (
    "A bundle contains at least 50 real rows of your table (golden.jsonl). A server uses them to "
    "check itself."
)
MASK, MASK_NONE = "Columns to mask in these rows", "none: the rows are not changed"
MASK_HELP = (
    "Their values are replaced by random values of the same column; predictions are those of the masked rows."
)
TARGET = "Destination: {path}"
BUTTON = "Export and verify"
EXISTS = "{path} exists already: increase the version or change the name."
STEPS: Mapping[str, str] = MappingProxyType(
    {
        "export": "Write the bundle",
        "verify": "Verify the bundle",
        "zip": "Compress it for download",
    }
)
STATES: Mapping[str, str] = MappingProxyType(
    {"waiting": "waiting", "running": "running", "done": "done", "failed": "failed"}
)
RUNNING = "Exporting …"
DONE = "Exported and verified"
FAILED = "The export failed"
LOST = "The export process ended without a result. The log of the app may show the reason."
AGAIN = "Export again"
DOWNLOAD = "Download {name}"
EXPORTED = "Exported from this run"
EXPORTED_WHICH = "Bundle"
EXPORTED_LABEL = "{name} {version} · {when}"
USE = "Use the bundle"
USE_INTRO = "The bundle contains everything that serving needs: no training library, no pickle."
TABS: Mapping[str, str] = MappingProxyType(
    {
        "commands": "Commands",
        "docker": "Container",
        "curl": "curl",
        "python": "Python",
        "javascript": "JavaScript",
        "java": "Java",
    }
)
COMMANDS_NOTE = "The last three lines work with any Python 3.11; training libraries are not needed."
DOCKER_NOTE = "The Dockerfile is in the bundle."
DOCKER_OWN_NOTE = "Put this file next to the bundle folder."
HTTP_NOTE = (
    "For a server started with `workbench serve` or the container. The row is a real row of your table."
)
