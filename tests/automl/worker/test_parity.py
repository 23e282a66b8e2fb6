from __future__ import annotations

import numpy as np
import pytest

from tests.automl.conftest import make_data
from workbench.automl.features.encoder_fitting import learn
from workbench.automl.phases.plan import describe_problem
from workbench.automl.worker import parity
from workbench.errors import FitError
from workbench.families import all_families
from workbench.families.base import Problem, Sample
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.model.predictor import Predictor


def test_the_check_has_missing_unseen_and_extreme_values() -> None:
    data = make_data(rows=300)
    columns = parity.difficult_rows(data)
    number, wide = columns["number"], columns["wide"]
    assert len(number) == parity.ROWS >= 1000
    assert np.isnan(np.asarray(number)).any()
    assert np.isinf(np.asarray(number)).any()
    assert (wide.codes == len(wide.values) - 1).any()  # the unseen level
    assert (wide.codes == -1).any()


@pytest.mark.parametrize("name", list(all_families()))
def test_every_family_passes_the_check_and_a_wrong_one_does_not(name: str) -> None:
    data = make_data("binary", rows=200)
    problem: Problem = describe_problem(data, 200)
    family = all_families()[name]
    params = (family.portfolio(problem) or [{}])[0]
    learned = learn(family.encoding(params, problem), data)
    fitted = family.fit(params, Sample(learned.matrix, data.y), problem, rounds=5, seed=0)
    predictor = Predictor(data.schema, learned.encoder, to_onnx(fitted.form(), learned.matrix.shape[1]))
    columns = parity.gate_columns(data, np.arange(10))
    library = fitted.predict(learned.encoder.encode_columns(columns))
    assert parity.check(predictor, columns, library, data).largest < parity.TOLERANCE
    with pytest.raises(FitError, match="does not predict what the library predicts"):
        parity.check(predictor, columns, library + 1e-3, data)


def test_the_checked_rows_begin_with_the_golden_rows() -> None:
    data = make_data(rows=300)
    golden = parity.golden_rows(data, np.arange(200, 300))
    assert len(golden) == parity.GOLDEN_ROWS and (golden >= 200).sum() > 40
    columns = parity.gate_columns(data, np.arange(200, 300))
    for name, values in data.take(golden).columns.items():
        first = columns[name]
        if isinstance(values, np.ndarray):
            np.testing.assert_array_equal(np.asarray(first)[: len(golden)], values)
        else:
            assert first.take(slice(0, len(golden))).texts() == values.texts()  # type: ignore[union-attr]  # both Levels


def test_raw_rows_read_back_to_the_same_values() -> None:
    data = make_data(rows=50)
    columns = {column.name: column for column in data.schema.columns}
    for at, row in enumerate(parity.raw_rows(data)):
        for name, value in row.items():
            canonical = columns[name].read(value)
            stored = data.columns[name]
            expected = stored[at] if isinstance(stored, np.ndarray) else stored.texts()[at]
            assert canonical == expected or (canonical != canonical and expected != expected)
