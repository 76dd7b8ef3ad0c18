"""``faultmaven serve``: greets, answers, explains a port in use, and ends cleanly."""

import asyncio
import re
import signal
import socket
from pathlib import Path

import httpx
import pytest

from cli.command import run, running
from upstreams import refused_url

QUIET = {"LOCAL_LLM_URL": refused_url()}


async def _greeting(process: asyncio.subprocess.Process) -> str:
    """What it prints until the service can be asked."""
    assert process.stdout is not None
    async with asyncio.timeout(60):
        said = (await process.stdout.readuntil(b"curl ")).decode()
        return said + (await process.stdout.readuntil(b"}'\n")).decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_greets_answers_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """The printed URL answers, chain and curl are shown, the log has discovery; exit code 0."""
    async with running("serve", "--port", "0", folder=tmp_path, **QUIET) as process:
        greeting = await _greeting(process)
        [url] = set(re.findall(r"http://127\.0\.0\.1:\d+", greeting))
        async with httpx.AsyncClient(base_url=url) as client:
            live = await client.get("/health/live")
        process.send_signal(number)
        _, log = await asyncio.wait_for(process.communicate(), 60)
    assert live.status_code == 200
    assert "Fallback chain: local" in greeting
    assert f"curl -X POST {url}/api/v1/query/troubleshoot" in greeting
    assert "✅ Provider 'local' initialized successfully" in log.decode()
    assert process.returncode == 0


async def test_the_printed_curl_is_a_valid_request(tmp_path: Path) -> None:
    """What the greeting offers to try is accepted by the service."""
    async with running("serve", folder=tmp_path, PORT="0", **QUIET) as process:
        greeting = await _greeting(process)
        url = re.findall(r"POST (\S+)", greeting)[0]
        body = re.findall(r"-d '(.*)'\n", greeting)[0]
        headers = {"content-type": "application/json", "x-request-timeout": "1"}
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.post(url, content=body, headers=headers)
    assert answer.status_code == 503  # nobody is there to answer it, but it was asked
    assert "All providers failed" in answer.json()["detail"]


async def test_port_in_use_is_explained(tmp_path: Path) -> None:
    """One sentence names the port and who may hold it; the next one what to do."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        result = await run("serve", "--port", str(port), folder=tmp_path)
    assert result.code == 1
    assert f"Port {port} on 127.0.0.1 is in use" in result.err
    assert "a FaultMaven that is already running" in result.err
    assert f"PORT={port + 1}" in result.err
    assert "Traceback" not in result.err


async def test_foreign_address_is_explained(tmp_path: Path) -> None:
    """An address that is not this machine's names HOST."""
    result = await run("serve", folder=tmp_path, HOST="192.0.2.1")
    assert result.code == 1
    assert "HOST" in result.err
    assert "Traceback" not in result.err


async def test_wrong_setting_ends_the_start(tmp_path: Path) -> None:
    """A setting out of range is one sentence with its name and exit code 1."""
    result = await run("serve", folder=tmp_path, REQUEST_TIMEOUT="-1", PORT="0")
    assert result.code == 1
    assert "REQUEST_TIMEOUT" in result.err
    assert "Traceback" not in result.err
