from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import DataError
from workbench.ui.files.uploads import Source, digest_of
from workbench.ui.state.table_preview import distribution, look


@pytest.fixture
def source(tmp_path: Path) -> Source:
    rows = [
        f"{1000 + at % 4},2024-01-{at % 28 + 1:02d},{at * 1.5 if at % 8 else ''},<b>,{'yn'[at % 2]}"
        for at in range(40)
    ]
    lines = ["postcode,when,fee,note,sold", *rows]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines))
    return Source(path, "t.csv", digest_of(path))


def test_a_look_has_kinds_first_rows_and_findings(source: Source) -> None:
    seen = look(source.path)
    assert {column.name: column.kind for column in seen.inspection.columns}["postcode"] == "category"
    assert seen.head[1]["fee"] == "1.5"
    assert any(finding.code == "constant" for finding in seen.inspection.findings)
    assert look(source.path, "sold", ("note",)).inspection.target["task"] == "binary"


def test_distributions_count_every_row(source: Source) -> None:
    for name in ("postcode", "when", "fee", "note", "sold"):
        found = distribution(source.path, name)
        assert sum(found["counts"]) + found["missing"] == 40
    assert distribution(source.path, "sold")["labels"] == ["no", "yes"]
    assert distribution(source.path, "fee")["missing"] == 5


def test_what_columns_are_said_to_be_is_shown(source: Source) -> None:
    seen = look(source.path, "sold", kinds={"postcode": "number", "when": "text"})
    kinds = {column.name: column.kind for column in seen.inspection.columns}
    assert (kinds["postcode"], kinds["when"], kinds["fee"]) == ("number", "text", "number")
    assert distribution(source.path, "fee", "category")["kind"] == "category"


def test_what_cannot_be_read_as_its_new_kind_is_named(source: Source) -> None:
    with pytest.raises(DataError, match="note"):
        look(source.path, kinds={"note": "number"})
