"""Bodies that are not the answer they should be."""

import functools
import gzip
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from upstreams.dialects.base import Completing
from upstreams.dialects.stream import Event
from upstreams.exchange import Behaviour, Exchange
from upstreams.faults.fault import ANSWERED, fault
from upstreams.faults.statuses import sending
from upstreams.faults.vendors import OPENAI_SHAPED
from upstreams.messages import Reply, head, json_reply

_HTML = (
    b"<!DOCTYPE html><html><head><title>Just a moment...</title></head>"
    b"<body><h1>Checking your browser</h1></body></html>"
)
_BLOCK = 1 << 16
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


def html(status: int) -> Behaviour:
    """Answer with a web page, as proxies and captive portals do."""
    page = Reply(status, _HTML, (("content-type", "text/html; charset=utf-8"),))
    return sending(lambda _: page)


def raw(body: bytes) -> Behaviour:
    """Answer 200 with these bytes and call them JSON."""
    return sending(lambda _: Reply(200, body))


def changed(change: Callable[[bytes], bytes]) -> Behaviour:
    """Answer well, with the bytes of the body changed."""

    def reply(exchange: Exchange) -> Reply:
        good = exchange.answer()
        return Reply(200, change(good.body), good.headers)

    return sending(reply)


def reshaped(change: Callable[[Any], Any]) -> Behaviour:
    """Answer well, with the JSON of the body, or of each event of a stream, changed."""

    def reply(exchange: Exchange) -> Reply:
        if not exchange.streaming:
            good = exchange.answer()
            return Reply(200, json.dumps(change(good.json)).encode(), good.headers)
        events = (replace(event, data=_changed(event, change)) for event in exchange.events())
        return exchange.completing.framing.reply(events)

    return sending(reply)


def _changed(event: Event, change: Callable[[Any], Any]) -> Any:
    """Change an event's JSON; the end mark and remarks have none."""
    return change(event.data) if isinstance(event.data, dict) else event.data


