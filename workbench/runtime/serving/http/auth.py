"""API keys from a file, compared in constant time.

The file has one key a line, ``NAME:KEY``; empty lines and lines that start with ``#`` are ignored.
The log shows ``NAME``. A line may have the digest instead of the key, ``NAME:sha256:HEX`` with 64
hexadecimal digits. A text that looks like a digest but is not valid is refused: as a key, a
mistyped digest would open the server. A caller sends the key as ``Authorization: Bearer KEY`` or
``X-API-Key: KEY``.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from ...errors import ServeError, shown

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.IGNORECASE)
_LIKE_A_DIGEST = re.compile(
    r"(?:sha-?\d|md5|blake2|bcrypt|scrypt|argon2|pbkdf2)[\w-]*\s*[:=$]|\$\w+\$", re.IGNORECASE
)
_SHORTEST_KEY = 8
_READ_BY_ALL = 0o004


class Keys:
    """The accepted keys, stored as digests.

    Examples
    --------
    >>> keys = Keys({"billing": hashlib.sha256(b"a long secret").digest()})
    >>> keys.owner({b"authorization": b"Bearer a long secret"})
    'billing'
    >>> keys.owner({b"x-api-key": b"a guess"}) is None
    True
    """

    def __init__(self, digests: Mapping[str, bytes]) -> None:
        self._digests = list(digests.items())

    def owner(self, headers: Mapping[bytes, bytes]) -> str | None:
        """Return the name of the key in a request, or None; takes the same time for every key."""
        given = headers.get(b"x-api-key")
        if given is None:
            scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
            if scheme.lower() != b"bearer":
                return None
        digest = hashlib.sha256(given.strip()).digest()
        found: str | None = None
        for name, known in self._digests:
            if hmac.compare_digest(digest, known):
                found = name
        return found


def exposed(path: str | Path) -> str:
    """Return a warning if all users of this machine may read a file of secrets, else "".

    Parameters
    ----------
    path : str or Path
        A file of API keys, or a private key.
    """
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return ""
    if os.name != "posix" or not mode & _READ_BY_ALL:
        return ""
    command = f"chmod 600 {shlex.quote(str(path))}"
    return f"{path} may be read by every user of this machine (mode {mode & 0o777:o}). Run: {command}"


def read_keys(path: str | Path) -> Keys:
    """Read a file of keys.

    Raises
    ------
    ServeError
        If the file cannot be read, a line is invalid, a key is too short, or there are no keys. No
        message shows a key.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "text that is not UTF-8"
        raise ServeError(f"the key file {path} cannot be read", found=reason) from error
    digests: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        name, colon, key = (part.strip() for part in entry.partition(":"))
        where = f"the key file {path}, line {number}"
        if not colon or not name:
            raise ServeError(where, found="no name", expected="NAME:KEY or NAME:sha256:HEX")
        if name in digests:
            raise ServeError(where, found=f"a second key named {shown(name)}", expected="one key a name")
        given = _DIGEST.fullmatch(key)
        if not given and _LIKE_A_DIGEST.match(key):
            expected = "sha256: and 64 hexadecimal digits, or the key itself"
            raise ServeError(where, found=f"an invalid digest of {len(key)} characters", expected=expected)
        if not given and len(key) < _SHORTEST_KEY:
            expected = f"at least {_SHORTEST_KEY} characters"
            raise ServeError(where, found=f"a key of {len(key)} characters", expected=expected)
        digests[name] = bytes.fromhex(given[1]) if given else hashlib.sha256(key.encode()).digest()
    if not digests:
        raise ServeError(f"the key file {path} has no keys", expected="NAME:KEY, one a line")
    return Keys(digests)
