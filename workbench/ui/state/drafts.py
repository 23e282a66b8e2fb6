"""A table in preparation with the answers about it, stored on disk to survive a reload.

The address of the pages Data and Goal has a random token. The draft is stored in a folder named by
the hash of the token, so that a folder listing does not reveal the token. It is removed with the
upload, a day after its last use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from workbench.runtime.files.atomic_write import write_atomically

from ..files.uploads import Source, session_folder

DRAFT_FILE, ANSWERS_FILE = "draft.json", "answers.json"
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Draft:
    """A table in preparation for a search.

    Attributes
    ----------
    original, source : Source
        The table as uploaded, and as it is read.
    target : str
    drop : tuple of str
    kinds : mapping of str to str
        Columns with a corrected kind: "number", "category", "text" or "date".
    encoding : str
        Encoding of a text file; empty detects it.
    """

    original: Source
    source: Source
    target: str = ""
    drop: tuple[str, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""

    @classmethod
    def of(cls, source: Source) -> Draft:
        """Return the draft of a new table."""
        return cls(source, source)

    @property
    def said_kinds(self) -> tuple[tuple[str, str], ...]:
        """Columns with their corrected kind, in a fixed order."""
        return tuple(sorted(self.kinds.items()))


def is_token(text: str) -> bool:
    """Return whether a text is a valid token.

    Examples
    --------
    >>> is_token("0" * 32), is_token("../runs")
    (True, False)
    """
    return _TOKEN.fullmatch(text) is not None


def save_draft(own: Path, token: str, draft: Draft | None) -> None:
    """Store a draft under a token; None removes it."""
    path = session_folder(own, token) / DRAFT_FILE
    if draft is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(asdict(draft), default=str))


def load_draft(own: Path, token: str) -> Draft | None:
    """Return the draft of a token, or None if there is none or its table is missing."""
    document = _read(session_folder(own, token) / DRAFT_FILE)
    try:
        known = {each.name for each in fields(Draft)}
        values: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in document.items() if key in known
        }
        for name in ("original", "source"):
            kept = values[name]
            values[name] = Source(Path(kept["path"]), str(kept["name"]), str(kept["digest"]))
        draft = Draft(**values)
    except (KeyError, TypeError, AttributeError):
        return None
    return draft if draft.source.path.is_file() and draft.original.path.is_file() else None


def save_answers(own: Path, token: str, answers: Mapping[str, Any]) -> None:
    """Store the answers of the page Goal."""
    path = session_folder(own, token) / ANSWERS_FILE
    if _read(path) != dict(answers):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(dict(answers)))


def load_answers(own: Path, token: str) -> dict[str, Any]:
    """Return the stored answers of the page Goal."""
    return _read(session_folder(own, token) / ANSWERS_FILE)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
