"""``requirements.txt``: exact pins and hashes of the packages for serving, without the training
stack.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from workbench.errors import ExportError, TamperedBundleError, shown

#: The imports of the runtime: the first two for predictions, the others for HTTP.
ROOTS = ("numpy", "onnxruntime", "orjson", "uvicorn", "httptools", "uvloop")

#: Packages for training, which a bundle must never need: import names and package names.
TRAINING_STACK = frozenset(
    ["autogluon", "catboost", "joblib", "lightgbm", "onnx", "optuna", "pandas", "polars", "scikit-learn", "scipy",
     "sklearn", "skl2onnx", "streamlit", "torch", "workbench", "workbench-automl", "xgboost", "xgboost-cpu"]
)  # fmt: skip

_LONGEST = 1 << 20
_PIN = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*"
    r"(?: *; *[A-Za-z0-9_.'\" =!<>()]+)?(?: +--hash=sha256:[0-9a-f]{64})*"
)
_MARKERS = {"uvloop": 'sys_platform != "win32"'}


@dataclass(frozen=True, slots=True)
class Pin:
    """A package for serving.

    Attributes
    ----------
    name, version : str
        Normalised name; the version installed here.
    marker : str
        The systems that need it, as an environment marker; empty for all.
    hashes : tuple of str
        sha256 of the files that may be installed; empty if not available.
    """

    name: str
    version: str
    marker: str = ""
    hashes: tuple[str, ...] = ()

    def line(self) -> str:
        r"""Return the pin as it is written in ``requirements.txt``.

        Examples
        --------
        >>> print(Pin("h11", "0.16.0", hashes=("ab12",)).line())
        h11==0.16.0 \
            --hash=sha256:ab12
        """
        head = f"{self.name}=={self.version}" + (f"; {self.marker}" if self.marker else "")
        return " \\\n".join([head, *(f"    --hash=sha256:{each}" for each in self.hashes)])


def pins(roots: Sequence[str] = ROOTS) -> list[Pin]:
    """Return each package and its dependencies in the versions installed here, sorted by name.

    Raises
    ------
    ExportError
        If a package for serving is not installed here.

    Examples
    --------
    >>> [pin.name for pin in pins(("uvicorn",))]
    ['click', 'h11', 'uvicorn']
    """
    found: dict[str, str] = {}
    pending = [(root, "") for root in roots]
    while pending:
        name, required_by = pending.pop()
        key = _normal(name)
        if key in found:
            continue
        try:
            found[key] = version(name)
        except PackageNotFoundError:
            if _MARKERS.get(key) and not required_by:  # not available for this system
                continue
            raise ExportError(
                f"{name} is not installed",
                expected="the packages that serve a bundle",
                hint=f"pip install {name}",
            ) from None
        for line in requires(name) or []:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                pending.append((need.name, name))
    return [Pin(key, found[key], _MARKERS.get(key, "")) for key in sorted(found)]


def requirements_text(packages: Sequence[Pin]) -> str:
    """Return the content of ``requirements.txt``.

    Examples
    --------
    >>> print(requirements_text([Pin("h11", "0.16.0")]).splitlines()[-1])
    h11==0.16.0
    """
    head = [
        "Packages for serving this bundle, in the versions that it was exported and checked with. None of them trains."
    ]
    if packages and all(pin.hashes for pin in packages):
        head += [
            "The hashes are of files for Linux (x86_64, aarch64) and for other common systems or that of the export.",
            "For any other system, use the pins only: sed -n 's/ *\\\\$//; /==/p' requirements.txt",
        ]
    else:
        head += [
            "Without hashes: none ship with Workbench for these versions, and no package index was asked (export",
            "option `hashes`) or reached.",
        ]
    return "".join(f"# {line}\n" for line in head) + "".join(f"{pin.line()}\n" for pin in packages)


def requirement_names(text: str) -> list[str]:
    r"""Return the normalised names of the packages in a ``requirements.txt``.

    Examples
    --------
    >>> requirement_names("# pins\nNumPy==2.4.6 \\\n    --hash=sha256:ab\nuvloop==0.23.0; sys_platform != 'win32'\n")
    ['numpy', 'uvloop']
    """
    lines = [line.split("#", 1)[0].strip() for line in text.splitlines()]
    wanted = [line for line in lines if line and not line.startswith("-")]
    return [_normal(re.split(r"[\s=<>!~;\[@]", line, maxsplit=1)[0]) for line in wanted]


def plain_pins(text: str) -> list[str]:
    r"""Return the lines of a ``requirements.txt`` that has pinned packages only.

    Everything else that pip accepts (``--index-url``, ``-r``, URLs, paths, environment variables)
    installs code that no signature covers.

    Raises
    ------
    TamperedBundleError
        If a line is not a pin; the message has the line.

    Examples
    --------
    >>> plain_pins("# pins\nnumpy==2.4.6 \\\n    --hash=sha256:" + "ab" * 32 + "\n")[0][:30]
    'numpy==2.4.6 --hash=sha256:aba'
    >>> plain_pins("-r x")
    Traceback (most recent call last):
    ...
    workbench.runtime.errors.TamperedBundleError: requirements.txt: found '-r x'; expected a pin. Write NAME==VERSION.
    """
    if len(text) > _LONGEST:
        raise TamperedBundleError(
            "requirements.txt is too long",
            found=f"{len(text):,} characters",
            expected=f"at most {_LONGEST:,}",
        )
    lines = [line.split("#", 1)[0].strip() for line in text.replace("\\\n", " ").splitlines()]
    for line in filter(None, lines):
        if not _PIN.fullmatch(line):
            raise TamperedBundleError(
                "requirements.txt", found=shown(line), expected="a pin", hint="Write NAME==VERSION."
            )
    return [" ".join(line.split()) for line in lines if line]


def serving_names() -> frozenset[str]:
    """Return the packages that serving may install: the imports of the runtime and their
    dependencies.
    """
    return frozenset(pin.name for pin in pins()) | set(ROOTS)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
