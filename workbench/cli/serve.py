"""``workbench serve``: a bundle answers over HTTP."""

from __future__ import annotations

import argparse

from workbench.runtime.serving.serving_settings import add_serve_options, settings_of

from .command import Command
from .console import Console


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle: a folder or one .zip")
    add_serve_options(parser)


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.runtime.serving.http.server import serve

    return serve(options.bundle, settings_of(options))


COMMAND = Command(
    name="serve",
    summary="answer over HTTP: plain rows, the Open Inference Protocol v2, MLflow's invocations",
    description="Serve a bundle over HTTP until it is told to stop (Ctrl-C or SIGTERM); requests under way "
    "are answered first. It is ready only where the golden rows come out as at export.",
    example="workbench serve bundles/churn --port 8080 --expect churn@1 --max-data-age 90d",
    add_options=_add_options,
    run=_run,
)
