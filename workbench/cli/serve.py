"""``workbench serve``: a bundle answers over HTTP."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console
from .options import port, positive


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle: a folder or one .zip")
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine only")
    parser.add_argument("--port", type=port, default=8080, metavar="N", help="default: 8080")
    parser.add_argument("--workers", type=positive, default=1, metavar="N", help="processes; default: 1")
    parser.add_argument("--log", metavar="FILE", help='where the request log goes, or "off"; default: stderr')
    parser.add_argument("--log-rows", action="store_true", help="log inputs and outputs too")
    parser.add_argument("--max-body", type=positive, metavar="BYTES", help="of a request; default: 10 MB")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.runtime.asgi import MAX_BODY_BYTES
    from workbench.runtime.server import serve

    return serve(
        options.bundle,
        host=options.host,
        port=options.port,
        workers=options.workers,
        log=options.log,
        log_rows=options.log_rows,
        max_body_bytes=options.max_body or MAX_BODY_BYTES,
    )


COMMAND = Command(
    name="serve",
    summary="answer over HTTP: plain rows and the Open Inference Protocol v2",
    description="Serve a bundle over HTTP until it is told to stop (Ctrl-C or SIGTERM); requests under way "
    "are answered first.",
    example="workbench serve bundles/churn --port 8080",
    add_options=_add_options,
    run=_run,
)
