"""The manifest of a bundle, ``manifest.json``, and the version of the bundle's format."""

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
"""The newest format version that this runtime reads.

A ``manifest.json`` names the oldest version that has all features of the bundle.

1. the first version
2. pairs of columns among the encoder's derived columns

Raise the version if a runtime of the present version would misread or refuse the new bundle: a file
or key that it needs is removed, renamed or changes its meaning, an encoder step or derived column
is new, or the model's inputs or outputs change. Do not raise it for a new optional key or file,
since readers ignore unknown keys.

A change that raises the version also (1) reads the older version, by converting the old document in
`Manifest.from_json`, (2) adds a bundle of the older version under ``tests/`` and a test that opens
it, and (3) has an entry in the changelog. A runtime refuses later versions with
`BundleFormatError`.
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
LOAD_TEST_FILE = "load_test.json"  # written by `workbench load-test`, not listed


def format_needed(encoder: Encoder) -> int:
    """Return the oldest format version that has all features of an encoder.

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
        Name and version of the model, as served.
    model_id : str
        `listed_files.model_digest` of the bundle: equal models have equal ids.
    created : str
        ISO 8601, UTC.
    task : {"binary", "multiclass", "regression"}
    target : str
    classes : tuple
        Empty for regression.
    metric : Metric
    latency : Latency or None
        None if it was not measured.
    cpu_us_per_row : float or None
        CPU microseconds of one row.
    price : Price or None
    data : TrainingData
    lineage : Lineage
    libraries : mapping of str to str
        Versions of the libraries that trained and exported the model.
    files : mapping of str to str
        The sha256 of every other file, by its path relative to the bundle.
    omitted : mapping of str to str
        Files that a bundle usually has but this one lacks, each with the reason.
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
        """Read the content of ``manifest.json``; unknown keys are ignored.

        Raises
        ------
        BundleFormatError
            If the format version is missing or newer than `FORMAT_VERSION`.
        TamperedBundleError
            If a key is missing or of another type.
        """
        version = document.get("format_version")
        if type(version) is not int or version < 1:
            raise BundleFormatError(
                "manifest.json: key 'format_version'",
                found=shown(version),
                expected=f"1 to {FORMAT_VERSION}",
            )
        if version > FORMAT_VERSION:
            raise BundleFormatError(
                "the bundle has a newer format than this runtime reads",
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
            If the manifest is missing or cannot be read.
        """
        return cls.from_json(read_json(folder / MANIFEST_FILE, once=True))

    def write(self, folder: Path) -> None:
        """Write the manifest into a bundle folder."""
        (folder / MANIFEST_FILE).write_text(dump_json(self.to_json()), encoding="utf-8")
