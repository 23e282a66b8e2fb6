"""Limits on the resources of a bundle, each with its reason.

A bundle may come from an untrusted source. Its checksums show that it is complete, not that it is
reasonable: a few bytes can describe a step of 10**12 features, a text that doubles forty times, or
a graph whose results double at each node. The runtime therefore computes the resources of a bundle
from its documents (schema, encoder, shapes of the graph) before it allocates or runs anything, and
refuses a bundle that exceeds a limit.

The limits are far above what a search produces. Tested: 10,000 boosted trees, forests of 4 million
nodes, 40 tables of 20,000 codes as trees, 20,000 terms of free text with bigrams. Each stays below
a tenth of every limit.
"""

from __future__ import annotations

MAX_FILES, MAX_BYTES = 10_000, 4 << 30
"""Files and bytes of a bundle. A bundle has about 80 files; protobuf limits a model to 2 GB."""

MAX_PACKED, SMALL_BYTES = 200, 64 << 20
"""The largest compression ratio of a zip that unpacks to more bytes than the second number."""

MAX_DIRECTORY_BYTES = 4 << 20
"""Bytes of a zip's list of files: 400 a file."""

MAX_DOCUMENT_BYTES = 256 << 20
"""Bytes of one JSON document (and of ``golden.jsonl``)."""

MAX_VALUES = 1 << 24
"""Values in one JSON document: each takes up to 72 bytes in memory."""

MAX_CONTAINERS = 1 << 22
"""Lists and objects in one JSON document: each takes up to 280 bytes in memory."""

MAX_NESTED = 64
"""Levels of nesting in a document; an export writes fewer than 10."""

MAX_GOLDEN_ROWS = 100_000
"""Rows of ``golden.jsonl``; an export writes at most a few hundred."""

MAX_FEATURES = 1 << 20
"""Features of the encoded matrix: 4 MB a row as float32."""

MAX_ROW_BYTES = 64 << 20
"""Bytes of one row in the encoder, and again in the graph (the sum of all results, although ONNX
Runtime frees them earlier). Each thread of a server predicts a row at a time, so many rows must
fit."""

MAX_FIXED_BYTES = 256 << 20
"""Bytes of a graph's results independent of the rows, which ONNX Runtime computes on loading."""

MAX_ROW_OPERATIONS = 1 << 31
"""Operations of one row: about a second of one core. A multiply-add is one operation; a step in a
tree counts as 32, since it waits for memory."""

MAX_GOLDEN_OPERATIONS = 1 << 38
"""Operations of all golden rows, predicted before a server is ready: a few minutes at most."""

BATCH_BYTES = 1 << 30
"""Bytes of a block of rows that is encoded and predicted at a time, by the same sums. A batch never
takes more memory than this, or than one row."""

TEXT_BYTES, TEXT_WORDS = 1_000, 200
"""Length of the text for which costs are computed. Longer texts cost in proportion; the size of a
request limits them."""

MAX_NODES = 200_000
"""Nodes of a graph: ONNX Runtime loads about 30,000 a second."""

MAX_RANK = 8
"""Dimensions of one shape."""

MAX_TREE_DEPTH = 10_000
"""Steps from root to leaf: ONNX Runtime reads trees recursively, some 20,000 in 8 MB of stack."""

MAX_TREES_SQUARED = 1 << 30
"""Sum over the nodes of a graph of the squared number of trees, to which the loading time is
proportional. It allows 32,768 trees in one node, which take seconds to load, or any number at the
500 trees a node that an export writes."""

MAX_FORMATS, MAX_FORMAT_LENGTH = 32, 100
"""Date formats of a column, and characters of one: each format is tried on each text."""

MAX_MISSING_TEXTS = 10_000
"""Texts that mean a missing value in a column: each value is compared with each text."""

MAX_WORDS, MAX_NUMBER_LENGTH = 2_000, 200
"""Units and date words of a column, and characters of a text that is read as a number or a date
with words: the text next to a number is split at each character."""

MAX_EDGES = 1 << 12
"""Bin edges of a pair."""

MAX_KNOTS = 1 << 20
"""Knots of a curve."""

MAX_NGRAMS = 8
"""Words of an n-gram."""
