"""The usual way with BentoML: a pipeline from joblib, and one row as a data frame at each
request.
"""

from __future__ import annotations

import os
from typing import Any

import bentoml
import joblib
import pandas as pd


@bentoml.service(workers=1)
class Served:
    """One pipeline."""

    def __init__(self) -> None:
        self.pipeline = joblib.load(os.environ["MODEL"])

    @bentoml.api(route="/predict")
    async def predict(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Answer rows."""
        probabilities = self.pipeline.predict_proba(pd.DataFrame(rows))
        labels = self.pipeline.classes_[probabilities.argmax(axis=1)]
        return [
            {"prediction": label, "probabilities": found}
            for label, found in zip(labels.tolist(), probabilities.tolist(), strict=True)
        ]
