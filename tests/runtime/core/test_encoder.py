from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.made import make_encoder
from workbench.runtime.core.encoder import (
    DATE_PARTS,
    Code,
    Curve,
    Derived,
    Encoder,
    Length,
    Mean,
    Missing,
    Number,
    OneHot,
    Pair,
    Terms,
    TermScore,
)
from workbench.runtime.core.values import Levels, utc_seconds
from workbench.runtime.errors import BundleError

SMALL = st.floats(-1e6, 1e6)
LEVEL = st.sampled_from(["Oslo", "Rome", "Zürich", "São Paulo", "", "🙂", "a b", "1"])
LEVELS = st.lists(LEVEL, min_size=1, max_size=4, unique=True).map(tuple)
CANONICAL_NUMBER = st.floats() | st.sampled_from([5e-324, 1e308, -1e308, 3.5e38, -0.0, 0.1])
CANONICAL_TEXT = st.none() | LEVEL | st.text(max_size=12) | st.just("bad bad good service")
SECONDS = (
    st.just(math.nan) | st.floats(-62135596800, 253402300799) | st.sampled_from([0.0, -1e-9, 86399.999999])
)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    x = sorted(draw(st.lists(SMALL, min_size=2, max_size=6, unique=True)))
    y = sorted(draw(st.lists(SMALL, min_size=len(x), max_size=len(x))))
    return Curve("n", tuple(x), tuple(y), draw(SMALL))


NUMBER_STEPS = st.one_of(
    st.just(Number("n")),
    st.builds(
        Number,
        st.just("n"),
        st.none() | SMALL,
        st.floats(-1e9, 0),
        st.floats(0, 1e9),
        SMALL,
        st.floats(1e-6, 1e6),
    ),
    curves(),
    st.just(Missing("n")),
)
TEXT_STEPS = st.one_of(
    st.builds(Code, st.just("t"), LEVELS, st.none() | SMALL, st.none() | SMALL),
    st.builds(OneHot, st.just("t"), LEVELS, st.booleans(), st.booleans()),
    st.builds(
        Mean,
        st.just("t"),
        st.dictionaries(LEVEL, st.tuples(SMALL, SMALL), max_size=4),
        st.tuples(SMALL, SMALL),
        st.tuples(SMALL, SMALL),
    ),
    st.just(Terms("t", ("good", "bad", "bad good"), (1.3, 0.7, 2.1), ngrams=2)),
    st.just(TermScore("t", {"good": (0.3, 0.1), "bad": (-0.7, 0.2)}, 2)),
    st.just(Length("t")),
    st.just(Missing("t")),
)
DERIVED = (*(Derived(f"d.{part}", part, ("d",)) for part in DATE_PARTS), Derived("gap", "gap", ("d", "n")))
PAIRS = (
    Pair("t, n", ("t", "n"), ((), (-1.0, 0.0, 0.1, 5.0))),
    Pair("d.hour, t", ("d.hour", "t"), ((0.0, 12.0), ())),
    Pair("t, t", ("t", "t"), ((), ())),
)
PAIR_STEPS = tuple(
    Mean(pair.name, {pair.one("Oslo", 0.5): (1.5,), pair.one(None, math.nan): (2.5,)}, (0.5,), (0.25,))
    for pair in PAIRS[:1]
) + tuple(Code(pair.name, (pair.one("Oslo", "Oslo"), pair.one(None, None)), -1.0, -2.0) for pair in PAIRS[1:])
ENCODERS = st.lists(NUMBER_STEPS | TEXT_STEPS, min_size=1, max_size=6).map(
    lambda steps: Encoder(
        (*DERIVED, *PAIRS), (*steps, *(Number(extra.name) for extra in DERIVED), *PAIR_STEPS)
    )
)


def bits(matrix: np.ndarray) -> bytes:
    """Return the matrix as bytes, with one representation of NaN."""
    return np.where(np.isnan(matrix), np.float32("nan"), matrix).astype(np.float32).tobytes()


@settings(max_examples=200, deadline=None)
@given(ENCODERS, st.lists(st.tuples(CANONICAL_NUMBER, CANONICAL_TEXT, SECONDS), min_size=1, max_size=5))
def test_a_row_encodes_to_the_same_bits_alone_and_in_a_batch(
    encoder: Encoder, rows: list[tuple[float, str | None, float]]
) -> None:
    numbers, texts, dates = zip(*rows, strict=True)
    columns = {"n": np.asarray(numbers), "t": Levels.of(texts), "d": np.asarray(dates)}
    batch = encoder.encode_columns(columns)
    encode = encoder.row_encoder(["n", "t", "d"])
    alone = np.stack([np.array(encode(list(row)), dtype=np.float32) for row in rows])
    assert batch.flags.c_contiguous
    assert batch.shape == (len(rows), len(encoder.feature_names()))
    assert bits(batch) == bits(alone)


