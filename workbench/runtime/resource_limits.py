"""How much a bundle may ask for: every limit in one place, each with its reason.

A bundle is data from somebody else. Its checksums say that it is whole, not that it is reasonable: a few bytes can
describe a step of 10**12 features, a text that doubles forty times, or a graph whose results double at each node. So
what a bundle will need is computed from its documents (schema, encoder, graph with its shapes propagated) before
anything is allocated or run for it, and what exceeds a limit is refused by name.

The limits are far above what a search makes. Tried: 10,000 boosted trees, forests of 4 million nodes, 40 tables of
20,000 codes as trees, 20,000 terms of free text with runs of two words. Each stays below a tenth of every limit here.
"""

from __future__ import annotations

MAX_FILES, MAX_BYTES = 10_000, 4 << 30
"""Files and bytes of a bundle. A bundle has about 80 files; protobuf ends a model at 2 GB."""

MAX_PACKED, SMALL_BYTES = 200, 64 << 20
"""How many times a zip's bytes may grow, where they grow to more than the second number."""

MAX_DIRECTORY_BYTES = 4 << 20
"""Bytes of a zip's list of files: 400 a file."""

MAX_DOCUMENT_BYTES = 256 << 20
"""Bytes of one JSON document (and of ``golden.jsonl``)."""

MAX_VALUES = 1 << 24
"""Values in one JSON document: each takes up to 72 bytes once it is read, however short it is in the file."""

MAX_CONTAINERS = 1 << 22
"""Lists and objects among them: up to 280 bytes each."""

MAX_NESTED = 64
"""Lists and objects inside each other in a document; an export writes fewer than 10."""

MAX_GOLDEN_ROWS = 100_000
"""Rows of ``golden.jsonl``; an export writes at most a few hundred."""

MAX_FEATURES = 1 << 20
"""Features of the encoded matrix: 4 MB a row as float32."""

MAX_ROW_BYTES = 64 << 20
"""Bytes that one row may take, in the encoder and again in the graph (all of its results at once, though ONNX Runtime
frees them sooner). A server answers one row at a time in each thread, so a row must fit many times."""

MAX_FIXED_BYTES = 256 << 20
"""Bytes of a graph's results that do not depend on the rows: ONNX Runtime computes them when it opens the model."""

MAX_ROW_OPERATIONS = 1 << 31
"""Operations of one row (a multiplication with its addition is one; a step down a tree counts as 32, since it waits
for memory): about a second of one core."""

MAX_GOLDEN_OPERATIONS = 1 << 38
"""Operations of all golden rows together, which are predicted before a server is ready: a few minutes at most."""

BATCH_BYTES = 1 << 30
"""Rows are encoded and predicted in blocks of at most this many bytes (by the sums above), so that a batch of rows
never takes more than this or one row."""

TEXT_BYTES, TEXT_WORDS = 1_000, 200
"""The text that costs are computed for. Longer ones cost in proportion, and a request's size bounds them."""

MAX_NODES = 200_000
"""Nodes of a graph: ONNX Runtime opens some 30,000 a second."""

MAX_RANK = 8
"""Lengths of one shape."""

MAX_TREE_DEPTH = 10_000
"""Steps from a root to a leaf: ONNX Runtime reads trees by recursion, and a stack of 8 MB ends above 20,000."""

MAX_TREES_SQUARED = 1 << 30
"""Sum over the nodes of a graph of the trees in one, squared: the time to open them grows so. 32,768 trees in one
node, which take some seconds, or any number that an export writes (500 a node)."""

MAX_FORMATS, MAX_FORMAT_LENGTH = 32, 100
"""Date formats of a column, and letters of one: each is tried on each text."""

MAX_MISSING_TEXTS = 10_000
"""Texts that stand for a missing value in a column: each value is compared with each."""

MAX_WORDS, MAX_NUMBER_LENGTH = 2_000, 200
"""Units and words of dates of a column, and letters of a text that is read as a number or a date in words: what
stands beside a number is divided at each letter."""

MAX_EDGES = 1 << 12
"""Borders of a pair's numbers."""

MAX_KNOTS = 1 << 20
"""Knots of a curve."""

MAX_NGRAMS = 8
"""Words of a term."""
