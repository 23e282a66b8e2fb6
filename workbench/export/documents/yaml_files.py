"""YAML files of a bundle, written by PyYAML so that readers of YAML 1.1 and 1.2 parse them
alike.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, ClassVar

import yaml

_NUMERIC_START = frozenset("+-.0123456789")
_BOOLEAN_LETTERS = frozenset("yYnN")


def _represent_str(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Quote what only another reader takes for a number or boolean: `1e5` in YAML 1.2, `y` in
    Kubernetes.
    """
    ambiguous = text[:1] in _NUMERIC_START or text in _BOOLEAN_LETTERS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if ambiguous else None)


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
    """Indent lists below their key, and write a repeated object in full instead of as an alias."""

    yaml_representers: ClassVar = {**yaml.SafeDumper.yaml_representers, str: _represent_str}

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def dump_yaml(*documents: Mapping[str, Any], head: str = "") -> str:
    """Return one or more YAML documents as text.

    Parameters
    ----------
    *documents : mapping
    head : str
        Lines of a comment above the first document.

    Examples
    --------
    >>> print(dump_yaml({"kind": "Service", "ports": [{"port": 80}], "labels": {}}, head="Made."), end="")
    # Made.
    kind: Service
    ports:
      - port: 80
    labels: {}
    """
    comment = "".join(f"# {line}".rstrip() + "\n" for line in head.splitlines())
    # PyYAML escapes characters beyond ASCII, since some of them end a line in YAML
    body: str = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, width=sys.maxsize)
    return comment + body
