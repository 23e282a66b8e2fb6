"""A bundle: its manifest, the archive that it may come in, its golden rows, and the check that it is whole."""

from .bundle import Bundle, open_bundle

__all__ = ["Bundle", "open_bundle"]
