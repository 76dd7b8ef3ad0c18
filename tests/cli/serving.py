"""``faultmaven serve`` as a child process in front of a played vendor, and callers of it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from cli.command import PATIENCE, running
from upstreams import Answer, Upstream

CHAT = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Service:
    """A service that runs."""

    process: asyncio.subprocess.Process
    url: str

    async def ended(self) -> int:
        """Wait for its end; its exit code."""
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()


@asynccontextmanager
async def serving(up: Upstream, *, folder: Path, **variables: str) -> AsyncIterator[Service]:
    """Run the service until the block ends; only errors are logged, so that no pipe fills."""
    chain = {
        "OPENAI_API_KEY": up.key,
        "OPENAI_API_BASE": up.base_url,
        "OPENAI_MODEL": up.model,
        "CHAT_PROVIDER": "openai",
        "FALLBACK_CHAIN": "none",
        "PROBE_INTERVAL": "0",
        "SINGLE_FLIGHT": "false",  # tests count what each request does
        "LOG_LEVEL": "error",
        "PORT": "0",
    }
    async with running("serve", folder=folder, **{**chain, **variables}) as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            greeting = await process.stdout.readuntil(b"}'\n")
        [url] = set(re.findall(r"http://127\.0\.0\.1:\d+", greeting.decode()))
        yield Service(process, url)


def slow_answer(*, seconds: float) -> Answer:
    """An answer that is streamed for so long."""
    pieces = tuple(f"word{number} " for number in range(20))
    return Answer(pieces=pieces, delay=seconds / len(pieces))


def question(model: str, *, stream: bool = False, said: str = "?") -> dict[str, Any]:
    """A chat that asks something."""
    messages = [{"role": "user", "content": said}]
    return {"model": model, "stream": stream, "messages": messages}


async def read_stream(url: str, model: str, *, begun: asyncio.Event | None = None) -> str:
    """What a streamed answer says; ends with the protocol's own mark, or this raises."""
    said, ended = "", False
    async with (
        httpx.AsyncClient(timeout=PATIENCE) as client,
        client.stream("POST", url + CHAT, json=question(model, stream=True)) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        async for line in answer.aiter_lines():
            ended = line == "data: [DONE]" or ended
            if line.startswith("data: {"):
                choices = json.loads(line.removeprefix("data: "))["choices"]
                said += "".join(choice["delta"].get("content") or "" for choice in choices)
            if said and begun is not None:
                begun.set()
    assert ended, said
    return said
