"""The output of a finished search."""

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
    """Print the run's summary, its front and the next commands; return the exit code."""
    from workbench.data.shell_quoting import word

    rows = run.rows()
    front = [row for row in rows if row.on_front]
    path = str(run.path)
    failed = sum(row.status != "ok" for row in rows)
    limits = run.limits()
    within = [row for row in rows if limits.meets(row)]
    document: dict[str, Any] = {
        "run": path,
        "state": run.info.get("state"),
        "candidates": len(rows),
        "failed": failed,
        "best": within[0].to_dict() if within else None,
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
    """Return the reason that a run's front is empty."""
    from workbench.data.shell_quoting import word

    scored = [row for row in rows if row.status == "ok" and row.score is not None]
    if not scored:
        why = "No candidate has a score."
    elif any(row.quiet for row in scored):
        why = "No candidate is within the limits."
    else:
        why = (
            "No candidate is on the front yet: it is computed at the end of a search, after measuring with "
            f"nothing else running. workbench resume {word(Path(run))} continues."
        )
    return f"{why} workbench leaderboard {word(Path(run))} lists all candidates."
