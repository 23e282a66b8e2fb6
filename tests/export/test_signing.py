from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from workbench.errors import SettingsError
from workbench.export.place import write_zip
from workbench.export.signing import read_private_key, read_public_key, sign_manifest
from workbench.export.verify import verify_bundle


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
    assert signature(signed, None) == (None, "signed, but no --key was given to check it with")
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
