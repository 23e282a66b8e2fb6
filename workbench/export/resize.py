"""Resize the cluster manifests of a bundle by a load test; an export can only estimate their
sizes.
"""

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

_MEMORY_SLACK = 1.25  # requested memory over the memory that the server used
_CPU_M = 1000


def size_by_load(
    memory_mb: float, requests_per_s_per_core: float, cpu_percent: float, busiest_per_s: Sequence[float]
) -> Size:
    """Return the size of a replica with one core, and the number of replicas that the traffic
    needs.

    Parameters
    ----------
    memory_mb : float
        Resident memory of the server.
    requests_per_s_per_core : float
        Throughput of a replica at `cpu_percent`.
    cpu_percent : float
        CPU use at which replicas are added.
    busiest_per_s : sequence of float
        Requests in the busiest second of each traffic profile. The smallest one sets the minimum of
        replicas. The maximum is twice what the largest one needs, and at least four.

    Examples
    --------
    >>> size_by_load(89.0, 5000.0, 50, [3.0, 12000.0])
    Size(memory_mb=128, cpu_m=1000, replicas=1, most=6, busy_percent=50)
    """
    needed = [max(1, math.ceil(each / requests_per_s_per_core - 1e-9)) for each in busiest_per_s] or [1]
    memory = 64 * math.ceil(_MEMORY_SLACK * memory_mb / 64)
    return Size(memory, _CPU_M, min(needed), max(4, 2 * max(needed)), max(1, round(cpu_percent)))


def measured_size(report: Mapping[str, Any]) -> tuple[Size, str]:
    """Return the size that follows from the content of ``load_test.json``, and a line with the
    reason.

    Raises
    ------
    ExportError
        If it has no figures, because no request succeeded.
    """
    targets, steps, needs = report["targets"], report["steps"], report["needs"]
    if not targets or not steps:
        raise ExportError("the load test has no figures", found="no successful request", hint="Run it again.")
    rate, busy = targets["requests_per_s_per_core"], targets["cpu_percent"]
    memory = max(step["memory_mb"] for step in steps)
    size = size_by_load(memory, rate, busy, [need["busiest_per_s"] for need in needs])
    line = (
        f"Sized by workbench load-test on {report['machine']}: {report['cpu_us_per_request']:.0f} µs of CPU a request, "
        f"{rate:,.0f} requests/s a core at {busy:g} %, {memory:.0f} MB."
    )
    return size, line


def check_resizable(target: Path, *, signing: bool) -> Bundle:
    """Open a bundle and check, before it is measured, that its manifests can be rewritten.

    Raises
    ------
    ExportError
        If the bundle has no such manifests, or is signed and there is no key to sign it again.
    """
    bundle = open_bundle(target)
    if any(name not in bundle.manifest.files for name in CLUSTER_FILES):
        raise ExportError(
            f"{target} has no {CLUSTER_FILES[0]}", hint="Export the model again, then load-test it."
        )
    if not signing and (bundle.path / SIGNATURE_FILE).is_file():
        raise ExportError(
            f"{target} is signed", found="no key to sign it again", hint="Pass the key as `sign`."
        )
    return bundle


def resize(target: Path, report: Mapping[str, Any], sign: str | Path | None = None) -> list[str]:
    """Rewrite the cluster manifests of a bundle by the content of its ``load_test.json``; return
    their names.

    The model and its id do not change; ``manifest.json`` gets the new digests.

    Parameters
    ----------
    target : Path
        A bundle, a folder or a zip. It is replaced atomically.
    report : mapping
    sign : path, optional
        A private key, required if the bundle is signed.

    Raises
    ------
    ExportError
        As in `check_resizable`, or if the bundle cannot be written.
    SettingsError
        If `sign` is not a key.
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
