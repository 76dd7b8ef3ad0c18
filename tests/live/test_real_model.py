"""The whole service with a real model server behind it: the smallest one, fetched by hash."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pydantic
import pytest
import pytest_asyncio

from cli.command import running

ROOT = Path(__file__).parents[2]
CRASHLOOP = ROOT / "docs" / "examples" / "crashloop.json"
_PATIENCE = 300.0  # seconds: the first run fetches 93 MB, and CI has two busy cores
_FETCHING = re.compile(r"PIP_.*|.*_PROXY|SSL_CERT_.*|REQUESTS_CA_BUNDLE", re.IGNORECASE)


def _cache() -> Path:
    """Kept between runs, so that the weights are fetched once."""
    given = os.environ.get("FAULTMAVEN_TEST_CACHE")  # noqa: TID251 - where tests keep the weights
    return Path(given) if given else Path.home() / ".cache" / "faultmaven-test"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """The service without any key, its embedded model ready."""
    indexes = {name: value for name, value in os.environ.items() if _FETCHING.fullmatch(name)}  # noqa: TID251 - where packages come from here
    variables = {
        **indexes,
        "LOCAL_MODEL": "tiny",
        "PORT": "0",
        "REQUEST_TIMEOUT": "240",
        "FAULTMAVEN_CACHE_DIR": str(_cache()),
    }
    async with running("serve", folder=tmp_path_factory.mktemp("live"), **variables) as process:
        assert process.stdout is not None
        async with asyncio.timeout(_PATIENCE):
            greeting = await process.stdout.readuntil(b"/docs")
        [url] = set(re.findall(r"http://127\.0\.0\.1:\d+", greeting.decode()))
        async with httpx.AsyncClient(base_url=url, timeout=_PATIENCE) as client:
            await _until_model(client, "ready")
            yield client
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            await process.communicate()
        assert process.returncode == 0


async def _until_model(client: httpx.AsyncClient, state: str) -> dict[str, Any]:
    """Wait until the embedded model is in ``state``; its status then."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            found = (await client.get("/health/dependencies")).json()["local_model"]
            assert found["state"] != "failed", found
            if found["state"] == state:
                return dict(found)
            await asyncio.sleep(0.05)


