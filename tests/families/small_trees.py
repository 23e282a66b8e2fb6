"""Ensembles small enough to be computed by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.families.forms.links import Link
from workbench.families.forms.trees import Trees, floor32


def stumps(
    heights: np.ndarray,
    link: Link,
    classes: int = 1,
    *,
    threshold: float = 0.5,
    strict: bool = False,
    nan: bool = False,
) -> Trees:
    """Trees of one split on feature 0: a small value adds the height, a large one subtracts it."""
    count = len(heights)
    return Trees(
        node_offsets=np.arange(count + 1),
        leaf_offsets=2 * np.arange(count + 1),
        feature=np.zeros(count, np.int64),
        threshold=np.full(count, threshold, np.float32),
        yes=-1 - 2 * np.arange(count),
        no=-2 - 2 * np.arange(count),
        missing_yes=np.full(count, nan),
        entry_offsets=np.arange(2 * count + 1),
        target=np.repeat(np.arange(count) % classes, 2),
        weight=np.stack([heights, -heights], axis=1).ravel(),
        base=np.zeros(classes),
        link=link,
        strict=strict,
        trees_per_round=classes,
        reach=np.ones(count),
    )


def scattered(width: int, each: int, link: Link, seed: int = 0) -> Trees:
    """Trees of one split, some on each feature, with thresholds around most test values."""
    random = np.random.default_rng(seed)
    count = width * each
    places = [-1e9, -1.0, 0.0, 0.5, 1.0, 2.0, 18.3, 70.35, 1900.5, 1e9]
    made = stumps(random.normal(size=count) / width, link)
    return replace(
        made,
        feature=np.tile(np.arange(width), each),
        threshold=floor32(random.choice(places, count)),
        missing_yes=random.random(count) < 0.5,
        weight=random.normal(size=2 * count) / width,
        base=np.array([0.25]),
    )
