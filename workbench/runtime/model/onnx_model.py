"""An ONNX Runtime session: a float32 matrix in, probabilities or numbers out."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.resource_cost import Cost
from ..errors import BundleError, ModelError, TamperedBundleError, shown
from .onnx_cost import graph_cost
from .onnx_library import import_onnxruntime
from .onnx_scan import scan_onnx

INPUT_NAME = "features"
OUTPUT_NAME = "output"


class OnnxModel:
    """An ONNX Runtime session over the bytes of a model.

    Parameters
    ----------
    content : bytes
        The serialised model: input ``features`` float32 (n, d), output ``output`` float32 (n, k).
        For classification k is the number of classes, for regression 1.
    threads : int
        Threads of one call. One is fastest for single rows, and leaves the other cores to other
        requests.
    own : bool
        Whether this process has just written the content. It is then trusted: neither scanned,
        which takes a tenth of the time to open a large model, nor is its cost computed.

    Raises
    ------
    BundleError
        If the content is not a usable model, uses ONNX features that a bundle's model does not need
        (see `scan_onnx`) or exceeds a limit (see `graph_cost`).
    """

    def __init__(self, content: bytes, threads: int = 1, *, own: bool = False) -> None:
        self.cost = Cost(0, 0)
        if not own:
            scan_onnx(content)
            self.cost = graph_cost(content)
        ort = import_onnxruntime()  # imported here: reading a schema or a manifest needs no session

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # errors are raised; the library's log would repeat them
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            self.width = _columns(self._session.get_inputs(), INPUT_NAME)
            self.outputs = _columns(self._session.get_outputs(), OUTPUT_NAME)
        except TamperedBundleError:
            raise
        except Exception as error:  # onnxruntime raises many types, none public
            raise BundleError("model.onnx cannot be loaded", found=_first_line(error)) from error
        self._outputs = [OUTPUT_NAME]
        self._run = self._session.run

    def run(self, matrix: np.ndarray) -> np.ndarray:
        """Apply the model to a float32 matrix, shape (n, d).

        Returns
        -------
        numpy.ndarray of float32, shape (n, k)

        Raises
        ------
        ModelError
            If the session fails.
        """
        try:
            result: Any = self._run(self._outputs, {INPUT_NAME: matrix})[0]
        except Exception as error:  # see above
            raise ModelError("the model failed", found=_first_line(error)) from error
        if result.shape != (len(matrix), self.outputs):
            raise ModelError(
                "the model returned an output of the wrong shape",
                found=f"shape {result.shape}",
                expected=f"{(len(matrix), self.outputs)}",
            )
        return result  # type: ignore[no-any-return]


def _columns(entries: Any, name: str) -> int:
    """Return the columns of the only input or output: a float32 matrix of this name."""
    found = [(entry.name, entry.type, list(entry.shape)) for entry in entries]
    if len(found) == 1 and found[0][:2] == (name, "tensor(float)") and len(found[0][2]) == 2:
        columns = found[0][2][1]
        if isinstance(columns, int) and columns > 0:
            return columns
    raise TamperedBundleError(
        "model.onnx is not a bundle's model", found=shown(found), expected=f"one float32 matrix {name!r}"
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