def _children_of(port: str) -> list[int]:
    """Processes that serve a model on ``port``, as the operating system lists them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"faultmaven.infrastructure.local_model.child" in words and port.encode() in words:
            found.append(int(folder.name))
    return found


@pytest.mark.asyncio(loop_scope="module")
async def test_a_real_model_answers_the_documented_request(service: httpx.AsyncClient) -> None:
    """No key, a real log: 200 from ``local`` with attempts, and a confidence below 1 (S18, S40)."""
    answer = await service.post(
        "/api/v1/query/troubleshoot",
        content=CRASHLOOP.read_bytes(),
        headers={"content-type": "application/json"},
    )

    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["provider"] == "local"
    assert body["response"].strip()
    assert 0 <= body["confidence_score"] < 1
    assert body["confidence"]["below_threshold"]
    assert body["attempts"][-1]["outcome"] == "ok"
    assert body["usage"]["completion"] > 0
    sent = json.loads(CRASHLOOP.read_bytes())
    material = sent["query"] + "".join(item["content"] for item in sent["attachments"])
    folded = " ".join(material.split())
    for quote in body["evidence"]:
        assert quote["verified"] == (" ".join(quote["quote"].split()) in folded)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_readmes_curl_works(service: httpx.AsyncClient) -> None:
    """The README's request, run by a shell at the project's root, is answered (S82, S84)."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = re.findall(r"^curl .*?(?<!\\)$", readme, re.MULTILINE | re.DOTALL)[0]
    here = command.replace("http://localhost:8000", str(service.base_url))

    process = await asyncio.create_subprocess_shell(
        f"{here} -s", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(process.communicate(), _PATIENCE)

    assert here != command
    assert json.loads(said)["provider"] == "local", said


@pytest.mark.asyncio(loop_scope="module")
async def test_health_and_metrics_agree_with_what_happened(service: httpx.AsyncClient) -> None:
    """After an answer, the provider is healthy and its attempt is counted (S78, S85)."""
    question = {"session_id": "live", "query": "The disk of db-1 is full. What now?"}
    answered = await service.post("/api/v1/query/troubleshoot", json=question)

    health = (await service.get("/health/dependencies")).json()
    exposition = (await service.get("/metrics")).text

    assert answered.status_code == 200, answered.text
    assert health["status"] == "healthy"
    assert health["components"]["llm_provider"] is True
    assert health["providers"]["local"]["health"]["availability"] == 1.0
    counted = re.search(
        r'^faultmaven_attempts_total\{[^}]*outcome="ok",provider="local"\} (\S+)$',
        exposition,
        re.MULTILINE,
    )
    assert counted is not None
    assert float(counted.group(1)) >= 1


@pytest.mark.asyncio(loop_scope="module")
async def test_a_real_model_streams_to_the_official_client(service: httpx.AsyncClient) -> None:
    """OpenAI's SDK hears a real model piece by piece, through the chain."""
    async with openai.AsyncOpenAI(base_url=f"{service.base_url}/v1", api_key="unused") as client:
        stream = await client.chat.completions.create(
            model="auto",
            messages=[{"role": "user", "content": "Count from one to ten."}],
            max_tokens=48,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    pieces = [
        c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content
    ]
    assert len(pieces) > 3, pieces
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] in {"stop", "length"}
    assert chunks[-1].usage is not None
    assert 0 < chunks[-1].usage.completion_tokens <= 48


@pytest.mark.asyncio(loop_scope="module")
async def test_the_readmes_openai_client_works(service: httpx.AsyncClient) -> None:
    """The README's Python, run as it stands but for the port, prints what the model says."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [program] = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    here = program.replace("http://localhost:8000", str(service.base_url))

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", here, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(process.communicate(), _PATIENCE)

    assert here != program
    assert process.returncode == 0
    assert said.strip()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_real_model_is_held_to_a_schema_by_the_official_client(
    service: httpx.AsyncClient,
) -> None:
    """What the SDK parses is what the caller's class says."""

    class Disk(pydantic.BaseModel):
        full: bool
        percent: int

    async with openai.AsyncOpenAI(base_url=f"{service.base_url}/v1", api_key="unused") as client:
        parsed = await client.chat.completions.parse(
            model="local",
            messages=[{"role": "user", "content": "Is a disk at 97 % full? JSON."}],
            response_format=Disk,
            max_tokens=60,
        )
    assert isinstance(parsed.choices[0].message.parsed, Disk)


@pytest.mark.asyncio(loop_scope="module")
async def test_whoever_leaves_a_real_model_frees_its_only_slot(service: httpx.AsyncClient) -> None:
    """After a caller hung up in the middle, the next one is answered soon."""
    endless = {
        "model": "local",
        "stream": True,
        "max_tokens": 2000,
        "messages": [{"role": "user", "content": "Tell a very long story about a disk."}],
    }
    async with service.stream("POST", "/v1/chat/completions", json=endless) as answer:
        async for line in answer.aiter_lines():
            if '"content":"' in line and '"content":""' not in line:
                break
    short = {"model": "local", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
    async with asyncio.timeout(20):
        again = await service.post("/v1/chat/completions", json=short)
    assert again.status_code == 200, again.text


@pytest.mark.asyncio(loop_scope="module")
async def test_a_killed_model_server_is_started_again(service: httpx.AsyncClient) -> None:
    """The child is killed; the service stays up, starts it anew, and answers."""
    before = await _until_model(service, "ready")
    port = before["base_url"].rsplit(":", 1)[1]
    [child] = _children_of(port)

    os.kill(child, signal.SIGKILL)
    await _until_model(service, "restarting")
    await _until_model(service, "ready")

    again = await service.post(
        "/api/v1/query/troubleshoot",
        json={"session_id": "live", "query": "Are you back?", "max_tokens": 40},
    )
    assert again.status_code == 200, again.text
    assert _children_of(port) not in ([], [child])
