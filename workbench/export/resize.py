"""A bundle's cluster manifests by what a load test measured, in place of what was reckoned at export."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.errors import ExportError
from workbench.runtime.bundle.bundle import Bundle, open_bundle
from workbench.runtime.bundle.listed_files import hash_files
from workbench.runtime.bundle.manifest import SIGNATURE_FILE

from .checks.signing import read_private_key, sign_manifest
from .destination import move_to_destination, work_folder
from .documents.deploy import CLUSTER_FILES, Size, deploy_files

_SPARE = 1.25  # memory asked for, beyond what the server used
_CPU_M = 1000


def size_by_load(
    memory_mb: float, requests_per_s_per_core: float, cpu_percent: float, busiest_per_s: Sequence[float]
) -> Size:
    """Return the size of a replica of one core, and how many of them the traffic needs.

    Parameters
    ----------
    memory_mb : float
        Resident memory of the server.
    requests_per_s_per_core : float
        That a replica answers at `cpu_percent`.
    cpu_percent : float
        At which replicas are added.
    busiest_per_s : sequence of float
        Requests in the busiest second of each piece of traffic; the quietest sets the fewest replicas, and there may
        be twice as many as the busiest needs, but no fewer than four.

    Examples
    --------
    >>> size_by_load(89.0, 5000.0, 50, [3.0, 12000.0])
    Size(memory_mb=128, cpu_m=1000, replicas=1, most=6, busy_percent=50)
    """
    needed = [max(1, math.ceil(each / requests_per_s_per_core - 1e-9)) for each in busiest_per_s] or [1]
    memory = 64 * math.ceil(_SPARE * memory_mb / 64)
    return Size(memory, _CPU_M, min(needed), max(4, 2 * max(needed)), max(1, round(cpu_percent)))


def measured_size(report: Mapping[str, Any]) -> tuple[Size, str]:
    """Return the size that the content of ``load_test.json`` asks for, and a line that says what it follows from.

    Raises
    ------
    ExportError
        Where it has no figures: nothing was answered.
    """
    targets, steps, needs = report["targets"], report["steps"], report["needs"]
    if not targets or not steps:
        raise ExportError("the load test has no figures", found="no answers", hint="Run it again.")
    rate, busy = targets["requests_per_s_per_core"], targets["cpu_percent"]
    memory = max(step["memory_mb"] for step in steps)
    size = size_by_load(memory, rate, busy, [need["busiest_per_s"] for need in needs])
    line = (
        f"Sized by workbench load-test on {report['machine']}: {report['cpu_us_per_request']:.0f} µs of CPU a request, "
        f"{rate:,.0f} requests/s a core at {busy:g} %, {memory:.0f} MB."
    )
    return size, line


def check_resizable(target: Path, *, signing: bool) -> Bundle:
    """Return a bundle whose manifests can be written again, before the work of measuring it.

    Raises
    ------
    ExportError
        Where the bundle has no such manifests, or is signed and would not be signed again.
    """
    bundle = open_bundle(target)
    if any(name not in bundle.manifest.files for name in CLUSTER_FILES):
        raise ExportError(
            f"{target} has no {CLUSTER_FILES[0]}", hint="Export the model again, then load-test it."
        )
    if not signing and (bundle.path / SIGNATURE_FILE).is_file():
        raise ExportError(
            f"{target} is signed", found="no key to sign it again with", hint="Give the key with `sign`."
        )
    return bundle


def resize(target: Path, report: Mapping[str, Any], sign: str | Path | None = None) -> list[str]:
    """Write a bundle's cluster manifests again, by the content of its ``load_test.json``; returns their names.

    The model stays as it is, and so does its id; ``manifest.json`` gets the new digests.

    Parameters
    ----------
    target : Path
        A bundle: a folder or one zip. It is replaced as a whole or not at all.
    report : mapping
    sign : path, optional
        A private key: a bundle that is signed has to be signed again.

    Raises
    ------
    ExportError
        As `check_resizable`, or where the bundle cannot be written.
    SettingsError
        Where `sign` is no key.
    """
    key = read_private_key(sign) if sign is not None else None
    bundle = check_resizable(target, signing=key is not None)
    size, line = measured_size(report)
    written = deploy_files(bundle.manifest, size, line)
    with work_folder(target) as work:
        folder = work / (target.name if target.is_dir() else bundle.manifest.name)
        shutil.copytree(bundle.path, folder, ignore=shutil.ignore_patterns("__pycache__"))
        for name in CLUSTER_FILES:
            (folder / name).write_text(written[name], encoding="utf-8", newline="\n")
        found = hash_files(folder)
        files = {name: found[name] for name in bundle.manifest.files}
        replace(bundle.manifest, files=files).write(folder)
        if key is not None:
            sign_manifest(folder, key)
        move_to_destination(folder, target, work)
    return list(CLUSTER_FILES)
