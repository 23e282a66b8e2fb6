"""Verify a bundle: what it holds, what it answers, and that it answers on its own."""

from __future__ import annotations

import ast
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

import workbench.runtime
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.worker.parity import TOLERANCE
from workbench.errors import (
    BundleError,
    BundleFormatError,
    RunError,
    TamperedBundleError,
    WorkbenchError,
    shown,
)
from workbench.runtime.bundle.bundle import Bundle, folder_of, open_verified
from workbench.runtime.bundle.golden import read_for
from workbench.runtime.bundle.listed_files import (
    copy_head,
    copy_listed,
    hash_files,
    unlisted_files,
    verify_files,
)
from workbench.runtime.bundle.manifest import GOLDEN_FILE, RUNTIME_FOLDER, Manifest
from workbench.runtime.core.json_documents import read_document

from ..contents import REQUIREMENTS_FILE
from ..documents.requirements import ROOTS, TRAINING_STACK, plain_pins, requirement_names, serving_names
from ..source import SOURCE_FOLDER
from ..tolerance import difference_unit
from .isolation import Outcome, check_in_bare_environment, check_in_fresh_interpreter
from .signing import check_signature, read_public_key
from .verify_contents import check_members, check_source, replay_pipeline

Isolation = bool | Literal["quick"]

