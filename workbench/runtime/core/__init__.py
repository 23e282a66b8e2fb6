"""Values, schema and encoder: a row as it arrives becomes one row of a float32 matrix."""

from .encoder import Encoder
from .schema import Schema

__all__ = ["Encoder", "Schema"]
