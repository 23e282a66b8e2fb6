"""A bundle as an MLflow model.

``mlflow.pyfunc.load_model(bundle)`` finds this module through the file ``MLmodel``. MLflow is not
imported: it calls `_load_pyfunc`, and then `predict` of the returned object.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .bundle.bundle import Bundle, open_bundle
from .serving.protocols.invocations import METHODS, method_of


class MlflowModel:
    """The object that MLflow wraps.

    Parameters
    ----------
    bundle : Bundle
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> np.ndarray:
        """Predict labels or numbers for rows in any shape that `Bundle.predict` accepts.

        Parameters
        ----------
        model_input : dict, list of dict, data frame or mapping of columns
        params : mapping, optional
            ``{"method": "predict_proba"}`` returns probabilities, one column a class.

        Raises
        ------
        InputError
            If the rows do not fit the schema, or the method is unknown.
        """
        if method_of(params) == METHODS[1]:
            return self._bundle.predict_proba(model_input)
        return self._bundle.predict(model_input)

    def get_raw_model(self) -> Bundle:
        """Return the bundle (MLflow's ``get_raw_model``), for `predict_proba` and other methods."""
        return self._bundle


def _load_pyfunc(path: str) -> MlflowModel:
    """Open the bundle in the folder `path`, after checking every file against its manifest."""
    return MlflowModel(open_bundle(Path(path)))
