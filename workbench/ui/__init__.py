"""The Streamlit app: view runs, choose a candidate on the front, export it.

This is the only folder that depends on Streamlit. `pages` has one file per page, `panels` the parts
of pages, `texts` all strings. Pages render and do not compute, so a script can do everything with
the same public functions. Importing this package does not import Streamlit.
"""

from __future__ import annotations

from .launch import launch

__all__ = ["launch", "main"]


def main() -> None:
    """Run the app in a Streamlit script; its argument is the runs folder (default ``runs``)."""
    import sys

    from .files.folders import workspace_from_arguments
    from .page_frame import show

    show(workspace_from_arguments(sys.argv[1:]))
