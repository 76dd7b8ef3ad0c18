"""The faults of streams: where they happen, what is told before, how they end."""

import asyncio
import time

import pytest

from upstreams import (
    ALL_STREAM_FAULTS,
    DIALECTS,
    FAULTS,
    STREAM_FAULTS,
    Answer,
    Fault,
    Upstream,
    fault_for,
    faults_for,
    slow_start,
    stream_faults_for,
)
from upstreams.client import PATIENCE, End, ask, call, sample_of, stream_of
from upstreams.faults.statuses import REASONS, STATUSES, WAITS
from upstreams.reading import text_of
from upstreams.samples import SAMPLES

EVERYWHERE = [(name, number) for name in DIALECTS for number in range(len(SAMPLES[name]))]
SAME_FOR_STREAMS = {*STATUSES, *REASONS, *WAITS}
"""Those that never come to an answer."""
SLOW = {"gigantic_body", "gzip_bomb"}
PIECES = ("Volle ", "Platte", " räumen", " — ", "jetzt!")
SAID = "".join(PIECES)
HARMLESS = {
    "stream_one_byte_at_a_time",
    "stream_crlf",
    "stream_no_space",
    "stream_comments",
    "stream_slow_start",
}
_SILENCE = 0.2
"""Seconds after which a stalled stream counts as one."""
BARE = {
    ("gemini", 0), ("gemini", 1), ("cohere", 0), ("ollama", 0), ("tgi", 0), ("llamacpp", 1),
    ("hf_endpoint", 0), ("hf_endpoint", 1), ("hf_endpoint_object", 0), ("hf_endpoint_object", 1),
}  # fmt: skip
"""Where nothing is told before the text."""


def _patience(end: End) -> float:
    return _SILENCE if end is End.SILENT else PATIENCE


def test_names_are_unique_and_apart() -> None:
    """No fault of streams is one of the others."""
    assert len(STREAM_FAULTS) == len(ALL_STREAM_FAULTS) == 25
    assert not STREAM_FAULTS.keys() & FAULTS.keys()
    assert all(fault.name.startswith("stream_") and fault.note for fault in ALL_STREAM_FAULTS)
    assert fault_for("openai", "stream_crlf") is STREAM_FAULTS["stream_crlf"]


def test_a_policy_cannot_withhold_what_a_local_server_says() -> None:
    """Such a fault happens only where there is a policy."""
    names = {fault.name for fault in stream_faults_for("llamacpp")}
    assert names == STREAM_FAULTS.keys() - {"stream_blocked", "stream_refused_midway"}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_fault_plays_to_a_stream(dialect: str) -> None:
    """Those of any request and those of streams; none fails in the upstream's own code."""
    async with Upstream(dialect) as up:
        for number in range(len(SAMPLES[dialect])):
            for fault in (*faults_for(dialect), *stream_faults_for(dialect)):
                if fault.stalls or fault.name in SLOW or fault in SAME_FOR_STREAMS:
                    continue
                up.script(fault)
                assert (await ask(up, stream_of(up, number))).end is not End.SILENT
        assert up.rejections == []


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_fault_of_streams_plays_to_a_plain_request(dialect: str) -> None:
    """The nearest plain fault; a harmless one is a good answer."""
    async with Upstream(dialect) as up:
        for fault in stream_faults_for(dialect):
            if fault.stalls:
                continue
            good = (await ask(up)).body
            up.script(fault)
            received = await ask(up)
            assert received.body == good or not fault.answered or "midway" in fault.name


@pytest.mark.parametrize("fault", ALL_STREAM_FAULTS, ids=lambda fault: fault.name)
async def test_a_free_call_knows_no_streams(fault: Fault) -> None:
    """It is answered."""
    async with Upstream("anthropic") as up:
        up.always(fault)
        headers = {"x-api-key": up.key, "anthropic-version": "2023-06-01"}
        assert (await call(up, "GET", "/v1/models", headers=headers)).status == 200


@pytest.mark.parametrize("name", sorted(HARMLESS))
@pytest.mark.parametrize(("dialect", "number"), EVERYWHERE)
async def test_unusual_streams_are_whole(dialect: str, number: int, name: str) -> None:
    """However it is framed, the text is there."""
    async with Upstream(dialect, answer=Answer(pieces=PIECES)) as up:
        up.script(name)
        received = await ask(up, stream_of(up, number))

    assert received.complete
    assert text_of(dialect, number, received) == SAID


@pytest.mark.parametrize(("dialect", "number"), EVERYWHERE)
async def test_a_server_may_ignore_the_wish(dialect: str, number: int) -> None:
    """Then the body is the plain answer's, as JSON."""
    async with Upstream(dialect, answer=Answer(pieces=PIECES)) as up:
        up.script("stream_plain_json")
        received = await ask(up, stream_of(up, number))

    assert received.headers["content-type"] == "application/json"
    assert SAID in received.body.decode()
    assert received.json


