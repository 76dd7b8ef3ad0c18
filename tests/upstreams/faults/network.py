"""Failures below HTTP: connections that die, hang, or lie about lengths."""

import asyncio

from upstreams.exchange import Behaviour, Exchange
from upstreams.faults.fault import ANSWERED, fault
from upstreams.messages import LAST_CHUNK, Reply, chunk


async def reset_before_head(exchange: Exchange) -> None:
    """Reset the connection instead of answering."""
    exchange.reset()
    await asyncio.sleep(0)


async def closed_before_head(exchange: Exchange) -> None:
    """Close the connection instead of answering, as a server does that crashes politely."""
    exchange.close()
    await asyncio.sleep(0)


async def reset_in_head(exchange: Exchange) -> None:
    """Reset the connection in the middle of the headers."""
    await exchange.write(b"HTTP/1.1 200 OK\r\ncontent-ty")
    await let_it_leave()
    exchange.reset()


async def reset_in_body(exchange: Exchange) -> None:
    """Promise the whole answer, send half of it, reset."""
    await _half(exchange, exchange.answer())
    await let_it_leave()
    exchange.reset()


async def cut_body(exchange: Exchange) -> None:
    """Promise the whole answer, send half of it, close in an orderly way."""
    await _half(exchange, exchange.answer())
    exchange.close()


async def cut_chunks(exchange: Exchange) -> None:
    """Send half of the answer in chunks and close without the last chunk."""
    reply = exchange.answer()
    head = reply.with_headers(("transfer-encoding", "chunked")).head(length=None)
    await exchange.write(head + chunk(reply.body[: len(reply.body) // 2]))
    exchange.close()


async def stalled_headers(exchange: Exchange) -> None:
    """Take the request and say nothing."""
    await exchange.silence()


async def stalled_body(exchange: Exchange) -> None:
    """Send the headers and half of the body, then nothing."""
    await _half(exchange, exchange.answer())
    await exchange.silence()


def slow_drip(*, pause: float = 0.02, pieces: int = 5) -> Behaviour:
    """Send the whole answer in pieces with a pause (seconds) before each."""

    async def play(exchange: Exchange) -> None:
        reply = exchange.answer()
        await exchange.write(reply.head(length=len(reply.body)))
        size = max(1, -(-len(reply.body) // pieces))
        for start in range(0, len(reply.body), size):
            await asyncio.sleep(pause)
            await exchange.write(reply.body[start : start + size])

    return play


def endless_drip(*, pause: float = 0.02) -> Behaviour:
    """Send a space every `pause` seconds for ever: each read succeeds, the answer never comes."""

    async def play(exchange: Exchange) -> None:
        reply = exchange.answer().with_headers(("transfer-encoding", "chunked"))
        await exchange.write(reply.head(length=None))
        while True:
            await asyncio.sleep(pause)
            await exchange.write(chunk(b" "))

    return play


def delayed(seconds: float) -> Behaviour:
    """Answer well, but only after a pause."""

    async def play(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await exchange.answer_well()

    return play


async def length_too_small(exchange: Exchange) -> None:
    """Send more than `Content-Length` says, so that a client sees half of the JSON."""
    reply = exchange.answer()
    await exchange.write(reply.head(length=len(reply.body) // 2) + reply.body)
    exchange.close()


async def chunked(exchange: Exchange) -> None:
    """Answer well in chunks."""
    reply = exchange.answer()
    middle = len(reply.body) // 2
    head = reply.with_headers(("transfer-encoding", "chunked")).head(length=None)
    await exchange.write(
        head + chunk(reply.body[:middle]) + chunk(reply.body[middle:]) + LAST_CHUNK
    )


async def until_close(exchange: Exchange) -> None:
    """Answer well without a length: the body ends with the connection, as HTTP/1.0 did."""
    reply = exchange.answer()
    await exchange.write(reply.with_headers(("connection", "close")).head(length=None) + reply.body)
    exchange.close()


async def early_hints(exchange: Exchange) -> None:
    """Send an informational response first."""
    await exchange.write(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
    await exchange.send(exchange.answer())


async def not_http(exchange: Exchange) -> None:
    """Answer in another protocol."""
    await exchange.write(b"SSH-2.0-OpenSSH_9.9\r\n")
    exchange.close()


async def idle_close(exchange: Exchange) -> None:
    """Answer well as if the connection would stay, then close it: a corpse in the pool."""
    await exchange.send(exchange.answer())
    exchange.close()


async def _half(exchange: Exchange, reply: Reply) -> None:
    await exchange.write(reply.head(length=len(reply.body)) + reply.body[: len(reply.body) // 2])


async def let_it_leave() -> None:
    """Give the client a moment to read: a reset may drop what it has not read yet."""
    await asyncio.sleep(0.02)


NETWORK = (
    fault("reset_before_head", "TCP reset, no answer", "connection", reset_before_head),
    fault("closed_before_head", "closed, no answer", "connection", closed_before_head),
    fault("reset_in_head", "TCP reset within the headers", "connection", reset_in_head),
    fault("reset_in_body", "TCP reset within the body", "connection", reset_in_body),
    fault("cut_body", "closed before Content-Length", "connection", cut_body),
    fault("cut_chunks", "closed before the last chunk", "connection", cut_chunks),
    fault("stalled_headers", "accepted, then silence", "timeout", stalled_headers, stalls=True),
    fault("stalled_body", "half a body, then silence", "timeout", stalled_body, stalls=True),
    fault("endless_drip", "a byte now and then, for ever", "timeout", endless_drip(), stalls=True),
    fault("slow_drip", "a whole answer in slow pieces", ANSWERED, slow_drip()),
    fault("length_too_small", "Content-Length says half", "malformed connection", length_too_small),
    fault("not_http", "another protocol's greeting", "connection malformed", not_http),
    fault("chunked", "a good answer in chunks", ANSWERED, chunked),
    fault("until_close", "a good answer without a length", ANSWERED, until_close),
    fault("early_hints", "103, then a good answer", ANSWERED, early_hints),
    fault("idle_close", "a good answer, then a dead connection", ANSWERED, idle_close),
)
"""Faults of the connection, and unusual connections that are none."""
