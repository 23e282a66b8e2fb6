"""Zips from untrusted sources: each one predicts correctly or raises `BundleError`."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from workbench.export.catalog import list_bundles
from workbench.export.checks.verify import verify_bundle
from workbench.export.diff import diff_bundles
from workbench.runtime.bundle.bundle import open_bundle
from workbench.runtime.bundle.golden import read_golden
from workbench.runtime.errors import BundleError, TamperedBundleError

WHOLE = Path(__file__).parents[1] / "bundles" / "format-1-first.zip"
CONTENT = WHOLE.read_bytes()
_OPENED = open_bundle(WHOLE)
ROW = dict(read_golden(_OPENED.path / "golden.jsonl")[0][0])
ANSWER = _OPENED.predict(ROW).tolist()
LIST = CONTENT.index(b"PK\x01\x02")  # start of the zip's list of files
EVERY = settings(
    max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A zip with bytes flipped, removed, doubled or cut off, most often in its list of files."""
    content = bytearray(CONTENT)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.sampled_from([0, LIST, len(content) - 22]))
        at = draw(st.integers(min(max(start, 0), len(content) - 1), len(content) - 1))
        how = draw(st.sampled_from(["set", "flip", "cut", "double", "end"]))
        if how == "set":
            content[at] = draw(st.integers(0, 255))
        elif how == "flip":
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "cut":
            del content[at : at + draw(st.integers(1, 40))]
        elif how == "double":
            content[at:at] = content[at : at + draw(st.integers(1, 200))]
        else:
            del content[at:]
        if len(content) < 30:
            break
    return bytes(content)


def outcome(path: Path) -> str:
    try:
        bundle = open_bundle(path)
    except BundleError as error:
        assert "\n" not in str(error)
        return "refused"
    assert bundle.predict(ROW).tolist() == ANSWER
    return "answers"


@EVERY
@given(damaged())
@example(CONTENT)
@example(b"")
@example(b"PK\x05\x06" + bytes(18))
def test_a_damaged_zip_answers_as_before_or_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(content)
    assert outcome(path) == "answers" or content != CONTENT
    list_bundles(tmp_path)  # a damaged one may be listed with the reason or left out


@settings(EVERY, max_examples=40)
@given(damaged())
def test_verify_and_diff_refuse_a_damaged_zip_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(content)
    try:
        verify_bundle(path, isolation=False)
        diff_bundles(path, WHOLE)
    except BundleError as error:
        assert "\n" not in str(error)


# ---------------------------------------------------------------- hostile on purpose


def rewritten(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(WHOLE) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
        for name, content in files.items():
            new.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "../out",
        "/etc/out",
        "a/../../out",
        "C:out",
        "a\\b",
        "diabetes//schema.json",
        "./x",
        "diabetes/SCHEMA.json",
    ],
)
def test_a_name_that_is_not_plain_is_refused(tmp_path: Path, name: str) -> None:
    path = rewritten(tmp_path / "b.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"x")
    with pytest.raises(TamperedBundleError, match=r"paths inside the bundle|two files with the same name"):
        open_bundle(path)


def test_a_name_with_a_zero_is_refused(tmp_path: Path) -> None:
    """Python truncates a name at NUL; other programs may not."""
    path = rewritten(tmp_path / "b.zip", **{"diabetes/aaaa.txt": b"x"})
    content = path.read_bytes()
    path.write_bytes(content.replace(b"diabetes/aaaa.txt", b"diabetes/aa\0a.txt"))
    with pytest.raises(TamperedBundleError, match="paths inside the bundle"):
        open_bundle(path)


def test_links_encryption_and_greedy_methods_are_refused(tmp_path: Path) -> None:
    path = rewritten(tmp_path / "link.zip")
    link = zipfile.ZipInfo("diabetes/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(TamperedBundleError, match="without links"):
        open_bundle(path)
    path = rewritten(tmp_path / "lzma.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("diabetes/big", bytes(1000), compress_type=zipfile.ZIP_LZMA)
    with pytest.raises(TamperedBundleError, match="compression method 14; expected stored or deflated"):
        open_bundle(path)
    content = bytearray(CONTENT)
    content[LIST + 8] |= 1  # the flag of encryption
    path.write_bytes(content)
    with pytest.raises(TamperedBundleError, match="is encrypted"):
        open_bundle(path)


def test_a_list_of_files_without_end_is_not_read(tmp_path: Path) -> None:
    """100,000 names are refused by the length of their list, before they become objects."""
    path = tmp_path / "b.zip"
    entry = CONTENT[LIST : CONTENT.index(b"PK\x01\x02", LIST + 4)]
    count = (5 << 20) // len(entry)
    end = CONTENT[-22:-10] + (count * len(entry)).to_bytes(4, "little") + LIST.to_bytes(4, "little") + b"\0\0"
    path.write_bytes(CONTENT[:LIST] + entry * count + end)
    with pytest.raises(TamperedBundleError, match="list of files is too long"):
        open_bundle(path)


def test_files_beside_the_bundle_in_its_zip_are_not_listed(tmp_path: Path) -> None:
    path = rewritten(tmp_path / "b.zip", **{"other/sitecustomize.py": b"raise SystemExit"})
    checks = {check.name: check for check in verify_bundle(path, isolation=False).checks}
    assert checks["files"].ok is False
    assert "other/sitecustomize.py" in checks["files"].detail
