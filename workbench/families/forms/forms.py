"""Serving forms: the shapes that a trained model takes before it becomes ONNX.

A form consists of plain arrays and does not depend on the library that trained the model. It
computes *raw scores*, which its link turns into predictions (see `links`): class probabilities,
with two columns for two classes, or one number.

A model of any other shape is an `OnnxGraph`: an ONNX graph that its family writes. `averaging`
combines several forms into one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.runtime.model.onnx_model import OnnxModel

from .links import Link, Scale, apply_link, bounded, outputs_of
from .trees import Trees

Activation = Literal["relu", "tanh"]


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A linear model: raw scores are ``X @ weights + bias``.

    Attributes
    ----------
    weights : float64, shape (d, k)
    bias : float64, shape (k,)
    link : Link
    floor : float or None
        Lowest prediction of a regression.
    """

    weights: np.ndarray
    bias: np.ndarray
    link: Link
    floor: float | None = None

    @property
    def n_raw(self) -> int:
        """Columns of the raw scores."""
        return len(self.bias)

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        return outputs_of(len(self.bias), self.link)

    def node_visits(self) -> float | None:
        """Return None: there are no trees."""
        return None

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Predict in float64 for X, shape (n, d).

        Examples
        --------
        >>> Linear(np.array([[2.0]]), np.array([1.0]), "identity").apply(np.array([[3.0]])).tolist()
        [[7.0]]
        """
        return bounded(apply_link(self.raw(X), self.link), self.floor)

    def raw(self, X: np.ndarray) -> np.ndarray:
        """Return the raw scores in float64 for X, shape (n, d)."""
        return np.asarray(np.asarray(X, dtype=np.float64) @ self.weights + self.bias)


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A multilayer perceptron: each hidden layer is ``activation(x @ weights + bias)``.

    Attributes
    ----------
    weights : sequence of float64, shapes (d, h1), (h1, h2), …, (hm, k)
    biases : sequence of float64, shapes (h1,), …, (k,)
    activation : {"relu", "tanh"}
    link : Link
    floor : float or None
        Lowest prediction of a regression.
    """

    weights: Sequence[np.ndarray]
    biases: Sequence[np.ndarray]
    activation: Activation
    link: Link
    floor: float | None = None

    @property
    def n_raw(self) -> int:
        """Columns of the raw scores."""
        return len(self.biases[-1])

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        return outputs_of(len(self.biases[-1]), self.link)

    def node_visits(self) -> float | None:
        """Return None: there are no trees."""
        return None

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Predict in float64 for X, shape (n, d).

        Examples
        --------
        >>> one = np.ones((1, 1))
        >>> Network([one, one], [np.zeros(1), np.zeros(1)], "relu", "identity").apply(-one).tolist()
        [[0.0]]
        """
        return bounded(apply_link(self.raw(X), self.link), self.floor)

    def raw(self, X: np.ndarray) -> np.ndarray:
        """Return the raw scores in float64 for X, shape (n, d)."""
        hidden = np.asarray(X, dtype=np.float64)
        for weights, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            raw = hidden @ weights + bias
            hidden = np.maximum(raw, 0.0) if self.activation == "relu" else np.tanh(raw)
        return np.asarray(hidden @ self.weights[-1] + self.biases[-1])


@dataclass(frozen=True, slots=True, eq=False)
class OnnxGraph:
    """A model of any other kind, as an ONNX graph that computes the raw scores.

    `workbench.families.onnx_writing.imported_graph.onnx_graph` creates one from an ONNX model and
    checks it.

    Attributes
    ----------
    model : bytes
        An ONNX model with input ``features`` float32 (n, d) and output ``output`` float32 (n, k).
    n_raw : int
        Columns of the raw scores, k.
    link : Link
    scale, offset : float, float64 of shape (k,) or None
        A calibration: raw scores are ``scale * output + offset``; None adds nothing.
    floor : float or None
        Lowest prediction of a regression.
    """

    model: bytes
    n_raw: int
    link: Link
    scale: float = 1.0
    offset: np.ndarray | None = None
    floor: float | None = None

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        return outputs_of(self.n_raw, self.link)

    def node_visits(self) -> float | None:
        """Return None: there are no trees."""
        return None

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Predict in float64 for X, shape (n, d)."""
        return bounded(apply_link(self.raw(X), self.link), self.floor)

    def raw(self, X: np.ndarray) -> np.ndarray:
        """Return the raw scores in float64 for X, shape (n, d), by ONNX Runtime."""
        scores = OnnxModel(self.model).run(np.asarray(X, dtype=np.float32)).astype(np.float64)
        return scores * self.scale + (0.0 if self.offset is None else self.offset)


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """An ensemble: a weighted sum of other forms.

    Attributes
    ----------
    members : tuple of Form
    weights : tuple of float
    columns : tuple of (int64 array or None)
        For each member, its columns of the matrix, in its order; None: the first columns in order.
    of : {"raw", "prediction", "log"}
        The terms of the sum: raw scores, followed by the members' common link; predictions; or
        logarithms of probabilities, followed by ``softmax``.
    scale : float, or float64 of shape (k, k) if predictions are summed
    offset : float64, shape (k,), or None
        Calibration of the averaged probabilities p: ``softmax(scale * log(p) + offset)``, or
        ``softmax(log(p) @ scale + offset)`` for a matrix; None: not calibrated.
    meta : Network or None
        If predictions are summed: a stacker over the concatenated predictions of all members
        (logarithms of probabilities, clipped at `LEAST_MIXED`).
    meta_share : float
        Weight of the stacker's prediction; the average of the members has the rest.
    floor : float or None
        Lowest prediction of a regression.
    """

    members: tuple[Form, ...]
    weights: tuple[float, ...]
    columns: tuple[np.ndarray | None, ...]
    of: Literal["raw", "prediction", "log"] = "prediction"
    scale: Scale = 1.0
    offset: np.ndarray | None = None
    meta: Network | None = None
    meta_share: float = 0.0
    floor: float | None = None

    @property
    def link(self) -> Link:
        """The link of summed raw scores; "identity" if predictions are summed."""
        return self.members[0].link if self.of == "raw" else "identity"

    @property
    def n_raw(self) -> int:
        """Columns of the sum."""
        return self.members[0].n_raw if self.of == "raw" else self.n_outputs

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        return self.members[0].n_outputs

    def node_visits(self) -> float | None:
        """Return the node visits of all members, or None if no member has trees."""
        visits = [each.node_visits() for each in self.members]
        known = [each for each in visits if each is not None]
        return sum(known) if known else None


Form = Trees | Linear | Network | OnnxGraph | Blend
