"""Quote names and paths in commands that are printed for users to run.

A path may have blanks, and a column name anything, including ``$(…)``: pasted into a shell, it must
be passed literally.
"""

from __future__ import annotations

import shlex
from pathlib import Path


def word(value: str | Path) -> str:
    """Return a path or a value as one word for a shell.

    Examples
    --------
    >>> print(word("runs/my run"), word(Path("-x")), word("$(id)"))
    'runs/my run' ./-x '$(id)'
    """
    text = str(value)
    return shlex.quote(f"./{text}" if isinstance(value, Path) and text.startswith("-") else text)
