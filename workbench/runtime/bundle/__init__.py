"""Bundles: open one, check its files against the manifest, and replay its golden rows.

Importing this package is cheap: ONNX Runtime is loaded when a bundle is opened.
"""

from .bundle import Bundle, open_bundle
from .check import CheckReport, check_bundle

__all__ = ["Bundle", "CheckReport", "check_bundle", "open_bundle"]
