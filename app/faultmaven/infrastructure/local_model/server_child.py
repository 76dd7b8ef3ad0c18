"""One life of the server child: start it, see it become healthy, watch it until it dies."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faultmaven.infrastructure.local_model.http_get import get
from faultmaven.infrastructure.local_model.loopback_port import HOST
from faultmaven.infrastructure.local_model.process import ChildProcess, running

_OK: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What a server child is told.

    Attributes:
        model: path of the weights.
        alias: the model's id on the wire.
        port: loopback port to listen on.
        api_key: required of every request but ``/health``; told on standard input.
        threads: threads that write an answer.
        prompt_threads: threads that read a prompt.
        slots: requests served at once; more of them wait.
        context: tokens a request and its answer may have together.
    """

    model: Path
    alias: str
    port: int
    api_key: str
    threads: int
    prompt_threads: int
    slots: int
    context: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Vigil:
    """How a child is watched; all in seconds.

    Attributes:
        load_within: time to become healthy, or it counts as hung.
        load_poll: pause between two looks while it loads.
        look_every: pause between two looks at a healthy child.
        answer_within: time for one answer to ``/health``.
        most_silences: unanswered looks in a row after which it counts as hung.
        grace: between asking it to end and forcing it.
    """

    load_within: float = 300.0
    load_poll: float = 0.1
    look_every: float = 5.0
    answer_within: float = 5.0
    most_silences: int = 6
    grace: float = 3.0


@dataclass(frozen=True, slots=True)
class Death:
    """How a child ended.

    Attributes:
        exit_code: negative for a signal; ``None`` when it hung and we ended it.
        last_words: the end of its standard error.
        served: seconds between becoming healthy and the end; 0 if it never was.
    """

    exit_code: int | None
    last_words: str
    served: float


def child_command(launch: Launch) -> Sequence[str]:
    """The command that serves ``launch`` with the real engine."""
    return (
        *(sys.executable, "-m", "faultmaven.infrastructure.local_model.child"),
        *("--model", str(launch.model), "--alias", launch.alias, "--port", str(launch.port)),
        *("--threads", str(launch.threads), "--prompt-threads", str(launch.prompt_threads)),
        *("--slots", str(launch.slots), "--context", str(launch.context)),
    )


async def live(
    launch: Launch,
    command: Sequence[str],
    *,
    vigil: Vigil,
    clock: Callable[[], float],
    on_ready: Callable[[], None],
) -> Death:
    """Run a child until it dies or hangs; when cancelled, end it.

    Args:
        launch: where it listens, and the key it is told.
        command: what to run.
        vigil: how to watch it.
        clock: seconds, monotonic.
        on_ready: called once, when it is healthy.
    """
    async with running(command, stdin=PIPE, grace=vigil.grace) as child:
        await _tell_key(child, launch.api_key)
        death = asyncio.create_task(child.wait())
        served = 0.0
        try:
            if await _becomes_healthy(launch.port, death, vigil):
                ready_at = clock()
                on_ready()
                await _until_silent(launch.port, death, vigil)
                served = clock() - ready_at
            return Death(death.result() if death.done() else None, child.last_words, served)
        finally:
            death.cancel()


async def _tell_key(child: ChildProcess, key: str) -> None:
    """Write the first line of the child's standard input, which then stays open."""
    stdin = child.process.stdin
    if stdin is not None:
        with suppress(ConnectionError):
            stdin.write(f"{key}\n".encode("ascii"))
            await stdin.drain()


async def _becomes_healthy(port: int, death: asyncio.Task[int], vigil: Vigil) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(vigil.load_within):
            while not death.done():
                if await is_healthy(port, vigil.answer_within):
                    return True
                await asyncio.wait([death], timeout=vigil.load_poll)
    return False


async def _until_silent(port: int, death: asyncio.Task[int], vigil: Vigil) -> None:
    """Return when the child died or did not answer for too long."""
    silences = 0
    while not death.done() and silences < vigil.most_silences:
        await asyncio.wait([death], timeout=vigil.look_every)
        healthy = death.done() or await is_healthy(port, vigil.answer_within)
        silences = 0 if healthy else silences + 1


async def is_healthy(port: int, seconds: float) -> bool:
    """Whether the server on ``port`` says within ``seconds`` that it can answer."""
    reply = await get(f"http://{HOST}:{port}/health", timeout=seconds)
    return reply is not None and reply.status == _OK
