"""Write YAML that every reader takes: blocks for objects and lists, scalars as JSON writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"])


def dump_yaml(document: Mapping[str, Any], head: str = "") -> str:
    """Return a YAML document; `head` becomes comment lines above it.

    Examples
    --------
    >>> print(dump_yaml({"kind": "Service", "ports": [{"port": 80}], "labels": {}}, head="Made."), end="")
    # Made.
    kind: "Service"
    ports:
      - port: 80
    labels: {}
    """
    comments = [f"# {line}".rstrip() for line in head.splitlines()]
    return "\n".join([*comments, *_block(document, 0)]) + "\n"


def dump_all(documents: Sequence[Mapping[str, Any]], head: str = "") -> str:
    """Return several YAML documents in one text."""
    parts = [dump_yaml(document, head if not at else "") for at, document in enumerate(documents)]
    return "---\n".join(parts)


def _block(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    blank = "  " * depth
    for key, entry in value.items():
        name = key if _PLAIN_KEY.fullmatch(key) and key.lower() not in _WORDS else _scalar(key)
        if isinstance(entry, Mapping) and entry:
            yield f"{blank}{name}:"
            yield from _block(entry, depth + 1)
        elif isinstance(entry, list | tuple) and entry:
            yield f"{blank}{name}:"
            for each in entry:
                yield from _item(each, depth + 1)
        else:
            yield f"{blank}{name}: {_scalar(entry)}"


def _item(value: Any, depth: int) -> Iterator[str]:
    blank = "  " * depth
    if isinstance(value, Mapping) and value:
        first, *rest = _block(value, depth + 1)
        yield f"{blank}- {first.lstrip()}"
        yield from rest
    else:
        yield f"{blank}- {_scalar(value)}"


def _scalar(value: Any) -> str:
    # every JSON value is YAML; characters beyond ASCII are escaped, since some of them end a line in YAML
    return json.dumps(value, ensure_ascii=True, allow_nan=False)
