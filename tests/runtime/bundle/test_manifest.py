from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workbench.runtime.bundle.listed_files import hash_files, model_digest, verify_files
from workbench.runtime.bundle.manifest import FORMAT_VERSION, MANIFEST_FILE, Manifest
from workbench.runtime.errors import BundleFormatError, TamperedBundleError


@pytest.fixture
def manifest(copied: Path) -> Manifest:
    return Manifest.read(copied)


def test_a_manifest_survives_its_file(copied: Path, manifest: Manifest) -> None:
    manifest.write(copied)
    assert Manifest.read(copied) == manifest
    assert next(iter(json.loads((copied / MANIFEST_FILE).read_text()))) == "format_version"


def test_it_lists_every_other_file(copied: Path, manifest: Manifest) -> None:
    on_disk = {path.relative_to(copied).as_posix() for path in copied.rglob("*") if path.is_file()}
    assert set(manifest.files) == on_disk - {MANIFEST_FILE}
    assert verify_files(copied, manifest) == len(manifest.files)


def test_keys_of_later_versions_are_passed_over(manifest: Manifest) -> None:
    document = manifest.to_json()
    document["mood"] = "good"
    document["metric"] = {**document["metric"], "colour": "blue"}
    assert Manifest.from_json(document) == manifest


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, 0, -1, "1", None, True, 1.0])
def test_other_formats_are_refused(manifest: Manifest, version: Any) -> None:
    with pytest.raises(BundleFormatError, match="format"):
        Manifest.from_json({**manifest.to_json(), "format_version": version})


def test_a_newer_format_says_what_to_do(manifest: Manifest) -> None:
    newer = FORMAT_VERSION + 1
    wanted = rf"found version {newer}; expected at most {FORMAT_VERSION}.*newer workbench"
    with pytest.raises(BundleFormatError, match=wanted):
        Manifest.from_json({**manifest.to_json(), "format_version": newer})


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("name", 3, "'name'"),
        ("classes", "yes", "'classes'"),
        ("metric", None, "'metric'"),
        ("metric", {"name": "auc"}, r"'metric\.value'"),
        ("metric", {"name": "auc", "value": "high"}, r"'metric\.value'"),
        ("latency", {"p50_us": 1.0, "p99_us": 2.0, "calls": True}, r"'latency\.calls'"),
        ("files", ["model.onnx"], "'files'"),
    ],
)
def test_a_wrong_key_is_named(manifest: Manifest, key: str, value: Any, named: str) -> None:
    with pytest.raises(TamperedBundleError, match=f"key {named}"):
        Manifest.from_json({**manifest.to_json(), key: value})


def test_optional_facts_may_be_unknown(manifest: Manifest) -> None:
    bare = replace(manifest, latency=None, price=None, cpu_us_per_row=None)
    assert Manifest.from_json(bare.to_json()) == bare
    document = bare.to_json()
    del document["latency"], document["price"]
    assert Manifest.from_json(document) == bare


# ---------------------------------------------------------------- checksums


def _change(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _remove(path: Path) -> None:
    path.unlink()


def _make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "name", ["model.onnx", "schema.json", "golden.jsonl", "runtime/serving/http/server.py"]
)
@pytest.mark.parametrize("harm", [_change, _cut, _empty, _remove, _make_folder])
def test_a_harmed_file_is_named(copied: Path, manifest: Manifest, harm: Any, name: str) -> None:
    harm(copied / name)
    with pytest.raises(TamperedBundleError, match=f"^{name} is "):
        verify_files(copied, manifest)


@pytest.mark.parametrize(
    "name",
    [
        "runtime/extra.py",
        "runtime/data.txt",
        "runtime/deep/x.so",
        "runtime/__pycache__/extra.cpython-311.pyc",
    ],
)
def test_nothing_more_may_lie_in_the_runtime(copied: Path, manifest: Manifest, name: str) -> None:
    (copied / name).parent.mkdir(exist_ok=True)
    (copied / name).write_bytes(b"")
    with pytest.raises(TamperedBundleError, match=f"^{name} is not listed"):
        verify_files(copied, manifest)


