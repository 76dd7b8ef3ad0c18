"""One large question to the real service, and what it cost everybody."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import ROOT
from bench.chaos.service import Service
from bench.chaos.stage import Stage, stage

_TICKS = os.sysconf("SC_CLK_TCK")
_SETTLE = 0.3  # seconds before and after, in which only the pulse is served


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request cost.

    Attributes:
        status: what it was answered with.
        seconds: until it was.
        cpu: seconds of the service's CPU time, what it answers meanwhile included.
        memory: most bytes of memory it took, beside what the service had before.
        gap_ms: longest time a question for liveness took meanwhile.
        usual_ms: the median of those.
        sent: bytes of the body.
    """

    status: int
    seconds: float
    cpu: float
    memory: int
    gap_ms: float
    usual_ms: float
    sent: int


@dataclass(slots=True)
class _Pulse:
    """How long the service took to say that it lives, in milliseconds."""

    worst_ms: float = 0.0
    median_ms: float = 0.0


@asynccontextmanager
async def asked() -> AsyncIterator[Stage]:
    """A service that has answered before, so that nothing is loaded during the measurement."""
    async with stage(["openai"], PROBE_INTERVAL="0") as playing:
        for path, body in (
            ("/api/v1/query/troubleshoot", {"session_id": "warm", "query": "It is slow. Why?"}),
            ("/v1/chat/completions", {"model": "auto", "messages": [_user("Why?")]}),
        ):
            await playing.client.ask(body, path=path)
        yield playing


async def cost_of(playing: Stage, path: str, body: Mapping[str, Any]) -> Cost:
    """Ask, while the pulse is felt."""
    service = playing.service
    sent = len(json.dumps(body))
    _forget_peak(service)
    before = _memory(service, "VmRSS")
    async with _felt(service.port) as pulse:
        cpu = _cpu(service)
        reply = await playing.client.ask(body, path=path)
        cpu = _cpu(service) - cpu
    return Cost(
        status=reply.status,
        seconds=reply.seconds,
        cpu=cpu,
        memory=_memory(service, "VmHWM") - before,
        gap_ms=pulse.worst_ms,
        usual_ms=pulse.median_ms,
        sent=sent,
    )


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


@asynccontextmanager
async def _felt(port: int) -> AsyncIterator[_Pulse]:
    """The pulse during the block."""
    words = ("-m", "bench.large.pulse", str(port))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    pulse = _Pulse()
    await asyncio.sleep(_SETTLE)
    yield pulse
    await asyncio.sleep(_SETTLE)
    told, _ = await process.communicate(b"\n")
    found = json.loads(told)
    pulse.worst_ms, pulse.median_ms = found["worst_ms"], found["median_ms"]


def _cpu(service: Service) -> float:
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _forget_peak(service: Service) -> None:
    """The kernel counts the peak anew (proc(5), clear_refs)."""
    Path(f"/proc/{service.process.pid}/clear_refs").write_text("5")


def _memory(service: Service, name: str) -> int:
    status = Path(f"/proc/{service.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith(f"{name}:"))
