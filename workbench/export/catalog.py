"""List the bundles in a folder by their manifests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench.errors import BundleError, SettingsError, TamperedBundleError
from workbench.runtime.bundle.archive import read_entry, reading
from workbench.runtime.bundle.manifest import MANIFEST_FILE, SIGNATURE_FILE, Manifest
from workbench.runtime.core.json_documents import parse_json

_DEEPEST = 3
_LONGEST_MANIFEST = 16 << 20


@dataclass(frozen=True, slots=True)
class BundleEntry:
    """One bundle, as its manifest describes it.

    Attributes
    ----------
    path : str
    name, version, model_id, created, task, target, family, run, candidate : str
    format_version : int or None
    metric : str
    score, score_low, score_high : float or None
    latency_p50_us, price_per_million_usd : float or None
    size_mb : float
    data, data_date : str
    signed : bool
        Whether it has a signature; `verify_bundle(key=...)` checks it.
    error : str
        Why it cannot be read; empty if it can.
    """

    path: str
    name: str = ""
    version: str = ""
    model_id: str = ""
    created: str = ""
    task: str = ""
    target: str = ""
    family: str = ""
    run: str = ""
    candidate: str = ""
    format_version: int | None = None
    metric: str = ""
    score: float | None = None
    score_low: float | None = None
    score_high: float | None = None
    latency_p50_us: float | None = None
    price_per_million_usd: float | None = None
    size_mb: float = 0.0
    data: str = ""
    data_date: str = ""
    signed: bool = False
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the entry as a JSON object."""
        return asdict(self)


def list_bundles(folder: str | Path) -> list[BundleEntry]:
    """Return the bundles in a folder and its subfolders, by name and then by creation time.

    Commands and the app list bundles with this function. It reads manifests only; `workbench
    verify` checks the files. A zip next to a folder of the same name and with the same manifest is
    that bundle, packed, and not listed again.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    list of BundleEntry
        A bundle whose manifest cannot be read is among them, with the reason.

    Raises
    ------
    SettingsError
        If there is no such folder.
    """
    base = Path(folder)
    if not base.is_dir():
        raise SettingsError(str(folder), found="no folder", expected="a folder of bundles")
    entries = [_entry(path) for path in _candidates(base, 0) if not _packed(path)]
    return sorted(entries, key=lambda entry: (entry.name, entry.created, entry.path))


def next_version(folder: str | Path, name: str) -> str:
    """Return the next free version of a name in a folder of bundles: one more than the highest
    whole number.

    Bundles in subfolders do not count.

    Examples
    --------
    >>> next_version("no/such/folder", "churn")
    '1'
    """
    base, numbers = Path(folder), [0]
    for path in _candidates(base, _DEEPEST - 1) if base.is_dir() else ():
        try:
            document = _manifest_of(path)
        except (BundleError, OSError):
            continue
        version = str(document.get("version", ""))
        if document.get("name") == name and version.isascii() and version.isdigit():
            numbers.append(int(version))
    return str(max(numbers) + 1)


def _manifest_of(path: Path) -> dict[str, Any]:
    """Return the unchecked content of a bundle's manifest."""
    document = parse_json(_manifest_bytes(path), MANIFEST_FILE, once=True)
    if not isinstance(document, dict):
        raise TamperedBundleError(MANIFEST_FILE, found=type(document).__name__, expected="a JSON object")
    return document


def _packed(path: Path) -> bool:
    """Return whether a path is the zip of a bundle that is next to it as a folder."""
    folder = path.with_suffix("")
    if path.suffix.lower() != ".zip" or not (folder / MANIFEST_FILE).is_file():
        return False
    try:
        return _manifest_bytes(path) == (folder / MANIFEST_FILE).read_bytes()
    except (BundleError, OSError):
        return False


def _candidates(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / MANIFEST_FILE).is_file():
        yield folder
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_symlink():
            continue
        if path.is_dir():
            if depth < _DEEPEST:
                yield from _candidates(path, depth + 1)
        elif path.suffix.lower() == ".zip" and _manifest_in(path):
            yield path


def _manifest_in(path: Path) -> str | None:
    """Return the name of the manifest in a zip, or None if the zip is not a bundle."""
    try:
        with reading(path) as archive:
            names = [name for name in archive.namelist() if name.split("/")[-1] == MANIFEST_FILE]
    except BundleError:
        return None
    return min(names, key=lambda name: name.count("/"), default=None)


def _entry(path: Path) -> BundleEntry:
    try:
        manifest, signed, size = _from_zip(path) if path.is_file() else _from_folder(path)
    except (BundleError, OSError) as error:
        return BundleEntry(str(path), name=path.stem, error=str(error))
    metric = manifest.metric
    return BundleEntry(
        path=str(path),
        name=manifest.name,
        version=manifest.version,
        model_id=manifest.model_id,
        created=manifest.created,
        task=manifest.task,
        target=manifest.target,
        family=manifest.lineage.family,
        run=manifest.lineage.run,
        candidate=manifest.lineage.candidate,
        format_version=manifest.format_version,
        metric=metric.name,
        score=metric.value,
        score_low=metric.low,
        score_high=metric.high,
        latency_p50_us=manifest.latency.p50_us if manifest.latency else None,
        price_per_million_usd=manifest.price.per_million_usd if manifest.price else None,
        size_mb=round(size / 1e6, 3),
        data=manifest.data.name,
        data_date=manifest.data.date,
        signed=signed,
    )


def _from_folder(path: Path) -> tuple[Manifest, bool, int]:
    size = sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return Manifest.read(path), (path / SIGNATURE_FILE).is_file(), size


def _from_zip(path: Path) -> tuple[Manifest, bool, int]:
    manifest = Manifest.from_json(_manifest_of(path))
    with reading(path) as archive:
        inside = _manifest_in(path) or MANIFEST_FILE
        signed = f"{inside.removesuffix(MANIFEST_FILE)}{SIGNATURE_FILE}" in archive.namelist()
    return manifest, signed, path.stat().st_size


def _manifest_bytes(path: Path) -> bytes:
    if path.is_dir():
        return (path / MANIFEST_FILE).read_bytes()
    inside = _manifest_in(path) or MANIFEST_FILE
    with reading(path) as archive:
        return read_entry(archive, inside, _LONGEST_MANIFEST)
