"""Checks of the files in a bundle: all listed, no pickle, and code and packages that do not
train.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

import workbench.runtime
from workbench.errors import TamperedBundleError, shown
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.bundle.listed_files import hash_files, unlisted_files
from workbench.runtime.bundle.manifest import RUNTIME_FOLDER, Manifest
from workbench.runtime.core.json_documents import read_document

from ..contents import REQUIREMENTS_FILE
from ..documents.requirements import ROOTS, TRAINING_STACK, plain_pins, requirement_names, serving_names
from ..source import SOURCE_FOLDER
from .report import Outcome

_RUNTIME_MODULES = ("__init__", "__main__", "bundle/bundle", "model/predictor", "serving/http/server")
_FLAT_RUNTIME_MODULES = ("__init__", "__main__", "bundle", "predictor", "server")  # before it had subpackages
_PICKLES = (".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth", ".h5", ".sav")
_CODE_SUFFIXES = (".py", ".so", ".pyd", ".pth", ".zip", ".egg")
_SHOWN_NAMES = 3


def check_listed(base: Path, folder: Path, manifest: Manifest) -> Outcome:
    """Check that the manifest lists every file: no checksum and no signature covers an unlisted
    one.

    Parameters
    ----------
    base : Path
        The folder in which nothing else may lie: that of the bundle, or the one that a zip was
        unpacked to.
    folder : Path
        The bundle.
    manifest : Manifest
    """
    unlisted, ignored = unlisted_files(base, folder, manifest.files)
    if unlisted:
        more = f" and {len(unlisted) - 1} more" if len(unlisted) > 1 else ""
        return Outcome(
            False,
            f"{shown(unlisted[0])}{more} not listed in manifest.json. Remove it, or copy the bundle again.",
        )
    note = f"; ignored, neither read nor run: {_some(ignored)}" if ignored else ""
    return Outcome(True, f"every file is listed{note}")


def check_runtime(bundle: Bundle) -> Outcome:
    """Check that the copied code is complete and imports no training library (checksums show if it
    was changed).
    """
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
    return Outcome(True, f"{len(files)} modules, none of which imports the training stack; {_origin(bundle)}")


def check_packaged(bundle: Bundle) -> Outcome:
    """Check that there is no pickle, and that ``requirements.txt`` has all serving packages and
    none for training.
    """
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
            False, f"{REQUIREMENTS_FILE} installs {training[0]}, which belongs to the training stack"
        )
    lacking = sorted(set(ROOTS) - {"uvloop"} - set(names))
    if lacking:
        return Outcome(False, f"{REQUIREMENTS_FILE} does not install {lacking[0]}")
    size = sum(path.stat().st_size for path in files) / 1e6
    return Outcome(True, f"no pickle, {len(names)} packages to install, none for training, {size:.2f} MB")


def is_known_code(bundle: Bundle) -> bool:
    """Return whether the isolation check runs only this workbench's own code and serving
    packages.
    """
    others = [
        name
        for name in bundle.manifest.files
        if not name.startswith((f"{RUNTIME_FOLDER}/", f"{SOURCE_FOLDER}/")) and name.endswith(_CODE_SUFFIXES)
    ]
    wanted = requirement_names("\n".join(_pins(bundle)))
    return not others and _is_own_runtime(bundle.manifest) and serving_names() >= set(wanted)


def _origin(bundle: Bundle) -> str:
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


def _pins(bundle: Bundle) -> list[str]:
    return plain_pins(read_document(bundle.path / REQUIREMENTS_FILE).decode("utf-8", "replace"))


def _imports(path: Path) -> set[str]:
    """Return the top-level packages that a module imports outside of functions, where imports are
    optional.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise TamperedBundleError(f"{path.name} is not a Python module", found=str(error)) from error
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


def _is_pickle(path: Path) -> bool:
    """Return whether a file is a pickle of protocol 2 or later, by its first two bytes and its
    last.
    """
    with path.open("rb") as file:
        head = file.read(2)
        if len(head) < 2 or head[0] != 0x80 or not 2 <= head[1] <= 5:
            return False
        file.seek(-1, 2)
        return file.read(1) == b"."


def _some(names: Sequence[str]) -> str:
    shown_names = ", ".join(shown(name) for name in names[:_SHOWN_NAMES])
    more = len(names) - _SHOWN_NAMES
    return f"{shown_names} and {more} more" if more > 0 else shown_names