_ROW_BATCH = 1e-5  # sums in float32 of a layer's 64 terms come in another order for many rows
_OWN_SIZE = 1e-2  # of a number: so much of it may count as the unit of what the library's answer differs by
_RUNTIME_MODULES = ("__init__", "__main__", "bundle/bundle", "model/predictor", "serving/http/server")
_FLAT_RUNTIME_MODULES = ("__init__", "__main__", "bundle", "predictor", "server")  # before there were rooms
_PICKLES = (".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth", ".h5", ".sav")
_FEWEST_GOLDEN = 50
_SHOWN_NAMES = 3
_CODE_SUFFIXES = (".py", ".so", ".pyd", ".pth", ".zip", ".egg")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name : str
    ok : bool or None
        None where it was not checked; `detail` then says why.
    detail : str
    """

    name: str
    ok: bool | None
    detail: str

    @property
    def status(self) -> str:
        """One of "ok", "failed", "not checked"."""
        return {True: "ok", False: "failed", None: "not checked"}[self.ok]


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `verify_bundle` looked at and found.

    Examples
    --------
    >>> report = VerifyReport("bundles/churn", (Check("checksums", True, "31 files"),))
    >>> report.ok
    True
    >>> print(report.to_text())
    ok           checksums: 31 files
    bundles/churn: 1 of 1 checks passed
    """

    path: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether no check failed; a check that was not made does not count as passed, nor as failed."""
        return all(check.ok is not False for check in self.checks) and any(check.ok for check in self.checks)

    def to_text(self) -> str:
        """Return one line a check and a last one that sums up."""
        lines = [f"{check.status:<12} {check.name}: {check.detail}" for check in self.checks]
        passed = sum(check.ok is True for check in self.checks)
        failed = sum(check.ok is False for check in self.checks)
        skipped = len(self.checks) - passed - failed
        last = f"{self.path}: {passed} of {len(self.checks)} checks passed"
        last += f", {failed} failed" if failed else ""
        last += f", {skipped} not checked" if skipped else ""
        return "\n".join([*lines, last])

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        checks = [{**asdict(check), "status": check.status} for check in self.checks]
        return {"path": self.path, "ok": self.ok, "checks": checks}


def verify_bundle(
    path: str | Path,
    *,
    isolation: Isolation | None = None,
    run: RunFolder | None = None,
    key: str | Path | None = None,
    progress: Callable[[Check], None] | None = None,
) -> VerifyReport:
    """Verify a bundle, a folder or a zip of one.

    The signature comes first: where a key is given and it does not hold, nothing of the bundle is opened. Then every
    file has to be listed and to be as listed. All that follows looks at a fresh copy of the listed files, which nobody
    can change meanwhile and in which nothing else lies. The bundle's own code runs in the last check alone, and only
    where the checks before it leave no doubt about whose it is.

    Parameters
    ----------
    path : str or Path
    isolation : bool or "quick", optional
        True installs the bundle's requirements into a new environment and lets it check itself there;
        "quick" takes a fresh interpreter that refuses to import the training stack; False leaves it out. By default
        as True, where the key vouches for the bundle's code or the code is byte for byte this workbench's own; code of
        others is not run unless asked for.
    run : RunFolder, optional
        The run that the bundle says it comes from, to hold its lineage against.
    key : path, optional
        A public key (Ed25519, PEM) that the manifest has to be signed with.
    progress : callable, optional
        Called with each check as soon as it is made.

    Returns
    -------
    VerifyReport

    Raises
    ------
    BundleError
        Where there is no bundle at `path` at all. Whatever is wrong with one that is there is in the report.
    SettingsError
        Where `key` is no key.
    """
    checks: list[Check] = []
    public = read_public_key(key) if key is not None else None
    for check in _checks(Path(path), isolation, run, public):
        checks.append(check)
        if progress:
            progress(check)
    return VerifyReport(str(path), tuple(checks))


def _checks(path: Path, isolation: Isolation | None, run: RunFolder | None, public: Any) -> Iterator[Check]:
    try:
        folder, unpacked = folder_of(path)
    except TamperedBundleError as error:
        yield Check("checksums", False, str(error))
        return
    with tempfile.TemporaryDirectory(prefix="verify-") as scratch:
        try:
            yield from _checks_of(folder, unpacked or folder, Path(scratch), isolation, run, public)
        finally:
            if unpacked is not None:
                shutil.rmtree(unpacked, ignore_errors=True)


def _checks_of(
    folder: Path,
    base: Path,
    copy: Path,
    isolation: Isolation | None,
    run: RunFolder | None,
    public: Any,
) -> Iterator[Check]:
    """Check what lies in `folder`, from a copy of it; `base` is where nothing else may lie, either."""
    try:
        copy_head(folder, copy)
    except TamperedBundleError as error:
        yield Check("checksums", False, str(error))
        return
    signed = check_signature(copy, public)
    if signed is not None:
        yield Check("signature", signed.ok, signed.detail)
        if signed.ok is False:
            yield Check(
                "all else", None, "the signature does not hold: nothing of the bundle was opened or run"
            )
            return
    try:
        manifest = Manifest.read(copy)
    except BundleFormatError as error:
        yield Check("format", False, str(error))
        return
    except TamperedBundleError as error:
        yield Check("checksums", False, str(error))
        return
    yield Check("format", True, f"version {manifest.format_version}")
    try:
        copy_listed(folder, manifest, copy)
        verify_files(copy, manifest)
    except BundleError as error:
        yield Check("checksums", False, str(error))
        return
    yield Check(
        "checksums", True, f"{len(manifest.files)} files as listed, model id {manifest.model_id[:12]}"
    )
    listed = _listed(base, folder, manifest)
    yield Check("files", listed.ok, listed.detail)
    try:
        bundle = open_verified(copy, manifest)
    except BundleError as error:
        yield Check("model", False, str(error))
        return
    cost = bundle.predictor.cost
    yield Check(
        "model",
        True,
        f"opens; a row takes up to {cost.row_bytes:,} bytes and {cost.row_operations:,} operations, within the limits",
    )
    yield from _checks_inside(bundle, run)
    outcome = _tried(
        bundle, lambda each: _isolation(each, isolation, listed.ok, vouched=bool(signed and signed.ok))
    )
    yield Check("isolation", outcome.ok, outcome.detail)


def _listed(base: Path, folder: Path, manifest: Manifest) -> Outcome:
    """Every file that lies there is listed: an unlisted one is covered by no checksum and no signature."""
    unlisted, ignored = unlisted_files(base, folder, manifest.files)
    if unlisted:
        more = f" and {len(unlisted) - 1} more" if len(unlisted) > 1 else ""
        return Outcome(
            False,
            f"{shown(unlisted[0])}{more} not listed in manifest.json. Remove it, or copy the bundle again.",
        )
    passed = f"; passed over, neither read nor run: {_some(ignored)}" if ignored else ""
    return Outcome(True, f"every file is listed{passed}")


def _some(names: Sequence[str]) -> str:
    shown_names = ", ".join(shown(name) for name in names[:_SHOWN_NAMES])
    more = len(names) - _SHOWN_NAMES
    return f"{shown_names} and {more} more" if more > 0 else shown_names


def _checks_inside(bundle: Bundle, run: RunFolder | None) -> Iterator[Check]:
    """Check what the files say and what the model answers, with this workbench's own code."""
    makers: list[tuple[str, Callable[[Bundle], Outcome]]] = [
        ("runtime", _runtime),
        ("contents", _contents),
        ("members", check_members),
        ("golden rows", _golden),
        ("row and batch", _row_and_batch),
        ("parity", _parity),
        ("pipeline", replay_pipeline),
    ]
    if any(name.startswith(f"{SOURCE_FOLDER}/") for name in bundle.manifest.files):
        makers.append(("source", check_source))
    if run is not None:
        makers.append(("lineage", lambda each: _lineage(each, run)))
    for name, make in makers:
        outcome = _tried(bundle, make)
        yield Check(name, outcome.ok, outcome.detail)


