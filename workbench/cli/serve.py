"""``workbench serve``: a bundle over HTTP."""

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
    summary="serve predictions over HTTP: plain rows, Open Inference Protocol v2, MLflow invocations",
    description="Serve a bundle over HTTP until Ctrl-C or SIGTERM; open requests are completed first. The server is "
    "ready only if the golden rows give the same predictions as at export.",
    example="workbench serve bundles/churn --port 8080 --expect churn@1 --max-data-age 90d",
    add_options=_add_options,
    run=_run,
)
