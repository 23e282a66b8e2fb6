from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ExportError, SettingsError
from workbench.export.destination import (
    check_destination,
    check_name,
    move_to_destination,
    name_for,
    work_folder,
    write_zip,
)


@given(st.text(max_size=200))
def test_any_text_becomes_a_name_that_is_accepted(text: str) -> None:
    assert check_name(name_for(text), "--name") == name_for(text)


@pytest.mark.parametrize("bad", ["", ".", "..", "a/b", "../a", "a b", "ä", "a" * 129, "-a", "a\n", "<b>"])
def test_names_that_a_url_does_not_take(bad: str) -> None:
    with pytest.raises(SettingsError, match="name: found"):
        check_name(bad, "--name")


def test_only_a_bundle_is_replaced_and_only_when_asked(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    check_destination(precious, overwrite=False)  # an empty folder is no obstacle
    check_destination(tmp_path / "new", overwrite=False)
    (precious / "thesis.txt").write_text("…")
    with pytest.raises(SettingsError, match="exists already"):
        check_destination(precious, overwrite=False)
    with pytest.raises(SettingsError, match="is not a bundle"):
        check_destination(precious, overwrite=True)
    (tmp_path / "a.zip").write_text("not a zip")
    with pytest.raises(SettingsError, match="is not a bundle"):
        check_destination(tmp_path / "a.zip", overwrite=True)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SettingsError, match="exists already"):
        check_destination(tmp_path / "link", overwrite=False)


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "bundle"
    with pytest.raises(ExportError, match="No space left"), work_folder(target) as work:
        (work / "half").write_text("…")
        raise OSError(28, "No space left on device")
    with pytest.raises(KeyboardInterrupt), work_folder(target) as work:
        raise KeyboardInterrupt
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_place_under_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ExportError, match=r"file/bundle cannot be written: found"),
        work_folder(tmp_path / "file" / "bundle"),
    ):
        pass


def test_the_old_bundle_comes_back_where_the_move_fails(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    target.mkdir()
    (target / "manifest.json").write_text("old")
    with pytest.raises(ExportError), work_folder(target) as work:
        move_to_destination(work / "never written", target, work)
    assert (target / "manifest.json").read_text() == "old"


def test_zips_of_equal_folders_are_equal(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    (folder / "runtime" / "__pycache__").mkdir(parents=True)
    (folder / "runtime" / "__pycache__" / "a.pyc").write_text("")
    (folder / "runtime" / "a.py").write_text("1")
    for name in ("one.zip", "two.zip"):
        write_zip(folder, tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert zipfile.ZipFile(tmp_path / "one.zip").namelist() == ["made/runtime/a.py"]
