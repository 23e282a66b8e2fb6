from __future__ import annotations

import py_compile
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from workbench.errors import SettingsError
from workbench.export.checks import verify
from workbench.export.checks.isolation import Outcome
from workbench.export.checks.signing import read_private_key, read_public_key, sign_manifest
from workbench.export.checks.verify import Check, Isolation, verify_bundle
from workbench.export.destination import write_zip
from workbench.runtime.bundle.listed_files import hash_files, model_digest
from workbench.runtime.bundle.manifest import Manifest


def write_keys(
    folder: Path, key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
) -> tuple[Path, Path]:
    private, public = folder / "key.pem", folder / "public.pem"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return private, public


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_keys(tmp_path_factory.mktemp("keys"), ed25519.Ed25519PrivateKey.generate())


@pytest.fixture
def signed(bundles: dict[str, Path], keys: tuple[Path, Path], tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(bundles["binary"], tmp_path / "signed"))
    sign_manifest(folder, read_private_key(keys[0]))
    return folder


def signature(path: Path, key: Path | None) -> tuple[bool | None, str]:
    report = verify_bundle(path, isolation=False, key=key)
    return next(
        ((check.ok, check.detail) for check in report.checks if check.name == "signature"), (None, "none")
    )


def test_the_signature_is_of_the_key(signed: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    assert signature(signed, keys[1])[0] is True
    write_zip(signed, tmp_path / "b.zip")
    assert signature(tmp_path / "b.zip", keys[1])[0] is True
    assert signature(signed, None) == (None, "signed, but no `key` was given to check it with")
    (tmp_path / "other").mkdir()
    _, stranger = write_keys(tmp_path / "other", ed25519.Ed25519PrivateKey.generate())
    assert signature(signed, stranger)[0] is False


def test_a_manifest_changed_after_signing_fails(signed: Path, keys: tuple[Path, Path]) -> None:
    path = signed / "manifest.json"
    path.write_text(path.read_text().replace('"version": "1"', '"version": "2"'))
    ok, detail = signature(signed, keys[1])
    assert ok is False
    assert "was changed after signing" in detail


def test_an_unsigned_bundle_fails_where_a_key_is_asked_for(
    bundles: dict[str, Path], keys: tuple[Path, Path]
) -> None:
    ok, detail = signature(bundles["binary"], keys[1])
    assert ok is False
    assert "not signed" in detail
    assert signature(bundles["binary"], None) == (None, "none")


def test_openssl_agrees(signed: Path, keys: tuple[Path, Path]) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing: its verdict was not asked for")
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(keys[1]), "-rawin",
             "-in", str(signed / "manifest.json"), "-sigfile", str(signed / "manifest.json.sig")]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_no_key_is_refused(keys: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "junk.pem").write_text("junk")
    private, public = write_keys(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    for path in (tmp_path / "junk.pem", tmp_path / "none.pem", private, keys[1]):
        with pytest.raises(SettingsError, match="sign"):
            read_private_key(path)
    for path in (tmp_path / "junk.pem", tmp_path / "none.pem", public, keys[0]):
        with pytest.raises(SettingsError, match="key"):
            read_public_key(path)


# ---------------------------------------------------------------- nothing runs unverified


def _trap(folder: Path, source: str, cache: str) -> None:
    """Plant compiled Python that leaves a file behind when it runs, where Python would prefer it to
    the source.
    """
    trap = folder.parent / "trap.py"
    trap.write_text((folder / source).read_text(encoding="utf-8") + f"\nopen({str(_ran(folder))!r}, 'w')\n")
    (folder / cache).parent.mkdir(exist_ok=True)
    py_compile.compile(
        str(trap), cfile=str(folder / cache), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )


def _ran(folder: Path) -> Path:
    return folder.parent / "ran"


def _checks(folder: Path, key: Path | None, isolation: Isolation | None = "quick") -> dict[str, Check]:
    found = {check.name: check for check in verify_bundle(folder, isolation=isolation, key=key).checks}
    assert not _ran(folder).exists(), "code that nobody vouches for was run"
    return found


def test_a_planted_cache_is_named_and_never_runs(signed: Path, keys: tuple[Path, Path]) -> None:
    cache = f"runtime/bundle/__pycache__/check.{sys.implementation.cache_tag}.pyc"
    _trap(signed, "runtime/bundle/check.py", cache)
    found = _checks(signed, keys[1])
    assert all(check.ok for check in found.values())
    assert cache in found["files"].detail
    # the control: run inside the folder, the planted code is what Python takes
    subprocess.run([sys.executable, "-m", "runtime", "check"], cwd=signed, check=False, capture_output=True)
    assert _ran(signed).exists()


@pytest.mark.parametrize(
    "name",
    [
        "sitecustomize.py",
        "evil.pth",
        "runtime/numpy.py",
        "numpy/__init__.py",
        "orjson.so",
        "notes.txt",
        ".hidden",
        "deploy/extra.yaml",
    ],
)
def test_a_file_that_is_not_listed_fails_and_nothing_runs(
    signed: Path, keys: tuple[Path, Path], name: str
) -> None:
    path = signed / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"open({str(_ran(signed))!r}, 'w')\n")
    found = _checks(signed, keys[1])
    assert found["files"].ok is False
    assert name in found["files"].detail
    assert found["isolation"].ok is None
    assert "the manifest does not list every file" in found["isolation"].detail


