"""What goes wrong on the network, in our words: no address, no key, nothing of the request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from faultmaven.errors import (
    ProviderAuthError,
    ProviderConnectionError,
    ProviderProtocolError,
    ProviderTimeoutError,
)

CONNECT_TIMEOUT = 5.0
"""Seconds for a connection to come about, TLS included; the vendors' own SDKs use the same."""

MAX_BODY = 32 * 1024 * 1024
"""Most bytes of an answer, decompressed: no completion is that large, a runaway answer is."""

CUT = "the connection was closed before the answer was whole"
LOST = "the connection was lost"
LEFT = "the answer was left before it was read"
NO_TLS = "the TLS handshake failed"
NO_NAME = "the host name could not be resolved"
REFUSED = "the connection was refused"
NO_CONNECTION = "no connection came about"
NO_SUCH_PROXY = "the proxy that the environment names, or its NO_PROXY, is of no kind that is known"
NO_TUNNEL = "the proxy makes no connection to the base URL's host"
NO_ADDRESS = "the base URL is not a valid address"
NO_HTTP_ADDRESS = "the base URL must begin with http:// or https://"

_HIGHEST_PORT = 65535
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = frozenset({"host", "content-length", "transfer-encoding"})


def unreachable(message: str) -> ProviderConnectionError:
    """A failure where no connection came about: another provider is the better bet."""
    failure = ProviderConnectionError(message)
    failure.prefers_next = True
    return failure


def no_answer(seconds: float) -> ProviderTimeoutError:
    """The whole exchange was given ``seconds`` and took longer."""
    return ProviderTimeoutError(f"no answer within {seconds:.1f} s")


def no_connection(seconds: float = CONNECT_TIMEOUT) -> ProviderTimeoutError:
    """No connection came about in its time."""
    return ProviderTimeoutError(f"no connection within {seconds:.1f} s")


def too_large(status: int) -> ProviderProtocolError:
    """The answer is larger than any answer is."""
    message = f"the answer is larger than {MAX_BODY // 1024 // 1024} MiB"
    return ProviderProtocolError(message, status_code=status)


def broken_compression() -> ProviderProtocolError:
    """The answer cannot be decompressed."""
    return ProviderProtocolError("the answer's compression is broken")


def not_http() -> ProviderProtocolError:
    """What came is no answer, or a broken one."""
    return ProviderProtocolError("the answer is not HTTP/1.1 as it should be")


def require_sendable(headers: Mapping[str, str]) -> None:
    """HTTP carries printable ASCII in headers; a key copied badly may hold other characters.

    Raises:
        ProviderAuthError: a header does, or has a name that is none or that is ours to give.
    """
    for name, value in headers.items():
        if not _may_be_given(name):
            raise ProviderAuthError(f"header {name!a} cannot be sent")
        if not (value.isascii() and value.isprintable()):
            raise ProviderAuthError(f"header '{name}' holds characters that cannot be sent")


@lru_cache(maxsize=512)  # the same names are given again and again
def _may_be_given(name: str) -> bool:
    """Whether it is a name (RFC 9110, 5.6.2), and not one that says where the request ends."""
    return bool(_TOKEN.fullmatch(name)) and name.lower() not in _OURS


def is_port(number: int) -> bool:
    """Whether TCP has such a port to connect to."""
    return 1 <= number <= _HIGHEST_PORT


def require_port(port: int | None) -> None:
    """Sockets raise what nobody expects for a port that is none.

    Raises:
        ProviderConnectionError: it is none.
    """
    if port is not None and not is_port(port):
        raise unreachable(f"the base URL's port must be from 1 to {_HIGHEST_PORT}")


def causes(error: BaseException) -> Iterator[BaseException]:
    """What led to ``error``, all the way down; several addresses fail as a group."""
    cause = error.__cause__ or error.__context__
    if cause is not None:
        yield cause
        yield from causes(cause)
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield member
            yield from causes(member)
