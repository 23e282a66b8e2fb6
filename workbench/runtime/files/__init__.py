"""Tables in files: read in chunks of bounded size in any format, and written atomically."""

from .conversion import opened
from .readers import open_source
from .writers import open_sink

__all__ = ["open_sink", "open_source", "opened"]