def truncated(body: bytes) -> bytes:
    """Cut a body in its middle, where no line ends."""
    return body[: len(body) // 2].rstrip(b"\n")


def not_utf8(body: bytes) -> bytes:
    """Put bytes that UTF-8 never has before the last quote of the body."""
    place = body.rindex(b'"')
    return body[:place] + b"\xff\xfe\xc3" + body[place:]


def with_mark(body: bytes) -> bytes:
    """Put a byte order mark before a body."""
    return b"\xef\xbb\xbf" + body


def with_wrong_types(body: Any) -> Any:
    """Keep every name and turn lists and objects inside into numbers and texts into lists."""
    if isinstance(body, dict):
        return {name: _wrong_type(value) for name, value in body.items()}
    return [7 for _ in body]


def _wrong_type(value: Any) -> Any:
    if isinstance(value, list | dict):
        return 7
    return [value] if isinstance(value, str) else "seven"


def error_in_200(exchange: Exchange) -> Reply:
    """Write the vendor's error for a 502 under status 200."""
    error = exchange.endpoint.fail_with_status(502)
    return Reply(200, error.body, error.headers)


def error_in_choice(exchange: Exchange) -> Reply:
    """Write an answer with the error inside; as `error_in_200` where the format has no place."""
    if not isinstance(exchange.endpoint, Completing):
        return error_in_200(exchange)
    body = exchange.endpoint.error_in_answer(exchange.request)
    return json_reply(200, body) if body is not None else error_in_200(exchange)


async def compressed(exchange: Exchange) -> None:
    """Answer well, compressed, if the client said it can read that."""
    reply = exchange.answer()
    if "gzip" not in exchange.request.headers.get("accept-encoding", ""):
        await exchange.send(reply)
        return
    headers = (*reply.headers, ("content-encoding", "gzip"))
    await exchange.send(Reply(200, gzip.compress(reply.body), headers))


async def badly_compressed(exchange: Exchange) -> None:
    """Claim compression for bytes that are not compressed."""
    reply = exchange.answer()
    await exchange.send(reply.with_headers(("content-encoding", "gzip")))


async def bomb(exchange: Exchange) -> None:
    """Send 256 KB that become 256 MB when they are decompressed."""
    headers = (*exchange.answer().headers, ("content-encoding", "gzip"))
    await exchange.send(Reply(200, inflatable(megabytes=256), headers))


@functools.cache
def inflatable(*, megabytes: int) -> bytes:
    """Compress that many megabytes of blanks, in one gzip member.

    A block that ends with a full flush refers to nothing before it, so that one is enough: it is
    repeated, and only the checksum needs all of the text.
    """
    blanks = b" " * (1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = functools.reduce(lambda crc, _: zlib.crc32(blanks, crc), range(megabytes), 0)
    trailer = struct.pack("<II", checksum, megabytes << 20)
    return _GZIP_HEAD + block * megabytes + b"\x03\x00" + trailer


def gigantic(*, size: int = 64 << 20) -> Behaviour:
    """Send a good start of JSON and then `size` bytes of text, as fast as the client reads."""

    async def play(exchange: Exchange) -> None:
        start = b'{"id":"x","text":"'
        length = ("content-length", str(size + len(start)))
        await exchange.write(head(200, (*exchange.answer().headers, length)) + start)
        for _ in range(size // _BLOCK):
            await exchange.write(b"a" * _BLOCK)

    return play


def redirect(target: str | None = None, *, status: int = 307) -> Behaviour:
    """Send the client elsewhere; unless given, to `/elsewhere` on the same upstream."""

    async def play(exchange: Exchange) -> None:
        place = target or f"{exchange.origin}/elsewhere"
        await exchange.send(Reply(status, b"", (("location", place),)))

    return play


BODIES = (
    fault("html_200", "a web page under 200", "malformed", html(200)),
    fault("html_502", "a web page under 502", "overloaded", html(502)),
    fault("empty_body", "200 and nothing", "malformed", raw(b"")),
    fault("blank_body", "200 and white space", "malformed", raw(b" \n")),
    fault("truncated_json", "half the JSON", "malformed", changed(truncated)),
    fault("not_utf8", "bytes that are not UTF-8", "malformed", changed(not_utf8)),
    fault("null_body", "null", "malformed", raw(b"null")),
    fault("json_list", "an empty list", "malformed", raw(b"[]")),
    fault("json_text", "a text", "malformed", raw(b'"ok"')),
    fault("empty_object", "an empty object", "malformed", raw(b"{}")),
    fault("wrong_shape", "JSON of something else", "malformed", raw(b'{"status":"ok"}')),
    fault(
        "wrong_types",
        "the right names, the wrong types",
        "malformed",
        reshaped(with_wrong_types),
    ),
    fault("deep_json", "100,000 brackets", "malformed", raw(b"[" * 100_000)),
    fault(
        "byte_order_mark", "a good answer behind a BOM", "answered malformed", changed(with_mark)
    ),
    fault("error_in_200", "the error object under 200", "malformed overloaded",
          sending(error_in_200)),
    fault(
        "error_in_choice",
        "the error inside the answer",
        "malformed overloaded",
        sending(error_in_choice),
        at=OPENAI_SHAPED | {"ollama"},
    ),
    fault("gzip_body", "a good answer, compressed", ANSWERED, compressed),
    fault(
        "bad_gzip", "not compressed, though it says so", "malformed connection", badly_compressed
    ),
    fault("gzip_bomb", "256 KB that unpack to 256 MB", "malformed", bomb),
    fault("gigantic_body", "64 MB", "malformed", gigantic()),
    fault("redirect", "307 to somewhere else", "malformed invalid_request connection", redirect()),
)  # fmt: skip
"""Faults of the body, and unusual bodies that are none."""
