"""A caller who leaves stops the upstream, whichever it is, within a tenth of a second.

Real sockets on both sides of the whole service. A machine that is busy may take longer once; what
is promised has to show in one of a few tries.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from api.live import served
from api.service import Container
from contract.subjects import ANSWER, Subject, chain_over, subjects
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.infrastructure.sessions.sqlite_store import SQLiteSessionStore
from upstreams import Upstream

_ENOUGH = 0.1  # seconds
_TRIES = 5
_STALLS = {
    "whole": "stalled_headers",
    "before_the_first_token": "stream_stall_before_content",
    "after_the_first_token": "stream_stall_after_content",
}


@pytest.mark.parametrize("moment", _STALLS)
@pytest.mark.parametrize("subject", subjects(), ids=lambda subject: subject.label)
async def test_the_upstream_is_let_go(
    subject: Subject, moment: str, transport: Transport, tmp_path: Path
) -> None:
    """The connection closes, nobody is blamed or asked instead, and nothing is left behind."""
    async with Upstream(subject.dialect, answer=ANSWER) as up, Upstream("openai") as backup:
        up.always(_STALLS[moment])
        pair = chain_over(subject, up, backup, transport, timeout=30)
        store = SQLiteSessionStore(tmp_path / "sessions.db")
        container = Container(pair.registry.settings, pair.registry, store, llm=pair.router)
        async with served(container) as address:
            idle = len(asyncio.all_tasks())
            took = [await _leave(address, up, moment)]
            while min(took) > _ENOUGH and len(took) < _TRIES:
                took.append(await _leave(address, up, moment))
            assert min(took) <= _ENOUGH
            async with asyncio.timeout(5):
                await up.until(lambda up: not up.connections.open)
                while len(asyncio.all_tasks()) > idle:  # noqa: ASYNC110 - tasks tell nobody when they end
                    await asyncio.sleep(0)  # what was cancelled ends when it gets its turn
        assert pair.witness.attempts == [], "leaving is nobody's failure"
        assert {event[0] for event in pair.witness.seen} == {"start", "cancel"}
        assert not backup.requests


async def _leave(address: tuple[str, int], up: Upstream, moment: str) -> float:
    """Ask, hang up at the given moment, and tell after how many seconds the upstream noticed."""
    before, asked = len(up.disconnects), len(up.requests)
    reader, writer = await asyncio.open_connection(*address)
    question = {
        "model": "auto",
        "stream": moment != "whole",
        "messages": [{"role": "user", "content": "Why?"}],
    }
    writer.write(_request(json.dumps(question).encode()))
    async with asyncio.timeout(10):
        if moment == "after_the_first_token":
            await reader.readuntil(b'"content":"T')  # of the answer's first word
        else:
            await up.until(lambda up: len(up.requests) > asked and up.in_flight)
            await asyncio.sleep(0.05)  # the stream's first events may be on their way
        left = time.monotonic()
        writer.transport.abort()
        await up.until(lambda up: len(up.disconnects) > before)
    return up.disconnects[-1].at - left


def _request(body: bytes) -> bytes:
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
