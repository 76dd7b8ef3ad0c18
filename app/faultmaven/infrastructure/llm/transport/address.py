"""Where a request goes, and the lines that begin it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from faultmaven.errors import ProviderConnectionError
from faultmaven.infrastructure.llm.transport import failures
from faultmaven.infrastructure.llm.transport.proxies import Proxy
from faultmaven.infrastructure.llm.wire.types import SharedHeaders, WireRequest

if TYPE_CHECKING:
    import httpx

USER_AGENT = f"python-httpx/{version('httpx')}"
"""What every engine calls itself, so that no vendor tells them apart."""

_USER = "authorization"
_PORTS = {"http": 80, "https": 443}
_NUMBER = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
# What httpx leaves as it is: loading that takes longer than the rest of the transport together.
_PLAIN = re.compile(
    rf"(https?)://((?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*|{_NUMBER}(?:\.{_NUMBER}){{3}})"
    r"(?::([1-9]\d{0,4}))?((?:/(?!\.)[\w.~:-]*)*)(\?[\w.~:=&-]+)?",
    re.ASCII,
)
_LONGEST = 2000  # characters of a plain address
_ALWAYS = {
    "accept": "*/*",
    "accept-encoding": "gzip, deflate",  # others can grow without bound in one step
    "connection": "keep-alive",
    "user-agent": USER_AGENT,
}


class Origin(NamedTuple):
    """What one connection leads to.

    Attributes:
        host: name or IP address, in ASCII.
        port: TCP port.
        secure: whether TLS is spoken.
        proxy: what stands between, if anything does.
    """

    host: str
    port: int
    secure: bool
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A URL, taken apart.

    Attributes:
        origin: where to connect to.
        target: path and query.
        netloc: host and port as the ``Host`` header names them.
        credentials: value of ``Authorization`` for a URL with a user in it; else empty.
    """

    origin: Origin
    target: str
    netloc: str
    credentials: str

    def through(self, proxy: Proxy) -> Address:
        """The same, by way of a proxy: one that is not spoken through in TLS reads it all."""
        origin = self.origin._replace(proxy=proxy)
        if origin.secure:
            return replace(self, origin=origin)
        return replace(self, origin=origin, target=f"http://{self.netloc}{self.target}")

    def head(self, request: WireRequest) -> bytes:
        """The request's first line and headers; the names stay in the case they came in.

        Raises:
            ProviderAuthError: a header cannot be sent.
        """
        given = request.headers
        if self.credentials:
            given = {name: value for name, value in given.items() if name.lower() != _USER}
            given[_USER] = self.credentials
        proxy = self.origin.proxy
        if proxy is not None and proxy.credentials and not self.origin.secure:
            given = {**given, "proxy-authorization": proxy.credentials}
        size = len(request.body)
        length = f"content-length: {size}\r\n" if size or request.method == "POST" else ""
        return (
            f"{request.method} {self.target} HTTP/1.1\r\nhost: {self.netloc}\r\n"
            f"{_said(given)}{length}\r\n"
        ).encode("ascii")


def _said(headers: Mapping[str, str]) -> str:
    """The lines of the headers; they hold a key, and so are kept with it and nowhere else.

    Raises:
        ProviderAuthError: a header cannot be sent.
    """
    if not isinstance(headers, SharedHeaders):
        return _written(headers)
    if not headers.lines:
        headers.lines = _written(headers)
    return headers.lines


def _written(given: Mapping[str, str]) -> str:
    """What every request says, as far as this one does not say it otherwise, and its own headers.

    Raises:
        ProviderAuthError: a header cannot be sent.
    """
    failures.require_sendable(given)
    names = set(map(str.lower, given))
    always = {name: value for name, value in _ALWAYS.items() if name not in names}
    return _lines({**always, **given})


def _lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])


def address_of(url: str) -> Address:
    """Take ``url`` apart; only one without a user in it is remembered.

    Raises:
        ProviderConnectionError: it is no address that could be asked.
    """
    return _taken_apart(url) if "@" in url else _known(url)


def _taken_apart(url: str) -> Address:
    plain = _PLAIN.fullmatch(url) if len(url) <= _LONGEST else None
    return _with_care(url) if plain is None else _as_it_is(*plain.groups(default=""))


def _as_it_is(scheme: str, host: str, digits: str, path: str, query: str) -> Address:
    """The address of a URL in which nothing is to be escaped, resolved or left out."""
    usual = _PORTS[scheme]
    port = int(digits or usual)
    failures.require_port(port)
    return Address(
        origin=Origin(host, port, secure=scheme == "https"),
        target=f"{path or '/'}{query}",
        netloc=host if port == usual else f"{host}:{port}",
        credentials="",
    )


def _with_care(url: str) -> Address:
    import httpx  # noqa: PLC0415 - few addresses need it

    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise failures.unreachable(failures.NO_ADDRESS) from error
    failures.require_port(parsed.port)
    host = parsed.raw_host.decode("ascii")
    if parsed.scheme not in _PORTS or not host:
        raise ProviderConnectionError(failures.NO_HTTP_ADDRESS)
    port = parsed.port or _PORTS[parsed.scheme]
    return Address(
        origin=Origin(host, port, secure=parsed.scheme == "https"),
        target=parsed.raw_path.decode("ascii"),
        netloc=parsed.netloc.decode("ascii"),
        credentials=_credentials(parsed),
    )


_known = lru_cache(maxsize=256)(_taken_apart)  # a provider has one for each of its models


def _credentials(url: httpx.URL) -> str:
    if not (url.username or url.password):
        return ""
    return "Basic " + b64encode(f"{url.username}:{url.password}".encode()).decode("ascii")
