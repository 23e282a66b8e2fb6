"""What a bundle says of itself: ``manifest.json``, and the check that the folder agrees with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..core.encoder import Encoder, Pair
from ..core.json_documents import dump_json, read_json
from ..core.schema import Label
from ..core.typed_json import read_record
from ..errors import BundleFormatError, shown
from .manifest_records import Latency, Lineage, Metric, Price, TrainingData

FORMAT_VERSION = 2
"""The newest version of the bundle's layout that is read here; a ``manifest.json`` names the oldest that will do.

1. the first
2. pairs of columns among the encoder's derived columns

Raise it when a runtime of the present version would misread or refuse what is written: a file or key that it needs is
gone, renamed or means something else, an encoder step or derived column is new, or the model's inputs or outputs
change. Do not raise it for a new optional key or file: readers pass over keys that they do not know.

Whoever raises it (1) keeps reading the older version here, in `Manifest.from_json`, by turning the old document into a
new one, (2) keeps a bundle of the older version under ``tests/`` and a test that opens it, and (3) says so in the
changelog. A runtime refuses versions above its own with `BundleFormatError`.
"""

_PAIRS_SINCE = 2

__all__ = [
    "FORMAT_VERSION",
    "GOLDEN_FILE",
    "LOAD_TEST_FILE",
    "MANIFEST_FILE",
    "RUNTIME_FOLDER",
    "SIGNATURE_FILE",
    "Latency",
    "Lineage",
    "Manifest",
    "Metric",
    "Price",
    "TrainingData",
    "format_needed",
]

MANIFEST_FILE = "manifest.json"
SIGNATURE_FILE = "manifest.json.sig"
GOLDEN_FILE = "golden.jsonl"
RUNTIME_FOLDER = "runtime"
LOAD_TEST_FILE = "load_test.json"  # what `workbench load-test` keeps beside the listed files


def format_needed(encoder: Encoder) -> int:
    """Return the oldest format version that has all that an encoder needs: whoever can read a bundle, may.

    Examples
    --------
    >>> format_needed(Encoder((), ()))
    1
    """
    return _PAIRS_SINCE if any(isinstance(each, Pair) for each in encoder.derived) else 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of ``manifest.json``.

    Attributes
    ----------
    name, version : str
        Of the model; the names under which it is served.
    model_id : str
        `model_digest` of the bundle: equal models, equal id.
    created : str
        ISO 8601, UTC.
    task : {"binary", "multiclass", "regression"}
    target : str
    classes : tuple
        Empty for regression.
    metric : Metric
    latency : Latency or None
        None where it was not measured.
    cpu_us_per_row : float or None
        CPU microseconds of one row.
    price : Price or None
    data : TrainingData
    lineage : Lineage
    libraries : mapping of str to str
        Versions of what trained and exported the model.
    files : mapping of str to str
        The sha256 of every other file, by its path relative to the bundle.
    omitted : mapping of str to str
        Files that a bundle usually has and this one has not, each with the reason.
    format_version : int

    Examples
    --------
    >>> manifest = Manifest("churn", "1", "ab12", "2026-01-31T12:00:00Z", "regression", "fare", (),
    ...                     Metric("r2", 0.9), TrainingData("c0ffee", 100), Lineage("run", "c0001", "linear"))
    >>> Manifest.from_json(manifest.to_json()) == manifest
    True
    """

    name: str
    version: str
    model_id: str
    created: str
    task: str
    target: str
    classes: tuple[Label, ...]
    metric: Metric
    data: TrainingData
    lineage: Lineage
    latency: Latency | None = None
    cpu_us_per_row: float | None = None
    price: Price | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    omitted: Mapping[str, str] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``manifest.json``, the format version first."""
        document = asdict(self)
        document["classes"] = list(self.classes)
        return {"format_version": document.pop("format_version"), **document}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Manifest:
        """Read the content of ``manifest.json``; keys that this version does not know are passed over.

        Raises
        ------
        BundleFormatError
            Where the document is of a newer format version, or of none.
        TamperedBundleError
            Where a key is missing or of another type.
        """
        version = document.get("format_version")
        if type(version) is not int or version < 1:
            raise BundleFormatError(
                "manifest.json names no format version",
                found=shown(version),
                expected=f"1 to {FORMAT_VERSION}",
            )
        if version > FORMAT_VERSION:
            raise BundleFormatError(
                "the bundle is of a newer format than this runtime reads",
                found=f"version {version}",
                expected=f"at most {FORMAT_VERSION}",
                hint="Use the runtime inside the bundle (python -m runtime), or a newer workbench.",
            )
        manifest: Manifest = read_record(cls, document)
        return manifest

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest of a bundle folder.

        Raises
        ------
        BundleError
            Where there is none, or it cannot be read.
        """
        return cls.from_json(read_json(folder / MANIFEST_FILE, once=True))

    def write(self, folder: Path) -> None:
        """Write the manifest into a bundle folder."""
        (folder / MANIFEST_FILE).write_text(dump_json(self.to_json()), encoding="utf-8")
