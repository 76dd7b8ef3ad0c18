"""The upstream as a server: what it records, what it is told to do, how it ends."""

import asyncio
import contextlib
import gc
import json
import socket
import time
import warnings
from typing import NoReturn

import httpx
import pytest

from upstreams import Answer, Exchange, Reply, Request, Upstream
from upstreams.client import End, ask, call, sample_of, speak

SILENT = ("stalled_headers", "stalled_body", "endless_drip")


async def test_a_request_is_recorded_as_it_was_sent() -> None:
    """Method, path, query, headers in any case and the body's bytes are all there."""
    async with Upstream("openai") as up:
        await call(up, "POST", "/v1/x%20y?a=1&b=", headers={"X-Thing": "Ä"}, body=b'{"a": 1}')

        seen = up.last

    assert (seen.method, seen.path, seen.query) == ("POST", "/v1/x y", {"a": "1", "b": ""})
    assert seen.target == "/v1/x%20y?a=1&b="
    assert seen.headers["x-thing"] == seen.headers["X-THING"]
    assert seen.json == {"a": 1}
    assert seen.connection == 1


async def test_a_body_in_chunks_is_put_together() -> None:
    """A client may send its body chunked, with extensions and trailers."""
    raw = (
        b"POST /v1/models HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
        b'connection: close\r\n\r\n4;a=b\r\n{"a"\r\n3\r\n:1}\r\n0\r\nx: y\r\n\r\n'
    )
    async with Upstream("openai") as up:
        await speak(up, raw)

        assert up.last.json == {"a": 1}


async def test_scripted_behaviours_come_in_order_and_then_the_default() -> None:
    """Each scripted behaviour is used once."""
    async with Upstream("openai") as up:
        up.script("status_500", Reply(299, b"x"), Answer(text="third"))

        statuses = [(await ask(up)).status for _ in range(2)]
        texts = [(await ask(up)).json["choices"][0]["message"]["content"] for _ in range(2)]

    assert statuses == [500, 299]
    assert texts == ["third", "The disk is full."]


async def test_the_default_lasts_until_it_is_changed() -> None:
    """A default fault hits every answer, and `recover` ends it."""
    async with Upstream("openai") as up:
        up.default = "status_503"
        broken = [(await ask(up)).status for _ in range(2)]
        up.recover()

        assert [*broken, (await ask(up)).status] == [503, 503, 200]


async def test_free_calls_have_their_own_script() -> None:
    """A fault for answers leaves the model list alone, and the other way round."""
    async with Upstream("ollama") as up:
        up.default = "status_500"
        assert (await call(up, "GET", "/api/tags")).status == 200
        up.recover()
        up.script_free("status_502")
        assert (await ask(up)).status == 200
        assert (await call(up, "GET", "/api/tags")).status == 502
        assert (await call(up, "GET", "/api/tags")).status == 200
        up.always("status_503")
        assert (await call(up, "GET", "/api/tags")).status == 503
        assert (await ask(up)).status == 503


async def test_a_refused_request_uses_up_no_script() -> None:
    """The vendor's own refusal comes first and is listed."""
    async with Upstream("openai") as up:
        up.script("status_500")

        refused = await ask(up, sample_of(up, model="no-such"))
        scripted = await ask(up)

    assert (refused.status, scripted.status) == (404, 500)
    assert [item.reply.status for item in up.rejections] == [404]
    assert up.rejections[0].request.json["model"] == "no-such"


async def test_one_connection_carries_many_requests() -> None:
    """The server keeps connections alive and numbers them."""
    async with Upstream("ollama") as up, httpx.AsyncClient(trust_env=False) as client:
        for _ in range(3):
            await client.get(f"{up.origin}/api/version")

        assert [request.connection for request in up.requests] == [1, 1, 1]
        assert (up.connections.accepted, up.connections.open) == (1, 1)
        await client.aclose()
        await up.until(lambda up: up.connections.open == 0)


@pytest.mark.parametrize("fault", SILENT)
async def test_a_client_that_gives_up_is_noted_at_once(fault: str) -> None:
    """A stall ends when the client leaves, with the time and the request."""
    async with Upstream("openai") as up:
        up.script(fault)
        before = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", up.port)
        body = json.dumps(dict(sample_of(up).body)).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nauthorization: Bearer {up.key}\r\n"
        length = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write((head + length).encode() + body)
        await up.until(lambda up: up.requests)
        assert not up.disconnects
        writer.close()
        await up.until(lambda up: up.disconnects and not up.connections.open)

        (left,) = up.disconnects
        assert left.request is up.requests[0]
        assert before < left.at <= time.monotonic()
        assert left.sent == 0 or fault != "stalled_headers"
        del reader


async def test_a_complete_answer_is_no_disconnect() -> None:
    """A client that leaves after its answer has not given up."""
    async with Upstream("openai") as up:
        await ask(up)
        await up.until(lambda up: not up.connections.open)

        assert up.disconnects == []


