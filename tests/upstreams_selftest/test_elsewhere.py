"""Upstreams in threads, behind TLS, and on the command line."""

import asyncio
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import upstreams
from upstreams import Upstream, UpstreamThread, no_certificate, self_signed
from upstreams.client import sample_of

TESTS = Path(upstreams.__file__).parent.parent


def test_a_thread_serves_synchronous_code() -> None:
    """Script, records and waiting work from outside its loop."""
    with UpstreamThread("openai", answer="hi") as up:
        up.script("status_503")
        sample = sample_of(up.upstream)
        with httpx.Client(trust_env=False, headers=dict(sample.headers)) as client:
            url = up.origin + sample.path
            statuses = [client.post(url, json=sample.body).status_code for _ in range(2)]
            up.until(lambda up: len(up.requests) == 2)

        assert statuses == [503, 200]
        assert up.last.json["model"] == up.model
        assert up.key in up.last.headers["authorization"]
        assert (len(up.requests), up.rejections, up.disconnects) == (2, [], [])
        assert up.connections.accepted == 1
        assert up.base_url.endswith("/v1")


def test_a_thread_can_hang_and_recover() -> None:
    """A stall there blocks nobody but its client, and `recover` ends the fault."""
    with UpstreamThread("ollama") as up, httpx.Client(trust_env=False, timeout=0.2) as client:
        up.always("stalled_headers")
        up.script_free("status_500")
        url = f"{up.origin}/api/version"
        assert client.get(url).status_code == 500
        with pytest.raises(httpx.ReadTimeout):
            client.get(url)
        up.until(lambda up: up.disconnects)
        up.recover()
        assert client.get(url, timeout=5).status_code == 200


def test_a_thread_that_cannot_start_says_so() -> None:
    """The error reaches whoever enters."""
    with UpstreamThread("openai") as first:
        port = first.upstream.port
        with pytest.raises(OSError, match="in use"), UpstreamThread("openai", port=port):
            pass


def test_a_thread_reports_a_mistake_in_the_tests_own_code() -> None:
    """An answer that raises fails the test at the end."""
    up = UpstreamThread("ollama", answer=lambda request: str(1 / len(request.query)))
    up.__enter__()
    sample = sample_of(up.upstream)
    with httpx.Client(trust_env=False) as client, pytest.raises(httpx.RemoteProtocolError):
        client.post(up.origin + sample.path, json=sample.body)

    with pytest.raises(ExceptionGroup, match="own code failed"):
        up.__exit__(None, None, None)


async def test_plain_http_at_an_https_address() -> None:
    """A TLS client gets bytes that are no TLS."""
    async with Upstream("openai") as up, httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError, match=r"WRONG_VERSION_NUMBER|record layer"):
            await client.get(f"{up.https_url}/models")
        await up.until(lambda up: up.garbage)


async def test_a_certificate_nobody_vouches_for() -> None:
    """A client that verifies refuses it; one that does not is served over TLS."""
    async with Upstream("ollama", tls=self_signed()) as up:
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get(f"{up.origin}/api/version")
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        async with httpx.AsyncClient(trust_env=False, verify=trusting) as client:
            assert (await client.get(f"{up.origin}/api/version")).status_code == 200

        assert up.origin.startswith("https://")
        assert len(up.requests) == 1


async def test_a_server_without_a_certificate() -> None:
    """The handshake is broken off."""
    async with Upstream("ollama", tls=no_certificate()) as up:
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(f"{up.origin}/api/version")

        assert (up.requests, up.connections.open) == ([], 0)


async def test_the_command_serves_a_fault() -> None:
    """It prints its URL and an example, and every call gets the fault."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "upstreams", "--dialect", "anthropic", "--fault", "status_529",
        stdout=subprocess.PIPE, env={"PYTHONPATH": str(TESTS)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            url = (await process.stdout.readline()).decode().strip()
            example = (await process.stdout.readline()).decode()
        async with httpx.AsyncClient(trust_env=False) as client:
            headers = {
                "x-api-key": "sk-ant-test-0123456789abcdef",
                "anthropic-version": "2023-06-01",
            }
            answer = await client.get(f"{url}/models", headers=headers)
    finally:
        process.terminate()
        await process.communicate()

    assert answer.status_code == 529
    assert example.startswith(f"curl {url}/messages -H ")


async def test_the_command_lists_the_faults() -> None:
    """One line each."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "upstreams", "--list",
        stdout=subprocess.PIPE, env={"PYTHONPATH": str(TESTS)},
    )  # fmt: skip
    output, _ = await process.communicate()

    assert output.decode().splitlines()[0].split() == ["status_400", "invalid", "request"]
    assert len(output.splitlines()) == len(upstreams.FAULTS) + len(upstreams.STREAM_FAULTS)
