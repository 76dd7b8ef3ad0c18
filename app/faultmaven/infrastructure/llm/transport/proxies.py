"""Which proxy of the environment a request passes on its way, if any."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote
from urllib.request import getproxies, proxy_bypass

from faultmaven.infrastructure.llm.transport.failures import is_port

if TYPE_CHECKING:
    import httpx

THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that no proxy is asked for: one meant for the internet must not see what goes there."""


class Proxy(NamedTuple):
    """A proxy that is spoken to in plain HTTP.

    Attributes:
        host: name or IP address, in ASCII.
        port: TCP port.
        credentials: value of ``Proxy-Authorization``; empty where it asks for none.
    """

    host: str
    port: int
    credentials: str


class Proxies:
    """The proxies that ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``ALL_PROXY`` name, as they are now."""

    def __init__(self) -> None:
        self._named = getproxies()
        self._known: dict[tuple[str, int, bool], str] = {}
        self.any = any(self._named.get(kind) for kind in ("http", "https", "all"))

    def address_for(self, host: str, port: int, *, secure: bool) -> str:
        """The proxy's address; empty for hosts that are asked directly, as ``NO_PROXY`` says."""
        key = (host, port, secure)
        if key not in self._known:
            self._known[key] = self._found(*key)
        return self._known[key]

    def _found(self, host: str, port: int, secure: bool) -> str:  # noqa: FBT001 - a part of the key
        if host in THIS_MACHINE or proxy_bypass(f"{host}:{port}"):
            return ""
        scheme = "https" if secure else "http"
        return self._named.get(scheme) or self._named.get("all") or ""


@lru_cache(maxsize=16)
def proxy_at(address: str) -> Proxy | None:
    """Take a proxy's address apart; ``None`` where it is not one that speaks plain HTTP."""
    import httpx  # noqa: PLC0415 - as long as no proxy is named nobody needs it

    try:
        url = httpx.URL(address if "://" in address else f"http://{address}")
    except httpx.InvalidURL:
        return None
    port = 80 if url.port is None else url.port
    if url.scheme != "http" or not url.host or not is_port(port):
        return None
    return Proxy(url.raw_host.decode("ascii"), port, _credentials(url))


def _credentials(url: httpx.URL) -> str:
    if not url.userinfo:
        return ""
    return "Basic " + b64encode(unquote(url.userinfo.decode("ascii")).encode()).decode("ascii")
