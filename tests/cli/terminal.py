"""The ``faultmaven`` command in a terminal of its own."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.command import COMMAND, PATIENCE, Result, environment

_CODES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


async def run_in_terminal(
    *words: str,
    folder: Path,
    variables: Mapping[str, str],
    interrupt: tuple[bytes, signal.Signals] | None = None,
) -> Result:
    """Run the command to its end, its output and errors on one terminal.

    `Result.out` is what a person reads; `Result.err` the same with the terminal's codes.

    Args:
        words: the command's.
        folder: where it runs.
        variables: of its environment.
        interrupt: a signal, and the words on the terminal that it is sent after.
    """
    ours, theirs = pty.openpty()
    size = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    with _hearing_ctrl_c():
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *words,
            cwd=folder,
            env={**environment(folder), **size, **variables},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
    os.close(theirs)
    try:
        async with asyncio.timeout(PATIENCE):
            written = b""
            if interrupt is not None:
                written = await asyncio.to_thread(_read_to, interrupt[0], ours)
                process.send_signal(interrupt[1])
            written += await asyncio.to_thread(_read_all, ours)
            code = await process.wait()
    finally:
        os.close(ours)
    text = written.decode().replace("\r\n", "\n")
    return Result(code, _CODES.sub("", text), text)


@contextmanager
def _hearing_ctrl_c() -> Iterator[None]:
    """Start nothing that is deaf to Ctrl-C, as what a shell runs in the background is."""
    former = signal.getsignal(signal.SIGINT)
    if former is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def _read_to(words: bytes, terminal: int) -> bytes:
    """Read until these words have come."""
    read = b""
    while words not in read:
        read += os.read(terminal, 65_536)
    return read


def _read_all(terminal: int) -> bytes:
    """Read until nobody writes any more, which Linux tells by an error."""
    pieces: list[bytes] = []
    while True:
        try:
            piece = os.read(terminal, 65_536)
        except OSError:
            return b"".join(pieces)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
