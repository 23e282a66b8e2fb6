"""The exact pins that serving needs, and nothing of the training stack."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from workbench.errors import ExportError

#: What the runtime imports: the first two to predict, the others to answer over HTTP.
ROOTS = ("numpy", "onnxruntime", "orjson", "uvicorn", "httptools", "uvloop")

#: What trains, and what a bundle must never need. Import names and the names of packages.
TRAINING_STACK = frozenset(
    ["autogluon", "catboost", "joblib", "lightgbm", "onnx", "optuna", "pandas", "polars", "scikit-learn", "scipy",
     "sklearn", "skl2onnx", "streamlit", "torch", "workbench", "workbench-automl", "xgboost", "xgboost-cpu"]
)  # fmt: skip

_MARKERS = {"uvloop": 'sys_platform != "win32"'}


def pinned_requirements(roots: tuple[str, ...] = ROOTS) -> list[str]:
    """Return the lines of ``requirements.txt``: each package as installed here, with all that it needs, sorted.

    Raises
    ------
    ExportError
        Where a package that serving needs is not installed here.

    Examples
    --------
    >>> [line.split("==")[0] for line in pinned_requirements(("uvicorn",))]
    ['click', 'h11', 'uvicorn']
    """
    pins: dict[str, str] = {}
    waiting = [(root, "") for root in roots]
    while waiting:
        name, asked_by = waiting.pop()
        key = _normal(name)
        if key in pins:
            continue
        try:
            pins[key] = version(name)
        except PackageNotFoundError:
            if _MARKERS.get(key) and not asked_by:  # not made for this system
                continue
            raise ExportError(
                f"{name} is not installed",
                expected="what a bundle is served with",
                hint=f"pip install {name}",
            ) from None
        for line in requires(name) or []:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                waiting.append((need.name, name))
    return [f"{key}=={pins[key]}" + (f"; {_MARKERS[key]}" if key in _MARKERS else "") for key in sorted(pins)]


def requirement_names(text: str) -> list[str]:
    """Return the packages that a ``requirements.txt`` names, normalised.

    Examples
    --------
    >>> requirement_names("# pins\\nNumPy==2.4.6\\nuvloop==0.23.0; sys_platform != 'win32'\\n")
    ['numpy', 'uvloop']
    """
    lines = [line.split("#", 1)[0].strip() for line in text.splitlines()]
    return [_normal(re.split(r"[\s=<>!~;\[@]", line, maxsplit=1)[0]) for line in lines if line]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
