"""A data set survives its folder; a broken folder says so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from workbench.data import fingerprint, load_dataset
from workbench.data.dataset import Dataset
from workbench.data.store import load_arrays, save_arrays
from workbench.errors import DataError
from workbench.runtime.core.schema import Levels


def example() -> Dataset:
    n_rows = 40
    frame = {
        "size": [float(at % 11) for at in range(n_rows)],
        "colour": [None if at % 9 == 0 else "rot\n\u2028é"[at % 3 :] for at in range(n_rows)],
        "flag": [["yes", "no"][at % 2] for at in range(n_rows)],
        "w": [1.0] * n_rows,
        "g": [f"g{at % 4}" for at in range(n_rows)],
        "when": [f"2024-01-{1 + at % 28:02d}" for at in range(n_rows)],
        "y": [at % 3 == 0 for at in range(n_rows)],
    }
    return load_dataset(frame, target="y", weight="w", group="g", time_column="when")


@pytest.mark.parametrize("mapped", [True, False])
def test_a_saved_data_set_is_the_same(tmp_path: Path, mapped: bool) -> None:
    data = example()
    save_arrays(data, tmp_path / "data")
    again = load_arrays(tmp_path / "data", mapped=mapped)
    assert again.schema == data.schema
    assert again.findings == data.findings
    assert (again.name, again.rows_read, again.fingerprint) == (data.name, data.rows_read, data.fingerprint)
    assert fingerprint(again) == data.fingerprint
    for name in ("y", "weight", "group", "time"):
        np.testing.assert_array_equal(getattr(again, name), getattr(data, name))
    assert isinstance(again.columns["size"], np.memmap) is mapped
    again.take(np.array([3, 1]))


def test_labels_keep_their_type(tmp_path: Path) -> None:
    save_arrays(example(), tmp_path)
    assert [type(label) for label in load_arrays(tmp_path).schema.output.classes] == [bool, bool]


def test_saving_again_replaces(tmp_path: Path) -> None:
    data = example()
    save_arrays(data, tmp_path)
    save_arrays(data.take(np.arange(20)), tmp_path)
    assert load_arrays(tmp_path).n_rows == 20


def test_there_is_no_pickle(tmp_path: Path) -> None:
    save_arrays(example(), tmp_path)
    for path in tmp_path.iterdir():
        assert path.suffix in (".npy", ".json")
        if path.suffix == ".npy":
            np.load(path, allow_pickle=False)


def test_folders_that_hold_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no data set"):
        load_arrays(tmp_path)
    save_arrays(example(), tmp_path)
    index = tmp_path / "dataset.json"
    document = json.loads(index.read_text())
    index.write_text(json.dumps({**document, "format": 99}))
    with pytest.raises(DataError, match="found format 99"):
        load_arrays(tmp_path)
    index.write_text(json.dumps(document)[:50])
    with pytest.raises(DataError, match="is damaged"):
        load_arrays(tmp_path)
    index.write_text(json.dumps(document))
    (tmp_path / "column_0.npy").write_bytes(b"short")
    with pytest.raises(DataError, match="is damaged"):
        load_arrays(tmp_path)


def test_fingerprints_tell_contents_not_numbering() -> None:
    data = example()
    levels = data.columns["colour"]
    assert isinstance(levels, Levels)
    renumbered = Levels(
        np.where(levels.codes < 0, -1, len(levels.values) - levels.codes), ["unused", *levels.values[::-1]]
    )
    same = Dataset(**{**fields(data), "columns": {**data.columns, "colour": renumbered}})
    assert renumbered.texts() == levels.texts()
    assert fingerprint(same) == data.fingerprint
    changed = np.array(data.columns["size"])
    changed[0] += 1e-9
    other = Dataset(**{**fields(data), "columns": {**data.columns, "size": changed}})
    assert fingerprint(other) != data.fingerprint
    assert fingerprint(data.take(np.arange(40)[::-1])) != data.fingerprint
    assert fingerprint(Dataset(**{**fields(data), "weight": None})) != data.fingerprint


def fields(data: Dataset) -> dict[str, object]:
    return {name: getattr(data, name) for name in Dataset.__dataclass_fields__}
