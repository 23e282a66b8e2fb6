"""What a bundle says of itself: ``manifest.json``, and the check that the folder agrees with it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ..core.encoder import Encoder, Pair
from ..core.json_documents import dump_json, read_document, read_json
from ..core.schema import Label
from ..core.typed_json import read_record
from ..errors import BundleFormatError, TamperedBundleError, shown
from ..model.predictor import ENCODER_FILE, MODEL_FILE, SCHEMA_FILE
from ..resource_limits import MOST_BYTES, MOST_FILES
from .manifest_records import Latency, Lineage, Metric, Price, TrainingData
from .paths import alike, fault_of, is_compiled

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
    "check_names",
    "copy_head",
    "copy_listed",
    "format_needed",
    "hash_files",
    "model_digest",
    "sha256_of",
    "unlisted_files",
    "verify_files",
]

MANIFEST_FILE = "manifest.json"
SIGNATURE_FILE = "manifest.json.sig"
GOLDEN_FILE = "golden.jsonl"
RUNTIME_FOLDER = "runtime"
LOAD_TEST_FILE = "load_test.json"  # what `workbench load-test` keeps beside the listed files
_CODE_SUFFIXES = (".py", ".pyc", ".so", ".pyd")
_CHUNK_BYTES = 1 << 20


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


# ---------------------------------------------------------------- checksums


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal.

    Raises
    ------
    TamperedBundleError
        Where the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise TamperedBundleError(
            f"{path.name} cannot be read", found=error.strerror or str(error)
        ) from error
    return digest.hexdigest()


def hash_files(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file of a bundle folder but the manifest and its signature, by relative path, sorted.

    Compiled Python (``__pycache__``) is no part of a bundle and is passed over.
    """
    found = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    names = {path.relative_to(folder).as_posix(): path for path in found}
    return {
        name: sha256_of(path) for name, path in names.items() if name not in (MANIFEST_FILE, SIGNATURE_FILE)
    }


def model_digest(files: Mapping[str, str]) -> str:
    """Return the id of a model: the sha256 over the sha256s of its schema, encoder and network.

    Parameters
    ----------
    files : mapping of str to str
        As in `Manifest.files`.

    Raises
    ------
    TamperedBundleError
        Where one of the three is not listed.

    Examples
    --------
    >>> model_digest({"schema.json": "a", "encoder.json": "b", "model.onnx": "c"})[:12]
    '4c439934eb79'
    """
    for name in (SCHEMA_FILE, ENCODER_FILE, MODEL_FILE):
        if name not in files:
            raise TamperedBundleError(f"manifest.json lists no {name}")
    text = "".join(f"{name} {files[name]}\n" for name in (SCHEMA_FILE, ENCODER_FILE, MODEL_FILE))
    return hashlib.sha256(text.encode()).hexdigest()


def verify_files(folder: Path, manifest: Manifest) -> int:
    """Check that a bundle folder holds exactly what its manifest lists.

    Files beside the listed ones are left alone, save for code: nothing unlisted may lie in ``runtime/``, and no
    unlisted module may lie where ``python -m runtime`` would import it. `unlisted_files` finds all of them.

    Returns
    -------
    int
        The number of files checked.

    Raises
    ------
    TamperedBundleError
        Naming the file that is missing, cut short, changed, unlisted or outside the folder.
    """
    check_names(manifest.files)
    _check_sizes(folder, manifest)
    for name, expected in manifest.files.items():
        path = _inside(folder, name)
        found = sha256_of(path)
        if found != expected:
            raise TamperedBundleError(
                f"{name} is changed or cut short",
                found=f"sha256 {found[:12]}… of {path.stat().st_size} bytes",
                expected=f"sha256 {shown(expected[:12])}…",
                hint="Copy or export the bundle again.",
            )
    for name in _unlisted_code(folder, manifest.files):
        raise TamperedBundleError(
            f"{name} is not listed in manifest.json", hint="Remove it, or copy the bundle again."
        )
    if model_digest(manifest.files) != manifest.model_id:
        raise TamperedBundleError(
            "manifest.json: key 'model_id'",
            found=shown(manifest.model_id),
            expected=f"{model_digest(manifest.files)[:12]}…, the digest of the listed files",
        )
    return len(manifest.files)


def check_names(files: Mapping[str, str]) -> None:
    """Refuse a list of files that could be read in two ways, or that lists what is no file of a bundle.

    Raises
    ------
    TamperedBundleError
        Naming a path that leads out of the bundle or is not in its shortest spelling, two that some file systems take
        for one, the manifest itself or its signature, or compiled Python: nobody can read what that does.
    """
    for name in files:
        fault = fault_of(name)
        if not fault and name in (MANIFEST_FILE, SIGNATURE_FILE):
            fault = "it cannot list itself"
        if not fault and is_compiled(name):
            fault = "it is compiled Python"
        if fault:
            raise TamperedBundleError(
                f"manifest.json lists {shown(name)}",
                found=fault,
                expected="a path inside the bundle, without links",
            )
    twice = alike(files)
    if twice is not None:
        raise TamperedBundleError(
            f"manifest.json lists {shown(twice[0])} and {shown(twice[1])}", expected="names, each once"
        )


