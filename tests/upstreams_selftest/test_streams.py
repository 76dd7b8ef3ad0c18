"""Every vendor's stream: its events, its text, its thinking, its end."""

import pytest

from upstreams import DIALECTS, Answer, Finish, Upstream
from upstreams.client import ask, sample_of, stream_of
from upstreams.reading import text_of
from upstreams.samples import SAMPLES

EVERYWHERE = [(name, number) for name in DIALECTS for number in range(len(SAMPLES[name]))]
SAID = "Die Platte ist voll: 100 % — räumen."


@pytest.mark.parametrize(("dialect", "number"), EVERYWHERE)
async def test_a_stream_has_the_text_in_pieces(dialect: str, number: int) -> None:
    """Read as the vendor's clients read it, it is the plain answer's text."""
    async with Upstream(dialect, answer=SAID) as up:
        received = await ask(up, stream_of(up, number))

    assert received.status == 200
    assert received.complete
    assert text_of(dialect, number, received) == SAID
    assert len(received.events or received.lines) > 4


@pytest.mark.parametrize(("dialect", "number"), EVERYWHERE)
async def test_the_head_comes_before_the_text(dialect: str, number: int) -> None:
    """A stream is sent as it is told: what the test delays is not there yet."""
    async with Upstream(dialect, answer=Answer(pieces=("a", "b"), delay=30)) as up:
        received = await ask(up, stream_of(up, number), patience=0.2)

    assert received.status == 200
    assert not received.complete
    assert b'"b"' not in received.content


async def test_anthropic_tells_blocks() -> None:
    """The order is the documented one, the signature comes after the thoughts."""
    async with Upstream("anthropic", answer=Answer("Full.", thinking="Hm.")) as up:
        plain = (await ask(up)).json
        events = (await ask(up, stream_of(up))).events

    names = [event.name for event in events]
    kinds = [event.json["delta"]["type"] for event in events if event.name == "content_block_delta"]
    assert names[:3] == ["message_start", "content_block_start", "ping"]
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert [event.json["type"] for event in events] == names
    assert kinds == ["thinking_delta"] * 3 + ["signature_delta"] + ["text_delta"] * 5
    assert events[-2].json["delta"]["stop_reason"] == "end_turn"
    assert events[-2].json["usage"]["output_tokens"] == plain["usage"]["output_tokens"]
    assert events[0].json["message"]["content"] == []
    signed = next(e for e in events if "signature_delta" in e.text).json["delta"]["signature"]
    assert signed == plain["content"][0]["signature"]


async def test_gemini_tells_counts_and_finish_last() -> None:
    """Each event is a response with a part."""
    async with Upstream("gemini", answer=Answer("Full.", thinking="Hm.")) as up:
        plain = (await ask(up)).json
        events = [event.json for event in (await ask(up, stream_of(up))).events]

    finishes = [event["candidates"][0].get("finishReason") for event in events]
    assert finishes == [None] * 8 + ["STOP"]
    assert events[0]["candidates"][0]["content"]["parts"] == [{"text": "H", "thought": True}]
    assert events[-1]["usageMetadata"] == plain["usageMetadata"]


async def test_gemini_without_events_is_one_list() -> None:
    """Unless `alt=sse` is asked for, the body is a JSON list of the same responses."""
    async with Upstream("gemini") as up:
        sample = stream_of(up)
        plain = type(sample)(sample.path.partition("?")[0], sample.body, sample.headers)
        received = await ask(up, plain)

    assert received.headers["content-type"] == "application/json"
    assert len(received.json) == 7


async def test_a_blocked_prompt_streams_its_feedback() -> None:
    """Gemini has no candidate then."""
    async with Upstream("gemini") as up:
        up.script("blocked")
        events = (await ask(up, stream_of(up))).events

    assert [event.json["promptFeedback"]["blockReason"] for event in events] == ["SAFETY"]


async def test_ollama_tells_thinking_and_counts() -> None:
    """Only the last line is done, and it has the counts."""
    async with Upstream("ollama", answer=Answer("Full.", thinking="Hm.")) as up:
        lines = (await ask(up, stream_of(up))).lines

    assert "".join(line["message"].get("thinking", "") for line in lines) == "Hm."
    assert [line["done"] for line in lines] == [False] * 8 + [True]
    assert lines[-1]["eval_count"] > 0


async def test_cohere_names_its_events() -> None:
    """The type stands in both places."""
    async with Upstream("cohere", answer=Answer("Full.", thinking="Hm.")) as up:
        events = (await ask(up, stream_of(up, 1))).events

    names = [event.name for event in events]
    block = ["content-start", "content-delta", "content-end"]
    assert list(dict.fromkeys(names)) == ["message-start", *block, "message-end"]
    assert [event.json["type"] for event in events] == names
    assert events[1].json["delta"]["message"]["content"] == {"type": "thinking", "thinking": ""}
    assert events[-1].json["delta"]["finish_reason"] == "COMPLETE"
    assert events[-1].json["delta"]["usage"]["tokens"]["output_tokens"] > 0


async def test_cohere_generate_repeats_everything_at_the_end() -> None:
    """The last line has the whole response."""
    async with Upstream("cohere") as up:
        plain = (await ask(up)).json
        streamed = (await ask(up, stream_of(up))).lines

    assert [line["is_finished"] for line in streamed] == [False] * 6 + [True]
    assert streamed[-1]["response"]["generations"] == plain["generations"]


@pytest.mark.parametrize(("dialect", "number"), [("tgi", 0), ("hf_endpoint", 0)])
async def test_tgi_tells_tokens(dialect: str, number: int) -> None:
    """No blank after the colon; the last token is the end mark and carries the whole text."""
    async with Upstream(dialect, answer=Answer(finish=Finish.LENGTH)) as up:
        received = await ask(up, stream_of(up, number))
        plain = await ask(up, sample_of(up, number))

    last = received.events[-1].json
    assert received.content.startswith(b'data:{"index":1,')
    assert [event.json["generated_text"] for event in received.events[:-1]] == [None] * 6
    assert last["token"]["special"] is True
    assert last["generated_text"] == "The disk is full."
    assert last["details"]["finish_reason"] == "length"
    assert plain.headers["content-type"] == "application/json"
