"""Serving forms: the few shapes that every trained model is brought into before it becomes ONNX.

A form is plain arrays, free of the library that trained it. It has *raw* outputs (scores), which its link turns into
the prediction (see `links`): class probabilities, two columns for two classes, or one number.

A family whose model is none of these shapes writes its own ONNX graph, which `OnnxGraph` keeps. `averaging` makes one
form of several.
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
        The lowest prediction, of a number.
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
    """A multilayer perceptron: each layer but the last is ``activation(x @ weights + bias)``.

    Attributes
    ----------
    weights : sequence of float64, shapes (d, h1), (h1, h2), …, (hm, k)
    biases : sequence of float64, shapes (h1,), …, (k,)
    activation : {"relu", "tanh"}
    link : Link
    floor : float or None
        The lowest prediction, of a number.
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
    """A model of any other kind: an ONNX graph that computes the raw scores.

    `workbench.families.onnx_writing.imported_graph.onnx_graph` makes one of a family's own ONNX model and checks it.

    Attributes
    ----------
    model : bytes
        An ONNX model with input ``features`` float32 (n, d) and output ``output`` float32 (n, k).
    n_raw : int
        Columns of the raw scores, k.
    link : Link
    scale, offset : float, float64 of shape (k,) or None
        Raw scores are ``scale * output + offset``: a calibration; None adds nothing.
    floor : float or None
        The lowest prediction, of a number.
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
    """A weighted sum of other forms.

    Attributes
    ----------
    members : tuple of Form
    weights : tuple of float
    columns : tuple of (int64 array or None)
        For each member, which columns of the matrix are its own, in its order; None: the first ones as they are.
    of : {"raw", "prediction", "log"}
        What is summed: raw scores, which share one link that then applies; predictions; or logarithms of
        probabilities, of which ``softmax`` makes probabilities again.
    scale : float, or of predictions float64, shape (k, k)
    offset : float64, shape (k,), or None
        Calibration of the blended probabilities p: ``softmax(scale * log(p) + offset)``, or ``log(p) @ scale`` of a
        matrix; None leaves them as they are.
    meta : Network or None
        Of predictions: a network over all members' predictions side by side (the logarithms of probabilities, those
        below `LEAST_MIXED` counting as that).
    meta_share : float
        What the network's prediction counts for; the members' average has the rest.
    floor : float or None
        The lowest prediction, of a number.
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
        """The link of the summed raw scores; predictions are linked already."""
        return self.members[0].link if self.of == "raw" else "identity"

    @property
    def n_raw(self) -> int:
        """Columns of what is summed."""
        return self.members[0].n_raw if self.of == "raw" else self.n_outputs

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        return self.members[0].n_outputs

    def node_visits(self) -> float | None:
        """Return the visits of all members, or None where none has trees."""
        visits = [each.node_visits() for each in self.members]
        known = [each for each in visits if each is not None]
        return sum(known) if known else None


Form = Trees | Linear | Network | OnnxGraph | Blend
