"""The socket that the service listens on, from its first to its last connection."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path

from cli.command import PATIENCE, environment
from faultmaven.cli.serve import listen

_PROGRAM = Path(__file__).with_name("slow_to_close.py")
_LATE = 50
_REQUEST = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"


def test_answers_wait_for_no_acknowledgement() -> None:
    """What it accepts sends small pieces at once instead of collecting them."""
    with (
        listen("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_who_has_connected_is_served(tmp_path: Path) -> None:
    """Connections that nobody has accepted yet when the service stops listening are not reset."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(_PROGRAM)),
        cwd=tmp_path,
        env={**environment(tmp_path), "LOG_LEVEL": "error"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            port = int(await process.stdout.readline())
            process.send_signal(signal.SIGTERM)
            assert await process.stdout.readline() == b"closing\n"
            late = [await asyncio.open_connection("127.0.0.1", port) for _ in range(_LATE)]
            for _, writer in late:
                writer.write(_REQUEST)
            process.stdin.write(b"\n")
            answers = await asyncio.gather(*(reader.read() for reader, _ in late))
            for _, writer in late:
                writer.close()
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
    assert [answer.split(b"\r\n")[0] for answer in answers] == [b"HTTP/1.1 200 OK"] * _LATE
