"""Names and paths in a command that is printed for somebody to type: every one of them goes through
here.

A path may hold blanks, and a column's name anything, ``$(…)`` included: pasted into a shell, it has
to arrive as it is.
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
