"""``workbench demo``: search, choose and export on a sample table, in about a minute."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .candidates import candidate_table, legend, paragraphs
from .command import Command
from .console import Console
from .options import add_setting
from .progress import Progress, stopping
from .text_table import rounded

if TYPE_CHECKING:
    from workbench.api import Run

_SAMPLE = "subscriptions"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", metavar="FOLDER", default="demo", help="the folder to write to; default: demo"
    )
    parser.add_argument("--time", metavar="30s", default="30s", help="wall clock of the search; default: 30s")
    add_setting(parser, "trials", default="none", of="search N candidates instead of for a time")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.automl.operating_system import check_operating_system

    check_operating_system()
    from workbench.data.samples import load_sample
    from workbench.export.checks.verify import verify_bundle

    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    frame, target = load_sample(_SAMPLE)
    data = folder / f"{_SAMPLE}.csv"
    frame.to_csv(data, index=False)
    console.say(f"1. Data: {data}, {len(frame):,} rows, target {target}.")

    bounds = {"time": options.time} if options.trials is None else {"trials": options.trials}
    console.say("2. Search ({}: {}).".format(*next(iter(bounds.items()))))
    run = _search(data, target, bounds, _free(folder, "run"), console)
    front = run.front_rows()
    console.say(paragraphs(run.summary(), candidate_table(front), legend(front)) + "\n")

    choice = run.pick("balanced")
    console.say("3. Pick: balanced.\n   " + "\n   ".join(choice.sentences))
    console.say("4. Export.")
    bundle = run.export(
        choice,
        _free(folder, "bundle"),
        name=_SAMPLE,
        note="The balanced candidate of a short demo.",
        progress=lambda event: console.note(str(event["message"])),
    )
    report = verify_bundle(bundle, isolation="quick")
    console.say("5. Verify:\n" + report.to_text())

    row, answer = _first_answer(bundle)
    console.say("6. One prediction, without any training library:\n   " + _answer_text(answer))
    document = {
        "data": str(data),
        "run": str(run.path),
        "front": [row.to_dict() for row in front],
        "chosen": choice.row.to_dict(),
        "bundle": str(bundle),
        "verified": report.ok,
        "input": row,
        "prediction": answer,
    }
    console.result(document, "\n" + _following(data, target, run.path, bundle))
    return 0 if report.ok else 1


def _search(data: Path, target: str, bounds: dict[str, Any], out: Path, console: Console) -> Run:
    from workbench.api import search

    with Progress(console) as progress, stopping(console) as stop:
        return search(str(data), target, out=out, seed=0, progress=progress, stop=stop, **bounds)


def _free(folder: Path, name: str) -> Path:
    """Return a free path: ``run``, ``run-2``, …, so that a demo can be repeated."""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{name}-{number}"
    return path


def _first_answer(bundle: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the bundle's first golden row and the loaded model's prediction for it."""
    from workbench.api import load

    with (bundle / "golden.jsonl").open(encoding="utf-8") as lines:
        row: dict[str, Any] = json.loads(next(lines))["input"]
    model = load(bundle)
    label = model.predict(row)[0]
    shares = model.predict_proba(row)[0]
    classes = [_plain(each) for each in model.classes_]
    return row, {
        "prediction": _plain(label),
        "probabilities": {str(name): float(share) for name, share in zip(classes, shares, strict=True)},
    }


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _answer_text(answer: dict[str, Any]) -> str:
    shares = ", ".join(f"{name}: {rounded(value)}" for name, value in answer["probabilities"].items())
    return f"{answer['prediction']}  ({shares})"


def _following(data: Path, target: str, run: Path, bundle: Path) -> str:
    from workbench.data.shell_quoting import word
    from workbench.runtime.parameters import option

    return "\n".join(
        [
            "Next:",
            f"  workbench leaderboard {word(run)}",
            f"  workbench predict {word(bundle)} {word(data)} --out {word(data.parent / 'scored.csv')}",
            f"  workbench serve {word(bundle)}",
            f"  workbench app {word(data.parent)}",
            f"  workbench inspect {word(data)} {option('--target', target)}",
            "With your own file:",
            "  workbench search YOUR.csv --target COLUMN --time 5m",
        ]
    )


COMMAND = Command(
    name="demo",
    summary="search, choose and export on a sample table, in about a minute",
    description="Search, front, pick, export, verify and one prediction on a synthetic table of subscriptions; ends "
    "with the commands to try next.",
    example="workbench demo",
    add_options=_add_options,
    run=_run,
    shows_progress=True,
)
