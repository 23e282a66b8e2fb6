"""The price sheet of a search, found again if its run was moved."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

from workbench.automl.records.run_folder import RunFolder
from workbench.errors import WorkbenchWarning

from .prices import PriceSheet, load_prices, read_prices


def run_prices(run: RunFolder, *, needed: bool = True) -> PriceSheet | None:
    """Return the price sheet of a search, or None if the search had none.

    A run stores the content of its sheet. A run of 0.1.0 stores the path only. A relative path is
    tried near the run first, so that a folder that was moved with its runs still works. A missing
    sheet gives a warning.

    Parameters
    ----------
    run : RunFolder
    needed : bool
        Whether to warn if the sheet is missing: True if no other sheet applies.

    Raises
    ------
    SettingsError
        If the sheet exists and is not valid.
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
        f"{run.path}: the price sheet {given} of the search is missing; using the built-in price "
        f"sheet. Set `prices`, or store it in the run with workbench decide.",
        WorkbenchWarning,
        stacklevel=2,
    )
    return None


def _places(run: Path, given: str) -> Iterator[Path]:
    """Yield possible paths of a price sheet: relative to the folders above the run, then as given.

    A relative path refers to the working directory of the search, so the folders above the run come
    before the current working directory.
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
