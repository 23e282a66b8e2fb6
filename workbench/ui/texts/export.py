"""The page that turns a choice into a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INTRO = "The chosen model, as it was measured, is written as a bundle, and checked."
GO_CHOOSE = "Go to the front"
NAME = "Name"
NAME_HELP = "The name under which the model is served. Letters, digits, dot, underscore, hyphen."
VERSION = "Version"
VERSION_HELP = "Letters, digits, dot, underscore, hyphen."
BY = "Who decides"
BY_LOGIN = "From your log-in."
NOTE = "Why this one"
NOTE_HELP = "Kept in the bundle's decision.json, for whoever asks later."
THRESHOLD = "Answer “{yes}” from this probability on (%)"
THRESHOLD_HELP = (
    "The exported model answers so, everywhere it runs. It also gives the probability, so that "
    "whoever calls it can decide differently."
)
THRESHOLD_FROM: Mapping[str, str] = MappingProxyType(
    {
        "set": ("Set by hand and kept in the run and in the bundle's decision.json. The search set {own}."),
        "payoff": "As the costs of mistakes imply. The search set {own}.",
        "model": (
            "As the search set it: nobody has given costs or a threshold. Choose shows what another "
            "one costs."
        ),
    }
)
REFIT = "Train again on all rows first"
REFIT_HELP = (
    "The search held rows out to score its candidates. Without this, the bundle holds the very "
    "model that was scored and timed. With it, the same config is trained on those rows too, which "
    "takes as long as its fits did in the search; nobody has scored that model."
)
GOLDEN = "A bundle holds at least 50 real rows of your table (golden.jsonl), by which a server checks itself."
MASK, MASK_NONE = "Columns to mask in those rows", "none: the rows stay as they are"
MASK_HELP = (
    "Their values are drawn anew, each column by itself, from what the table holds; predictions are "
    "those of the masked rows."
)
TARGET = "Goes to {path}"
BUTTON = "Export and verify"
EXISTS = "{path} is there already: raise the version or change the name."
STEPS: Mapping[str, str] = MappingProxyType(
    {
        "export": "Write the bundle",
        "verify": "Check the bundle",
        "zip": "Pack it for download",
    }
)
STATES: Mapping[str, str] = MappingProxyType(
    {"waiting": "waiting", "running": "at work", "done": "done", "failed": "failed"}
)
RUNNING = "Exporting …"
DONE = "Exported and checked"
FAILED = "The export did not succeed"
LOST = "The export's process ended without a result; the terminal that the app runs in may say why."
AGAIN = "Export another"
DOWNLOAD = "Download {name}"
EXPORTED = "Exported from this run"
EXPORTED_WHICH = "Bundle"
EXPORTED_LABEL = "{name} {version} · {when}"
USE = "Hand it over"
USE_INTRO = "Everything in the bundle is needed, and nothing else: no training library, no pickle."
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
COMMANDS_NOTE = "The last three lines work anywhere with Python 3.11: nothing of the training side is needed."
DOCKER_NOTE = "The Dockerfile lies in the bundle."
DOCKER_OWN_NOTE = "Put this file beside the bundle's folder."
HTTP_NOTE = "Against a server started by `workbench serve` or the container; the row is a real one."
