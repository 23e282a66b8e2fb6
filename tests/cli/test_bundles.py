"""The commands and options around bundles: diff, bundles, signatures, source."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.cli.conftest import Run, Searched


def write_keys(folder: Path) -> tuple[Path, Path]:
    key, private, public = Ed25519PrivateKey.generate(), folder / "key.pem", folder / "public.pem"
    secret = serialization.NoEncryption()
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)
    )
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, info))
    return private, public


def test_a_signed_bundle_with_source(searched: Searched, run: Run, bundle: Path, tmp_path: Path) -> None:
    private, public = write_keys(tmp_path)
    target = tmp_path / "catalog" / "signed.zip"
    answer = run("export", searched.path, "--pick", "cheapest", "--out", target, "--sign", private,
                 "--code", "python", "--code", "c", "--version", "2")  # fmt: skip
    assert answer.code == 0, answer.err

    verified = run("verify", target, "--isolation", "off", "--key", public, "--json")
    assert verified.code == 0, verified.out
    checks = {check["name"]: check["ok"] for check in verified.json["checks"]}
    assert checks["signature"] is True
    assert checks["source"] is True
    assert run("verify", bundle, "--isolation", "off", "--key", public).code == 1

    listed = run("bundles", tmp_path / "catalog", "--json")
    assert [(each["version"], each["signed"], each["error"]) for each in listed.json] == [("2", True, "")]
    assert "customers  2" in run("bundles", tmp_path / "catalog").out

    found = run("diff", bundle, target, "--json").json
    assert "version" in {change["what"] for change in found["changes"]}
    assert "version: 1 -> 2" in run("diff", bundle, target).out


def test_wrong_use_is_one_line(searched: Searched, run: Run, bundle: Path, tmp_path: Path) -> None:
    answer = run("export", searched.path, "--out", tmp_path / "b", "--code", "cobol")
    assert (answer.code, "found 'cobol'" in answer.error) == (2, True)
    (tmp_path / "no.pem").write_text("no key")
    answer = run("export", searched.path, "--out", tmp_path / "b", "--sign", tmp_path / "no.pem")
    assert (answer.code, "expected an Ed25519 private key" in answer.error) == (2, True)
    answer = run("verify", bundle, "--key", tmp_path / "none.pem")
    assert (answer.code, "No such file" in answer.error) == (2, True)
    answer = run("diff", bundle, tmp_path)
    assert (answer.code, "is not a bundle" in answer.error) == (1, True)
    answer = run("bundles", tmp_path / "nowhere")
    assert (answer.code, "expected a folder of bundles" in answer.error) == (2, True)
    assert not (tmp_path / "b").exists()


def test_an_empty_folder_of_bundles_says_what_to_do(run: Run, tmp_path: Path) -> None:
    assert "Create one with: workbench export" in run("bundles", tmp_path).out
    assert json.loads(run("bundles", tmp_path, "--json").out) == []
