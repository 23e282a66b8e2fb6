"""Safe downloads: redirects and DNS names cannot reach other hosts or private addresses."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from workbench.errors import DataError, shown

_MOST_REDIRECTS = 3
_PATIENCE_S, _MOST_S = 20.0, 300.0
_CHUNK = 1 << 20
_SAFE = "/%:@!$&'()*+,;=~?-._"  # characters that are not quoted; % is kept since the path is quoted already
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def fetch(
    url: str, allowed: Callable[[str], bool], most_bytes: int, *, private: bool = False
) -> Iterator[bytes]:
    """Yield the content of a URL in chunks.

    The host name is resolved once, each address is checked, and the connection uses the checked
    address. Proxies of the environment are not used, since addresses behind a proxy cannot be
    checked.

    Parameters
    ----------
    url : str
    allowed : callable
        Returns whether a URL is allowed; called for `url` and for every redirect.
    most_bytes : int
    private : bool
        Whether addresses outside the public internet (this machine, its network) are allowed.

    Raises
    ------
    DataError
        If the URL or a redirect is not allowed, does not respond, or the response is too large or
        too slow.
    """
    end = time.monotonic() + _MOST_S
    for _ in range(_MOST_REDIRECTS + 1):
        if not allowed(url):
            raise DataError("URL", found=shown(url), expected="an allowed URL")
        parts = urlsplit(url)
        try:
            with closing(_connect(parts, private)) as connection:
                path = quote(parts.path or "/", safe=_SAFE) + (
                    f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
                )
                connection.request(
                    "GET", path, headers={"Accept-Encoding": "identity", "User-Agent": "workbench"}
                )
                response = connection.getresponse()
                if response.status in (301, 302, 303, 307, 308) and response.headers.get("Location"):
                    url = urljoin(url, response.headers["Location"])
                    continue
                if response.status != http.client.OK:
                    raise DataError(
                        f"{url}", found=f"HTTP {response.status} {response.reason}", expected="HTTP 200"
                    )
                yield from _content(response, url, most_bytes, end)
                return
        except (OSError, http.client.HTTPException, ssl.CertificateError) as error:
            raise DataError(f"{url} cannot be fetched", found=str(error) or type(error).__name__) from None
    raise DataError(f"{url} cannot be fetched", found=f"more than {_MOST_REDIRECTS} redirects")


def _content(response: http.client.HTTPResponse, url: str, most_bytes: int, end: float) -> Iterator[bytes]:
    declared, got = response.length, 0
    expected = f"at most {most_bytes / 1e6:,.0f} MB"
    if declared is not None and declared > most_bytes:
        raise DataError(f"{url} is too large", found=f"{declared / 1e6:,.0f} MB", expected=expected)
    while chunk := response.read(_CHUNK):
        got += len(chunk)
        if got > most_bytes:
            raise DataError(f"{url} is too large", expected=expected)
        if time.monotonic() > end:
            raise DataError(f"{url} takes too long", found=f"{got / 1e6:,.0f} MB in {_MOST_S:.0f} s")
        yield chunk
    if declared is not None and got < declared:
        raise DataError(f"{url} was interrupted", found=f"{got:,} of {declared:,} bytes")


def _connect(parts: SplitResult, private: bool) -> http.client.HTTPConnection:
    """Open a connection to a checked address of the host."""
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    found = list(
        dict.fromkeys(str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    )
    if not private and not all(is_public(ipaddress.ip_address(each.split("%")[0])) for each in found):
        raise DataError(
            "URL",
            found=f"{shown(host)}, which is not an address of the public internet",
            expected="a public address",
            hint="The operator of the app can allow private addresses with `allow_private`.",
        )
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)
    # The name is not resolved again, since it could resolve differently.
    connection.sock = socket.create_connection((found[0], port), timeout=_PATIENCE_S)
    if secure:
        try:
            connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=host)
        except OSError:
            connection.close()
            raise
    return connection


def is_public(address: Address) -> bool:
    """Return whether an address is public, also for IPv4 addresses embedded in IPv6.

    Examples
    --------
    >>> addresses = ("93.184.216.34", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::a00:1")
    >>> [is_public(ipaddress.ip_address(each)) for each in addresses]
    [True, False, False, False, False]
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner: Address | None = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.teredo is not None:
            inner = address.teredo[1]
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast
