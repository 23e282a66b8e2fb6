"""The usual server: FastAPI, pydantic, a data frame of one row, and a scikit-learn pipeline from
joblib.
"""

from __future__ import annotations

import os
from typing import Any

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = joblib.load(os.environ["MODEL"])


class Request(BaseModel):
    """Rows to score."""

    rows: list[dict[str, Any]]


@app.post("/predict")
async def predict(request: Request) -> dict[str, Any]:
    """Score rows."""
    probabilities = model.predict_proba(pd.DataFrame(request.rows))
    labels = model.classes_[probabilities.argmax(axis=1)]
    return {"predictions": labels.tolist(), "probabilities": probabilities.tolist()}
