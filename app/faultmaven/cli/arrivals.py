"""Connections that have arrived at a listening socket and that nobody has accepted yet."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress


def accept_arrived(listening: Iterable[socket.socket]) -> list[socket.socket]:
    """Accept everything that waits in the system's queues, and wait for nothing.

    Closing a listening socket resets whatever is still queued there, although its callers have
    been connected, and may have sent their requests: who closes it accepts them first, at once.
    """
    arrived = []
    for one in listening:
        one.settimeout(0)
        with suppress(OSError):  # there are no more, or no more can be had
            while True:
                connection, _ = one.accept()
                connection.settimeout(0)
                arrived.append(connection)
    return arrived
