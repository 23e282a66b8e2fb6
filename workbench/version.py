"""The version of Workbench: the package, its metadata and everything it writes take it from
here.
"""

from __future__ import annotations

__version__ = "0.1.0"
