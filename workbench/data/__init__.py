"""Turn a file or data frame into a `Dataset`: read it, infer its columns, check, split and
fingerprint it.

`load_dataset` does this for a search. `inspect_data` reports what it would do, with findings.
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
