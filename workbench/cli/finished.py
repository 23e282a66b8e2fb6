"""What a finished search shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .candidates import candidate_table, failures, legend, paragraphs
from .console import Console

if TYPE_CHECKING:
    from workbench.api import Run
    from workbench.tradeoff import LeaderboardRow


def show_run(run: Run, console: Console) -> int:
    """Show the run's summary, its front and what to type next; return the exit code."""
    from workbench.data.shell_quoting import word

    rows = run.rows()
    front = [row for row in rows if row.on_front]
    path = str(run.path)
    failed = sum(row.status != "ok" for row in rows)
    limits = run.limits()
    kept = [row for row in rows if limits.meets(row)]
    document: dict[str, Any] = {
        "run": path,
        "state": run.info.get("state"),
        "candidates": len(rows),
        "failed": failed,
        "best": kept[0].to_dict() if kept else None,
        "front": [row.to_dict() for row in front],
    }
    choice = run.pick() if front else None
    document["chosen"] = choice.row.to_dict() if choice else None
    lead = f"Choice ({choice.how}): " + "\n".join([*choice.sentences, *choice.warnings]) if choice else ""
    typed, bundle = word(run.path), Path("bundles", run.path.name)
    following = [f"workbench leaderboard {typed}"]
    if front:
        following.insert(0, f"workbench export {typed} --out {word(bundle)}")
        following.insert(0, f"workbench decide {typed}")
    text = paragraphs(
        run.summary(),
        lead,
        candidate_table(front)
        if front
        else paragraphs(failures(rows, console.flagged), why_empty(rows, run.path)),
        legend(front),
        "Next:  " + "\n       ".join(following),
    )
    console.result(document, text)
    return 0 if any(row.status == "ok" for row in rows) else 1


def why_empty(rows: Sequence[LeaderboardRow], run: str | Path) -> str:
    """Say why a run's front is empty."""
    from workbench.data.shell_quoting import word

    scored = [row for row in rows if row.status == "ok" and row.score is not None]
    if not scored:
        why = "No candidate has a score."
    elif any(row.quiet for row in scored):
        why = "No candidate keeps the search's limits."
    else:
        why = (
            "No candidate is on the front yet: it is drawn at the end of a search, when each is measured with "
            f"nothing else running. workbench resume {word(Path(run))} goes on."
        )
    return f"{why} workbench leaderboard {word(Path(run))} shows all of them."
