"""Asking a proxy for a tunnel, on a socket that was just connected to it."""

from __future__ import annotations

import asyncio
import socket

_ENDED = b"\r\n\r\n"
_LARGEST_HEAD = 64 * 1024  # bytes


class TunnelRefusedError(OSError):
    """The proxy makes no tunnel to there."""


async def dig(sock: socket.socket, target: str, credentials: str) -> None:
    """Have the proxy at the other end pass on all that follows to ``target``.

    Args:
        sock: non-blocking, connected to the proxy.
        target: host and port.
        credentials: value of ``Proxy-Authorization``; empty for none.

    Raises:
        TunnelRefusedError: it refuses, or does not speak HTTP.
        OSError: the connection was lost.
    """
    loop = asyncio.get_running_loop()
    allowed = f"proxy-authorization: {credentials}\r\n" if credentials else ""
    request = f"CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n{allowed}\r\n"
    await loop.sock_sendall(sock, request.encode("ascii"))
    answer = b""
    while _ENDED not in answer:
        more = await loop.sock_recv(sock, _LARGEST_HEAD)
        answer += more
        if not more or len(answer) > _LARGEST_HEAD:
            raise TunnelRefusedError
    if not _is_agreed(answer):
        raise TunnelRefusedError


def _is_agreed(answer: bytes) -> bool:
    """Whether the status is a 2xx: the only ones that make a tunnel (RFC 9110 9.3.6)."""
    version, _, rest = answer.partition(b" ")
    return version.startswith(b"HTTP/1.") and rest[:1] == b"2" and rest[:3].isdigit()
