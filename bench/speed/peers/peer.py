"""What a gateway is to the measurement: how it is installed, and how it is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.speed.answers import MODEL

CHAT = "/v1/chat/completions"
"""Where most gateways are asked."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a gateway is started in front of an upstream.

    Attributes:
        command: program and arguments.
        environment: variables beside the usual ones.
        port: where it will listen on loopback; `None` where it chooses one itself and says so.
        path: where it is asked for chat completions.
        headers: that a caller must send.
        model: what it calls the model.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    path: str = CHAT
    headers: Mapping[str, str] = field(default_factory=dict)
    model: str = MODEL


class Peer(Protocol):
    """A gateway."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    @property
    def version(self) -> str:
        """The one that is installed."""

    @property
    def language(self) -> str:
        """It is written in."""

    async def install(self, cache: Path) -> None:
        """Install it below the cache, unless it is there.

        Raises:
            NotInstallableError: it cannot be had here; says why.
        """

    def plan(self, *, folder: Path, cache: Path, upstream: str) -> Plan:
        """Write its configuration into the folder; how it is started.

        Args:
            folder: an empty one, where it will be started.
            cache: where it was installed.
            upstream: origin of the server it shall ask.
        """
