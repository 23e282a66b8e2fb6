"""Sign a bundle's manifest, which has the sha256 of every other file, and verify that signature.

Ed25519 by the `cryptography` package (extra ``sign``); keys are PEM files as OpenSSL makes them,
and the signature is the bare 64 bytes, so OpenSSL verifies it too. OpenSSF's model-signing was
looked at: for a key of one's own it does the same with nineteen further packages (Sigstore's
clients), and it can still be run over a bundle's folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from workbench.errors import SettingsError, WorkError
from workbench.runtime.bundle.manifest import MANIFEST_FILE, SIGNATURE_FILE

from .report import Outcome

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_MAKE = "Make one with: openssl genpkey -algorithm ed25519 -out key.pem"
_MAKE_PUBLIC = "Make one with: openssl pkey -in key.pem -pubout -out public.pem"


def read_private_key(path: str | Path) -> Ed25519PrivateKey:
    """Read an Ed25519 private key, a PEM file without a password.

    Raises
    ------
    SettingsError
        Where the file is none.
    """
    serialization, ed25519 = _library()
    content = _read(path, "sign")
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, _unsupported()) as error:
        reason = str(error).split(".")[0]
        raise SettingsError(
            "sign", found=f"{path}: {reason}", expected="an Ed25519 private key in PEM", hint=_MAKE
        ) from error
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise SettingsError(
            "sign", found=f"{path}, another kind of key", expected="an Ed25519 key", hint=_MAKE
        )
    return cast("Ed25519PrivateKey", key)


def read_public_key(path: str | Path) -> Ed25519PublicKey:
    """Read an Ed25519 public key, a PEM file.

    Raises
    ------
    SettingsError
        Where the file is none.
    """
    serialization, ed25519 = _library()
    content = _read(path, "key")
    try:
        key = serialization.load_pem_public_key(content)
    except (ValueError, TypeError, _unsupported()) as error:
        raise SettingsError(
            "key",
            found=f"{path}: {str(error).split('.')[0]}",
            expected="an Ed25519 public key in PEM",
            hint=_MAKE_PUBLIC,
        ) from error
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise SettingsError(
            "key", found=f"{path}, another kind of key", expected="an Ed25519 key", hint=_MAKE_PUBLIC
        )
    return cast("Ed25519PublicKey", key)


def sign_manifest(folder: Path, key: Ed25519PrivateKey) -> None:
    """Write the signature of a bundle's manifest beside it."""
    (folder / SIGNATURE_FILE).write_bytes(key.sign((folder / MANIFEST_FILE).read_bytes()))


def check_signature(folder: Path, key: Ed25519PublicKey | None) -> Outcome | None:
    """Say whether a bundle's manifest is signed by a key.

    Parameters
    ----------
    folder : Path
        An unpacked bundle.
    key : public key, optional

    Returns
    -------
    Outcome or None
        None where there is neither a key nor a signature: there is nothing to say.
    """
    path = folder / SIGNATURE_FILE
    if key is None:
        return Outcome(None, "signed, but no `key` was given to check it with") if path.is_file() else None
    if not path.is_file():
        return Outcome(False, f"there is no {SIGNATURE_FILE}: the bundle is not signed")
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(path.read_bytes()[:1024], (folder / MANIFEST_FILE).read_bytes())
    except InvalidSignature:
        return Outcome(
            False, f"{SIGNATURE_FILE} is not of this key, or {MANIFEST_FILE} was changed after signing"
        )
    return Outcome(True, f"{MANIFEST_FILE} is signed by the key, and with it the sha256 of every file")


def _read(path: str | Path, option: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(
            option, found=f"{path}: {error.strerror or error}", expected="a key file"
        ) from error


def _library() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise WorkError(
            "signatures need the package cryptography", hint="pip install 'workbench-automl[sign]'"
        ) from error
    return serialization, ed25519


def _unsupported() -> type[Exception]:
    from cryptography.exceptions import UnsupportedAlgorithm

    return UnsupportedAlgorithm
