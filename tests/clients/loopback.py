"""Watches that a process talks to nobody but its own machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

_NAMES = frozenset({None, "", "localhost", b"localhost"})


class Watch:
    """Notes, and refuses, every connection and look-up beyond loopback while it is on.

    An audit hook sees every library's sockets, and stays for the life of the process.
    """

    def __init__(self) -> None:
        self.beyond: list[str] = []
        self._on = False
        sys.addaudithook(self._hear)

    @contextmanager
    def on(self) -> Iterator[None]:
        """Watch while the block runs."""
        self._on = True
        try:
            yield
        finally:
            self._on = False

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self._on:
            return
        host = _host(event, arguments)
        if host in _NAMES or _is_loopback(host):
            return
        self.beyond.append(f"{event} {host!r}")
        raise PermissionError(f"tests talk to loopback alone, not to {host!r}")


def _host(event: str, arguments: tuple[object, ...]) -> object:
    """Whom an event is about; nobody where it opens nothing."""
    if event == "socket.getaddrinfo":
        return arguments[0]
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        return address[0] if isinstance(address, tuple) else None
    return None


def _is_loopback(host: object) -> bool:
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ip_address(text).is_loopback
    except ValueError:
        return False
