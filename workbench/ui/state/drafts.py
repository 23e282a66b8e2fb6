"""A table being prepared and what was answered about it, kept on disk: a reload of the page loses neither.

The address of the pages Data and Goal carries a random token. What belongs to it lies in the folder
named by the token's hash, so that a listing of folders does not reveal the token, and is removed
with the upload, a day after its last use.
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
    """A table that is being prepared for a search.

    Attributes
    ----------
    original, source : Source
        As it came, and as it is read.
    target : str
    drop : tuple of str
    kinds : mapping of str to str
        Columns that are read as another kind: "number", "category", "text" or "date".
    encoding : str
        Of a text file; empty finds it out.
    """

    original: Source
    source: Source
    target: str = ""
    drop: tuple[str, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""

    @classmethod
    def of(cls, source: Source) -> Draft:
        """Return the draft of a table that just came."""
        return cls(source, source)

    @property
    def said_kinds(self) -> tuple[tuple[str, str], ...]:
        """Columns and what they are read as, in a fixed order."""
        return tuple(sorted(self.kinds.items()))


def is_token(text: str) -> bool:
    """Tell whether a text can be a token: anything else in an address counts as none.

    Examples
    --------
    >>> is_token("0" * 32), is_token("../runs")
    (True, False)
    """
    return _TOKEN.fullmatch(text) is not None


def save_draft(own: Path, token: str, draft: Draft | None) -> None:
    """Keep a draft under a token; None forgets it."""
    path = session_folder(own, token) / DRAFT_FILE
    if draft is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(asdict(draft), default=str))


def load_draft(own: Path, token: str) -> Draft | None:
    """Return the draft that is kept under a token, or None where there is none or its table is gone."""
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
    """Keep what was answered on the page Goal."""
    path = session_folder(own, token) / ANSWERS_FILE
    if _read(path) != dict(answers):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(dict(answers)))


def load_answers(own: Path, token: str) -> dict[str, Any]:
    """Return what was answered on the page Goal; empty where nothing was."""
    return _read(session_folder(own, token) / ANSWERS_FILE)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
