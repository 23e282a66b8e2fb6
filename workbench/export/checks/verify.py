"""Verify a bundle: its signature and checksums, its contents, its predictions, and that it runs on
its own.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workbench.automl.records.run_folder import RunFolder
from workbench.errors import BundleError, BundleFormatError, RunError, TamperedBundleError, WorkbenchError
from workbench.runtime.bundle.bundle import Bundle, folder_of, open_verified
from workbench.runtime.bundle.listed_files import copy_head, copy_listed, verify_files
from workbench.runtime.bundle.manifest import Manifest

from ..source import SOURCE_FOLDER
from .documents import check_documents, check_source
from .files import check_listed, check_packaged, check_runtime, is_known_code
from .isolation import check_in_bare_environment, check_in_fresh_interpreter
from .predictions import check_golden, check_parity, check_raw_pipeline, check_row_and_batch
from .report import Check, Outcome, VerifyReport
from .signing import check_signature, read_public_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["Check", "Isolation", "VerifyReport", "verify_bundle"]

Isolation = bool | Literal["quick"]


def verify_bundle(
    path: str | Path,
    *,
    isolation: Isolation | None = None,
    run: RunFolder | None = None,
    key: str | Path | None = None,
    progress: Callable[[Check], None] | None = None,
) -> VerifyReport:
    """Verify a bundle, a folder or a zip.

    The signature is checked first. If a key is given and the signature does not match, nothing of
    the bundle is opened. Then every file must be listed and unchanged. All further checks read a
    fresh copy of the listed files, which nothing can change meanwhile and which has no other files.
    The bundle's own code runs in the last check only, and only if the earlier checks leave no doubt
    about its origin.

    Parameters
    ----------
    path : str or Path
    isolation : bool or "quick", optional
        True installs the bundle's requirements into a new environment and runs the bundle's own
        check there. "quick" uses a new interpreter that refuses to import the training stack. False
        skips the check. By default it is True if the key vouches for the bundle's code, or the code
        is byte for byte this workbench's own; other code runs only on request.
    run : RunFolder, optional
        The run that the bundle comes from, to check its lineage against.
    key : path, optional
        The public key (Ed25519, PEM) that the manifest must be signed with.
    progress : callable, optional
        Called with each check as soon as it is made.

    Returns
    -------
    VerifyReport

    Raises
    ------
    BundleError
        If there is no bundle at `path`. Whatever is wrong with an existing one is in the report.
    SettingsError
        If `key` is not a key.
    """
    checks: list[Check] = []
    public = read_public_key(key) if key is not None else None
    for check in _checks(Path(path), isolation, run, public):
        checks.append(check)
        if progress:
            progress(check)
    return VerifyReport(str(path), tuple(checks))


class _StoppedError(Exception):
    """A check failed after which no other can be made."""

    def __init__(self, name: str, error: Exception) -> None:
        super().__init__(str(error))
        self.check = Check(name, False, str(error))


@contextmanager
def _needed(name: str, error: type[BundleError] = BundleError) -> Iterator[None]:
    """Stop with a failed check of that name if such an error is raised."""
    try:
        yield
    except error as raised:
        raise _StoppedError(name, raised) from raised


def _checks(
    path: Path, isolation: Isolation | None, run: RunFolder | None, key: Ed25519PublicKey | None
) -> Iterator[Check]:
    try:
        with _needed("checksums", TamperedBundleError):
            folder, unpacked = folder_of(path)
        with tempfile.TemporaryDirectory(prefix="verify-") as scratch:
            try:
                yield from _checks_of(folder, unpacked or folder, Path(scratch), isolation, run, key)
            finally:
                if unpacked is not None:
                    shutil.rmtree(unpacked, ignore_errors=True)
    except _StoppedError as stopped:
        yield stopped.check


def _checks_of(
    folder: Path,
    base: Path,
    copy: Path,
    isolation: Isolation | None,
    run: RunFolder | None,
    key: Ed25519PublicKey | None,
) -> Iterator[Check]:
    """Check the bundle in `folder` from a copy of it; `base` is the folder in which nothing else
    may lie.
    """
    with _needed("checksums", TamperedBundleError):
        copy_head(folder, copy)
    signature = check_signature(copy, key)
    if signature is not None:
        yield Check("signature", *signature)
        if signature.ok is False:
            yield Check(
                "all else", None, "the signature does not match: nothing of the bundle was opened or run"
            )
            return
    with _needed("checksums"), _needed("format", BundleFormatError):
        manifest = Manifest.read(copy)
    yield Check("format", True, f"version {manifest.format_version}")
    with _needed("checksums"):
        copy_listed(folder, manifest, copy)
        verify_files(copy, manifest)
    unchanged = f"{len(manifest.files)} files unchanged, model id {manifest.model_id[:12]}"
    yield Check("checksums", True, unchanged)
    listed = check_listed(base, folder, manifest)
    yield Check("files", *listed)
    with _needed("model"):
        bundle = open_verified(copy, manifest)
    cost = bundle.predictor.cost
    limits = f"a row takes up to {cost.row_bytes:,} bytes and {cost.row_operations:,} operations, within the limits"
    yield Check("model", True, f"opens; {limits}")
    yield from _checks_inside(bundle, run)
    if listed.ok:
        trusted = signature is not None and signature.ok is True
        yield Check("isolation", *_tried(lambda: _isolation(bundle, isolation, trusted=trusted)))
    else:
        why = (
            "left out, as requested"
            if isolation is False
            else "not run: the manifest does not list every file"
        )
        yield Check("isolation", None, why)


def _checks_inside(bundle: Bundle, run: RunFolder | None) -> Iterator[Check]:
    """Check contents and predictions with this workbench's own code."""
    checks: dict[str, Callable[[Bundle], Outcome]] = {
        "runtime": check_runtime,
        "contents": check_packaged,
        "members": check_documents,
        "golden rows": check_golden,
        "row and batch": check_row_and_batch,
        "parity": check_parity,
        "pipeline": check_raw_pipeline,
    }
    if any(name.startswith(f"{SOURCE_FOLDER}/") for name in bundle.manifest.files):
        checks["source"] = check_source
    for name, check in checks.items():
        yield Check(name, *_tried(partial(check, bundle)))
    if run is not None:
        yield Check("lineage", *_tried(lambda: _lineage(bundle, run)))


