"""The real engine with real weights, from the package index to an answer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from http.client import HTTPConnection
from urllib.parse import urlsplit

from faultmaven.infrastructure.local_model.supervisor import LocalModelServer
from local_model.children import child_pids
from local_model_fixtures import tiny_model_path, tiny_model_server

QUESTION = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}


def chat(server: LocalModelServer, key: str) -> tuple[int, dict[str, object]]:
    """Ask for a chat completion; give the status and the body."""
    connection = HTTPConnection(urlsplit(server.base_url).netloc, timeout=60)
    try:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(QUESTION), headers)
        response = connection.getresponse()
        return response.status, json.load(response)
    finally:
        connection.close()


async def ready_again(states: list[str]) -> None:
    """Wait until the server has been restarted."""
    async with asyncio.timeout(120):
        while states[-1] != "ready" or "restarting" not in states:  # noqa: ASYNC110 - a listener
            await asyncio.sleep(0.02)


async def test_a_real_model_answers_and_survives_a_kill() -> None:
    """Fetched, verified, loaded, asked, killed, restarted, asked again, stopped."""
    assert tiny_model_path().is_file()
    before = child_pids()
    states: list[str] = []
    async with tiny_model_server(lambda status: states.append(status.state)) as server:
        status, refusal = await asyncio.to_thread(chat, server, "wrong")
        assert (status, list(refusal)) == (401, ["error"])
        status, answer = await asyncio.to_thread(chat, server, server.api_key)
        assert status == 200
        assert answer["model"] == server.model == "smollm2-135m-instruct"
        assert answer["usage"]

        [child] = child_pids() - before
        os.kill(child, signal.SIGKILL)
        await ready_again(states)
        assert child_pids() - before != {child}
        status, _ = await asyncio.to_thread(chat, server, server.api_key)
        assert status == 200
    assert child_pids() == before
    assert states[-1] == "stopped"
