"""User roles: three roles, each with the permissions of the previous one."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from workbench.errors import SettingsError, shown

Role = Literal["nobody", "viewer", "analyst", "deployer"]
Act = Literal["look", "search", "export"]

_ORDER: tuple[Role, ...] = ("nobody", "viewer", "analyst", "deployer")
_NEEDED: Mapping[Act, Role] = MappingProxyType({"look": "viewer", "search": "analyst", "export": "deployer"})


def may(role: Role, act: Act) -> bool:
    """Return whether a role may view runs, start searches, or export bundles.

    Examples
    --------
    >>> may("viewer", "look"), may("viewer", "search"), may("deployer", "export")
    (True, False, True)
    """
    return _ORDER.index(role) >= _ORDER.index(_NEEDED[act])


def role_of(user: str | None, roles: Mapping[str, str]) -> Role:
    """Return the role of a user: by address, by domain, by ``*``, or "nobody".

    Parameters
    ----------
    user : str or None
        The e-mail address verified by the identity provider.
    roles : mapping of str to str
        The result of `read_roles`.

    Examples
    --------
    >>> roles = {"ada@example.com": "deployer", "@example.com": "analyst"}
    >>> role_of("Ada@example.com", roles), role_of("bob@example.com", roles), role_of("eve@other.org", roles)
    ('deployer', 'analyst', 'nobody')
    """
    name = (user or "").strip().lower()
    domain = "@" + name.rpartition("@")[2] if "@" in name else ""
    for key in (name, domain, "*"):
        if key and key in roles:
            return _known(roles[key])
    return "nobody"


def read_roles(path: Path) -> dict[str, str]:
    """Read a roles file.

    The file is TOML with a table ``[roles]`` from e-mail address, ``@domain`` or ``*`` to a role.

    Raises
    ------
    SettingsError
        If the file cannot be read, or has an unknown role.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"roles file {path} cannot be read", found=error.strerror or str(error)) from None
    except ValueError as error:
        raise SettingsError(f"roles file {path}", found=str(error), expected="TOML") from None
    table = document.get("roles")
    if not isinstance(table, dict):
        raise SettingsError(
            f"roles file {path}", found="no table [roles]", expected='"user@example.com" = "viewer"'
        )
    return {str(user).lower(): _known(role) for user, role in table.items()}


def _known(role: object) -> Role:
    for each in _ORDER[1:]:
        if role == each:
            return each
    raise SettingsError("role", found=shown(role), expected="viewer, analyst or deployer")
