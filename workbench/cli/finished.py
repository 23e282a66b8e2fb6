"""What a finished search shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .candidates import candidate_table, failures, legend, paragraphs
from .console import Console

if TYPE_CHECKING:
    from workbench.api import Run


def show_run(run: Run, console: Console) -> int:
    """Show the run's summary, its front and what to type next; return the exit code."""
    rows, front = run.rows(), run.front_rows()
    path = str(run.path)
    failed = sum(row["status"] != "ok" for row in rows)
    document = {
        "run": path,
        "state": run.info.get("state"),
        "candidates": len(rows),
        "failed": failed,
        "best": rows[0] if rows else None,
        "front": front,
    }
    bundle = f"bundles/{run.path.name}"
    following = [f"workbench export {path} --pick balanced --out {bundle}", f"workbench leaderboard {path}"]
    text = paragraphs(
        run.summary(),
        candidate_table(front) if front else failures(rows),
        legend(front),
        "Next:  " + "\n       ".join(following),
    )
    console.result(document, text)
    return 0 if any(row["status"] == "ok" for row in rows) else 1
