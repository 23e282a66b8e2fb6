"""A list of data sets (TOML or JSON) becomes frames, each cut into the same training and test rows
for every system.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.model_selection import train_test_split

TEST_SHARE = 0.25
TASKS = ("binary", "multiclass", "regression")
HERE = Path(__file__).resolve().parent
SHIPPED_LIST = HERE / "datasets.toml"
SHIPPED_DATA = HERE.parents[1] / "datasets"


@dataclass(frozen=True, slots=True)
class Table:
    """One line of a list of data sets.

    Attributes
    ----------
    name, path, target, task : str
        The path is relative to the folder of the data.
    drop : tuple of str
        Columns that no system gets: identifiers, and columns that give the answer away.
    read : mapping
        Options for `pandas.read_csv` or `pandas.read_parquet`; ``header = false`` says that there
        is no header.
    """

    name: str
    path: str
    target: str
    task: str
    drop: tuple[str, ...] = ()
    read: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Split:
    """The training and test rows of a table, the target among the columns of both."""

    table: Table
    train: pd.DataFrame
    test: pd.DataFrame


def read_list(path: Path) -> list[Table]:
    """Read a list of data sets: an array of tables named ``dataset``, as TOML or JSON.

    Raises
    ------
    SystemExit
        Where an entry lacks something or has a task that does not exist.
    """
    text = path.read_text(encoding="utf-8")
    document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    tables = []
    for entry in document.get("dataset", []):
        missing = {"name", "path", "target", "task"} - set(entry)
        if missing or entry["task"] not in TASKS:
            raise SystemExit(
                f"{path}: {entry} lacks {sorted(missing)} or has a task other than {', '.join(TASKS)}"
            )
        tables.append(Table(**{**entry, "drop": tuple(entry.get("drop", ()))}))
    return tables


def choose(tables: Sequence[Table], names: str | None) -> list[Table]:
    """Return the tables named in a comma-separated text, in that order; all where it is None."""
    if names is None:
        return list(tables)
    by_name = {table.name: table for table in tables}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise SystemExit(f"no data set {', '.join(unknown)} in the list; it has {', '.join(by_name)}")
    return [by_name[name] for name in wanted]


def load(table: Table, folder: Path) -> pd.DataFrame:
    """Read a table: rows without a target left out, columns to drop dropped, a number target made
    numeric.

    Every other column stays as pandas reads it.
    """
    path = folder / table.path
    if not path.exists():
        raise SystemExit(f"data set {table.name}: there is no file {path}; say where with --data DIR")
    options = {
        key: (None if key == "header" and value is False else value) for key, value in table.read.items()
    }
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path, **options)
    else:
        frame = pd.read_csv(path, low_memory=False, **options)
    frame.columns = [str(name) for name in frame.columns]
    absent = sorted({table.target, *table.drop} - set(frame.columns))
    if absent:
        raise SystemExit(
            f"data set {table.name}: no column {', '.join(absent)}; it has {', '.join(frame.columns)}"
        )
    frame = frame.drop(columns=list(table.drop))
    if table.task == "regression":
        frame[table.target] = _numbers(frame[table.target])
    return frame[frame[table.target].notna()].reset_index(drop=True)


def split(table: Table, folder: Path, seed: int = 0) -> Split:
    """Cut a table into 75 % training and 25 % test rows, stratified by class for classification."""
    frame = load(table, folder)
    strata = None
    if table.task != "regression":
        labels = frame[table.target].astype(str)
        strata = labels.where(labels.map(labels.value_counts()) > 1, labels.mode()[0])
    train, test = train_test_split(
        np.arange(len(frame)), test_size=TEST_SHARE, random_state=seed, stratify=strata
    )
    return Split(table, frame.iloc[train].reset_index(drop=True), frame.iloc[test].reset_index(drop=True))


def write(frame: pd.DataFrame, path: Path) -> Path:
    """Write a frame as Parquet or, by the path's suffix, CSV, so that every version of pandas reads
    the same.
    """
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
        return path
    plain = frame.copy()
    for name in plain.columns:
        if plain[name].dtype == object:
            plain[name] = plain[name].map(str, na_action="ignore")
    table = pa.Table.from_pandas(plain, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path)
    return path


def _numbers(values: pd.Series) -> pd.Series:
    """Read numbers that are written as money: "$5,720"."""
    if pd.api.types.is_numeric_dtype(values):
        return values.astype(float)
    return pd.to_numeric(values.astype(str).str.replace(r"[^0-9.eE+-]", "", regex=True), errors="coerce")