async def test_leaving_the_context_ends_every_stall_quickly() -> None:
    """Nothing is left behind: no task, no open connection, and the port refuses."""
    before = asyncio.all_tasks()
    async with Upstream("openai") as up:
        up.default = "stalled_headers"
        asking = [asyncio.create_task(ask(up)) for _ in range(20)]
        await up.until(lambda up: len(up.requests) == 20)
        assert up.in_flight == up.peak == 20
        start = time.monotonic()
    took = time.monotonic() - start
    ends = [received.end for received in await asyncio.gather(*asking)]

    assert took < 1.0
    assert set(ends) <= {End.CLOSED, End.RESET}
    assert asyncio.all_tasks() == before
    assert up.connections.open == 0
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", up.port)


async def flood(exchange: Exchange) -> None:
    """Write far more than a client that does not read will take, and close."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await exchange.write(b"x" * (32 << 20))
    exchange.close()


def test_nothing_stays_open_behind_a_client_that_does_not_read() -> None:
    """A closed connection with unsent bytes is cut when the context is left."""

    async def leave_it_unread() -> None:
        with socket.socket() as client:
            client.setblocking(False)  # noqa: FBT003 - the socket's own signature
            async with Upstream("ollama") as up:
                up.script_free(flood)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(client, ("127.0.0.1", up.port))
                await loop.sock_sendall(client, b"GET /api/version HTTP/1.1\r\n\r\n")
                await up.until(lambda up: up.requests and not up.in_flight)
                assert up.connections.open == 1
            assert up.connections.open == 0

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(leave_it_unread())
        gc.collect()
    assert [str(item.message) for item in caught] == []


async def test_a_stopped_upstream_comes_back_on_its_port() -> None:
    """An outage ends where it began."""
    async with Upstream("openai") as up:
        port = up.port
        await up.stop()
        with pytest.raises(ConnectionRefusedError):
            await ask(up)
        await up.start()

        assert up.port == port
        assert (await ask(up)).status == 200


async def test_memory_can_be_short() -> None:
    """With `keep` only the latest requests are remembered."""
    async with Upstream("openai", keep=2) as up:
        for number in range(4):
            await call(up, "GET", f"/{number}")

        assert [request.path for request in up.requests] == ["/2", "/3"]
        assert len(up.rejections) == 2


async def test_waiting_has_an_end() -> None:
    """What is never seen raises."""
    async with Upstream("openai") as up:
        with pytest.raises(TimeoutError):
            await up.until(lambda up: up.requests, within=0.01)


async def test_an_answer_that_raises_fails_the_test() -> None:
    """A mistake in the test's own answer is not swallowed by the server."""

    def wrong(request: Request) -> NoReturn:
        raise ZeroDivisionError(request.path)

    with pytest.raises(ExceptionGroup) as caught:
        async with Upstream("openai", answer=wrong) as up:
            await ask(up)
    assert isinstance(caught.value.exceptions[0], ZeroDivisionError)


async def test_a_behaviour_may_be_any_coroutine() -> None:
    """A test can write its own."""

    async def teapot(exchange: Exchange) -> None:
        await exchange.send(Reply(418, exchange.request.path.encode()))

    async with Upstream("openai") as up:
        up.script(teapot)

        received = await ask(up)
    assert (received.status, received.body) == (418, b"/v1/chat/completions")


async def test_what_is_not_http_is_noted() -> None:
    """Garbage gets a 400 in plain text, as a TLS greeting at a plain port does."""
    async with Upstream("openai") as up:
        received = await speak(up, b"\x16\x03\x01\x02\x00\x01\r\n\r\n")

        assert received.status == 400
        assert len(up.garbage) == 1
        assert up.requests == []


async def test_addresses_follow_the_vendor() -> None:
    """The base URL ends as the vendor's usual one does."""
    async with Upstream("gemini") as gemini, Upstream("ollama") as ollama:
        assert gemini.base_url == f"http://127.0.0.1:{gemini.port}/v1beta"
        assert ollama.base_url == ollama.origin == f"http://127.0.0.1:{ollama.port}"
        assert gemini.https_url.startswith("https://127.0.0.1:")
        assert (gemini.model, ollama.key) == ("gemini-1.5-pro", "")


async def test_an_account_is_what_the_test_says() -> None:
    """Named keys and models replace the dialect's own; None accepts any."""
    async with Upstream("openai", keys={"k2", "k1"}, models={"m"}) as up:
        assert (up.key, up.model) == ("k1", "m")
        assert (await ask(up)).status == 200
    async with Upstream("openai", keys=None, models=None) as up:
        assert (await ask(up, sample_of(up, model="whatever"))).status == 200
        assert (await call(up, "GET", "/v1/models")).status == 401
