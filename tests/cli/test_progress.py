"""The live bar, the plain lines, and Ctrl-C."""

from __future__ import annotations

import io
import signal
from pathlib import Path

import pytest

from workbench.cli.console import Console
from workbench.cli.progress import Progress, RowProgress, stopping


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def event(kind: str, message: str, **more: object) -> dict[str, object]:
    return {"kind": kind, "message": message, "elapsed_s": 30.0, "budget_s": 60.0, "trials": 2, **more}


def test_a_terminal_gets_a_bar_and_keeps_what_matters() -> None:
    console = Console(io.StringIO(), Terminal())
    with Progress(console) as progress:
        progress(event("finding", "it alone predicts the target", column="alive"))
        progress(
            event("trial", "c0001 first", status="ok", best_score=0.9, best_family="linear", new_best=True)
        )
        progress(event("trial", "c0003 ok", status="ok", best_score=0.9, best_family="linear"))
        progress(event("trial", "c0002 lightgbm failed at fit", status="failed", failed=1))
    text = console.err.getvalue()  # type: ignore[attr-defined]
    assert "50%|" in text
    assert "best 0.9000 linear" in text
    assert "column 'alive': it alone predicts the target" in text
    assert "c0002 lightgbm failed at fit" in text
    assert "c0001 first" in text and "c0003 ok" not in text
    assert console.out.getvalue() == ""  # type: ignore[attr-defined]


@pytest.mark.parametrize("debug", ["0", "1"])
def test_a_traceback_is_shown_where_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, debug: str
) -> None:
    monkeypatch.setenv("WORKBENCH_DEBUG", debug)
    (tmp_path / "traceback.txt").write_text("Traceback (most recent call last):\n  in fit\nValueError: odd\n")
    console = Console(io.StringIO(), io.StringIO())
    with Progress(console) as progress:
        failed = event("trial", "c0002 failed", status="failed", traceback=str(tmp_path / "traceback.txt"))
        progress(failed)
    lines = console.err.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "[30 s] c0002 failed"
    assert lines[1:] == (
        ["Traceback (most recent call last):", "  in fit", "ValueError: odd"] if debug == "1" else []
    )


def test_a_bar_over_candidates_where_no_time_is_set() -> None:
    console = Console(io.StringIO(), Terminal())
    with Progress(console) as progress:
        progress({"kind": "trial", "message": "c0001", "status": "ok", "trials": 3, "trials_budget": 4})
    assert " 75%|" in console.err.getvalue()  # type: ignore[attr-defined]


def test_a_log_gets_each_event_once() -> None:
    console = Console(io.StringIO(), io.StringIO())
    with Progress(console) as progress:
        for _ in range(3):
            progress(event("phase", "measuring\x1b[2J\nthe front"))
    assert console.err.getvalue() == "[30 s] measuring\\x1b[2J the front\n"  # type: ignore[attr-defined]


def test_scoring_a_file_draws_a_bar_too() -> None:
    console = Console(io.StringIO(), Terminal())
    with RowProgress(console) as progress:
        progress(8192, 0.25)
    assert "25%|" in console.err.getvalue()  # type: ignore[attr-defined]
    assert "8,192 rows" in console.err.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_ctrl_c_stops_and_the_handler_comes_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    console = Console(io.StringIO(), io.StringIO())
    with pytest.raises(KeyboardInterrupt), stopping(console) as stop:
        signal.raise_signal(number)
        assert stop()
        signal.raise_signal(number)
    assert signal.getsignal(number) is before
    assert console.err.getvalue().count("\n") == 1  # type: ignore[attr-defined]


EVENTS = [
    event("trial", "c0001 linear: 0.9, new best", status="ok", new_best=True),
    event("trial", "c0002 mlp stopped early", status="stopped", new_best=False),
    event("trial", "c0003 mlp: 0.8", status="ok", new_best=False),
    event("phase", "building ensembles"),
    event("phase", "measuring the front"),
]


@pytest.mark.parametrize(
    ("verbosity", "lines"),
    [
        (-1, []),
        (
            0,
            [
                "c0001 linear: 0.9, new best",
                "3 candidates so far: 2 complete, 1 stopped early",
                "building ensembles",
                "measuring the front",
            ],
        ),
        (
            1,
            [
                "c0001 linear: 0.9, new best",
                "c0002 mlp stopped early",
                "c0003 mlp: 0.8",
                "3 candidates so far: 2 complete, 1 stopped early",
                "building ensembles",
                "measuring the front",
            ],
        ),
    ],
)
def test_what_mattered_is_printed_and_details_on_request(verbosity: int, lines: list[str]) -> None:
    console = Console(io.StringIO(), io.StringIO(), verbosity=verbosity)
    with Progress(console) as progress:
        for each in EVENTS:
            progress(each)
    assert console.err.getvalue().splitlines() == [f"[30 s] {line}" for line in lines]  # type: ignore[attr-defined]


def test_a_quiet_console_writes_errors_and_documents_alone() -> None:
    for as_json in (False, True):
        console = Console(io.StringIO(), io.StringIO(), as_json, verbosity=-1)
        console.say("working"), console.note("a warning"), console.result({"rows": 3}, "3 rows")
        with RowProgress(console, clock=iter([0.0, 40.0]).__next__) as progress:
            progress(8192, 0.3)
        assert console.err.getvalue() == ""  # type: ignore[attr-defined]
        assert bool(console.out.getvalue()) == as_json  # type: ignore[attr-defined]
        console.error("no such file")
        assert console.err.getvalue() == "workbench: error: no such file\n"  # type: ignore[attr-defined]
