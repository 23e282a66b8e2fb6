"""Export a choice as a bundle, and verify, list and compare bundles.

The names below are imported on first use, so that listing bundles does not import the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .catalog import list_bundles, next_version
    from .checks.verify import Check, VerifyReport, verify_bundle
    from .write import export_bundle

__all__ = ["Check", "VerifyReport", "export_bundle", "list_bundles", "next_version", "verify_bundle"]

_HOMES = {
    "Check": "checks.verify",
    "VerifyReport": "checks.verify",
    "verify_bundle": "checks.verify",
    "export_bundle": "write",
    "list_bundles": "catalog",
    "next_version": "catalog",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