def _tried(check: Callable[[], Outcome]) -> Outcome:
    try:
        return check()
    except WorkbenchError as error:
        return Outcome(False, str(error))


def _lineage(bundle: Bundle, run: RunFolder) -> Outcome:
    stated = bundle.manifest
    try:
        candidate = run.candidate(stated.lineage.candidate)
    except RunError as error:
        return Outcome(False, str(error))
    if candidate.family != stated.lineage.family or dict(candidate.params) != dict(stated.lineage.params):
        return Outcome(False, f"{candidate.id} of {run.path} is not the model that the manifest names")
    if run.dataset().fingerprint != stated.data.fingerprint:
        return Outcome(False, f"{run.path} has other data than the bundle was trained on")
    return Outcome(True, f"{candidate.id} of {run.path}, same params, same data")


def _isolation(bundle: Bundle, how: Isolation | None, *, trusted: bool) -> Outcome:
    """Run the bundle's own check, if its code is known or was asked to be run."""
    if how is False:
        return Outcome(None, "left out, as requested")
    if how is None and not trusted and not is_known_code(bundle):
        return Outcome(
            None,
            "not run: the code is not this workbench's, no `key` vouches for it, and `isolation` does not ask "
            "for it",
        )
    return (
        check_in_fresh_interpreter(bundle.path) if how == "quick" else check_in_bare_environment(bundle.path)
    )
