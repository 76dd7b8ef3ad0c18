"""The only HTTP client: one set of connections for all providers. It sends, it never retries.

The seam is `Transport`: bytes-to-be in, bytes out, whole or as they come. Two engines stand behind
it: one of our own on httptools, and one on httpx, which serves where the first cannot. They keep
the same promises; docs/decisions/0016 names where they differ. Tests put a recorded transport
there.
"""

from __future__ import annotations

import select
from importlib.util import find_spec
from typing import Literal

from faultmaven.infrastructure.llm.transport.seam import Engine, PoolLimits, Transport, WireStream

__all__ = [
    "Engine",
    "EngineName",
    "PoolLimits",
    "Transport",
    "WireStream",
    "new_transport",
    "shared_transport",
    "shared_transports",
]

EngineName = Literal["auto", "httptools", "httpx"]
"""Which client moves the bytes; ``auto`` is the fastest that is installed."""

_shared: dict[EngineName, Engine] = {}


def new_transport(engine: EngineName = "auto", limits: PoolLimits | None = None) -> Engine:
    """Make a transport that shares nothing with any other.

    Raises:
        ModuleNotFoundError: the engine that was named is not installed.
    """
    if engine == "httpx" or (engine == "auto" and not _is_fast_one_possible()):
        from faultmaven.infrastructure.llm.transport.httpx_engine import (  # noqa: PLC0415 - as below
            HttpxTransport,
        )

        return HttpxTransport(limits)
    from faultmaven.infrastructure.llm.transport.httptools_engine import (  # noqa: PLC0415 - may be missing
        HttptoolsTransport,
    )

    return HttptoolsTransport(limits)


def _is_fast_one_possible() -> bool:
    """Whether its parser is installed, and the system can be asked what a connection has to say."""
    return bool(find_spec("httptools")) and hasattr(select, "poll")


def shared_transport(engine: EngineName = "auto") -> Engine:
    """The process's transport, for providers constructed with their configuration alone."""
    if engine not in _shared:
        _shared[engine] = new_transport(engine)
    return _shared[engine]


def shared_transports() -> tuple[Engine, ...]:
    """Every transport of the process that was asked for."""
    return tuple(_shared.values())
