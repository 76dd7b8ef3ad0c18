"""The only HTTP client, against servers that misbehave."""

import asyncio
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from faultmaven.errors import (
    ProviderAuthError,
    ProviderConnectionError,
    ProviderError,
    ProviderProtocolError,
    ProviderTimeoutError,
)
from faultmaven.infrastructure.llm.transport import HttpxTransport, shared_transport
from faultmaven.infrastructure.llm.wire.types import WireRequest
from upstreams import Reply, Upstream, black_hole, refused_url
from upstreams.faults import delayed, gigantic
from upstreams.samples import SAMPLES
from upstreams.threaded import UpstreamThread

KEY = "sk-planted-3Zq8WvT5rKx2NmYb7"


@pytest.fixture
async def transport() -> AsyncIterator[HttpxTransport]:
    """Give a transport of one's own."""
    transport = HttpxTransport()
    yield transport
    await transport.aclose()


@pytest.fixture
async def up() -> AsyncIterator[Upstream]:
    """Give an upstream that behaves until told otherwise."""
    async with Upstream("openai", keys={KEY}) as up:
        yield up


def question(up: Upstream, path: str = "/v1/chat/completions") -> WireRequest:
    """Write a request this upstream accepts."""
    sample = SAMPLES["openai"][0].filled(key=up.key, model=up.model)
    body = str(dict(sample.body)).replace("'", '"').encode()
    headers = {**sample.headers, "content-type": "application/json"}
    return WireRequest("POST", up.origin + path, headers, body)


async def test_whole_answer_comes_back(transport: HttpxTransport, up: Upstream) -> None:
    """Status, headers in small letters and the whole body are returned; the request arrived."""
    response = await transport.send(question(up), timeout=5)
    assert response.status == 200
    assert response.headers["content-type"] == "application/json"
    assert b"The disk is full." in response.body
    assert not up.rejections
    assert up.last.bearer == KEY


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503, 529])
async def test_any_status_is_an_answer(
    transport: HttpxTransport, up: Upstream, status: int
) -> None:
    """What a status means is for the codec to say: the transport returns all of them."""
    up.script(f"status_{status}")
    assert (await transport.send(question(up), timeout=5)).status == status


async def test_nothing_is_retried(transport: HttpxTransport, up: Upstream) -> None:
    """One send is one request, also when it fails."""
    up.script("reset_before_head", "status_503")
    with pytest.raises(ProviderConnectionError):
        await transport.send(question(up), timeout=5)
    assert (await transport.send(question(up), timeout=5)).status == 503
    assert len(up.requests) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset_before_head", ProviderConnectionError),
        ("closed_before_head", ProviderConnectionError),
        ("reset_in_head", ProviderConnectionError),
        ("reset_in_body", ProviderConnectionError),
        ("cut_body", ProviderConnectionError),
        ("cut_chunks", ProviderConnectionError),
        ("not_http", ProviderConnectionError),
        ("bad_gzip", ProviderProtocolError),
        ("gzip_bomb", ProviderProtocolError),
    ],
)
async def test_broken_exchange(
    transport: HttpxTransport, up: Upstream, fault: str, kind: type[ProviderError]
) -> None:
    """A dying connection is a connection failure, an unreadable body a garbled answer (S37)."""
    up.script(fault)
    with pytest.raises(kind) as caught:
        await transport.send(question(up), timeout=5)
    assert type(caught.value) is kind
    assert KEY not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize("fault", ["stalled_headers", "stalled_body", "endless_drip"])
async def test_silence_ends_at_the_timeout(
    transport: HttpxTransport, up: Upstream, fault: str
) -> None:
    """However an upstream stalls, the wait ends within 0.2 s of the timeout (S42)."""
    up.script(fault)
    started = time.monotonic()
    with pytest.raises(ProviderTimeoutError, match=r"no answer within 0\.3 s"):
        await transport.send(question(up), timeout=0.3)
    assert 0.3 <= time.monotonic() - started <= 0.5
    await up.until(lambda up: up.disconnects)


@pytest.mark.parametrize(
    "fault", ["slow_drip", "chunked", "until_close", "early_hints", "gzip_body"]
)
async def test_unusual_but_whole(transport: HttpxTransport, up: Upstream, fault: str) -> None:
    """A whole answer is an answer, however it is sent."""
    up.script(fault)
    assert b"The disk is full." in (await transport.send(question(up), timeout=5)).body


