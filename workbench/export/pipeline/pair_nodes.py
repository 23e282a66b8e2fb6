"""Pairs of columns as ONNX nodes: the positions of both parts form one integer, which gives the
level.

A string of both parts, as in the runtime, would need an operator that older versions of ONNX
Runtime lack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from workbench.runtime.core.column_pairs import split_text
from workbench.runtime.core.encoder import Pair

from .category_spellings import look_up
from .graph import INT64, ML_DOMAIN, Graph


def pair_level(
    graph: Graph,
    pair: Pair,
    sources: Mapping[str, str],
    levels: Sequence[str],
    other: int,
    missing: Mapping[str, Sequence[str]],
) -> str:
    """Add the nodes that find the level of a pair.

    Parameters
    ----------
    graph : Graph
    pair : Pair
    sources : mapping of str to str
        The name of each column of numbers in the graph; columns of strings have their own names.
    levels : sequence of str
        The strings of the pair that are distinguished.
    other : int
        The level of any other string.
    missing : mapping of str to sequence of str
        The strings that mean a missing value in each column.

    Returns
    -------
    str
        The name of the levels' positions, int64 (n, 1).
    """
    parts = [split_text(text) for text in levels]
    codes, sizes, numbers = [], [], []
    for at, (name, edges) in enumerate(zip(pair.columns, pair.edges, strict=True)):
        texts = [each[at] for each in parts]
        if name in sources:
            code, known = _of_number(graph, sources[name], edges)
        else:
            code, known = _of_text(graph, name, texts, missing.get(name, ()))
        codes.append(code)
        sizes.append(len(known) + 1)  # the last position is that of an unknown string
        numbers.append([known[text] for text in texts])
    both = graph.add("Add", graph.add("Mul", codes[0], graph.constant(sizes[1], np.int64)), codes[1])
    return graph.add(
        "LabelEncoder",
        both,
        domain=ML_DOMAIN,
        keys_int64s=[first * sizes[1] + second for first, second in zip(*numbers, strict=True)],
        values_int64s=list(range(len(levels))),
        default_int64=other,
    )


def _of_number(graph: Graph, source: str, edges: Sequence[float]) -> tuple[str, dict[str, int]]:
    """Count the edges below a number; the position after the last is that of a missing one."""
    known = {str(at): at for at in range(len(edges) + 1)} | {"": len(edges) + 1}
    missing = graph.add("IsNaN", source)
    if edges:
        below = graph.cast(graph.add("Less", graph.constant([edges], np.float64), source), INT64)
        count = graph.add("ReduceSum", below, graph.constant([1], np.int64), keepdims=1)
    else:
        count = graph.add("Mul", graph.cast(missing, INT64), graph.constant(0, np.int64))  # n zeros
    return graph.where(missing, graph.constant(known[""], np.int64), count), known


def _of_text(
    graph: Graph, name: str, texts: Sequence[str], missing: Sequence[str]
) -> tuple[str, dict[str, int]]:
    """Look up a string; the position after the last is that of an unknown one."""
    levels = [text for text in dict.fromkeys(texts) if text]
    known = {text: at for at, text in enumerate(levels)} | {"": len(levels)}
    return look_up(graph, name, levels, missing), known
