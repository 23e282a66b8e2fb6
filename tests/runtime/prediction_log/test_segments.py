"""Files of the log: when they are sealed, what a kill leaves, and what a full disk does."""

from __future__ import annotations

import gzip
import json
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.runtime.made import ROWS
from tests.runtime.prediction_log.making import NOON, Clock, make_writer, scored
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.errors import InputError
from workbench.runtime.prediction_log import sealing
from workbench.runtime.prediction_log.folder import check_folder, list_files, part_time_ms
from workbench.runtime.prediction_log.rollups import total
from workbench.runtime.prediction_log.segments import OpenSegment
from workbench.runtime.prediction_log.writer import LogWriter, SegmentLimits

pytestmark = pytest.mark.skipif(os.name == "nt", reason="flock")


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Return the records of a log: of sealed files and whole lines of open ones."""
    files, out = list_files(folder), []
    for path in files.parts:
        if path.suffix == ".parquet":
            out += pq.read_table(path).to_pylist()
        else:
            out += [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    for path in files.open:
        out += [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
    return out


def seal_all(writer: LogWriter, segments: list[OpenSegment]) -> None:
    for segment in segments:
        assert writer.seal(segment)


@pytest.fixture(params=["parquet", "jsonl.gz"])
def ending(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "jsonl.gz":
        monkeypatch.setattr(sealing, "_arrow_table", lambda *_: None)
    return str(request.param)


def test_a_segment_is_sealed_by_age(tmp_path: Path, any_bundle: Bundle, ending: str) -> None:
    clock = Clock()
    folder = tmp_path / "log"
    writer = make_writer(folder, any_bundle, clock, limits=SegmentLimits(age_s=60))
    assert writer.write([scored(any_bundle, "a")]) == []
    (tail,) = list_files(folder).open
    assert tail.name == f"open-{os.getpid()}.jsonl"
    assert tail.parent.name == "date=2026-12-01"
    assert rows_of(folder)[0]["prediction_id"] == "a-0"
    clock.now += 61
    seal_all(writer, writer.write([scored(any_bundle, "b", clock.now)]))
    files = list_files(folder)
    (part,) = files.parts
    assert part.name == f"part-{int(clock.now * 1000)}-{os.getpid()}-1.{ending}"
    assert part_time_ms(part) == clock.now * 1000
    assert [path.stem for path in files.rollups] == [part.name.split(".")[0]]
    assert not files.open
    assert {each["prediction_id"] for each in rows_of(folder)} == {f"{r}-{n}" for r in "ab" for n in range(3)}
    cell = total(json.loads(files.rollups[0].read_text()))
    assert (cell["rows"], cell["requests"], cell["model_id"]) == (6, 2, any_bundle.manifest.model_id)
    assert cell["columns"]["city"]["unseen"] == 2
    for path in (folder, folder / "log"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(part.stat().st_mode) == 0o600


def test_both_formats_have_equal_rollups(
    tmp_path: Path, any_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for name in ("one", "two"):
        writer = make_writer(tmp_path / name, any_bundle, Clock())
        writer.write([scored(any_bundle)])
        seal_all(writer, writer.rotate())
        found.append(json.loads(list_files(tmp_path / name).rollups[0].read_text()))
        monkeypatch.setattr(sealing, "_arrow_table", lambda *_: None)
    assert found[0] == found[1]


def test_parquet_has_the_types_of_the_columns(tmp_path: Path, bundle: Bundle) -> None:
    writer = make_writer(tmp_path / "log", bundle, Clock())
    writer.write([scored(bundle)])
    seal_all(writer, writer.rotate())
    table = pq.read_table(list_files(tmp_path / "log").parts[0])
    assert table.schema.metadata[b"workbench.schema_version"] == b"1"
    assert str(table.schema.field("time").type) == "timestamp[ms, tz=UTC]"
    inputs = {field.name: str(field.type) for field in table.schema.field("inputs").type}
    assert inputs["tenure"] == "double"
    assert (inputs["senior"], inputs["plan"], inputs["signed"]) == ("bool", "string", "string")
    assert table.column("warnings").to_pylist() == [[], [], []]


@pytest.mark.parametrize("limits", [SegmentLimits(rows=3), SegmentLimits(size=100)])
def test_a_segment_is_sealed_when_it_is_full(tmp_path: Path, bundle: Bundle, limits: SegmentLimits) -> None:
    writer = make_writer(tmp_path / "log", bundle, Clock(), limits=limits)
    for at in range(3):
        seal_all(writer, writer.write([scored(bundle, f"r{at}")]))
    assert len(list_files(tmp_path / "log").parts) == 3


def test_a_day_ends_its_segment(tmp_path: Path, bundle: Bundle) -> None:
    clock = Clock(NOON + 12 * 3600 - 1)
    writer = make_writer(tmp_path / "log", bundle, clock)
    before = scored(bundle, "a", clock.now)
    clock.now += 2
    seal_all(writer, writer.write([before, scored(bundle, "b", clock.now)]))
    files = list_files(tmp_path / "log")
    assert [path.parent.name for path in files.parts] == ["date=2026-12-01"]
    assert [path.parent.name for path in files.open] == ["date=2026-12-02"]
    clock.now += 86400  # and without a further record
    (segment,) = writer.tick()
    assert segment.path.parent.name == "date=2026-12-02"


def leave(folder: Path, bundle: Bundle, torn: bytes = b"", *, age: int = 3) -> None:
    """Leave an open file as a process that was killed does."""
    writer = make_writer(folder, bundle, Clock())
    writer.write([scored(bundle, "dead")])
    assert writer._segment is not None
    with writer._segment.path.open("ab") as stream:
        stream.write(torn)
    writer._segment.release()


@pytest.mark.parametrize("torn", [b"", b'{"v": 1, "predi', b"\x00\x00\x00", b'{"v": 1}\n{"v'])
def test_the_file_of_a_dead_process_is_sealed(
    tmp_path: Path, bundle: Bundle, torn: bytes, ending: str
) -> None:
    folder = tmp_path / "log"
    leave(folder, bundle, torn)
    assert make_writer(folder, bundle, Clock()).adopt() == 1
    files = list_files(folder)
    assert not files.open
    assert [path.suffix for path in files.parts] == [Path(ending).suffix or f".{ending}"]
    ids = [each.get("prediction_id") for each in rows_of(folder)]
    assert ids[:3] == ["dead-0", "dead-1", "dead-2"]
    assert make_writer(folder, bundle, Clock()).adopt() == 0


def test_the_file_of_a_living_process_is_left_alone(tmp_path: Path, bundle: Bundle) -> None:
    writer = make_writer(tmp_path / "log", bundle, Clock())
    writer.write([scored(bundle)])
    other = make_writer(tmp_path / "log", bundle, Clock())
    assert other.adopt() == 0
    other.write([scored(bundle, "b")])  # in a container, both processes may have one number
    names = [path.name for path in list_files(tmp_path / "log").open]
    assert len(names) == 2
    assert f"open-{os.getpid()}.jsonl" in names
    for each in (writer, other):
        seal_all(each, each.rotate())
    assert len(rows_of(tmp_path / "log")) == 6


def test_a_kill_between_sealing_and_removing_counts_nothing_twice(tmp_path: Path, bundle: Bundle) -> None:
    writer = make_writer(tmp_path / "log", bundle, Clock())
    writer.write([scored(bundle)])
    (segment,) = writer.rotate()
    sealing.seal(segment.path, writer._model)
    assert segment.path.exists()
    assert list_files(tmp_path / "log").open == []
    segment.release()
    make_writer(tmp_path / "log", bundle, Clock()).adopt()
    assert not segment.path.exists()
    assert len(rows_of(tmp_path / "log")) == 3


def test_temporary_files_of_a_killed_sealing_go(tmp_path: Path, bundle: Bundle) -> None:
    writer = make_writer(tmp_path / "log", bundle, Clock())
    writer.write([scored(bundle)])
    (segment,) = writer.rotate()
    left = segment.path.with_name(f".{sealing.stem_of(segment.path)}.parquet.1-2.part")
    left.write_bytes(b"PAR1")
    segment.release()
    make_writer(tmp_path / "log", bundle, Clock()).adopt()
    assert not left.exists()


def test_old_and_surplus_files_are_removed(tmp_path: Path, bundle: Bundle) -> None:
    clock, folder = Clock(), tmp_path / "log"
    writer = make_writer(folder, bundle, clock, limits=SegmentLimits(rows=1), keep_s=86400 * 2.5)
    for _ in range(4):
        seal_all(writer, writer.write([scored(bundle, f"r{clock.now}", clock.now)]))
        clock.now += 86400
    writer.prune()
    files = list_files(folder)
    assert [path.parent.name for path in files.parts] == ["date=2026-12-03", "date=2026-12-04"]
    assert len(files.rollups) == 2
    assert not (folder / "log" / "date=2026-12-01").exists()
    size = files.parts[-1].stat().st_size
    make_writer(folder, bundle, clock, max_bytes=size).prune()
    assert [path.parent.name for path in list_files(folder).parts] == ["date=2026-12-04"]


def test_a_full_disk_loses_rows_and_no_file_is_torn(tmp_path: Path, bundle: Bundle) -> None:
    notes: list[str] = []
    writer = make_writer(tmp_path / "log", bundle, Clock(), notify=notes.append)
    writer.write([scored(bundle, "a")])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert writer._segment is not None
    resource.setrlimit(resource.RLIMIT_FSIZE, (writer._segment.size + 100, hard))
    try:
        for at in range(3):
            writer.write([scored(bundle, f"lost{at}")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    writer.write([scored(bundle, "b")])
    assert (writer.rows, writer.lost, writer.errors) == (6, 9, 3)
    assert len(notes) == 1
    assert "cannot be written" in notes[0]
    (segment,) = writer.rotate()
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        assert not writer.seal(segment)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {each["request_id"] for each in rows_of(tmp_path / "log")} == {"a", "b"}
    assert writer.adopt() == 1  # once there is room
    assert {each["request_id"] for each in rows_of(tmp_path / "log")} == {"a", "b"}


def test_a_wrong_folder_is_refused(tmp_path: Path, bundle: Bundle) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="is not a log folder"):
        check_folder(tmp_path)
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "log.json").write_text('{"format": 2}')
    with pytest.raises(InputError, match="log of format 2"):
        make_writer(newer, bundle, Clock())


def test_processes_share_a_folder(tmp_path: Path, bundle: Bundle) -> None:
    """Each child is killed after its record is written, without a chance to seal."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from tests.runtime.prediction_log.making import *\n"
        "from workbench.runtime.bundle.bundle import open_bundle\n"
        "b = open_bundle(sys.argv[1])\n"
        "make_writer(Path(sys.argv[2]), b, Clock()).write([scored(b, sys.argv[3])])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    root = Path(__file__).parents[3]
    for name in "xy":
        done = subprocess.run(
            [sys.executable, "-c", code, str(bundle.path), str(tmp_path / "log"), name], cwd=root, check=False
        )
        assert done.returncode == -9
    writer = make_writer(tmp_path / "log", bundle, Clock())
    assert writer.adopt() == 2
    assert {each["request_id"] for each in rows_of(tmp_path / "log")} == {"x", "y"}
    assert len(rows_of(tmp_path / "log")) == 2 * len(ROWS)
