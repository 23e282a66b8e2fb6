"""The price sheet that a search was given, wherever its run lies now."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

from workbench.automl.records.run_folder import RunFolder
from workbench.errors import WorkbenchWarning

from .prices import PriceSheet, load_prices, read_prices


def run_prices(run: RunFolder, *, needed: bool = True) -> PriceSheet | None:
    """Return the price sheet that a search was given, or None if it was given none.

    A run keeps the content of its sheet. A run of 0.1.0 keeps the path: it is looked for as it stands, and then beside
    the run, so that a folder moved with its runs still has it. If it is gone, that is warned of in one line.

    Parameters
    ----------
    run : RunFolder
    needed : bool
        Whether to warn: no other sheet counts.

    Raises
    ------
    SettingsError
        If the sheet is there and makes no sense.
    """
    given = run.settings.prices
    if given is None:
        return None
    if isinstance(given, Mapping):
        return read_prices(given)
    for path in _places(run.path, given):
        if path.is_file():
            return load_prices(path)
    if not needed:
        return None
    warnings.warn(
        f"{run.path}: the price sheet {given} that the search was given is gone; prices are those of the sheet that "
        "ships. Give it with `prices`, or store it in the run: workbench decide.",
        WorkbenchWarning,
        stacklevel=2,
    )
    return None


def _places(run: Path, given: str) -> Iterator[Path]:
    """Yield where a price sheet may lie now: under a folder above the run by the end of its path, or as given.

    A relative path was one from the folder that the search was started in, so the run's own surroundings come before
    those of whoever reads it now.
    """
    if Path(given).is_absolute():
        yield Path(given)
    parts = (PureWindowsPath(given) if "\\" in given else PurePosixPath(given)).parts
    above = run.resolve().parents
    for length in range(
        min(len(parts), 3), 1, -1
    ):  # a bare name could be anybody's: the app's folder must be in it
        for folder in above[:3]:
            yield folder.joinpath(*parts[-length:])
    yield Path(given)
