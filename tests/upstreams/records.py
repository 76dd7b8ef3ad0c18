"""What an upstream notes down about its clients."""

from dataclasses import dataclass

from upstreams.messages import Reply, Request


@dataclass(frozen=True, slots=True)
class Connections:
    """How many connections there were."""

    accepted: int
    open: int


@dataclass(frozen=True, slots=True)
class Disconnect:
    """A client that left before its answer was complete."""

    request: Request
    at: float
    """When it left, on the clock of `time.monotonic`."""
    sent: int
    """Bytes of the answer it had been sent."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A request the vendor would not have accepted."""

    request: Request
    reply: Reply
