"""Store a data set as a folder of arrays and JSON that other processes can map without a copy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import DataError
from workbench.runtime.core.schema import Column1d, Levels, Schema
from workbench.runtime.files.atomic_write import write_atomically

from .dataset import Dataset, Finding

FORMAT = 1
_INDEX = "dataset.json"


def save_arrays(dataset: Dataset, folder: Path) -> None:
    """Write a data set.

    The index is written last and atomically. A folder without an index is not a data set, so a
    crash leaves nothing that could be mistaken for one.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.data import load_dataset
    >>> data = load_dataset({"size": list(range(5, 25)), "sold": ["yes", "no"] * 10}, target="sold")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_arrays(data, Path(folder))
    ...     load_arrays(Path(folder)).fingerprint == data.fingerprint
    True
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _INDEX).unlink(missing_ok=True)
    for at, column in enumerate(dataset.schema.columns):
        values = dataset.columns[column.name]
        if isinstance(values, Levels):
            np.save(folder / f"column_{at}.npy", values.codes)
            (folder / f"column_{at}.json").write_text(json.dumps(values.values), encoding="utf-8")
        else:
            np.save(folder / f"column_{at}.npy", values)
    extras = {"y": dataset.y, "weight": dataset.weight, "group": dataset.group, "time": dataset.time}
    present = [name for name, values in extras.items() if values is not None]
    for name in present:
        np.save(folder / f"{name}.npy", np.asarray(extras[name]))
    index = {
        "format": FORMAT,
        "name": dataset.name,
        "rows_read": dataset.rows_read,
        "fingerprint": dataset.fingerprint,
        "extras": present,
        "schema": dataset.schema.to_json(),
        "findings": [asdict(finding) for finding in dataset.findings],
    }
    write_atomically(folder / _INDEX, json.dumps(index))


def load_arrays(folder: Path, *, mapped: bool = True) -> Dataset:
    """Read a data set.

    Parameters
    ----------
    folder : Path
    mapped : bool
        Whether arrays are memory-mapped, so that processes share them.

    Raises
    ------
    DataError
        If the folder has no data set, a damaged one, or one of a newer format.
    """
    try:
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"there is no data set in {str(folder)!r}", found=f"no {_INDEX}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"the data set in {str(folder)!r} is damaged", found=str(error)) from error
    if index.get("format") != FORMAT:
        raise DataError(
            f"the data set in {str(folder)!r}",
            found=f"format {index.get('format')}",
            expected=f"format {FORMAT}",
        )
    try:
        return _read(index, folder, mapped=mapped)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"the data set in {str(folder)!r} is damaged", found=str(error)) from error


def _read(index: Mapping[str, Any], folder: Path, *, mapped: bool) -> Dataset:
    schema = Schema.from_json(index["schema"])
    columns: dict[str, Column1d] = {}
    for at, column in enumerate(schema.columns):
        values = _array(folder / f"column_{at}.npy", mapped=mapped)
        if column.is_numeric:
            columns[column.name] = values
        else:
            texts = json.loads((folder / f"column_{at}.json").read_text(encoding="utf-8"))
            columns[column.name] = Levels(values, texts)
    extras = {name: _array(folder / f"{name}.npy", mapped=mapped) for name in index["extras"]}
    return Dataset(
        schema=schema,
        columns=columns,
        findings=tuple(Finding(**finding) for finding in index["findings"]),
        fingerprint=index["fingerprint"],
        name=index["name"],
        rows_read=index["rows_read"],
        **extras,
    )


def _array(path: Path, *, mapped: bool) -> np.ndarray:
    values: np.ndarray = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    return values
