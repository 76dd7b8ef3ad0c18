"""A program that serves as ``faultmaven serve`` does, busy when it is about to stop listening.

It prints its port when it begins to serve and a line when it is about to stop; then it does
nothing at all, as a machine with too much to do, until it reads a line.
"""

from __future__ import annotations

import socket
import sys

from faultmaven.cli.serve import listen
from faultmaven.cli.server import DrainingServer


class SlowToClose(DrainingServer):
    """Does nothing for a while before it stops listening."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell where."""
        await super().startup(sockets)
        _tell(listening.getsockname()[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, after a while."""
        _tell("closing")
        sys.stdin.readline()
        await super().shutdown(sockets)


def _tell(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with listen("127.0.0.1", 0) as listening:
        SlowToClose().run(sockets=[listening])
