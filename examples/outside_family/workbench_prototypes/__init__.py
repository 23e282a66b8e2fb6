"""A model family for Workbench: averages over prototypes, weighted by their distance to the row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from workbench.families import (
    BaseFamily,
    Choice,
    FitOptions,
    Fitted,
    Link,
    OnnxGraph,
    Params,
    Problem,
    Real,
    Sample,
    Space,
    Traits,
    Whole,
    apply_link,
)

_LEAST_SHARE = 1e-3  # of each class in a prototype: its logarithm stays finite


@dataclass(frozen=True, eq=False)
class FittedPrototypes:
    """Prototypes, their values, and how fast their weight decreases with distance.

    Attributes
    ----------
    centers : float64, shape (p, d)
    factor : float64, shape (d,)
        Factor of each column in the distance.
    values : float64, shape (p, k)
        Class probabilities, or one number.
    sharpness : float
        The weight of a prototype is ``exp(-sharpness * squared distance)``, normalised to sum to 1.
    link : {"softmax", "identity", "expm1", "exp"}
    """

    centers: np.ndarray
    factor: np.ndarray
    values: np.ndarray
    sharpness: float
    link: Link
    rounds: int = 1
    stopped: bool = False
    unseen: None = None

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return raw scores, float64 (n, k): logarithms of probabilities, or numbers."""
        directions, lengths = self._nearness()
        near = X.astype(np.float64) @ directions + lengths
        weights = np.exp(near - near.max(axis=1, keepdims=True))
        means = (weights / weights.sum(axis=1, keepdims=True)) @ self.values
        return np.asarray(np.log(means) if self.link == "softmax" else means)

    def _nearness(self) -> tuple[np.ndarray, np.ndarray]:
        """Return a matrix (d, p) and a bias (p,) for the negative scaled squared distances.

        They leave out the squared length of the row, which is the same for all prototypes and
        cancels in the normalisation.
        """
        weights = self.sharpness * self.factor**2
        return 2.0 * weights[:, None] * self.centers.T, -(self.centers**2) @ weights

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities, float64 (n, k), or numbers (n, 1)."""
        return apply_link(self.raw(X), self.link)

    def form(self) -> OnnxGraph:
        """Return the same computation as an ONNX graph."""
        from onnx import TensorProto, helper, numpy_helper

        from workbench.families.onnx_writing.imported_graph import onnx_graph

        directions, lengths = self._nearness()
        constants = {"directions": directions, "lengths": lengths, "values": self.values}
        nodes = [
            helper.make_node("Gemm", ["x", "directions", "lengths"], ["near"]),
            helper.make_node("Softmax", ["near"], ["weights"], axis=1),
            helper.make_node("MatMul", ["weights", "values"], ["means"]),
            helper.make_node("Log" if self.link == "softmax" else "Identity", ["means"], ["y"]),
        ]
        float_type, (width, k) = TensorProto.FLOAT, (self.centers.shape[1], self.values.shape[1])
        graph = helper.make_graph(
            nodes,
            "prototypes",
            [helper.make_tensor_value_info("x", float_type, ["n", width])],
            [helper.make_tensor_value_info("y", float_type, ["n", k])],
            [numpy_helper.from_array(each.astype(np.float32), name) for name, each in constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
        return onnx_graph(model, self.link)


class Prototypes(BaseFamily):
    """Average over the nearest prototypes: the centers of a k-means clustering of the rows."""

    name: ClassVar[str] = "prototypes"
    traits: ClassVar[Traits] = Traits(
        label="Nearest prototypes",
        packages=("scikit-learn",),
        first_model_rank=5,
        complements_trees=True,
    )

    def space(self, problem: Problem) -> Space:
        """Return the search space."""
        most = min(512, max(4, problem.n_rows // 4))
        return {
            "prototypes": Whole(4, most, default=min(150, most)),
            "sharpness": Real(0.1, 30.0, default=1.0, log=True),
            "numbers": Choice(("scaled", "quantile")),
        }

    def defaults(self, problem: Problem) -> tuple[Params, ...]:
        """Return two points: a moderate number of prototypes, and many with a sharper weight."""
        return ({}, {"prototypes": 512, "sharpness": 3.0})

    def learn(self, params: Params, train: Sample, problem: Problem, options: FitOptions) -> Fitted:
        """Cluster the rows, then average the target in each cluster; there is no early stopping."""
        from sklearn.cluster import MiniBatchKMeans
        from threadpoolctl import threadpool_limits

        count = min(int(params["prototypes"]), len(train.y))
        clusters = MiniBatchKMeans(count, random_state=options.seed, n_init=1, batch_size=2048, max_iter=30)
        deviation = train.X.std(axis=0, dtype=np.float64)
        factor = np.where(deviation > 0, 1.0 / np.where(deviation > 0, deviation, 1.0), 0.0)
        scaled = train.X * factor
        with threadpool_limits(1):
            nearest = clusters.fit_predict(scaled, sample_weight=train.weight)
        near = clusters.cluster_centers_.astype(np.float64)
        weight = np.ones(len(train.y)) if train.weight is None else train.weight.astype(np.float64)
        target, link = _target(train, problem)
        spread = np.average(((scaled - near[nearest]) ** 2).sum(axis=1), weights=weight)
        overall = np.average(target, axis=0, weights=weight)
        sums = np.zeros((count, target.shape[1]))
        np.add.at(sums, nearest, target * weight[:, None])
        # Shrink towards the overall mean by the weight of one row, so that empty clusters have a
        # value.
        own = float(weight.mean())
        values = (sums + own * overall) / (np.bincount(nearest, weight, count)[:, None] + own)
        if link == "softmax":
            values = (1.0 - _LEAST_SHARE) * values + _LEAST_SHARE / problem.n_classes
        elif link == "exp":
            values = np.log(values)
        centers = near / np.where(factor > 0, factor, 1.0)
        sharpness = float(params["sharpness"]) / max(float(spread), 1e-6)
        return FittedPrototypes(centers, factor, values, sharpness, link)


def _target(train: Sample, problem: Problem) -> tuple[np.ndarray, Link]:
    """Return the values that clusters average, float64 (n, k), and the link to predictions."""
    if problem.task != "regression":
        return np.eye(problem.n_classes)[train.y.astype(np.int64)], "softmax"
    y = train.y.astype(np.float64)[:, None]
    if problem.logs:
        return np.log1p(y), "expm1"
    return y, "exp" if problem.deviance else "identity"
