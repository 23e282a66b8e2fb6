"""The files listed in a manifest: checksums, the check of a folder against them, and copies."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from ..core.json_documents import read_document
from ..errors import TamperedBundleError, shown
from ..model.predictor import ENCODER_FILE, MODEL_FILE, SCHEMA_FILE
from ..resource_limits import MAX_BYTES, MAX_FILES
from .manifest import LOAD_TEST_FILE, MANIFEST_FILE, RUNTIME_FOLDER, SIGNATURE_FILE, Manifest
from .paths import colliding_names, is_compiled, name_fault

_CODE_SUFFIXES = (".py", ".pyc", ".so", ".pyd")
_CHUNK_BYTES = 1 << 20


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal.

    Raises
    ------
    TamperedBundleError
        If the file cannot be read.
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
    """Return the sha256 of every file in a bundle's folder, by relative path, sorted.

    The manifest, its signature and compiled Python (``__pycache__``) are left out.
    """
    found = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    names = {path.relative_to(folder).as_posix(): path for path in found}
    return {
        name: sha256_of(path) for name, path in names.items() if name not in (MANIFEST_FILE, SIGNATURE_FILE)
    }


def model_digest(files: Mapping[str, str]) -> str:
    """Return the id of a model: the sha256 of the sha256s of its schema, encoder and ONNX file.

    Parameters
    ----------
    files : mapping of str to str
        As in `Manifest.files`.

    Raises
    ------
    TamperedBundleError
        If one of the three files is not listed.

    Examples
    --------
    >>> model_digest({"schema.json": "a", "encoder.json": "b", "model.onnx": "c"})[:12]
    '4c439934eb79'
    """
    for name in (SCHEMA_FILE, ENCODER_FILE, MODEL_FILE):
        if name not in files:
            raise TamperedBundleError(f"manifest.json does not list {name}", hint="Export the bundle again.")
    text = "".join(f"{name} {files[name]}\n" for name in (SCHEMA_FILE, ENCODER_FILE, MODEL_FILE))
    return hashlib.sha256(text.encode()).hexdigest()


def verify_files(folder: Path, manifest: Manifest) -> int:
    """Check the files in a bundle's folder against its manifest.

    Unlisted files are accepted, except code: no unlisted file may be in ``runtime/``, and no
    unlisted module where ``python -m runtime`` would import it. `unlisted_files` finds all unlisted
    files.

    Returns
    -------
    int
        The number of files checked.

    Raises
    ------
    TamperedBundleError
        If a file is missing, truncated, changed or outside the folder, or code is not listed; the
        error names it.
    """
    check_names(manifest.files)
    _check_sizes(folder, manifest)
    for name, expected in manifest.files.items():
        path = _inside(folder, name)
        found = sha256_of(path)
        if found != expected:
            raise TamperedBundleError(
                f"{name} is changed or truncated",
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
    """Refuse a list of files that is ambiguous or has entries that cannot be files of a bundle.

    Raises
    ------
    TamperedBundleError
        If a path leads out of the bundle or is not normalised, two paths are the same on some file
        systems, or the list has the manifest itself, its signature, or compiled Python, which
        cannot be reviewed.
    """
    for name in files:
        fault = name_fault(name)
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
    twice = colliding_names(files)
    if twice is not None:
        raise TamperedBundleError(
            f"manifest.json lists {shown(twice[0])} and {shown(twice[1])}", expected="unique names"
        )


def unlisted_files(base: Path, folder: Path, files: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the files in a bundle that its manifest does not list.

    Links are not followed: they count as unlisted files.

    Parameters
    ----------
    base : Path
        The folder to search: the bundle's, or the one that its zip was unpacked to.
    folder : Path
        The bundle's folder.
    files : mapping of str to str
        As in `Manifest.files`.

    Returns
    -------
    unlisted, ignored : list of str
        Sorted paths relative to the folder. Ignored are caches of compiled Python and the report of
        a load test: using a bundle creates them, and no check reads or runs them.
    """
    unlisted: list[str] = []
    ignored: list[str] = []
    own = {MANIFEST_FILE, SIGNATURE_FILE}
    for parent, folders, names in os.walk(base):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        for name in [*links, *names]:
            path = Path(parent) / name
            inside = path.is_relative_to(folder)
            relative = path.relative_to(folder if inside else base).as_posix()
            known = inside and not path.is_symlink() and (relative in files or relative in own)
            if not known:
                is_cache = not path.is_symlink() and (is_compiled(relative) or relative == LOAD_TEST_FILE)
                (ignored if is_cache else unlisted).append(relative)
    return sorted(unlisted), sorted(ignored)


def copy_head(folder: Path, target: Path) -> None:
    """Copy a bundle's manifest, and its signature if it has one, into an empty folder.

    Raises
    ------
    TamperedBundleError
        If one of them cannot be read, is a link or is too large.
    """
    for name in (MANIFEST_FILE, SIGNATURE_FILE):
        path = folder / name
        if path.is_symlink():
            raise TamperedBundleError(f"{name} is a link", expected="a file of the bundle")
        if path.is_file() or name == MANIFEST_FILE:
            (target / name).write_bytes(read_document(path))


def copy_listed(folder: Path, manifest: Manifest, target: Path) -> None:
    """Copy the files listed in a manifest, and no others.

    `verify_files` then checks the copy, so a file that changes in the meantime is detected.

    Parameters
    ----------
    folder : Path
    manifest : Manifest
    target : Path
        A folder that is empty except for the files of `copy_head`.

    Raises
    ------
    TamperedBundleError
        If a file is missing, a link or outside the folder, or there are too many files or bytes.
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
    """Refuse missing files, and too many files or bytes, before reading any."""
    total = 0
    for name in manifest.files:
        path = _inside(folder, name)
        if not path.is_file():
            raise TamperedBundleError(f"{name} is missing", hint="Copy or export the bundle again.")
        total += path.stat().st_size
    if len(manifest.files) > MAX_FILES or total > MAX_BYTES:
        raise TamperedBundleError(
            "the bundle is too large",
            found=f"{len(manifest.files)} files of {total} bytes",
            expected=f"at most {MAX_FILES} files of {MAX_BYTES} bytes",
        )


def _inside(folder: Path, name: str) -> Path:
    """Return the path of a listed file, after checking that no part of it is a link."""
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
    """Return whether `path` is the bytecode cache of a listed module."""
    if path.parent.name != "__pycache__" or path.suffix != ".pyc":
        return False
    source = path.parent.parent / f"{path.name.split('.')[0]}.py"
    return source.relative_to(folder).as_posix() in files
