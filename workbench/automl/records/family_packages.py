"""Packages outside Workbench that provide model families of a run, as ``run.json`` records them
under ``families``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import RunError
from workbench.families import family_names


def absent_packages(info: Mapping[str, Any]) -> dict[str, str]:
    """Return, by family, the package and version that a run was made with and that are not
    installed here.

    Parameters
    ----------
    info : mapping
        The content of ``run.json``.

    Examples
    --------
    >>> absent_packages({"families": {"prototypes": {"package": "workbench-prototypes", "version": "1.4"}}})
    {'prototypes': 'workbench-prototypes==1.4'}
    """
    here = family_names()
    recorded = info.get("families", {}).items()
    return {name: f"{each['package']}=={each['version']}" for name, each in recorded if name not in here}


def require_package(info: Mapping[str, Any], family: str) -> None:
    """Check that a candidate's family can be trained here.

    Raises
    ------
    RunError
        If the package that provides the family is not installed.

    Examples
    --------
    >>> require_package({}, "linear")
    """
    package = absent_packages(info).get(family)
    if package is not None:
        raise RunError(
            f"model family {family} cannot be trained",
            found=f"package {package.replace('==', ' ')} is not installed",
            hint=f"pip install {package}",
        )
