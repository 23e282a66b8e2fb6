"""``workbench export``: a choice becomes a bundle."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console
from .options import add_limits, add_pick, add_run, add_terms, add_threshold, said


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    add_pick(parser)
    add_threshold(parser)
    parser.add_argument("--out", metavar="BUNDLE", required=True, help="a folder to make, or a .zip")
    add_limits(parser, of="on the choice; default: as decided, else those of the search")
    add_terms(parser)
    group = parser.add_argument_group("name and note")
    group.add_argument("--name", metavar="NAME", help="the model's name; default: the run's")
    group.add_argument(
        "--version",
        metavar="V",
        help="the model's version; default: the next free one in the folder of BUNDLE",
    )
    group.add_argument("--note", metavar="TEXT", help="the reason for the choice, stored in decision.json")
    group.add_argument("--by", metavar="WHO", help="who decided; default: the user of this process")
    extras = parser.add_argument_group("optional contents")
    extras.add_argument(
        "--code",
        metavar="LANGUAGES",
        action="append",
        help="the scorer as source code: python, c, java, javascript or sql, separated by commas; for linear and small "
        "tree models without free text",
    )
    extras.add_argument(
        "--golden",
        metavar="real|masked:COL,…",
        default="real",
        help="golden.jsonl contains real rows; masked draws the values of those columns anew; default: real",
    )
    extras.add_argument(
        "--hashes",
        action="store_true",
        help="ask pip's package index for the hashes of requirements.txt, if Workbench does not ship them",
    )
    extras.add_argument("--sign", metavar="KEY", help="sign the manifest with this Ed25519 private key (PEM)")
    parser.add_argument(
        "--refit",
        action="store_true",
        help="first train the choice again on all rows, if the search held some out; default: the measured model",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing bundle")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.api import open_run
    from workbench.data.shell_quoting import word

    run = open_run(options.run)
    choice = run.pick(options.pick, **said(options))
    for warning in choice.warnings:
        console.note(f"warning: {warning}")
    wanted = {key: getattr(options, key) for key in ("name", "version", "note", "by")}
    bundle = run.export(
        choice,
        options.out,
        overwrite=options.overwrite,
        golden=options.golden,
        hashes=options.hashes,
        code=[each.strip() for given in options.code or () for each in given.split(",")],
        sign=options.sign,
        refit=options.refit,
        progress=lambda event: console.note(str(event["message"])),
        **{key: value for key, value in wanted.items() if value is not None},
    )
    document = {
        "bundle": str(bundle),
        "run": str(run.path),
        "chosen": choice.row.to_dict(),
        "threshold": choice.terms.threshold if choice.terms else None,
        "refit": options.refit,
        "sentences": list(choice.sentences),
        "warnings": list(choice.warnings),
    }
    typed = word(bundle)
    following = f"Next:  workbench verify {typed}\n       workbench serve {typed}"
    console.result(document, "\n".join([*choice.sentences, f"Written to {bundle}", "", following]))
    return 0


COMMAND = Command(
    name="export",
    summary="pick a candidate and write it as a bundle",
    description="Pick a candidate and write the measured artifact as a bundle: a folder that serves without any "
    "training library. Nothing is trained, unless --refit is given.",
    example="workbench export runs/churn --pick balanced --max-latency 5ms --out bundles/churn",
    add_options=_add_options,
    run=_run,
    shows_progress=True,
)