@pytest.mark.parametrize("name", ["numpy.py", "json.pyc", "orjson.so", "numpy/__init__.py"])
def test_no_unlisted_module_may_shadow_another(copied: Path, manifest: Manifest, name: str) -> None:
    (copied / name).parent.mkdir(exist_ok=True)
    (copied / name).write_bytes(b"")
    with pytest.raises(TamperedBundleError, match=f"^{name} is not listed"):
        verify_files(copied, manifest)


def test_what_use_leaves_behind_is_fine(copied: Path, manifest: Manifest) -> None:
    cache = copied / "runtime" / "__pycache__"
    cache.mkdir()
    (cache / "errors.cpython-311.pyc").write_bytes(b"")
    (copied / "requests.jsonl").write_text("{}\n")
    (copied / ".venv" / "lib").mkdir(parents=True)
    (copied / ".venv" / "lib" / "module.py").write_text("")
    verify_files(copied, manifest)
    assert not any("__pycache__" in name for name in hash_files(copied))


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "runtime/../../secret", "", "c:\\x", "a\\b", "x\0y", "."]
)
def test_paths_that_leave_the_folder_are_refused(copied: Path, manifest: Manifest, name: str) -> None:
    (copied.parent / "secret").write_text("")
    spoilt = replace(manifest, files={**manifest.files, name: "0"})
    with pytest.raises(TamperedBundleError, match=r"manifest\.json lists"):
        verify_files(copied, spoilt)


@pytest.mark.parametrize("name", ["model.onnx", "runtime"])
def test_links_are_refused(copied: Path, manifest: Manifest, name: str) -> None:
    target = copied.parent / "elsewhere"
    (copied / name).rename(target)
    (copied / name).symlink_to(target)
    with pytest.raises(TamperedBundleError, match="without links"):
        verify_files(copied, manifest)


def test_the_model_id_is_that_of_the_files(copied: Path, manifest: Manifest) -> None:
    with pytest.raises(TamperedBundleError, match="model_id"):
        verify_files(copied, replace(manifest, model_id="0" * 64))
    assert model_digest(manifest.files) == manifest.model_id
    for name in ("schema.json", "encoder.json", "model.onnx"):
        assert model_digest({**manifest.files, name: "0"}) != manifest.model_id
    assert model_digest({**manifest.files, "README.md": "0"}) == manifest.model_id


def test_a_manifest_must_list_the_model(manifest: Manifest) -> None:
    files = {name: digest for name, digest in manifest.files.items() if name != "model.onnx"}
    with pytest.raises(TamperedBundleError, match=r"does not list model\.onnx"):
        model_digest(files)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["runtime//model.py"], "not normalised"),
        (["./schema.json"], "not normalised"),
        (["runtime/"], "not normalised"),
        (["manifest.json"], "cannot list itself"),
        (["manifest.json.sig"], "cannot list itself"),
        (["runtime/__pycache__/model.cpython-311.pyc"], "compiled Python"),
        (["evil.PYC"], "compiled Python"),
        (["Schema.json"], "unique names"),
        (["caf\u00e9", "cafe\u0301"], "unique names"),
        (["stra\u00dfe", "STRASSE"], "unique names"),
    ],
)
def test_a_list_that_can_be_read_in_two_ways_is_refused(
    copied: Path, manifest: Manifest, names: list[str], words: str
) -> None:
    files = {**manifest.files, **dict.fromkeys(names, "0")}
    with pytest.raises(TamperedBundleError, match=words):
        verify_files(copied, replace(manifest, files=files))


def test_a_key_that_stands_twice_is_refused(copied: Path) -> None:
    text = (copied / "manifest.json").read_text()
    (copied / "manifest.json").write_text(text.replace('"files": {', '"files": {}, "files": {', 1))
    with pytest.raises(TamperedBundleError, match="key 'files' is repeated"):
        Manifest.read(copied)
