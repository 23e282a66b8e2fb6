"""From an open file to a sealed one with its roll-up: temporary file, fsync, rename.

Parquet where pyarrow is installed, else gzipped JSON lines. A line that is torn is left out; every
other one is kept. The roll-up is written before the part that it counts, so that a part never lacks
its roll-up.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..files.atomic_write import atomic_path
from .columns import ArrowColumns, JsonColumns, RecordColumns
from .folder import PART_ENDINGS, ROLLUPS, model_path, stem_of
from .records import SCHEMA_VERSION, read_line
from .reference import Reference
from .rollups import cells

_GZIP_LEVEL = 3
_INPUT_TYPES = {"number": "float64", "boolean": "bool_"}


@dataclass(frozen=True, slots=True)
class SegmentModel:
    """What sealing must know of the model whose records a segment holds.

    Attributes
    ----------
    model_id : str
    columns : tuple of (name, kind)
        The fields of ``inputs``.
    classes : tuple of str
        Empty for regression.
    reference : Reference
    sample : float
    """

    model_id: str
    columns: tuple[tuple[str, str], ...]
    classes: tuple[str, ...]
    reference: Reference
    sample: float = 1.0


def read_model(folder: Path, name: str, version: str, sample: float = 1.0) -> SegmentModel | None:
    """Return the newest stored model of a name and version; None if the folder has none."""
    found = []
    for path in model_path(folder, "").parent.glob("*.json"):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if (document["name"], document["version"]) == (name, version):
                found.append((path.stat().st_mtime_ns, path.name, document))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    if not found:
        return None
    document = max(found, key=lambda each: each[:2])[2]
    columns = [
        (each["name"], "category" if each.get("mask") else each["kind"])
        for each in document["columns"]
        if each.get("mask") != "removed"
    ]
    reference = Reference.from_json(document["reference"])
    return SegmentModel(document["model_id"], tuple(columns), tuple(document["classes"]), reference, sample)


def seal(path: Path, model: SegmentModel, dropped: int = 0) -> tuple[Path | None, int]:
    """Write an open file's records as a part with its roll-up; the open file itself is left to the
    caller.

    Parameters
    ----------
    path : Path
        ``open-<pid>-<time_ms>-<n>.jsonl``.
    model : SegmentModel
    dropped : int
        Rows that were lost since the last segment.

    Returns
    -------
    part : Path or None
        None if there is no record.
    rows : int
        The records in it.

    Raises
    ------
    OSError
        If it cannot be written; nothing is changed then.
    """
    content = path.read_bytes()
    stem = stem_of(path)
    for ending in PART_ENDINGS:  # sealed before its process was killed
        if path.with_name(stem + ending).exists():
            return path.with_name(stem + ending), 0
    records: RecordColumns
    table = _arrow_table(content, model)
    if table is not None:
        records = ArrowColumns(table)
    else:
        content, records = _whole_lines(content)
    if not len(records):
        return None, 0
    found = cells(records, model.reference, model_id=model.model_id, sample=model.sample, dropped=dropped)
    rollups = path.parent / ROLLUPS
    rollups.mkdir(mode=0o700, exist_ok=True)
    _write(rollups / f"{stem}.json", json.dumps(found, separators=(",", ":")).encode())
    if table is not None:
        part = path.with_name(stem + PART_ENDINGS[0])
        _write(part, _parquet(table, model))
    else:
        part = path.with_name(stem + PART_ENDINGS[1])
        _write(part, gzip.compress(content, _GZIP_LEVEL, mtime=0))
    return part, len(records)


def _write(path: Path, content: bytes) -> None:
    """Write a file of which no reader sees a part, even after a power failure."""
    with atomic_path(path) as temporary:
        handle = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0), 0o600
        )
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames and removals in a folder last, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _whole_lines(content: bytes) -> tuple[bytes, JsonColumns]:
    """Return the lines that are whole, and their records."""
    lines, records = [], []
    for line in content.split(b"\n"):
        record = read_line(line) if line else None
        if record is not None:
            lines.append(line + b"\n")
            records.append(record)
    return b"".join(lines), JsonColumns(records)


# ---------------------------------------------------------------- Parquet


def _arrow_table(content: bytes, model: SegmentModel) -> Any:
    """Return the records as an Arrow table; None if pyarrow is not installed or has another opinion
    of a value.
    """
    try:
        import pyarrow as pa
        from pyarrow import json as arrow_json
    except ImportError:
        return None
    content = content[: content.rfind(b"\n") + 1]  # a torn last line
    if not content or not model.columns:  # Parquet has no struct without fields
        return None
    schema = _arrow_schema(model)
    options = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    block = arrow_json.ReadOptions(use_threads=False, block_size=max(len(content) + 1, 1 << 16))
    for text in (content, None):
        try:
            whole = _whole_lines(content)[0] if text is None else text
            table = arrow_json.read_json(io.BytesIO(whole), read_options=block, parse_options=options)
            return table.select(schema.names).combine_chunks()
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError, KeyError):
            continue
    return None


def _arrow_schema(model: SegmentModel) -> Any:
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    inputs = [(name, getattr(pa, _INPUT_TYPES.get(kind, "string"))()) for name, kind in model.columns]
    shares = pa.struct([(name, number) for name in model.classes])
    outputs = [("label", text), ("probabilities", shares)] if model.classes else [("value", number)]
    return pa.schema(
        [
            ("v", pa.int32()),
            ("prediction_id", text),
            ("time", text),
            ("request_id", text),
            ("caller", text),
            ("endpoint", text),
            ("model", text),
            ("version", text),
            ("role", text),
            ("route", text),
            ("status", pa.int32()),
            ("inputs", pa.struct(inputs)),
            ("outputs", pa.struct(outputs)),
            ("decision", text),
            ("threshold", number),
            ("latency_us", pa.struct([(name, number) for name in ("read", "encode", "predict", "total")])),
            ("warnings", pa.list_(pa.struct([("kind", text), ("column", text)]))),
            ("error", pa.struct([("code", text), ("message", text), ("row", text)])),
        ]
    )


def _parquet(table: Any, model: SegmentModel) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    moments = table.column("time").cast(pa.timestamp("ms", "UTC"))
    table = table.set_column(table.column_names.index("time"), "time", moments)
    named = {"workbench.schema_version": str(SCHEMA_VERSION), "workbench.model_id": model.model_id}
    sink = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata(named), sink, compression="zstd")
    return sink.getvalue()
