"""Verify a bundle: what it holds, what it answers, and that it answers on its own."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

import workbench.runtime
from workbench.errors import BundleFormatError, RunError, TamperedBundleError, WorkbenchError
from workbench.runtime.bundle import Bundle, open_bundle
from workbench.runtime.golden import read_golden
from workbench.runtime.manifest import GOLDEN_FILE, RUNTIME_FOLDER, hash_files
from workbench.search.parity import TOLERANCE
from workbench.search.run import RunFolder

from .isolation import Outcome, check_in_bare_environment, check_in_fresh_interpreter
from .members import REQUIREMENTS_FILE
from .requirements import ROOTS, TRAINING_STACK, requirement_names
from .signing import check_signature, read_public_key
from .source import SOURCE_FOLDER
from .units import unit_of
from .verify_members import check_members, check_source, replay_pipeline

Isolation = bool | Literal["quick"]

_ROW_BATCH = 1e-5  # sums in float32 of a layer's 64 terms come in another order for many rows
_OWN_SIZE = 1e-2  # of a number: so much of it may count as the unit of what the library's answer differs by
_PICKLES = (".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth", ".h5", ".sav")
_FEWEST_GOLDEN = 50


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
    isolation: Isolation = True,
    run: RunFolder | None = None,
    key: str | Path | None = None,
    progress: Callable[[Check], None] | None = None,
) -> VerifyReport:
    """Verify a bundle, a folder or a zip of one.

    Parameters
    ----------
    path : str or Path
    isolation : bool or "quick"
        True installs the bundle's requirements into a new environment and lets it check itself there;
        "quick" takes a fresh interpreter that refuses to import the training stack; False leaves it out.
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
    """
    checks: list[Check] = []

    def add(check: Check) -> None:
        checks.append(check)
        if progress:
            progress(check)

    public = read_public_key(key) if key is not None else None
    try:
        bundle = open_bundle(path)
    except BundleFormatError as error:
        add(Check("format", False, str(error)))
    except TamperedBundleError as error:
        add(Check("checksums", False, str(error)))
    else:
        signed = check_signature(bundle.path, public)
        if signed is not None:
            add(Check("signature", signed.ok, signed.detail))
        for check in _checks(bundle, isolation, run):
            add(check)
    return VerifyReport(str(path), tuple(checks))


def _checks(bundle: Bundle, isolation: Isolation, run: RunFolder | None) -> Iterator[Check]:
    manifest = bundle.manifest
    yield Check("format", True, f"version {manifest.format_version}")
    yield Check(
        "checksums", True, f"{len(manifest.files)} files as listed, model id {manifest.model_id[:12]}"
    )
    makers: list[tuple[str, Callable[[Bundle], Outcome]]] = [
        ("runtime", _runtime),
        ("contents", _contents),
        ("members", check_members),
        ("golden rows", _golden),
        ("row and batch", _row_and_batch),
        ("parity", _parity),
        ("pipeline", replay_pipeline),
    ]
    if any(name.startswith(f"{SOURCE_FOLDER}/") for name in manifest.files):
        makers.append(("source", check_source))
    if run is not None:
        makers.append(("lineage", lambda each: _lineage(each, run)))
    makers.append(("isolation", lambda each: _isolation(each.path, isolation)))
    for name, make in makers:
        try:
            outcome = make(bundle)
        except WorkbenchError as error:
            outcome = Outcome(False, str(error))
        yield Check(name, outcome.ok, outcome.detail)


def _runtime(bundle: Bundle) -> Outcome:
    """The copied code is complete and imports nothing that trains (that it is unchanged, the checksums say)."""
    files = [
        name
        for name in bundle.manifest.files
        if name.startswith(f"{RUNTIME_FOLDER}/") and name.endswith(".py")
    ]
    needed = {
        f"{RUNTIME_FOLDER}/{name}.py" for name in ("__init__", "__main__", "bundle", "predictor", "server")
    }
    missing = sorted(needed - set(files))
    if missing:
        return Outcome(False, f"{missing[0]} is missing")
    for name in files:
        refused = sorted(_imports(bundle.path / name) & TRAINING_STACK)
        if refused:
            return Outcome(False, f"{name} imports {refused[0]}, which belongs to the training stack")
    return Outcome(True, f"{len(files)} modules, none of which imports the training stack; {_whose(bundle)}")


def _whose(bundle: Bundle) -> str:
    """Say whether the copied code is that of this workbench; that of another one is just as good."""
    own = Path(workbench.runtime.__file__).parent
    copied = {
        name.removeprefix(f"{RUNTIME_FOLDER}/"): digest
        for name, digest in bundle.manifest.files.items()
        if name.startswith(f"{RUNTIME_FOLDER}/")
    }
    return (
        "the same as this workbench's"
        if copied == hash_files(own)
        else "of another version than this workbench's"
    )


def _imports(path: Path) -> set[str]:
    """Return the top packages that a module imports anywhere but inside a function (there they are optional)."""
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError as error:
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
    names = requirement_names(requirements.read_text(encoding="utf-8"))
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
    rows = [row for row, _ in read_golden(bundle.path / GOLDEN_FILE)]
    predictor = bundle.predictor
    alone = np.array([predictor.predict_row(row) for row in rows], dtype=np.float64)
    batch = predictor.predict_rows(rows).astype(np.float64)
    gaps = np.abs(alone - batch) / unit_of(batch, classes=bool(predictor.classes))
    largest = float(gaps.max(initial=0.0))
    return Outcome(
        largest <= _ROW_BATCH, f"{len(rows)} rows alone and as one batch differ by at most {largest:.2g}"
    )


def _parity(bundle: Bundle) -> Outcome:
    """The answers of the training library, kept beside the golden rows, against what the bundle answers."""
    rows, library = _library_answers(bundle.path / GOLDEN_FILE)
    if not rows:
        return Outcome(None, "the golden rows hold no answers of the training library")
    served = bundle.predictor.predict_rows(rows).astype(np.float64)
    truth = np.asarray(library, dtype=np.float64).reshape(served.shape)
    classes = bool(bundle.manifest.classes)
    gaps = np.abs(served - truth) / unit_of(truth, classes=classes, own=_OWN_SIZE)
    largest = float(gaps.max())
    unit = "" if classes else " standard deviations"
    return Outcome(
        largest <= TOLERANCE,
        f"{len(rows)} rows differ from {bundle.manifest.lineage.family}'s own answers by at most {largest:.2g}{unit}",
    )


def _library_answers(path: Path) -> tuple[list[dict[str, Any]], list[list[float]]]:
    rows, answers = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
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


def _isolation(folder: Path, how: Isolation) -> Outcome:
    if how is False:
        return Outcome(None, "left out, as asked")
    return check_in_fresh_interpreter(folder) if how == "quick" else check_in_bare_environment(folder)
