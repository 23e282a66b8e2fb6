"""Media types of requests and responses: JSON, CSV, JSON lines."""

from __future__ import annotations

from typing import Literal

Kind = Literal["json", "csv", "jsonlines"]

_KINDS: dict[str, Kind] = {
    "": "json",
    "application/json": "json",
    "text/csv": "csv",
    "application/csv": "csv",
    "application/jsonlines": "jsonlines",
    "application/x-jsonlines": "jsonlines",
    "application/jsonl": "jsonlines",
    "application/x-ndjson": "jsonlines",
}
CONTENT_TYPES: dict[Kind, bytes] = {
    "json": b"application/json",
    "csv": b"text/csv; charset=utf-8",
    "jsonlines": b"application/jsonlines",
}
_UTF8 = ("utf-8", "utf8", "us-ascii", "ascii")


def media_type(content_type: bytes) -> tuple[Kind, dict[str, str]] | None:
    """Return the kind and the parameters of a body, or None if its type is not supported.

    Unknown parameters are ignored; a character set other than UTF-8 is not supported.

    Examples
    --------
    >>> media_type(b"text/csv; charset=utf-8; header=absent")
    ('csv', {'charset': 'utf-8', 'header': 'absent'})
    >>> media_type(b""), media_type(b"text/csv; charset=latin-1")
    (('json', {}), None)
    """
    kind, *rest = (part.strip().lower() for part in content_type.decode("latin-1").split(";"))
    pairs = (part.partition("=") for part in rest if part)
    parameters = {name.strip(): value.strip(" \"'") for name, _, value in pairs}
    if kind not in _KINDS or parameters.get("charset", "utf-8") not in _UTF8:
        return None
    return _KINDS[kind], parameters


def accepted(accept: bytes) -> Kind:
    """Return the kind of response that a caller prefers; JSON if it accepts none of ours.

    Examples
    --------
    >>> accepted(b"text/csv"), accepted(b"text/html, application/jsonlines;q=0.5, */*;q=0.1"), accepted(b"")
    ('csv', 'jsonlines', 'json')
    """
    best: tuple[float, Kind] = (0.0, "json")
    for part in accept.decode("latin-1").lower().split(","):
        name, *rest = (piece.strip() for piece in part.split(";"))
        kind = "json" if name in ("*/*", "application/*") else _KINDS.get(name) if name else None
        weight = next((each[2:] for each in rest if each.startswith("q=")), "1")
        try:
            quality = float(weight)
        except ValueError:
            quality = 0.0
        if kind is not None and quality > best[0]:
            best = (quality, kind)
    return best[1]
