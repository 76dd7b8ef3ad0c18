"""What a packet asks, told at a glance: enough to refuse it for want of room, not to serve it.

A parser calls back for each part of a request, and what it is asked for is made ready as if it
were to be served. Where two of three requests are refused, most of the time goes there.
"""

from __future__ import annotations

import re
from typing import Any

_FIRST_LINE = re.compile(rb"POST (/[A-Za-z0-9/_.-]*) HTTP/1\.1\r\n")
_HEADER = re.compile(rb"(?m)^([A-Za-z0-9_-]+): ?([!-~](?:[ -~]*[!-~])?)\r$")
_BODY = b"content-length"
_LONGEST = 7  # digits of a body's length; larger ones do not come in one packet
_UNUSUAL = frozenset(
    (b"transfer-encoding", b"expect", b"upgrade", b"te", b"trailer", b"proxy-connection")
)
_STAYS = (None, b"keep-alive", b"Keep-Alive")


def glance(packet: bytes) -> dict[str, Any] | None:
    """What a server knows of a request, as ASGI has it: method, path and headers, nothing else.

    Args:
        packet: what came on a connection on which nothing else is under way.

    Returns:
        ``None`` unless the packet is one whole POST, its body of a stated length, with nothing in
        it that two readers might understand differently: then it needs the parser.
    """
    first = _FIRST_LINE.match(packet)
    end = packet.find(b"\r\n\r\n") + 2
    if first is None or end < first.end():
        return None
    head = packet[first.end() : end]
    lines = _HEADER.findall(head)
    headers = {name.lower(): value for name, value in lines}
    if len(headers) != len(lines) or len(lines) != head.count(b"\n"):
        return None
    length = headers.get(_BODY, b"")
    if not length.isdigit() or len(length) > _LONGEST or int(length) != len(packet) - end - 2:
        return None
    if not _UNUSUAL.isdisjoint(headers) or headers.get(b"connection") not in _STAYS:
        return None
    path = first[1].decode("ascii")
    return {"method": "POST", "path": path, "headers": list(headers.items())}