@pytest.mark.parametrize("to", ["file", "folder"])
def test_a_link_is_a_file_that_is_not_listed(signed: Path, keys: tuple[Path, Path], to: str) -> None:
    (signed / "link").symlink_to("schema.json" if to == "file" else "runtime")
    assert _checks(signed, keys[1])["files"].ok is False


def test_after_a_failed_signature_nothing_is_opened_or_run(signed: Path, keys: tuple[Path, Path]) -> None:
    with (signed / "runtime" / "check.py").open("a") as file:
        file.write(f"\nopen({str(_ran(signed))!r}, 'w')\n")
    files = hash_files(signed)
    replace(Manifest.read(signed), files=files, model_id=model_digest(files)).write(signed)
    for isolation in (None, True, "quick"):
        found = _checks(signed, keys[1], isolation)  # type: ignore[arg-type]  # one of the literals
        assert list(found) == ["signature", "all else"]
        assert found["signature"].ok is False
        assert found["all else"].ok is None


def test_without_a_key_only_known_code_runs(
    signed: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Path] = []

    def bare(folder: Path) -> Outcome:
        ran.append(folder)
        assert sorted(hash_files(folder)) == sorted(Manifest.read(signed).files)  # the listed files alone
        assert folder.resolve() != signed.resolve()
        return Outcome(True, "64 golden rows")

    monkeypatch.setattr(verify, "check_in_bare_environment", bare)
    assert verify_bundle(signed).ok  # byte for byte this workbench's own code
    assert len(ran) == 1
    with (signed / "runtime" / "check.py").open("a") as file:
        file.write("\n# another version\n")
    files = hash_files(signed)
    replace(Manifest.read(signed), files=files, model_id=model_digest(files)).write(signed)
    last = verify_bundle(signed).checks[-1]
    assert (last.name, last.ok) == ("isolation", None)
    assert "`isolation` does not ask for it" in last.detail
    assert len(ran) == 1
    assert verify_bundle(signed, isolation=True).ok  # asked for
    sign_manifest(signed, read_private_key(keys[0]))
    assert verify_bundle(signed, key=keys[1]).ok  # vouched for
    assert len(ran) == 3


def test_without_a_key_no_strange_package_is_installed(signed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "check_in_bare_environment", lambda folder: pytest.fail("it ran"))
    with (signed / "requirements.txt").open("a") as file:
        file.write("evil-package==1.0\n")
    files = hash_files(signed)
    replace(Manifest.read(signed), files=files).write(signed)
    assert verify_bundle(signed).checks[-1].ok is None


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.org/simple",
        "-r other.txt",
        "-e .",
        "evil @ https://example.org/evil.whl",
        "./evil.whl",
        "numpy>=2",
        "numpy",
        "numpy==2.* ",
        "numpy==${VERSION}",
        "numpy==2.0 --global-option=x",
        "numpy==2.0 --hash=md5:00",
        "https://example.org/evil.tar.gz",
    ],
)
def test_requirements_are_pins_and_nothing_else(bundles: dict[str, Path], tmp_path: Path, line: str) -> None:
    folder = Path(shutil.copytree(bundles["binary"], tmp_path / "b"))
    with (folder / "requirements.txt").open("a") as file:
        file.write(f"{line}\n")
    files = hash_files(folder)
    replace(Manifest.read(folder), files=files).write(folder)
    found = {check.name: check for check in verify_bundle(folder, isolation=True).checks}
    for name in ("contents", "isolation"):
        assert found[name].ok is False
        assert "Write NAME==VERSION" in found[name].detail


def test_a_file_that_changes_meanwhile_is_whole_or_refused(
    signed: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is run is what was hashed: the copy is taken first, and the hashes are the copy's."""
    copy_listed = verify.copy_listed

    def then_spoil(folder: Path, manifest: Manifest, target: Path) -> None:
        copy_listed(folder, manifest, target)
        (folder / "runtime" / "bundle" / "check.py").write_text(f"open({str(_ran(signed))!r}, 'w')\n")

    monkeypatch.setattr(verify, "copy_listed", then_spoil)
    assert all(check.ok for check in _checks(signed, keys[1]).values())
