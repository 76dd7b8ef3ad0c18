"""Tells identical requests of the same caller from all others."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from starlette.requests import Request

from faultmaven.api.head import Line
from faultmaven.services.large_texts import worked

SINGLE_FLIGHT_HEADER = "X-FaultMaven-Single-Flight"

_SHORT = 4096  # bytes of a body that tell it from others by themselves, sooner than a digest does
_SWITCH = SINGLE_FLIGHT_HEADER.lower().encode()
_CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"cookie"})
# Beside path and body, these alone of what is sent have a say in the answer, or in whose it is.
_HEARD = _CREDENTIALS | {b"x-request-timeout", _SWITCH}

SINGLE_FLIGHT_PARAMETER = {
    "name": SINGLE_FLIGHT_HEADER,
    "in": "header",
    "description": (
        "`off`: ask, even while the very same question of yours is being answered. Without it, "
        "identical requests in flight at the same time share one answer; streams never do."
    ),
    "schema": {"type": "string", "enum": ["on", "off"], "default": "on"},
    "example": "off",
}
"""The header, as the API's description has it."""


async def fingerprint_of(request: Request, body: bytes) -> bytes | None:
    """What tells who asks for what; ``None`` for who is unknown, or wants to be asked for alone.

    Callers are known by the credentials they present, without any by their address. What they ask
    is the path, the body as it was sent, and the time that a header gives for the answer.
    """
    heard, known = [], False
    for name, value in request.scope["headers"]:
        if name in _HEARD:
            heard.append((name, value))
            known = known or name in _CREDENTIALS
            if name == _SWITCH and value.lower() == b"off":
                return None
    if not known:
        if request.client is None:
            return None
        heard.append((b"", request.client.host.encode()))
    head = _written(request.scope["path"], heard)
    return head + body if len(body) <= _SHORT else await worked(len(body), _digest, head, body)


def _written(path: str, heard: Sequence[Line]) -> bytes:
    """All but the body, from which it is told by its length.

    The path may hold line breaks, and a header none: the last two lines for each header are the
    headers, and what stands before them is the path.
    """
    lines = [path.encode("utf-8", "surrogatepass")]
    for line in heard:
        lines += line
    head = b"\n".join(lines)
    return b"%d,%d:%b" % (len(heard), len(head), head)


def _digest(head: bytes, body: bytes) -> bytes:
    digest = blake2b(head, digest_size=16)
    digest.update(body)
    return digest.digest()