async def test_closed_port_is_refused_at_once(transport: HttpxTransport) -> None:
    """Where nobody listens, the failure comes within 50 ms and says to ask somebody else (S108)."""
    request = WireRequest("GET", refused_url("/v1/models"), {"authorization": f"Bearer {KEY}"})
    with pytest.raises(ProviderConnectionError):  # the first use builds the TLS context
        await transport.send(request, timeout=5)
    started = time.monotonic()
    with pytest.raises(ProviderConnectionError, match="the connection was refused") as caught:
        await transport.send(request, timeout=5)
    assert time.monotonic() - started < 0.05
    assert caught.value.prefers_next


async def test_every_address_of_a_name_refuses(transport: HttpxTransport) -> None:
    """A name with several addresses, as localhost has, is refused when all of them are (S108)."""
    url = refused_url("/v1/models").replace("127.0.0.1", "localhost")
    with pytest.raises(ProviderConnectionError, match="the connection was refused"):
        await transport.send(WireRequest("GET", url, {}), timeout=5)


async def test_unknown_name_is_told(transport: HttpxTransport) -> None:
    """A name that no server can have is not resolved, and that is said (S108)."""
    with pytest.raises(ProviderConnectionError, match="name could not be resolved") as caught:
        await transport.send(WireRequest("GET", "http://no..name/v1", {}), timeout=5)
    assert caught.value.prefers_next


async def test_lost_connection_is_worth_a_retry_here(
    transport: HttpxTransport, up: Upstream
) -> None:
    """A connection that was lost, unlike one that was refused, is worth another try here."""
    up.script("reset_before_head")
    with pytest.raises(ProviderConnectionError) as caught:
        await transport.send(question(up), timeout=5)
    assert not caught.value.prefers_next


async def test_silent_firewall_ends_at_the_timeout(transport: HttpxTransport) -> None:
    """A connection that never comes about ends at the timeout, as one (S42)."""
    async with black_hole("/v1/models") as url:
        started = time.monotonic()
        with pytest.raises(ProviderTimeoutError):
            await transport.send(WireRequest("GET", url, {}), timeout=0.3)
    assert 0.3 <= time.monotonic() - started <= 0.5


