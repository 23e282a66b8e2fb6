"""The shape of the package: who may import whom, and how long a file or a function may grow."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "workbench"

#: The units of the package from the bottom to the top. A unit imports units of lower floors, never
#: of its own.
FLOORS = (
    ("runtime",),
    ("errors", "version"),
    ("data", "families"),
    ("automl",),
    ("tradeoff", "explain"),
    ("export", "display", "loadtest", "monitoring"),
    ("api",),
    ("estimators", "report"),
    ("ui",),
    ("cli",),
    ("__init__", "__main__"),
)
FLOOR = {unit: height for height, units in enumerate(FLOORS) for unit in units}
#: Units that know few others, although more lie below them: what watches a model needs nothing that
#: trains one.
KNOWS = {"monitoring": {"runtime", "tradeoff"}}

#: What a bundle's requirements.txt installs, or what a command asks for only when it is needed.
RUNTIME_LIBRARIES = {"numpy", "onnxruntime"}
SERVER_LIBRARIES = {"uvicorn", "orjson", "httptools", "uvloop"}
LAZY_LIBRARIES = {"pyarrow", "redis"}

TRAINING_STACK = (
    "sklearn", "scipy", "pandas", "pyarrow", "lightgbm", "xgboost", "optuna", "joblib", "onnx", "duckdb", "streamlit",
    "plotly", "polars",
)  # fmt: skip

#: Docstrings do not count: explaining must not be punished.
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 80


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def unit_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def module_of(path: Path) -> list[str]:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" else parts


def imports(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Yield the dotted name of everything a file imports, relative imports resolved."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = module_of(path) if path.name == "__init__.py" else module_of(path)[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = [*base, *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                yield ".".join([*stem, alias.name]), node


def top_level_statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield what runs when a module is imported; blocks for type checkers do not."""
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node


def test_every_unit_has_its_floor() -> None:
    unknown = {unit_of(path) for path in files()} - set(FLOOR)
    assert not unknown, f"place {sorted(unknown)} in FLOORS and in docs/architecture.md"
    gone = set(FLOOR) - {unit_of(path) for path in files()}
    assert not gone, f"FLOORS has {sorted(gone)}, which are not in the package"


@pytest.mark.parametrize("path", files(), ids=label)
def test_imports_point_down(path: Path) -> None:
    own = unit_of(path)
    for name, node in imports(path):
        parts = name.split(".")
        if parts[0] != "workbench" or len(parts) == 1:
            continue
        other = parts[1] if parts[1] in FLOOR else "__init__"
        if other == own:
            continue
        where = f"{label(path)}:{getattr(node, 'lineno', 0)} imports {name}"
        assert FLOOR[other] < FLOOR[own], f"{where}: {own} does not stand above {other}"
        assert other in KNOWS.get(own, FLOOR), f"{where}: {own} knows {sorted(KNOWS[own])} alone"


def modules() -> dict[str, Path]:
    return {".".join(module_of(path)): path for path in files()}


@cache
def imported_modules() -> dict[str, frozenset[str]]:
    """Return which modules of the package each one imports, at once or later."""
    known = set(modules())
    found: dict[str, frozenset[str]] = {}
    for name, path in modules().items():
        parents = (each.rpartition(".")[0] for each, _ in imports(path) if each not in known)
        direct = {each for each, _ in imports(path) if each in known}
        found[name] = frozenset((direct | {each for each in parents if each in known}) - {name})
    return found


def edges_inside(folder: str) -> dict[str, set[str]]:
    """Return what each file or folder that lies in a folder imports of the others there; `__init__`
    is not counted.
    """
    inside = f"{folder}."
    edges: dict[str, set[str]] = {}
    for name, others in imported_modules().items():
        if name.startswith(inside):
            child = name.removeprefix(inside).split(".")[0]
            known = {each.removeprefix(inside).split(".")[0] for each in others if each.startswith(inside)}
            edges.setdefault(child, set()).update(known - {child})
    return edges


FOLDERS = sorted(".".join(module_of(path)) for path in files() if path.name == "__init__.py")


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_in_a_folder_imports_in_a_circle(folder: str) -> None:
    """The files and folders of each folder can be put in an order in which imports only point
    down.
    """
    edges = edges_inside(folder)
    try:
        list(TopologicalSorter(edges).static_order())
    except CycleError as error:
        pytest.fail(f"{folder}: {' -> '.join(error.args[1])}")


COORDINATOR = tuple(f"workbench.automl.{each}" for each in ("engine", "phases", "coordinator"))
WORKER = ("workbench.automl.worker",)


def lies_in(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


@pytest.mark.parametrize(("own", "other"), [(COORDINATOR, WORKER), (WORKER, COORDINATOR)])
def test_coordinator_and_workers_know_each_other_by_messages_alone(
    own: tuple[str, ...], other: tuple[str, ...]
) -> None:
    mine = [name for name in imported_modules() if lies_in(name, own)]
    assert mine
    crossing = [(name, each) for name in mine for each in imported_modules()[name] if lies_in(each, other)]
    assert not crossing


#: Folders with a file for each verb or each model family.
OPEN_ENDED = ("workbench/cli", "workbench/families")
MAX_FILES = 16


@pytest.mark.parametrize("folder", sorted({path.parent for path in files()}), ids=label)
def test_folders_can_be_overlooked(folder: Path) -> None:
    if label(folder) not in OPEN_ENDED:
        names = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(names) <= MAX_FILES, f"{len(names)} files: give it rooms"


#: A bundle's requirements have no package that trains: names of packages, which those of some
#: families are too.
NAMES_PACKAGES = ("workbench/export/documents/requirements.py",)


@pytest.mark.parametrize("path", files(), ids=label)
def test_a_family_is_named_in_its_own_file_alone(path: Path) -> None:
    """What the rest of the package asks of a family is a trait: families of other packages have it
    too.
    """
    from workbench.families import _FAMILIES, BASELINE

    if unit_of(path) == "families" or label(path) in NAMES_PACKAGES:
        return
    names = {family.name for family in _FAMILIES} - {BASELINE}  # "baseline" is an origin of candidates too
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) if node.value in names}
    assert not found, f"{label(path)} names the families {sorted(found)}: give Family a trait"


