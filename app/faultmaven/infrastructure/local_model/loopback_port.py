"""A loopback port kept for the server child, so that its address outlives a restart."""

from __future__ import annotations

import socket
import sys
from typing import Final

from faultmaven.errors import LocalModelError

HOST: Final = "127.0.0.1"


class LoopbackPort:
    """A port on 127.0.0.1 that nobody else takes between two runs of the child.

    The socket is bound and never listens; with SO_REUSEPORT the child, which has the same
    user, listens on the same port, and the kernel gives every connection to it.

    Attributes:
        number: the port.
    """

    def __init__(self, wanted: int | None = None) -> None:
        """Reserve ``wanted``, or any free port.

        Raises:
            LocalModelError: the wanted port is taken.
        """
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if sys.platform != "win32":  # where the engine check refuses, a moment later
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            self._socket.bind((HOST, wanted or 0))
        except OSError as error:
            self.close()
            raise LocalModelError(
                f"Port {wanted} on {HOST} is taken, so the embedded model cannot be served there.",
                hint="Choose another port for it, or none to have a free one found.",
            ) from error
        self.number: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()
