"""Each fault of the body and of the answer says what its name says, in every dialect."""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from upstreams import DIALECTS, Upstream, faults_for
from upstreams.client import Received, ask, call, sample_of
from upstreams.faults import redirect
from upstreams.samples import SAMPLES

GOOD = b"The disk is full."
EVERYWHERE = [(name, number) for name, samples in SAMPLES.items() for number in range(len(samples))]
everywhere = pytest.mark.parametrize(("dialect", "number"), EVERYWHERE)


async def play(fault: str, dialect: str = "openai", number: int = 0) -> Received:
    """See what a raw client gets."""
    async with Upstream(dialect) as up:
        up.script(fault)
        return await ask(up, sample_of(up, number))


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("empty_body", 200, b""),
        ("blank_body", 200, b" \n"),
        ("null_body", 200, b"null"),
        ("json_list", 200, b"[]"),
        ("json_text", 200, b'"ok"'),
        ("empty_object", 200, b"{}"),
        ("wrong_shape", 200, b'{"status":"ok"}'),
        ("status_503_bare", 503, b""),
    ],
)
async def test_fixed_bodies(fault: str, status: int, body: bytes) -> None:
    """The status and exactly these bytes."""
    received = await play(fault)

    assert (received.status, received.body) == (status, body)


@pytest.mark.parametrize(("fault", "status"), [("html_200", 200), ("html_502", 502)])
async def test_a_web_page(fault: str, status: int) -> None:
    """HTML that says so."""
    received = await play(fault)

    assert received.status == status
    assert received.headers["content-type"].startswith("text/html")
    assert b"<html>" in received.body


@everywhere
async def test_truncated_json_is_no_json(dialect: str, number: int) -> None:
    """The framing is right and the JSON is cut."""
    received = await play("truncated_json", dialect, number)

    assert len(received.body) == int(received.headers["content-length"])
    with pytest.raises(json.JSONDecodeError):
        json.loads(received.body)


@everywhere
async def test_not_utf8_is_no_utf8(dialect: str, number: int) -> None:
    """The JSON would be right but for three bytes."""
    received = await play("not_utf8", dialect, number)

    with pytest.raises(UnicodeDecodeError):
        received.body.decode()
    assert json.loads(received.body.replace(b"\xff\xfe\xc3", b""))


async def test_a_byte_order_mark_precedes_a_good_answer() -> None:
    """The rest is the good answer."""
    received = await play("byte_order_mark")

    assert received.body.startswith(b"\xef\xbb\xbf{")
    assert GOOD in received.body


async def test_deep_json_is_deeper_than_a_parser_likes() -> None:
    """It nests 100,000 deep."""
    with pytest.raises(RecursionError):
        json.loads((await play("deep_json")).body)


@everywhere
async def test_wrong_types_keep_the_names(dialect: str, number: int) -> None:
    """The names are those of the good answer and no value has its type."""
    async with Upstream(dialect) as up:
        good = (await ask(up, sample_of(up, number))).json
        up.script("wrong_types")
        wrong = (await ask(up, sample_of(up, number))).json

    if isinstance(good, list):
        assert wrong == [7]
        return
    assert wrong.keys() == good.keys()
    assert all(type(wrong[name]) is not type(good[name]) for name in good)


@everywhere
async def test_error_in_200_is_the_vendors_error(dialect: str, number: int) -> None:
    """The body is that of the vendor's 502, the status is 200."""
    async with Upstream(dialect) as up:
        up.script("error_in_200", "status_502")
        hidden = await ask(up, sample_of(up, number))
        open_ = await ask(up, sample_of(up, number))

    assert (hidden.status, open_.status) == (200, 502)
    assert hidden.body == open_.body


async def test_error_in_choice_is_inside_the_choice() -> None:
    """The answer looks whole, and its only choice has failed."""
    (choice,) = (await play("error_in_choice", "openrouter")).json["choices"]

    assert choice["error"]["code"] == 502
    assert choice["finish_reason"] == "error"
    assert choice["message"]["content"] == ""


async def test_compression_only_for_those_who_ask() -> None:
    """With Accept-Encoding it is gzip, without it plain."""
    async with Upstream("openai") as up:
        up.default = "gzip_body"
        sample = sample_of(up)
        asked = {
            **sample.headers,
            "accept-encoding": "gzip, br",
            "content-type": "application/json",
        }
        body = json.dumps(dict(sample.body)).encode()
        packed = await call(up, "POST", sample.path, headers=asked, body=body)
        plain = await ask(up)

    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert "content-encoding" not in plain.headers


