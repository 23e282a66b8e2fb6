from __future__ import annotations

import numpy as np
import pytest

from tests.runtime.made import ROWS, make_predictor
from workbench.runtime.errors import UnseenError, WrongKindError
from workbench.runtime.serving.scorer import Scorer

PREDICTOR = make_predictor()
ODD = {**ROWS[0], "tenure": 99, "plan": "plux", "Monthly Charges": "1,000", "note": "never seen"}


@pytest.mark.parametrize("copies", [1, 30])
def test_what_training_never_met_is_answered_and_counted(copies: int) -> None:
    """A few rows and whole columns are checked alike."""
    scored = Scorer(PREDICTOR).rows([ROWS[0], ODD] * copies)
    assert scored.rows == 2 * copies
    assert scored.unseen.counts == {
        ("out_of_range", "tenure"): copies,
        ("out_of_range", "Monthly Charges"): copies,
        ("unseen_category", "plan"): copies,
    }
    assert scored.unseen.kinds() == {"out_of_range": 2 * copies, "unseen_category": copies}
    text = " ".join(scored.unseen.lines)
    assert "row 1, column 'tenure': found 99.0; training range 0.0 to 72.0" in text
    assert (
        "row 1, column 'plan': found 'plux'; training levels 'basic', 'plus', 'max' (nearest: 'plus')" in text
    )


def test_usual_rows_and_missing_values_are_nothing_to_tell() -> None:
    assert not Scorer(PREDICTOR).rows(ROWS[:2]).unseen
    assert not Scorer(PREDICTOR).rows(ROWS[:2] * 20).unseen


@pytest.mark.parametrize("copies", [1, 30])
def test_extra_columns_are_counted_under_no_name(copies: int) -> None:
    seen = Scorer(PREDICTOR).rows([{**ROWS[0], "tenur": 1, "x": 2}] * copies).unseen
    assert seen.counts == {("extra_column", ""): 2 * copies}
    assert "column 'tenur': the model has no such column (nearest: 'tenure')" in seen.lines[0]
    columns = {name: [value] for name, value in ROWS[0].items()}
    seen = Scorer(PREDICTOR).columns(columns, [*columns, "x"]).unseen
    assert seen.counts == {("extra_column", ""): 1}


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"plan": "ultra"}, "unseen_category", "column 'plan': found 'ultra'"),
        ({"tenure": -1}, "out_of_range", "column 'tenure': found -1.0"),
        ({"churn": "no"}, "extra_column", "column 'churn': the model has no such column"),
    ],
)
@pytest.mark.parametrize("copies", [1, 30])
def test_strict_refuses(change: dict[str, object], code: str, words: str, copies: int) -> None:
    with pytest.raises(UnseenError) as caught:
        Scorer(PREDICTOR, strict=True).rows([{**ROWS[0], **change}] * copies)
    assert caught.value.code == code
    assert words in str(caught.value)
    assert Scorer(PREDICTOR, strict=True).rows(ROWS[:2]).rows == 2


@pytest.mark.parametrize("copies", [1, 30])
def test_a_column_of_another_kind_is_a_forgotten_feature(copies: int) -> None:
    rows = [{**ROWS[0], "tenure": "gold"}] * copies
    with pytest.raises(WrongKindError) as caught:
        Scorer(PREDICTOR).rows(rows)
    assert caught.value.code == "forgotten_feature"
    with pytest.raises(ValueError, match="row 1, column 'tenure'") as other:
        Scorer(PREDICTOR).rows([ROWS[0], *rows])
    assert getattr(other.value, "code", "") == "bad_value"


def test_the_answers_are_those_of_the_predictor() -> None:
    for rows in (ROWS, ROWS * 10):
        scored = Scorer(PREDICTOR).rows(rows)
        np.testing.assert_allclose(
            scored.probabilities, PREDICTOR.predict_rows(rows).astype(float), atol=1e-7
        )
        assert scored.labels == PREDICTOR.decide(PREDICTOR.predict_rows(rows)).tolist()


@pytest.mark.parametrize("copies", [1, 30])
@pytest.mark.parametrize("text", ["Infinity", "inf", "-inf", "1e999"])
def test_a_string_for_infinity_is_a_number_out_of_range_as_in_a_csv_file(text: str, copies: int) -> None:
    """The literal ``Infinity`` is not JSON; the string has the meaning of a CSV cell."""
    rows = [{**ROWS[0], "tenure": text}] * copies
    scored = Scorer(PREDICTOR).rows(rows)
    beyond = Scorer(PREDICTOR).rows([{**ROWS[0], "tenure": -1e300 if text[0] == "-" else 1e300}] * copies)
    assert scored.probabilities == beyond.probabilities
    assert scored.unseen.counts == {("out_of_range", "tenure"): copies}
    with pytest.raises(UnseenError, match="column 'tenure'"):
        Scorer(PREDICTOR, strict=True).rows(rows)


def test_a_string_for_nan_is_a_missing_value_as_the_literal_is() -> None:
    rows = [{**ROWS[0], "plan": value} for value in ("NaN", None)]
    scored = Scorer(PREDICTOR).rows(rows)
    assert scored.probabilities is not None
    assert scored.probabilities[0] == scored.probabilities[1]