def _tried(bundle: Bundle, make: Callable[[Bundle], Outcome]) -> Outcome:
    try:
        return make(bundle)
    except WorkbenchError as error:
        return Outcome(False, str(error))


def _runtime(bundle: Bundle) -> Outcome:
    """The copied code is complete and imports nothing that trains (that it is unchanged, the checksums say)."""
    inside = f"{RUNTIME_FOLDER}/"
    files = [name for name in bundle.manifest.files if name.startswith(inside) and name.endswith(".py")]
    names = _RUNTIME_MODULES if any(name.count("/") > 1 for name in files) else _FLAT_RUNTIME_MODULES
    missing = sorted({f"{RUNTIME_FOLDER}/{name}.py" for name in names} - set(files))
    if missing:
        return Outcome(False, f"{missing[0]} is missing")
    for name in files:
        refused = sorted(_imports(bundle.path / name) & TRAINING_STACK)
        if refused:
            return Outcome(False, f"{name} imports {refused[0]}, which belongs to the training stack")
    return Outcome(True, f"{len(files)} modules, none of which imports the training stack; {_whose(bundle)}")


def _whose(bundle: Bundle) -> str:
    """Say whether the copied code is that of this workbench; that of another one is just as good."""
    own = _is_own_runtime(bundle.manifest)
    return "the same as this workbench's" if own else "of another version than this workbench's"


def _is_own_runtime(manifest: Manifest) -> bool:
    prefix = f"{RUNTIME_FOLDER}/"
    copied = {
        name.removeprefix(prefix): digest
        for name, digest in manifest.files.items()
        if name.startswith(prefix)
    }
    return copied == hash_files(Path(workbench.runtime.__file__).parent)


def _is_known_code(bundle: Bundle) -> bool:
    """Tell whether all that the isolation check would run is this workbench's own, or what that serves with."""
    others = [
        name
        for name in bundle.manifest.files
        if not name.startswith((f"{RUNTIME_FOLDER}/", f"{SOURCE_FOLDER}/")) and name.endswith(_CODE_SUFFIXES)
    ]
    wanted = requirement_names("\n".join(_pins(bundle)))
    return not others and _is_own_runtime(bundle.manifest) and serving_names() >= set(wanted)


def _pins(bundle: Bundle) -> list[str]:
    return plain_pins(read_document(bundle.path / REQUIREMENTS_FILE).decode("utf-8", "replace"))


