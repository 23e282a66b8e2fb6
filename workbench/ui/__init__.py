"""The app: look at runs, choose a candidate on the front, export it.

The only folder that knows Streamlit. One file per page in `pages`; the words of all of them in
`texts`; charts are functions from leaderboard rows to figures; pages render and do not compute.
Whatever a page does, a script can do with the same public functions. Importing this package does
not import Streamlit.
"""

from __future__ import annotations

from .launch import launch

__all__ = ["launch", "main"]


def main() -> None:
    """Run the app inside a Streamlit script; the runs folder is the script's first argument (default ``runs``)."""
    import sys

    from .files.folders import workspace_from_arguments
    from .page_frame import show

    show(workspace_from_arguments(sys.argv[1:]))