def unlisted_files(base: Path, folder: Path, files: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return what lies in a bundle beside the files that its manifest lists.

    Links are not followed: they are listed as what they are, unlisted files.

    Parameters
    ----------
    base : Path
        Where to look: the bundle's folder, or what its zip was unpacked to.
    folder : Path
        The bundle's folder.
    files : mapping of str to str
        As in `Manifest.files`.

    Returns
    -------
    unlisted, ignored : list of str
        Paths relative to the folder, sorted. What is ignored are caches of compiled Python and the report of a load
        test: whoever uses a bundle leaves them behind, and no check reads or runs them.
    """
    unlisted: list[str] = []
    ignored: list[str] = []
    own = {MANIFEST_FILE, SIGNATURE_FILE}
    for place, folders, names in os.walk(base):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in [*links, *names]:
            path = Path(place) / name
            inside = path.is_relative_to(folder)
            relative = path.relative_to(folder if inside else base).as_posix()
            known = inside and not path.is_symlink() and (relative in files or relative in own)
            if not known:
                is_cache = not path.is_symlink() and (is_compiled(relative) or relative == LOAD_TEST_FILE)
                (ignored if is_cache else unlisted).append(relative)
    return sorted(unlisted), sorted(ignored)


def copy_head(folder: Path, target: Path) -> None:
    """Copy a bundle's manifest, and its signature where there is one, into an empty folder.

    Raises
    ------
    TamperedBundleError
        Where one cannot be read, is a link, or is larger than any bundle's.
    """
    for name in (MANIFEST_FILE, SIGNATURE_FILE):
        path = folder / name
        if path.is_symlink():
            raise TamperedBundleError(f"{name} is a link", expected="a file of the bundle")
        if path.is_file() or name == MANIFEST_FILE:
            (target / name).write_bytes(read_document(path))


def copy_listed(folder: Path, manifest: Manifest, target: Path) -> None:
    """Copy the files that a manifest lists, and nothing else.

    `verify_files` then looks at the copy: a file that changes meanwhile is either whole in the copy or refused.

    Parameters
    ----------
    folder : Path
    manifest : Manifest
    target : Path
        An empty folder, but for what `copy_head` wrote.

    Raises
    ------
    TamperedBundleError
        Where a file is missing, a link or outside, or where there are more than a bundle has.
    """
    check_names(manifest.files)
    _check_sizes(folder, manifest)
    for name in manifest.files:
        source, copy = _inside(folder, name), target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            with source.open("rb") as read, copy.open("xb") as written:
                shutil.copyfileobj(read, written, _CHUNK_BYTES)
        except OSError as error:
            raise TamperedBundleError(f"{name} cannot be read", found=error.strerror or str(error)) from error


def _check_sizes(folder: Path, manifest: Manifest) -> None:
    """Refuse a file that is not there, and more files or bytes than a bundle has, before any is read."""
    total = 0
    for name in manifest.files:
        path = _inside(folder, name)
        if not path.is_file():
            raise TamperedBundleError(f"{name} is missing", hint="Copy or export the bundle again.")
        total += path.stat().st_size
    if len(manifest.files) > MOST_FILES or total > MOST_BYTES:
        raise TamperedBundleError(
            "the bundle is too large",
            found=f"{len(manifest.files)} files of {total} bytes",
            expected=f"at most {MOST_FILES} files of {MOST_BYTES} bytes",
        )


def _inside(folder: Path, name: str) -> Path:
    """Return the path of a listed file, refusing one that a link leads to."""
    path = folder
    for part in PurePosixPath(name).parts:
        path = path / part
        if path.is_symlink():
            raise TamperedBundleError(
                f"manifest.json lists {shown(name)}",
                found="a link",
                expected="a path inside the bundle, without links",
            )
    return path


def _unlisted_code(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    for path in sorted((folder / RUNTIME_FOLDER).rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or (
            not path.is_dir() and name not in files and not _is_cache_of(path, folder, files)
        ):
            yield name
    candidates = [path for suffix in _CODE_SUFFIXES for path in folder.glob(f"*{suffix}")]
    for path in sorted(candidates + list(folder.glob("*/__init__.*"))):
        name = path.relative_to(folder).as_posix()
        if name not in files:
            yield name


def _is_cache_of(path: Path, folder: Path, files: Mapping[str, str]) -> bool:
    """Tell whether `path` is what Python itself compiles beside a listed module."""
    if path.parent.name != "__pycache__" or path.suffix != ".pyc":
        return False
    source = path.parent.parent / f"{path.name.split('.')[0]}.py"
    return source.relative_to(folder).as_posix() in files
