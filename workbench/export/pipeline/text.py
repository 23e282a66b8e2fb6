r"""The steps of free text as ONNX nodes.

Python's ``\w\w+`` over ``text.lower()`` becomes a ``StringNormalizer`` and ONNX Runtime's own
``Tokenizer`` (domain ``com.microsoft``, part of every full build). A test compares both for every
Unicode character. They differ for U+0130 (an I with a dot), a capital Greek sigma at the end of a
word, and letters that are newer than the Unicode version of the Python that trained; the metadata
of ``pipeline.onnx`` of a bundle with text columns states this.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.runtime.core.schema import MISSING_TEXT
from workbench.runtime.core.text_steps import Length, Terms, TermScore

from .graph import CONTRIB_DOMAIN, DOUBLE, FLOAT, INT64, ML_DOMAIN, STRING, Graph

KNOWN_DIFFERENCES = (
    "text columns: words with U+0130, a capital Greek sigma at the end, or letters newer than Unicode 14 may be "
    "split differently from the bundled runtime"
)

_SPACE = r"\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_WORD = r"[\p{L}\p{N}_]{2,}"
_STRIPPED = rf"[^{_SPACE}](?s:.*)[^{_SPACE}]|[^{_SPACE}]"
_LOCALE = "C.UTF-8"  # needs no language pack


class TextColumn:
    """One text column; results that several steps need are computed once.

    Parameters
    ----------
    graph : Graph
    source : str
        String (n, 1).

    Attributes
    ----------
    stripped : str
        String (n, 1), without surrounding blanks, and empty if the value is missing.
    """

    def __init__(self, graph: Graph, source: str) -> None:
        self.graph = graph
        self._flat = self._strip(graph.reshape(source, -1))
        self.stripped = graph.reshape(self._flat, -1, 1)
        self._tokens: dict[int, str] = {}
        self._lower = ""

    def _strip(self, flat: str) -> str:
        graph = self.graph
        bare = self._first(self._tokenize(flat, _STRIPPED))
        blank = sorted(MISSING_TEXT)
        code = graph.add(
            "LabelEncoder",
            bare,
            domain=ML_DOMAIN,
            keys_strings=blank,
            values_int64s=[1] * len(blank),
            default_int64=0,
        )
        missing = graph.add("Equal", code, graph.constant(1, np.int64))
        return graph.where(missing, graph.constant("", object), bare)

    def _first(self, tokens: str) -> str:
        """Return the first token of each text; an empty string if there is none."""
        graph = self.graph
        rows = graph.add("Shape", tokens, start=0, end=1)
        nothing = graph.add(
            "Expand", graph.constant([[""]], object), graph.add("Concat", rows, graph.constant([1]), axis=0)
        )
        return graph.add("Gather", graph.concat([tokens, nothing]), graph.constant(0, np.int64), axis=1)

    def _tokenize(self, flat: str, pattern: str) -> str:
        """Return string (n, tokens of the longest), padded with empty strings."""
        tokens = self.graph.add(
            "Tokenizer", flat, domain=CONTRIB_DOMAIN, mark=0, pad_value="", tokenexp=pattern, mincharnum=1
        )
        return self.graph.declare(tokens, STRING, "n", f"tokens of {tokens}")

    def _words(self, ngrams: int) -> str:
        """Return words and then n-grams of words, string (n, at least 1), in the runtime's
        order.
        """
        if ngrams not in self._tokens:
            graph = self.graph
            single = self._tokenize(self._lowered(), _WORD)
            rows = graph.add("Shape", single, start=0, end=1)
            shape = graph.add("Concat", rows, graph.constant([ngrams]), axis=0)
            padded = graph.concat([single, graph.add("Expand", graph.constant([[""]], object), shape)])
            self._tokens[ngrams] = graph.concat(
                [padded, *(self._runs(padded, size) for size in range(2, ngrams + 1))]
            )
        return self._tokens[ngrams]

    def _lowered(self) -> str:
        if not self._lower:
            self._lower = self.graph.add(
                "StringNormalizer", self._flat, case_change_action="LOWER", locale=_LOCALE
            )
        return self._lower

    def _runs(self, words: str, size: int) -> str:
        """Return each n-gram of `size` words joined by blanks; one that includes padding is
        empty.
        """
        graph = self.graph
        axis = graph.constant([1], np.int64)
        joined = ""
        for at in range(size):
            start = graph.constant([at], np.int64)
            stop = graph.constant([at - size + 1 or np.iinfo(np.int64).max], np.int64)
            part = graph.add("Slice", words, start, stop, axis)
            blank = graph.constant(" ", object)
            joined = (
                part if not at else graph.add("StringConcat", graph.add("StringConcat", joined, blank), part)
            )
        return joined

    def features(self, step: Any) -> str:
        """Return the features of a step, float32 (n, width)."""
        if isinstance(step, Length):
            return self._length()
        if isinstance(step, TermScore):
            return self._term_score(step)
        assert isinstance(step, Terms)
        return self._terms(step)

    def _length(self) -> str:
        graph = self.graph
        counts = []
        for pattern in (r"(?s:.)", rf"[^{_SPACE}]+"):
            tokens = self._tokenize(self._flat, pattern)
            real = graph.add("Not", graph.add("Equal", tokens, graph.constant("", object)))
            number = graph.cast(real, INT64)
            counts.append(graph.add("ReduceSum", number, graph.constant([1], np.int64), keepdims=1))
        return graph.cast(graph.concat(counts), FLOAT)

    def _codes(self, ngrams: int, terms: list[str]) -> str:
        """Return the position of each word in `terms`, int64 (n, words); ``len(terms)`` for an
        unknown one.
        """
        return self.graph.add(
            "LabelEncoder",
            self._words(ngrams),
            domain=ML_DOMAIN,
            keys_strings=terms,
            values_int64s=list(range(len(terms))),
            default_int64=len(terms),
        )

    def _total(self, values: str) -> str:
        """Sum along axis 1 from left to right, as the runtime does, so that the sum rounds
        equally.
        """
        graph = self.graph
        running = graph.add("CumSum", values, graph.constant(1, np.int64))
        return graph.add("Gather", running, graph.constant(-1, np.int64), axis=1)

    def _term_score(self, step: TermScore) -> str:
        graph = self.graph
        terms = list(step.weights)
        codes = self._codes(step.ngrams, terms)
        table = np.zeros((len(terms) + 1, step.width))
        for at, term in enumerate(terms):
            table[at] = step.weights[term]
        total = self._total(graph.add("Gather", graph.constant(table), codes, axis=0))
        known = graph.cast(graph.add("Less", codes, graph.constant(len(terms), np.int64)), DOUBLE)
        count = graph.add("ReduceSum", known, graph.constant([1], np.int64), keepdims=1)
        count = graph.add("Max", count, graph.constant(1.0, np.float64))
        return graph.cast(graph.add("Div", total, count), FLOAT)

    def _terms(self, step: Terms) -> str:
        graph = self.graph
        terms, width = list(step.terms), len(step.terms)
        codes = self._codes(step.ngrams, terms)
        rows = graph.add("Shape", codes, start=0, end=1)
        shape = graph.add("Concat", rows, graph.constant([width + 1]), axis=0)
        nothing = graph.add("Expand", graph.constant([[0.0]], np.float64), shape)
        weights = graph.constant([*step.weights, 0.0], np.float64)
        found = graph.add("Gather", weights, codes, axis=0)
        placed = graph.add("ScatterElements", nothing, codes, found, axis=1)
        squares = graph.add("Mul", placed, placed)
        length = graph.reshape(graph.add("Sqrt", self._total(squares)), -1, 1)
        silent = graph.add("Equal", length, graph.constant(0.0, np.float64))
        length = graph.where(silent, graph.constant(1.0, np.float64), length)
        unit = graph.add("Div", placed, length)
        return graph.cast(graph.columns(unit, range(width)), FLOAT)
