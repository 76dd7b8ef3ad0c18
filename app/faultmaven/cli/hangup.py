"""What SIGHUP asks a running service for: a reload, or the end where its terminal is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable


def heed_hangup(*, reload: Callable[[], object], end: Callable[[], object]) -> None:
    """Act on SIGHUP from now on, as long as the running event loop does.

    Args:
        reload: has the configuration read again.
        end: ends the service: who closes the terminal it was started in wants no service that
            goes on where nobody sees it.
    """
    if not hasattr(signal, "SIGHUP"):  # there is none on Windows
        return
    started_in_terminal = in_terminal()

    def heed() -> None:
        hung_up = started_in_terminal and not in_terminal()
        (end if hung_up else reload)()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, heed)


def in_terminal() -> bool:
    """Whether somebody may be typing: false once the terminal has hung up."""
    return sys.stdin is not None and not sys.stdin.closed and os.isatty(sys.stdin.fileno())