@given(ENCODERS)
def test_an_encoder_survives_json(encoder: Encoder) -> None:
    again = Encoder.from_json(json.loads(json.dumps(encoder.to_json(), allow_nan=False)))
    assert again == encoder


@given(st.datetimes(min_value=dt.datetime(1, 1, 1), max_value=dt.datetime(9999, 12, 31)))
def test_date_parts_are_those_of_the_calendar(moment: dt.datetime) -> None:
    moment = moment.replace(microsecond=0)
    seconds = utc_seconds(moment)
    expected = {
        "year": moment.year,
        "month": moment.month,
        "day": moment.day,
        "weekday": moment.weekday(),
        "hour": moment.hour,
        "minute": moment.minute,
    }
    found = {part: Derived("x", part, ("d",)).one(seconds) for part in expected}
    assert found == expected


@pytest.mark.parametrize("missing", [math.nan, math.inf, -math.inf])
def test_parts_of_no_date_are_missing(missing: float) -> None:
    for part in DATE_PARTS:
        derived = Derived("x", part, ("d",))
        assert math.isnan(derived.one(missing))
        assert np.isnan(derived.many(np.array([missing]))).all()


def test_steps_do_what_they_say() -> None:
    encoder = Encoder(
        (),
        (
            Number("n", fill=2.0, low=0.0, high=4.0, center=1.0, scale=0.5),
            Curve("n", (0.0, 1.0, 3.0), (0.0, 10.0, 20.0), fill=-1.0),
            Code("t", ("a", "b"), other=7.0),
            OneHot("t", ("a",), other=True, missing=True),
            Mean("t", {"a": (0.25,)}, (0.5,), (0.75,)),
            Length("t"),
        ),
    )
    columns = {"n": np.array([9.0, math.nan, 2.0]), "t": Levels.of(["a", None, "new one"])}
    np.testing.assert_array_equal(
        encoder.encode_columns(columns),
        np.array(
            [
                [1.5, 20.0, 0.0, 1.0, 0.0, 0.0, 0.25, 1.0, 1.0],
                [0.5, -1.0, np.nan, 0.0, 0.0, 1.0, 0.75, 0.0, 0.0],
                [0.5, 15.0, 7.0, 0.0, 1.0, 0.0, 0.5, 7.0, 2.0],
            ],
            dtype=np.float32,
        ),
    )


def test_a_text_of_known_words_has_length_one() -> None:
    encoder = Encoder((), (Terms("t", ("good", "bad"), (1.0, 3.0)),))
    matrix = encoder.encode_columns({"t": Levels.of(["good bad", "unknown", None])})
    np.testing.assert_allclose(np.linalg.norm(matrix, axis=1), [1.0, 0.0, 0.0], atol=1e-6)


def test_numbers_beyond_float32_are_bounded() -> None:
    encoder = Encoder((), (Number("n"),))
    matrix = encoder.encode_columns({"n": np.array([1e300, -math.inf])})
    assert np.isfinite(matrix).all()


def test_each_feature_has_a_name() -> None:
    encoder = make_encoder()
    assert len(encoder.feature_names()) == encoder.width


@pytest.mark.parametrize(
    "spoil",
    [
        {"version": 99},
        {"version": None},
        {"steps": [{"op": "magic", "column": "n"}]},
        {"steps": [{"op": "number"}]},
        {"derived": [{"name": "x"}]},
    ],
)
def test_what_is_no_encoder_is_refused(spoil: dict[str, Any]) -> None:
    with pytest.raises(BundleError, match=r"encoder\.json"):
        Encoder.from_json({**make_encoder().to_json(), **spoil})


PAIR = {"op": "pair", "name": "t, n", "columns": ["t", "n"], "edges": [[], [1.0, 2.0]]}


@pytest.mark.parametrize(
    "spoil",
    [
        {"columns": ["t"]},
        {"columns": ["t", "gone"]},
        {"edges": [[], [2.0, 1.0]]},
        {"edges": [[1.0], []]},
        {"edges": [[]]},
        {"edges": [[], ["1"]]},
        {"name": "n"},
        {"further": 1},
    ],
)
def test_a_pair_that_makes_no_sense_is_refused(spoil: dict[str, Any]) -> None:
    steps = [{"op": "code", "column": "t, n", "levels": []}]
    document = {"version": 1, "derived": [PAIR], "steps": steps}
    Encoder.from_json(document).check_columns({"t": False, "n": True})
    with pytest.raises(BundleError, match=r"encoder\.json"):
        Encoder.from_json({**document, "derived": [{**PAIR, **spoil}]}).check_columns({"t": False, "n": True})
