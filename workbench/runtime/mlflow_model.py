"""A bundle as an MLflow model: ``mlflow.pyfunc.load_model(bundle)`` finds this module through ``MLmodel``.

MLflow itself is not imported: it calls `_load_pyfunc` and then `predict` on what that returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .bundle.bundle import Bundle, open_bundle
from .serving.protocols.invocations import METHODS, method_of


class MlflowModel:
    """What MLflow wraps.

    Parameters
    ----------
    bundle : Bundle
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> np.ndarray:
        """Predict labels or numbers of rows in any shape that `Bundle.predict` takes.

        Parameters
        ----------
        model_input : dict, list of dict, data frame or mapping of columns
        params : mapping, optional
            ``{"method": "predict_proba"}`` asks for probabilities, a column a class.

        Raises
        ------
        InputError
            Where the rows do not fit the schema, or another method is asked for.
        """
        if method_of(params) == METHODS[1]:
            return self._bundle.predict_proba(model_input)
        return self._bundle.predict(model_input)

    def get_raw_model(self) -> Bundle:
        """Return the bundle itself (MLflow's ``get_raw_model``), for `predict_proba` and the rest."""
        return self._bundle


def _load_pyfunc(path: str) -> MlflowModel:
    """Open the bundle at `path`, a folder; every file is checked against its manifest."""
    return MlflowModel(open_bundle(Path(path)))
