"""Python programs get the lines of the command line through `logging`."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest

from workbench.automl.progress_lines import logged

EVENTS: list[dict[str, Any]] = [
    {"kind": "data", "message": "1,000 rows"},
    {"kind": "trial", "message": "c0001 linear: 0.9, new best", "status": "ok", "new_best": True},
    {"kind": "trial", "message": "c0002 mlp: 0.8", "status": "ok", "new_best": False},
    {"kind": "trial", "message": "c0003 mlp failed", "status": "failed", "new_best": False},
    {"kind": "done", "message": "2 candidates"},
]


def test_what_happens_is_logged_and_passed_on(caplog: pytest.LogCaptureFixture) -> None:
    passed: list[Any] = []
    with caplog.at_level(logging.DEBUG, logger="workbench"):
        progress = logged(passed.append)
        for event in EVENTS:
            progress(event)
    assert passed == EVENTS
    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        ("INFO", "1,000 rows"),
        ("INFO", "c0001 linear: 0.9, new best"),
        ("DEBUG", "c0002 mlp: 0.8"),
        ("INFO", "c0003 mlp failed"),
        ("INFO", "3 candidates so far: 2 complete, 1 failed"),
        ("INFO", "2 candidates"),
    ]


@pytest.mark.parametrize(
    ("configure", "printed"), [("pass", ""), ("logging.basicConfig(level='INFO')", "INFO:workbench:hi\n")]
)
def test_nothing_is_printed_until_logging_is_configured(configure: str, printed: str) -> None:
    code = (
        f"import logging\n{configure}\nfrom workbench.automl.progress_lines import logged\n"
        "logged(None)({'kind': 'data', 'message': 'hi'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == printed and done.stdout == ""
