"""A file or frame becomes a `Dataset`: read, understood column by column, judged, split and fingerprinted.

`load_dataset` is the step's verb; `inspect_data` says what it would do, and what a person should know before a search.
"""

from .dataset import Dataset, Finding
from .fingerprint import fingerprint
from .inspect import Inspection, inspect_data
from .intake import load_dataset
from .reading.read import read_table
from .table import Table

__all__ = [
    "Dataset",
    "Finding",
    "Inspection",
    "Table",
    "fingerprint",
    "inspect_data",
    "load_dataset",
    "read_table",
]
