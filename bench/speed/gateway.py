"""A gateway in front of an upstream, started and ready."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.chaos.client import Client
from bench.speed.answers import LAST, chat
from bench.speed.child import Child, running
from bench.speed.machine import Cores
from bench.speed.peers.peer import Peer, Plan
from bench.speed.target import Target

_PATIENCE = 60.0  # seconds for a start
_LOOK = 0.01  # seconds between two tries while nobody listens
_LOOK_AGAIN = 0.1  # seconds after an answer that was not good
_QUESTION = "Why is the disk of node-1 full? This is question #."


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway.

    Attributes:
        child: its process.
        target: what it is asked.
        start_seconds: from its start to its first good answer.
        folder: for files of the load generator.
    """

    child: Child
    target: Target
    start_seconds: float
    folder: Path


class NotReadyError(Exception):
    """A gateway gave no good answer; says what it said instead."""


@asynccontextmanager
async def started(
    peer: Peer,
    *,
    cache: Path,
    upstream: str,
    cores: Cores,
    body: Mapping[str, Any] | None = None,
    mark: str = LAST,
) -> AsyncIterator[Gateway]:
    """Start it, wait for its first good answer, and end it.

    Args:
        peer: which.
        cache: where it is installed.
        upstream: origin of the server it asks.
        cores: where it runs.
        body: what it is asked; a chat completion otherwise.
        mark: words of a good answer.

    Raises:
        NotReadyError: there was none.
    """
    with tempfile.TemporaryDirectory(prefix="speed-") as name:
        folder = Path(name)
        plan = peer.plan(folder=folder, cache=cache, upstream=upstream)
        begun = time.perf_counter()
        async with running(
            plan.command, folder=folder, processors=cores.gateway, environment=plan.environment
        ) as child:
            asked = body or chat(_QUESTION, model=plan.model)
            target = await _answering(plan, child, body=asked, mark=mark)
            yield Gateway(child, target, time.perf_counter() - begun, folder)


def direct(origin: str) -> Target:
    """The question without a gateway."""
    port = int(origin.rpartition(":")[2])
    return Target(port, "/v1/chat/completions", chat(_QUESTION))


async def _answering(plan: Plan, child: Child, *, body: Mapping[str, Any], mark: str) -> Target:
    """Where it gives good answers, as soon as it does."""
    last = "0 nothing"
    end = time.perf_counter() + _PATIENCE
    while child.process.returncode is None and time.perf_counter() < end:
        port = plan.port or _port(child)
        if port:
            target = Target(port, plan.path, body, plan.headers)
            last = await _asked(target, mark)
            if not last:
                return target
        await asyncio.sleep(_LOOK if last.startswith("0 ") else _LOOK_AGAIN)
    print(child.said()[-2000:], file=sys.stderr)
    raise NotReadyError(f"no good answer: {last[:200]}")


async def _asked(target: Target, mark: str) -> str:
    """What is wrong with its answer; empty for nothing."""
    client = Client(target.port, keep=False)
    try:
        reply = await client.ask(
            json.loads(target.content(0)), path=target.path, headers=target.headers
        )
    finally:
        await client.aclose()
    good = reply.status == 200 and mark.encode() in reply.body  # noqa: PLR2004 - HTTP
    return "" if good else f"{reply.status} {reply.body.decode(errors='replace')}"


def _port(child: Child) -> int | None:
    found = re.search(r"listens at http://127\.0\.0\.1:(\d+)", child.said())
    return int(found[1]) if found else None