async def test_plain_http_under_https_is_a_tls_failure(transport: HttpxTransport) -> None:
    """A server that speaks no TLS is named as such (S37)."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/models"
        with pytest.raises(ProviderConnectionError, match="the TLS handshake failed"):
            await transport.send(WireRequest("GET", url, {}), timeout=5)


async def test_server_without_a_certificate_is_a_tls_failure(transport: HttpxTransport) -> None:
    """A server that cannot say who it is gets no key (S37, S69)."""
    async with Upstream("openai", keys={KEY}, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as up:
        with pytest.raises(ProviderConnectionError, match="the TLS handshake failed"):
            await transport.send(question(up), timeout=5)
        assert not up.requests


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://127.0.0.1/v1", "must begin with http:// or https://"),
        ("127.0.0.1:1/v1", "must begin with http:// or https://"),
        ("http://[::1/v1", "not a valid address"),
        ("http://127.0.0.1:notaport/v1", "not a valid address"),
        ("http:///v1", "must begin with http:// or https://"),
    ],
)
async def test_impossible_address(transport: HttpxTransport, url: str, message: str) -> None:
    """An address that is none is a connection failure that says so (S108)."""
    with pytest.raises(ProviderConnectionError, match=message):
        await transport.send(WireRequest("GET", url, {}), timeout=5)


@pytest.mark.parametrize("key", ["sk-12…3456", "sk-12\x003456", "sk-12\n3456", "sk-1234\u200b56"])
async def test_key_that_cannot_be_sent_is_the_keys_fault(
    transport: HttpxTransport, up: Upstream, key: str
) -> None:
    """A key with characters no header carries is a wrong key, and is not sent (S106)."""
    request = replace(question(up), headers={"authorization": f"Bearer {key}"})
    with pytest.raises(ProviderAuthError) as caught:
        await transport.send(request, timeout=5)
    assert "'authorization'" in str(caught.value)
    assert "3456" not in str(caught.value)
    assert not up.requests


async def test_redirect_is_not_followed(transport: HttpxTransport, up: Upstream) -> None:
    """A redirect is an answer like any other: the key does not travel to another place (S69)."""
    async with Upstream("openai") as elsewhere:
        location = ("location", f"{elsewhere.origin}/v1/chat/completions")
        up.script(Reply(307, headers=(location,)))
        assert (await transport.send(question(up), timeout=5)).status == 307
        assert not elsewhere.requests
        assert not elsewhere.connections.accepted


async def test_cookies_are_not_kept(transport: HttpxTransport, up: Upstream) -> None:
    """A cookie one server sets is sent to nobody, not even back."""
    up.script(Reply(200, b"{}", (("set-cookie", "session=abc; Path=/"),)))
    await transport.send(question(up), timeout=5)
    await transport.send(question(up), timeout=5)
    assert "cookie" not in up.last.headers


async def test_runaway_answer_is_cut_off(transport: HttpxTransport, up: Upstream) -> None:
    """An answer larger than any completion is given up, not collected in memory."""
    up.script(gigantic())
    with pytest.raises(ProviderProtocolError, match="larger than 32 MiB"):
        await transport.send(question(up), timeout=10)


async def test_connections_are_reused(transport: HttpxTransport, up: Upstream) -> None:
    """One connection serves many questions in a row."""
    for _ in range(5):
        await transport.send(question(up), timeout=5)
    assert up.connections.accepted == 1


async def test_dead_connection_in_the_pool_costs_one_try_at_most(
    transport: HttpxTransport, up: Upstream
) -> None:
    """After a server closed an idle connection, the next question gets through again."""
    up.script("idle_close")
    await transport.send(question(up), timeout=5)
    await up.until(lambda up: up.connections.open == 0)
    assert (await transport.send(question(up), timeout=5)).status == 200


async def test_leaving_caller_closes_the_connection(
    transport: HttpxTransport, up: Upstream
) -> None:
    """When the caller leaves, the upstream sees it within 100 ms."""
    up.script(delayed(30))
    task = asyncio.create_task(transport.send(question(up), timeout=60))
    await up.until(lambda up: up.requests)
    task.cancel()
    left = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    await up.until(lambda up: up.disconnects)
    assert up.disconnects[0].at - left < 0.1


async def test_one_slow_upstream_blocks_nobody(transport: HttpxTransport, up: Upstream) -> None:
    """A question to a quick server is answered while a hundred others hang (S14)."""
    async with Upstream("openai", keys={KEY}) as slow:
        slow.always("stalled_headers")
        hanging = [
            asyncio.create_task(transport.send(question(slow), timeout=60)) for _ in range(100)
        ]
        await slow.until(lambda slow: len(slow.requests) == 100)
        started = time.monotonic()
        assert (await transport.send(question(up), timeout=5)).status == 200
        assert time.monotonic() - started < 0.5
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)


async def test_closed_transport_opens_again(transport: HttpxTransport, up: Upstream) -> None:
    """Closing ends every connection; a later question opens a new one (S73)."""
    await transport.send(question(up), timeout=5)
    await transport.aclose()
    await up.until(lambda up: up.connections.open == 0)
    assert (await transport.send(question(up), timeout=5)).status == 200
    assert up.connections.accepted == 2


SEVERAL_LOOPS = """
import asyncio, sys
from faultmaven.infrastructure.llm.transport import HttpxTransport
from faultmaven.infrastructure.llm.wire.types import WireRequest

transport = HttpxTransport()
request = WireRequest("GET", sys.argv[1] + "/models", {"authorization": "Bearer " + sys.argv[2]})
for _ in range(3):
    print(asyncio.run(transport.send(request, timeout=5)).status)
transport.discard()
"""


def test_new_event_loop_works() -> None:
    """A transport outlives the event loop it was used on: scripts run several."""
    with UpstreamThread("openai", keys={KEY}) as up:
        script = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-c", SEVERAL_LOOPS, up.upstream.base_url, KEY],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (script.stdout.split(), script.stderr) == (["200"] * 3, "")
        assert up.connections.accepted == 3


def test_nothing_of_the_request_is_in_its_repr() -> None:
    """Printing a request shows neither headers nor body (S69)."""
    request = WireRequest("POST", "http://127.0.0.1", {"authorization": KEY}, b"secret prompt")
    assert KEY not in repr(request)
    assert "secret prompt" not in repr(request)


def test_process_has_one_transport() -> None:
    """Providers built by hand share one pool."""
    assert shared_transport() is shared_transport()
