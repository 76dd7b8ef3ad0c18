"""Which names the service may be asked by: against web pages that rebind theirs to this machine.

A page on the web may point its own name at 127.0.0.1 once it is loaded, and then its script reads
what this service answers, same origin and all. What it cannot do is to send another ``Host``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from functools import lru_cache
from ipaddress import ip_address
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from faultmaven.api.errors import refuse
from faultmaven.api.head import header
from faultmaven.api.refusals import HostNotAllowedError

ANY = "*"
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::[0-9]{1,5})?")
_LONGEST = 255  # characters; names end at 253, and what is longer is not remembered
_MACHINES = ("/health", "/metrics")  # asked by address: kubelets and scrapers know no names


class Names(Protocol):
    """By what the service may be asked."""

    @property
    def host(self) -> str:
        """The address it was told to listen on."""
        ...

    @property
    def allowed_hosts(self) -> Collection[str]:
        """The further names; ``*`` is any."""
        ...


class AllowedHostsMiddleware:
    """Refuses requests for other names with 421, before anything else looks at them.

    Where the service listens on this machine alone, it may be asked by loopback's names and by
    the allowed ones. Elsewhere only the allowed ones count, if there are any, and ``/health`` and
    ``/metrics`` answer to every name.

    Args:
        app: what is protected.
        names: gives the present ones.
    """

    def __init__(self, app: ASGIApp, *, names: Callable[[], Names]) -> None:
        self._app = app
        self._names = names

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection; only requests are looked at."""
        if scope["type"] != "http" or self.is_allowed(scope):
            return self._app(scope, receive, send)
        return refuse(HostNotAllowedError(), scope, receive, send)

    def is_allowed(self, scope: Scope) -> bool:
        """Whether the request is for a name that the service may be asked by."""
        names = self._names()
        allowed, private = names.allowed_hosts, _is_private(scope, names.host)
        if ANY in allowed or not (allowed or private):
            return True
        if not private and scope["path"].startswith(_MACHINES):
            return True
        host = header(scope, b"host")
        name = _name(host) if host is None or len(host) <= _LONGEST else ""
        return name is None or name in allowed or (private and is_loopback(name))


def _is_private(scope: Scope, host: str) -> bool:
    """Whether this connection, too, came by loopback: ``serve --host`` overrules HOST."""
    came_by = (scope.get("server") or ("",))[0]
    return is_loopback(host) and is_loopback(came_by)


# A service is asked by a few names, by each of its callers over and over.
_remembered = lru_cache(maxsize=256)


@_remembered
def is_loopback(name: str) -> bool:
    """Whether only this machine can mean itself by it."""
    if name.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


@_remembered
def _name(host: str | None) -> str | None:
    """The name in a ``Host`` header; ``None`` without one, which no browser leaves out."""
    if host is None:
        return None
    found = _HOST.fullmatch(host.strip())
    return found["name"].lower().strip("[]") if found else ""
