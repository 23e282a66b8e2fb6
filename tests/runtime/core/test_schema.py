from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime.made import COLUMNS
from workbench.runtime.core.schema import KINDS, Column, Output, Schema, tidy_names
from workbench.runtime.errors import BundleError

NAMES = st.text(min_size=1, max_size=6)
COLUMN = st.builds(
    Column,
    name=NAMES,
    kind=st.sampled_from(KINDS),
    nullable=st.booleans(),
    decimal=st.sampled_from([".", ","]),
    formats=st.lists(st.sampled_from(["%Y", "%d/%m/%Y"]), max_size=2).map(tuple),
    categories=st.none() | st.lists(st.text(max_size=4), min_size=1, max_size=3).map(tuple),
    low=st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
OUTPUT = st.sampled_from(
    [
        Output("y", "binary", ("no", "yes"), 0.3),
        Output("y", "multiclass", (1, 2, 5)),
        Output("y", "regression"),
        Output("y", "binary", (False, True)),
    ]
)


@given(st.lists(COLUMN, max_size=4, unique_by=lambda column: column.name).map(tuple), OUTPUT)
def test_a_schema_survives_json(columns: tuple[Column, ...], output: Output) -> None:
    schema = Schema(columns, output, {"delimiter": ";"})
    again = Schema.from_json(json.loads(json.dumps(schema.to_json())))
    assert again == schema
    assert [type(label) for label in again.output.classes] == [type(label) for label in output.classes]


@pytest.mark.parametrize(
    "spoil",
    [
        {"columns": None},
        {"columns": [{"kind": "number"}]},
        {"columns": [{"name": "x", "kind": "picture"}]},
        {"columns": [{"name": "x", "kind": "number", "colour": "red"}]},
        {"output": {"task": "binary"}},
    ],
)
def test_what_is_no_schema_is_refused(spoil: dict[str, Any]) -> None:
    document = Schema(COLUMNS, Output("y", "regression")).to_json()
    with pytest.raises(BundleError, match=r"schema\.json"):
        Schema.from_json({**document, **spoil})


@given(st.lists(st.sampled_from(["", " ", "a", "a ", "a_2", "b", "column_1", "\ufeffa"]), max_size=8))
def test_tidy_names_are_unique_and_stay_as_they_are(header: list[str]) -> None:
    names = tidy_names(header)
    assert len(set(names)) == len(header)
    assert all(name and name == name.strip() for name in names)
    assert tidy_names(names) == names
