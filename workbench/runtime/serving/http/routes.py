"""Routes, and which of them need no key."""

from __future__ import annotations

from collections.abc import Collection

from ...bundle.manifest import Manifest
from ...errors import nearest, shown
from .replies import Reply, refuse

ROUTES = (
    "POST /predict",
    "POST /invocations",
    "POST /v2/models/{model}/infer",
    "GET /v2/models/{model}",
    "GET /v2/models/{model}/ready",
    "GET /v2",
    "GET /v2/health/live",
    "GET /v2/health/ready",
    "GET /ping",
    "GET /metrics",
    "GET /openapi.json",
    "GET /docs",
)
LIVE = frozenset(["/v2/health/live", "/livez", "/healthz"])
READY = frozenset(["/v2/health/ready", "/readyz", "/ping", "/health"])
#: Served without a key and under any load; not logged if they succeed.
PROBES = LIVE | READY | {"/v2/models/{model}/ready"}
QUIET = PROBES | {"/metrics"}


class Router:
    """Finds the pattern of a path.

    Parameters
    ----------
    manifest : Manifest
        Gives the name and version in paths.
    known : collection of str
        The patterns of all routes served.
    """

    def __init__(self, manifest: Manifest, known: Collection[str]) -> None:
        self._name, self._version = manifest.name, manifest.version
        self._known = frozenset(known)
        self._plain = frozenset(path for path in known if "{" not in path)
        infer, model = "/v2/models/{model}/infer", f"/v2/models/{manifest.name}"
        versioned = f"{model}/versions/{manifest.version}/infer"
        self._short = {path: path for path in self._plain}
        if infer in self._known:
            self._short |= {f"{model}/infer": infer, versioned: infer}

    def find(self, path: str) -> tuple[str, Reply | None]:
        """Return the pattern of a path, or "" and the reply to an unknown path."""
        found = self._short.get(path)
        if found is not None:
            return found, None
        clean = path.rstrip("/") or "/"
        if clean in self._plain:
            return clean, None
        parts = clean.split("/")
        if parts[:3] != ["", "v2", "models"] or len(parts) < 4:
            return "", self._unknown(path)
        name, rest = parts[3], parts[4:]
        if name != self._name:
            message = f"unknown model {shown(name)}; expected {shown(self._name)}"
            return "", refuse(404, message, "wrong_model", logged="unknown model")
        if rest[:1] == ["versions"] and len(rest) >= 2:
            if rest[1] != self._version:
                message = (
                    f"unknown version {shown(rest[1])} of {shown(name)}; expected {shown(self._version)}"
                )
                return "", refuse(404, message, "wrong_model", logged="unknown version")
            rest = rest[2:]
        route = "/".join(["/v2/models/{model}", *rest])
        return (route, None) if route in self._known else ("", self._unknown(path))

    def _unknown(self, path: str) -> Reply:
        known = (route.split()[1] for route in ROUTES)
        close = nearest(path, [route for route in known if route in self._known], count=1)
        hint = f" Did you mean {close[0]}?" if close else " GET / lists the routes."
        return refuse(404, f"unknown route {shown(path)}.{hint}", "no_route", logged="unknown route")