async def test_bad_gzip_is_not_compressed() -> None:
    """It says gzip and is the plain answer."""
    received = await play("bad_gzip")

    assert received.headers["content-encoding"] == "gzip"
    assert GOOD in received.body


async def test_the_bomb_is_small_and_grows() -> None:
    """A quarter of a megabyte becomes 256, in one gzip member with the right checksum."""
    received = await play("gzip_bomb")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    size, rest = 0, received.body
    while rest:
        size += len(unpacker.decompress(rest, 1 << 20))
        rest = unpacker.unconsumed_tail

    assert len(received.body) < 1 << 19
    assert size + len(unpacker.flush()) == 256 << 20
    assert unpacker.eof


async def test_the_gigantic_body_is_as_long_as_it_says() -> None:
    """All 64 MB come, for a client that wants them."""
    received = await play("gigantic_body")

    assert len(received.body) == int(received.headers["content-length"]) > 64 << 20


async def test_a_redirect_that_is_followed_is_seen() -> None:
    """It points to this upstream, which would record the visit."""
    async with Upstream("openai") as up:
        up.script("redirect", redirect("http://127.0.0.1:9/x", status=302))
        here, there = await ask(up), await ask(up)
        place = here.headers["location"]
        await call(up, "POST", place.removeprefix(up.origin))

        assert (here.status, there.status) == (307, 302)
        assert there.headers["location"] == "http://127.0.0.1:9/x"
        assert up.last.path == "/elsewhere"


async def test_echo_repeats_what_must_not_be_shown() -> None:
    """Key and prompt are in the error."""
    async with Upstream("openai") as up:
        up.script("echo")
        received = await ask(up)

        assert up.key in received.json["error"]["message"]
        assert "Why does the pod restart?" in received.json["error"]["message"]


TEXTLESS = ["blocked", "generation_error", "refusal", "thinking_only", "no_text", "unasked_tool"]
TEXTLESS_AT = [
    (fault.name, name, number)
    for name, number in EVERYWHERE
    for fault in faults_for(name)
    if fault.name in {*TEXTLESS, "empty_text", "blank_text"}
]


@pytest.mark.parametrize(("fault", "dialect", "number"), TEXTLESS_AT)
async def test_an_answer_without_text_has_none(fault: str, dialect: str, number: int) -> None:
    """The status is 200 and the usual text is nowhere."""
    received = await play(fault, dialect, number)

    assert received.status == 200
    assert received.json
    assert GOOD not in received.body


FINE = [
    (fault.name, name, number)
    for name, number in EVERYWHERE
    for fault in faults_for(name)
    if fault.classes == {"answered"} and fault.name not in {"chunked", "early_hints"}
]


@pytest.mark.parametrize(("fault", "dialect", "number"), FINE)
async def test_an_unusual_answer_has_its_text(fault: str, dialect: str, number: int) -> None:
    """What counts as answered can be read out of the JSON."""
    received = await play(fault, dialect, number)

    assert received.status == 200
    assert "".join(texts(received.json)).count("The disk is full.") == 1


def texts(body: Any) -> list[str]:
    """Collect the texts of an answer, in order, that are not reasoning."""
    if isinstance(body, str):
        return [body]
    if isinstance(body, list):
        return [text for item in body for text in texts(item)]
    if not isinstance(body, dict) or body.get("thought") or body.get("type") == "thinking":
        return []
    return [text for name in TEXT_FIELDS if name in body for text in texts(body[name])]


TEXT_FIELDS = (
    "choices", "message", "content", "text", "candidates", "parts", "generations",
    "generated_text",
)  # fmt: skip

USAGE: dict[str, Callable[[Any], Any]] = {
    "anthropic": lambda body: body.get("usage"),
    "gemini": lambda body: body.get("usageMetadata"),
    "openai": lambda body: body.get("usage"),
}


@pytest.mark.parametrize("dialect", USAGE)
async def test_counts_can_be_missing_or_floats(dialect: str) -> None:
    """Usage is left out whole, or its numbers are written with a point."""
    missing = await play("no_usage", dialect)
    floats = USAGE[dialect]((await play("float_usage", dialect)).json)
    whole = USAGE[dialect]((await play("idle_close", dialect)).json)

    assert USAGE[dialect](missing.json) is None
    assert whole
    assert all(not isinstance(value, float) for value in whole.values())
    assert sum(isinstance(value, float) for value in floats.values()) >= 2


def test_every_dialect_has_a_sample() -> None:
    """The tests above leave no dialect out."""
    assert SAMPLES.keys() == DIALECTS.keys()
