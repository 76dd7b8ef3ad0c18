"""Each fault of the connection does on the wire what its name says."""

import asyncio

import httpx
import pytest

from upstreams import Upstream, black_hole, refused_url
from upstreams.client import PATIENCE, End, Received, ask, sample_of

BRIEF = 0.5
"""Seconds after which the tests of silence stop listening."""


async def play(fault: str, *, patience: float = PATIENCE) -> Received:
    """See what a raw client gets."""
    async with Upstream("openai") as up:
        up.script(fault)
        return await ask(up, patience=patience)


@pytest.mark.parametrize(
    ("fault", "end"),
    [("reset_before_head", End.RESET), ("closed_before_head", End.CLOSED)],
)
async def test_no_answer_at_all(fault: str, end: End) -> None:
    """The connection ends without a byte."""
    assert await play(fault) == Received(b"", end)


async def test_reset_in_head() -> None:
    """The headers stop in the middle of a line and the connection is reset."""
    received = await play("reset_in_head")

    assert received.raw == b"HTTP/1.1 200 OK\r\ncontent-ty"
    assert received.end is End.RESET


@pytest.mark.parametrize(
    ("fault", "end"),
    [("reset_in_body", End.RESET), ("cut_body", End.CLOSED), ("stalled_body", End.SILENT)],
)
async def test_half_a_body(fault: str, end: End) -> None:
    """The length promises twice what comes."""
    received = await play(fault, patience=BRIEF)

    assert received.end is end
    assert len(received.body) == int(received.headers["content-length"]) // 2


async def test_cut_chunks() -> None:
    """The last chunk never comes."""
    received = await play("cut_chunks")

    assert received.headers["transfer-encoding"] == "chunked"
    assert received.end is End.CLOSED
    assert not received.raw.endswith(b"0\r\n\r\n")


async def test_stalled_headers() -> None:
    """Nothing comes and the connection stays."""
    assert await play("stalled_headers", patience=BRIEF) == Received(b"", End.SILENT)


async def test_endless_drip_keeps_a_patient_reader_busy() -> None:
    """Every read gets a blank, so that a timeout for single reads never strikes."""
    async with Upstream("openai") as up, httpx.AsyncClient(trust_env=False) as client:
        up.script("endless_drip")
        sample = sample_of(up)
        url = up.origin + sample.path
        async with client.stream("POST", url, json=sample.body, headers=sample.headers) as answer:
            blanks = answer.aiter_raw()
            assert [await anext(blanks) for _ in range(5)] == [b" "] * 5
        await up.until(lambda up: up.disconnects)


async def test_slow_drip_is_a_whole_answer() -> None:
    """The pieces make up the good answer."""
    received = await play("slow_drip")

    assert len(received.body) == int(received.headers["content-length"])
    assert received.json["object"] == "chat.completion"


async def test_length_too_small() -> None:
    """More comes than the length says."""
    received = await play("length_too_small")

    assert len(received.body) // 2 == int(received.headers["content-length"])
    assert received.json["object"] == "chat.completion"


async def test_not_http() -> None:
    """Another protocol speaks."""
    assert (await play("not_http")).raw.startswith(b"SSH-2.0-")


async def test_chunked_is_a_whole_answer() -> None:
    """Two chunks and the last."""
    received = await play("chunked")

    assert received.body.endswith(b"\r\n0\r\n\r\n")
    assert "content-length" not in received.headers


async def test_until_close_is_a_whole_answer() -> None:
    """No length; the body ends with the connection."""
    received = await play("until_close")

    assert received.end is End.CLOSED
    assert "content-length" not in received.headers
    assert received.json["object"] == "chat.completion"


async def test_early_hints_come_before_the_answer() -> None:
    """An informational response and then the good one."""
    received = await play("early_hints")

    assert received.status == 103
    assert received.body.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_idle_close_ends_a_connection_that_seemed_to_stay() -> None:
    """The answer does not announce the end."""
    received = await play("idle_close")

    assert received.end is End.CLOSED
    assert "connection" not in received.headers


async def test_a_refused_url_refuses() -> None:
    """Nobody listens there."""
    url = refused_url("/v1")
    port = int(url.removesuffix("/v1").rpartition(":")[2])

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_black_hole_never_connects() -> None:
    """An attempt there neither succeeds nor fails."""
    async with black_hole() as url:
        port = int(url.rpartition(":")[2])

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await asyncio.open_connection("127.0.0.1", port)