@pytest.mark.parametrize(
    ("name", "end", "complete"),
    [
        ("stream_cut_before_content", End.CLOSED, False),
        ("stream_ended_before_content", End.CLOSED, True),
        ("stream_stall_before_content", End.SILENT, False),
        ("stream_error_before_content", End.CLOSED, True),
        ("stream_nothing", End.CLOSED, True),
        ("stream_only_done", End.CLOSED, True),
    ],
)
@pytest.mark.parametrize(("dialect", "number"), EVERYWHERE)
async def test_no_text_comes_before_some_faults(
    dialect: str, number: int, name: str, end: End, *, complete: bool
) -> None:
    """The head is a good stream's, and none of the text is told."""
    async with Upstream(dialect, answer=Answer(pieces=PIECES)) as up:
        good = await ask(up, stream_of(up, number))
        up.script(name)
        received = await ask(up, stream_of(up, number), patience=_patience(end))

    assert received.headers["content-type"] == good.headers["content-type"]
    assert (received.end, received.complete) == (end, complete)
    assert not any(piece.strip() in received.content.decode() for piece in PIECES)
    if name == "stream_cut_before_content":
        assert good.content.startswith(received.content)
        assert bool(received.content) == ((dialect, number) not in BARE)


@pytest.mark.parametrize(
    ("name", "end", "complete"),
    [
        ("stream_cut_after_content", End.CLOSED, True),
        ("stream_closed_after_content", End.CLOSED, False),
        ("stream_reset_after_content", End.RESET, False),
        ("stream_stall_after_content", End.SILENT, False),
    ],
)
@pytest.mark.parametrize(("dialect", "number"), EVERYWHERE)
async def test_half_of_the_text_comes_before_others(
    dialect: str, number: int, name: str, end: End, *, complete: bool
) -> None:
    """A beginning of the good stream, with some of its text and no finish."""
    async with Upstream(dialect, answer=Answer(pieces=PIECES)) as up:
        good = await ask(up, stream_of(up, number))
        up.script(name)
        received = await ask(up, stream_of(up, number), patience=_patience(end))

    told = text_of(dialect, number, received)
    assert (received.end, received.complete) == (end, complete)
    assert good.content.startswith(received.content)
    assert SAID.startswith(told)
    assert told == "".join(PIECES[:3])


@pytest.mark.parametrize(("dialect", "words"), [
    ("openai", b'data: {"error":{"message":"The engine is overloaded."'),
    ("openrouter", b'"finish_reason":"error"'),
    ("vllm", b'"code":503'),
    ("anthropic", b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"'),
    ("gemini", b'data: {"error":{"code":503'),
    ("cohere", b'"is_finished":true,"finish_reason":"ERROR","err"'),
    ("ollama", b'{"error":"server busy'),
    ("tgi", b'data:{"error":"Request failed during generation"'),
])  # fmt: skip
@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_error_has_the_vendors_shape(dialect: str, words: bytes, when: str) -> None:
    """It stands inside the 200, as the last event."""
    async with Upstream(dialect) as up:
        up.script(f"stream_error_{when}_content")
        received = await ask(up, stream_of(up))

    assert received.status == 200
    assert words in received.content
    assert b"[DONE]" not in received.content


@pytest.mark.parametrize(
    ("dialect", "sign"),
    [("anthropic", b"event: ping"), ("openrouter", b": OPENROUTER"), ("openai", b": ping")],
)
async def test_signs_of_life_go_on_for_ever(dialect: str, sign: bytes) -> None:
    """Remarks or pings, as the vendor has them, so that no single read is too long."""
    async with Upstream(dialect) as up:
        up.script("stream_pings_before_content")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await ask(up, stream_of(up))
        await up.until(lambda up: up.disconnects)
        sent = up.disconnects[0].sent
        up.script("stream_stall_before_content")
        silent = await ask(up, stream_of(up), patience=0.1)

    assert sent > len(silent.raw) + 5 * len(sign)


async def test_a_test_chooses_when_the_text_starts() -> None:
    """The start comes at once, the text after the delay."""
    async with Upstream("openai", answer=Answer("abc")) as up:
        up.script(slow_start(30))
        received = await ask(up, stream_of(up), patience=0.1)
        began = time.monotonic()
        up.script(slow_start(0.2))
        whole = await ask(up, stream_of(up))

    assert b'"role":"assistant"' in received.content
    assert text_of("openai", 0, received) == ""
    assert text_of("openai", 0, whole) == "abc"
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(
    ("name", "content"), [("stream_blocked", ""), ("stream_refused_midway", SAID)]
)
async def test_a_policy_may_step_in(name: str, content: str) -> None:
    """Before the text or after it, and the finish says so."""
    async with Upstream("openai", answer=Answer(pieces=PIECES)) as up:
        up.script(name)
        received = await ask(up, stream_of(up))

    assert text_of("openai", 0, received) == content
    assert received.events[-2].json["choices"][0]["finish_reason"] == "content_filter"


async def test_garbage_stands_alone() -> None:
    """One event is not JSON; the good ones come after it."""
    async with Upstream("openai", answer=Answer(pieces=PIECES)) as up:
        up.script("stream_garbage")
        received = await ask(up, stream_of(up))

    assert [event.text for event in received.events].count("{not JSON") == 1
    assert received.events[-1].text == "[DONE]"


async def test_plain_requests_keep_their_own_answers() -> None:
    """A script of streams is used up by a plain request too."""
    async with Upstream("openai", answer=Answer(pieces=PIECES)) as up:
        up.script("stream_html", "stream_crlf")
        page = await ask(up, sample_of(up))
        plain = await ask(up, sample_of(up))

    assert page.headers["content-type"].startswith("text/html")
    assert plain.json["choices"][0]["message"]["content"] == SAID