def _imports(path: Path) -> set[str]:
    """Return the top packages that a module imports anywhere but inside a function (there they are optional)."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise TamperedBundleError(f"{path.name} is no Python module", found=str(error)) from error
    found: set[str] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.partition(".")[0])
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting.extend(ast.iter_child_nodes(node))
    return found


def _contents(bundle: Bundle) -> Outcome:
    files = [path for path in bundle.path.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    for path in files:
        if path.suffix.lower() in _PICKLES or _is_pickle(path):
            return Outcome(False, f"{path.relative_to(bundle.path).as_posix()} is a pickle")
    requirements = bundle.path / REQUIREMENTS_FILE
    if not requirements.is_file():
        return Outcome(False, f"{REQUIREMENTS_FILE} is missing")
    names = requirement_names("\n".join(_pins(bundle)))
    training = sorted(set(names) & TRAINING_STACK)
    if training:
        return Outcome(
            False, f"{REQUIREMENTS_FILE} asks for {training[0]}, which belongs to the training stack"
        )
    lacking = sorted(set(ROOTS) - {"uvloop"} - set(names))
    if lacking:
        return Outcome(False, f"{REQUIREMENTS_FILE} does not ask for {lacking[0]}")
    size = sum(path.stat().st_size for path in files) / 1e6
    return Outcome(True, f"no pickle, {len(names)} packages to install and none that trains, {size:.2f} MB")


def _is_pickle(path: Path) -> bool:
    """Tell a pickle of protocol 2 or later by its first byte and its last."""
    with path.open("rb") as file:
        head = file.read(2)
        if len(head) < 2 or head[0] != 0x80 or not 2 <= head[1] <= 5:
            return False
        file.seek(-1, 2)
        return file.read(1) == b"."


def _golden(bundle: Bundle) -> Outcome:
    report = bundle.replay_golden()
    enough = report.rows >= min(_FEWEST_GOLDEN, bundle.manifest.data.rows)
    if report.ok and not enough:
        return Outcome(False, f"only {report.rows} golden rows; at least {_FEWEST_GOLDEN} are expected")
    return Outcome(report.ok, report.summary())


def _row_and_batch(bundle: Bundle) -> Outcome:
    rows = [entry["input"] for entry in read_for(bundle.predictor, bundle.path / GOLDEN_FILE)]
    predictor = bundle.predictor
    alone = np.array([predictor.predict_row(row) for row in rows], dtype=np.float64)
    batch = predictor.predict_rows(rows).astype(np.float64)
    gaps = np.abs(alone - batch) / difference_unit(batch, classes=bool(predictor.classes))
    largest = float(gaps.max(initial=0.0))
    return Outcome(
        largest <= _ROW_BATCH, f"{len(rows)} rows alone and as one batch differ by at most {largest:.2g}"
    )


def _parity(bundle: Bundle) -> Outcome:
    """The answers of the training library, kept beside the golden rows, against what the bundle answers."""
    rows, library = _library_answers(bundle)
    if not rows:
        return Outcome(None, "the golden rows hold no answers of the training library")
    served = bundle.predictor.predict_rows(rows).astype(np.float64)
    try:
        truth = np.asarray(library, dtype=np.float64).reshape(served.shape)
    except (ValueError, TypeError, OverflowError):
        return Outcome(False, f"the training library's answers are not {served.shape[1]} numbers a row")
    classes = bool(bundle.manifest.classes)
    gaps = np.abs(served - truth) / difference_unit(truth, classes=classes, own=_OWN_SIZE)
    largest = float(gaps.max())
    unit = "" if classes else " standard deviations"
    return Outcome(
        largest <= TOLERANCE,
        f"{len(rows)} rows differ from {bundle.manifest.lineage.family}'s own answers by at most {largest:.2g}{unit}",
    )


def _library_answers(bundle: Bundle) -> tuple[list[dict[str, Any]], list[Any]]:
    rows, answers = [], []
    for entry in read_for(bundle.predictor, bundle.path / GOLDEN_FILE):
        if "library" in entry:
            rows.append(entry["input"])
            answers.append(entry["library"])
    return rows, answers


def _lineage(bundle: Bundle, run: RunFolder) -> Outcome:
    stated = bundle.manifest
    try:
        candidate = run.candidate(stated.lineage.candidate)
    except RunError as error:
        return Outcome(False, str(error))
    if candidate.family != stated.lineage.family or dict(candidate.params) != dict(stated.lineage.params):
        return Outcome(False, f"{candidate.id} of {run.path} is another model than the manifest says")
    if run.dataset().fingerprint != stated.data.fingerprint:
        return Outcome(False, f"{run.path} has other data than the bundle was trained on")
    return Outcome(True, f"{candidate.id} of {run.path}, same params, same data")


def _isolation(bundle: Bundle, how: Isolation | None, listed: bool | None, *, vouched: bool) -> Outcome:
    """Let the bundle check itself, where nothing is left open about whose code that runs."""
    if how is False:
        return Outcome(None, "left out, as asked")
    if not listed:
        return Outcome(None, "its code is not run while files lie in it that the manifest does not list")
    if how is None and not vouched and not _is_known_code(bundle):
        return Outcome(
            None,
            "its code is not this workbench's, and no `key` vouches for it: it is not run unless "
            "`isolation` asks for it",
        )
    return (
        check_in_fresh_interpreter(bundle.path) if how == "quick" else check_in_bare_environment(bundle.path)
    )
