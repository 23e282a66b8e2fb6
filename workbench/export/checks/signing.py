"""Sign the manifest of a bundle, which has the sha256 of every other file, and verify the
signature.

Signatures are Ed25519 by the `cryptography` package (extra ``sign``). Keys are PEM files as OpenSSL
writes them, and the signature is the raw 64 bytes, so OpenSSL can verify it too. OpenSSF's
model-signing does the same for a private key but needs nineteen more packages (Sigstore's clients);
it can be used on the folder of a bundle in addition.
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
        If the file is not such a key.
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
            "sign", found=f"{path}, another type of key", expected="an Ed25519 key", hint=_MAKE
        )
    return cast("Ed25519PrivateKey", key)


def read_public_key(path: str | Path) -> Ed25519PublicKey:
    """Read an Ed25519 public key, a PEM file.

    Raises
    ------
    SettingsError
        If the file is not such a key.
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
            "key", found=f"{path}, another type of key", expected="an Ed25519 key", hint=_MAKE_PUBLIC
        )
    return cast("Ed25519PublicKey", key)


def sign_manifest(folder: Path, key: Ed25519PrivateKey) -> None:
    """Write the signature of a bundle's manifest next to it."""
    (folder / SIGNATURE_FILE).write_bytes(key.sign((folder / MANIFEST_FILE).read_bytes()))


def check_signature(folder: Path, key: Ed25519PublicKey | None) -> Outcome | None:
    """Check that the manifest of a bundle is signed by a key.

    Parameters
    ----------
    folder : Path
        An unpacked bundle.
    key : public key, optional

    Returns
    -------
    Outcome or None
        None if there is neither a key nor a signature.
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
            False, f"{SIGNATURE_FILE} is not by this key, or {MANIFEST_FILE} was changed after signing"
        )
    return Outcome(True, f"{MANIFEST_FILE} is signed by the key, and covers the sha256 of every file")


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
