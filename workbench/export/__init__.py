"""A choice becomes a bundle: the artifact that was measured, held against its library, written, and verified."""

from .verify import Check, VerifyReport, verify_bundle
from .write import export_bundle

__all__ = ["Check", "VerifyReport", "export_bundle", "verify_bundle"]
