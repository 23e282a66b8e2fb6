from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ui.made import candidate_of, write_events, write_manifest, write_run
from workbench.errors import RunError, SettingsError
from workbench.ui.files.folders import (
    bundle_label,
    bundle_path,
    find_run,
    list_runs,
    newest_bundles,
    read_entry,
    stamp,
)


def test_a_broken_run_says_why_and_the_rest_works(tmp_path: Path) -> None:
    write_run(tmp_path / "good")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "run.json").write_text('{"format": 1, "na')
    newer = write_run(tmp_path / "newer")
    (newer / "run.json").write_text(json.dumps({"format": 99}))
    (tmp_path / "lost" / "candidates").mkdir(parents=True)
    (tmp_path / "notes").mkdir()
    (tmp_path / ".hidden").mkdir()
    entries = {entry.name: entry for entry in list_runs(tmp_path)}
    assert set(entries) == {"good", "cut", "newer", "lost"}
    assert entries["good"].state == "done"
    assert not entries["good"].problem
    assert {entries[name].state for name in ("cut", "newer", "lost")} == {"broken"}
    assert "run.json" in entries["cut"].problem
    assert "newer version" in entries["newer"].problem
    assert "no run.json" in entries["lost"].problem


def test_a_run_whose_process_is_gone_is_not_running(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", state="running", process=2**22 + 1)
    assert read_entry(folder).state == "stopped"


def test_the_newest_comes_first_and_a_run_itself_is_a_list_of_one(tmp_path: Path) -> None:
    write_run(tmp_path / "a", created="2026-01-01T00:00:00+00:00")
    write_run(tmp_path / "b", created="2026-01-02T00:00:00+00:00")
    assert [entry.name for entry in list_runs(tmp_path)] == ["b", "a"]
    assert [entry.name for entry in list_runs(tmp_path / "a")] == ["a"]
    assert list_runs(tmp_path / "nowhere") == []


@pytest.mark.parametrize("name", ["../good", "/etc", "good/", "", "other"])
def test_a_link_names_a_listed_run_or_nothing(tmp_path: Path, name: str) -> None:
    write_run(tmp_path / "good")
    entries = list_runs(tmp_path)
    assert find_run(entries, "good").folder == tmp_path / "good"
    with pytest.raises(RunError):
        find_run(entries, name)


@given(st.text(max_size=12), st.text(max_size=12))
def test_a_bundle_always_goes_right_inside_the_folder(name: str, version: str) -> None:
    bundles = Path("somewhere") / "bundles"
    try:
        path = bundle_path(bundles, name, version)
    except SettingsError:
        return
    assert path.parent == bundles
    assert path.name.isascii()
    assert not path.name.startswith(".")


@pytest.mark.parametrize("name", ["..", "a/b", "a\\b", "", ".a", "a.", "ä", "a b", "a\n", "x" * 65])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="letters, digits"):
        bundle_path(Path("bundles"), name, "1")


def test_bundles_are_listed_the_last_changed_first_and_a_broken_one_with_the_reason(tmp_path: Path) -> None:
    write_manifest(tmp_path / "good")
    for name, text in (("cut", "{"), ("odd", "[]")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(text)
    for modified_s, name in enumerate(("good", "odd", "cut")):
        os.utime(tmp_path / name / "manifest.json", (modified_s, modified_s))
    (tmp_path / "none").mkdir()
    (tmp_path / "good.zip").write_bytes(b"")
    entries = newest_bundles(tmp_path)
    assert [bundle_label(tmp_path, entry) for entry in entries] == ["cut", "odd", "good"]
    cut, odd, good = entries
    assert (good.name, good.run, good.candidate, good.error) == ("churn", "r1", "c0001", "")
    assert "manifest.json" in cut.error
    assert "expected a JSON object" in odd.error
    assert newest_bundles(tmp_path / "nowhere") == []
    assert [bundle_label(tmp_path / "good", entry) for entry in newest_bundles(tmp_path / "good")] == ["good"]


def test_the_stamp_changes_with_a_candidate_and_an_event(tmp_path: Path) -> None:
    from workbench.automl.records.run_folder import RunFolder

    folder = write_run(tmp_path / "run")
    seen = [stamp(folder)]
    RunFolder.open(folder).write_candidate(candidate_of(9, "linear", 0.7, 9.0))
    seen.append(stamp(folder))
    write_events(folder, {"kind": "trial"})
    seen.append(stamp(folder))
    assert len(set(seen)) == 3
