"""The state of a run as a badge."""

from __future__ import annotations

from workbench.display.numbers import plain
from workbench.ui.texts.general import STATES


def badge(state: str) -> str:
    """Return Markdown for a state; an unknown state is grey.

    Examples
    --------
    >>> badge("done"), badge("odd")
    (':green-badge[done]', ':gray-badge[odd]')
    """
    words, colour = STATES.get(state, (plain(state), "gray"))
    return f":{colour}-badge[{words}]"