@pytest.mark.parametrize("path", sorted((PACKAGE / "families").glob("*.py")), ids=label)
def test_families_do_not_know_each_other(path: Path) -> None:
    from workbench.families import all_families

    names = set(all_families())
    if path.stem not in names:
        return
    known = {name.split(".")[2] for name, _ in imports(path) if name.startswith("workbench.families.")}
    assert not (known & names) - {path.stem}


@pytest.mark.parametrize("path", files(), ids=label)
def test_only_the_ui_knows_streamlit(path: Path) -> None:
    if unit_of(path) != "ui":
        assert not [name for name, _ in imports(path) if name.split(".")[0] == "streamlit"]


@pytest.mark.parametrize("path", sorted((PACKAGE / "runtime").rglob("*.py")), ids=label)
def test_the_runtime_stands_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    at_import = {id(node) for node in tree.body}
    for name, node in imports(path):
        if isinstance(node, ast.ImportFrom) and node.level:
            assert name.split(".")[:2] == ["workbench", "runtime"], (
                f"{label(path)} reaches out of the folder: {name}"
            )
            continue
        library = name.split(".")[0]
        if library in sys.stdlib_module_names or library in RUNTIME_LIBRARIES | SERVER_LIBRARIES:
            continue
        assert library in LAZY_LIBRARIES, f"{label(path)}:{node.lineno} imports {library}"  # type: ignore[attr-defined]
        assert id(node) not in at_import, f"{label(path)} imports {library} when it is itself imported"


REFUSE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names!r}:
            raise ImportError(name + " is refused")
sys.meta_path.insert(0, Refuse())
"""


@pytest.mark.parametrize(
    "statement",
    [
        "import workbench",
        "import workbench.runtime.model.predictor, workbench.runtime.bundle.bundle, workbench.runtime.jobs.batch",
        "import workbench.runtime.serving.http.server, workbench.runtime.serving.protocols.json_protocol",
        "import workbench; workbench.load",
        "from workbench.cli.entry import main; assert main(['--help']) == 0",
    ],
)
def test_importing_loads_no_training_library(statement: str) -> None:
    code = REFUSE.format(names=set(TRAINING_STACK)) + statement
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", files(), ids=label)
def test_files_stay_readable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, documented)]
    docstrings = [ast.get_docstring(node, clean=False) for node in nodes]
    lines = text.count("\n") - sum(each.count("\n") + 1 for each in docstrings if each is not None)
    assert lines <= MAX_FILE_LINES, f"{lines} lines: split it by what it knows"


@pytest.mark.parametrize("path", files(), ids=label)
def test_functions_stay_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            docstring = ast.get_docstring(node, clean=False) or ""
            length = (node.end_lineno or node.lineno) - node.lineno + 1 - docstring.count("\n")
            assert length <= MAX_FUNCTION_LINES, f"{node.name}: {length} lines"


@pytest.mark.parametrize("path", files(), ids=label)
def test_nothing_is_done_at_import(path: Path) -> None:
    """No statement of a module may call something for its effect."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path.name == "__main__.py" or "entry" in path.parts:
        return
    calls = [
        node
        for node in top_level_statements(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]
    assert not calls, f"line {calls[0].lineno} runs when the module is imported"


@pytest.mark.parametrize("path", files(), ids=label)
def test_no_pickle_and_nothing_left_open(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    names = {name.split(".")[0] for name, _ in imports(path)}
    assert not names & {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve"}
    assert "allow_pickle=True" not in text
    assert "joblib.load" not in text
    for word in ("TO" + "DO", "FIX" + "ME", "XXX"):
        assert word not in text, f"{word} is left in {label(path)}"


def test_there_is_no_utils_module() -> None:
    assert not [path for path in files() if path.stem in {"utils", "util", "helpers", "common", "misc"}]


#: What builds command lines: the options of the commands, and texts to paste into a shell.
COMMAND_LINES = (
    "workbench/cli/", "workbench/runtime/__main__.py", "workbench/runtime/serving/serving_settings.py",
    "workbench/runtime/prediction_log/options.py",
    "workbench/ui/jobs/", "workbench/ui/pages/goal.py", "workbench/ui/pages/report.py", "workbench/ui/snippets.py",
    "workbench/ui/launch.py", "workbench/ui/files/folders.py", "workbench/loadtest/process.py",
    "workbench/export/documents/card.py", "workbench/export/documents/deploy.py",
    "workbench/export/documents/hashes.py", "workbench/export/documents/requirements.py",
    "workbench/export/checks/isolation.py",
)  # fmt: skip


def texts_of(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield the string constants of a module that are not docstrings."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


@pytest.mark.parametrize(
    "path", [each for each in files() if not label(each).startswith(COMMAND_LINES)], ids=label
)
def test_messages_name_parameters_and_only_command_lines_write_flags(path: Path) -> None:
    flags = [
        f"{node.lineno}: {match[0]}"
        for node in texts_of(ast.parse(path.read_text(encoding="utf-8")))
        for match in re.finditer(r"(?<![\w-])--[a-z][a-z-]+", node.value)
    ]
    assert not flags, f"{label(path)}: name the parameter instead (runtime/parameters.py): {flags}"
