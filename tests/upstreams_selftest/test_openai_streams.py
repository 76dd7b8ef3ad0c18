"""Streams in OpenAI's shape, at OpenAI and at those who copy it."""

from collections.abc import Sequence
from typing import Any

import pytest

from upstreams import Answer, Finish, Upstream
from upstreams.client import Told, ask, sample_of, stream_of

SHAPED = {
    "openai": 0, "fireworks": 0, "openrouter": 0, "huggingface": 0, "together": 0,
    "vllm": 0, "vllm_older": 0, "llamacpp": 0, "tgi": 1, "ollama": 1,
}  # fmt: skip
"""Where it is spoken, with the number of the sample that speaks it."""


def deltas(events: Sequence[Told]) -> list[dict[str, Any]]:
    """Read the deltas of every chunk that has any."""
    chunks = [event.json for event in events if event.text != "[DONE]"]
    return [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]


@pytest.mark.parametrize("dialect", SHAPED)
async def test_a_stream_tells_the_answer_in_pieces(dialect: str) -> None:
    """Role first, then the text in several chunks, one finish, the end mark last."""
    async with Upstream(dialect, answer="Die Platte ist voll: 100 % — schade.") as up:
        received = await ask(up, stream_of(up, SHAPED[dialect]))

    events = received.events
    pieces = [delta["content"] for delta in deltas(events) if delta.get("content")]
    finishes = [
        event.json["choices"][0]["finish_reason"]
        for event in events[:-1]
        if event.json["choices"] and event.json["choices"][0]["finish_reason"]
    ]
    assert received.headers["content-type"] == "text/event-stream"
    assert received.complete
    assert deltas(events)[0]["role"] == "assistant"
    assert 4 <= len(pieces) <= 8
    assert "".join(pieces) == "Die Platte ist voll: 100 % — schade."
    assert finishes == ["eos" if dialect == "together" else "stop"]
    assert events[-1].text == "[DONE]"


@pytest.mark.parametrize("dialect", SHAPED)
async def test_counts_come_where_the_vendor_has_them(dialect: str) -> None:
    """Asked for they are there once and equal the plain answer's; some tell them unasked."""
    wish = {"stream_options": {"include_usage": True}}
    async with Upstream(dialect) as up:
        number = SHAPED[dialect]
        asked = (await ask(up, stream_of(up, number, **wish))).events
        unasked = (await ask(up, stream_of(up, number))).events

    told = [event.json["usage"] for event in asked[:-1] if event.json.get("usage")]
    assert len(told) == 1
    assert told[0]["total_tokens"] == told[0]["prompt_tokens"] + told[0]["completion_tokens"] > 0
    assert any(event.json.get("usage") for event in unasked[:-1]) == (
        dialect in {"fireworks", "together", "openrouter"}
    )


async def test_openrouter_remarks_that_it_works_and_tells_the_price() -> None:
    """The remarks come before the first chunk."""
    async with Upstream("openrouter") as up:
        received = await ask(up, stream_of(up))

    assert received.content.startswith(b": OPENROUTER PROCESSING\n\n")
    assert received.events[-2].json["usage"]["cost"] > 0
    assert received.events[0].json["provider"] == "Somebody"


@pytest.mark.parametrize(
    ("dialect", "field"),
    [("fireworks", "reasoning_content"), ("openrouter", "reasoning"), ("vllm", "reasoning")],
)
async def test_reasoning_is_streamed_beside_the_text(dialect: str, field: str) -> None:
    """It comes first, in a field of its own."""
    async with Upstream(dialect, answer=Answer("Full.", thinking="Let me see.")) as up:
        told = deltas((await ask(up, stream_of(up))).events)

    assert "".join(delta.get(field, "") for delta in told) == "Let me see."
    assert "".join(delta.get("content") or "" for delta in told) == "Full."


async def test_a_test_chooses_the_pieces() -> None:
    """Neither split nor joined, and the plain answer is their sum."""
    pieces = ("", "über", "  ", "\n", "😀!")
    async with Upstream("openai", answer=Answer(pieces=pieces)) as up:
        told = deltas((await ask(up, stream_of(up))).events)
        plain = (await ask(up)).json

    assert tuple(delta["content"] for delta in told[1:-1]) == pieces
    assert plain["choices"][0]["message"]["content"] == "".join(pieces)


@pytest.mark.parametrize(
    ("finish", "word"), [(Finish.LENGTH, "length"), (Finish.FILTER, "content_filter")]
)
async def test_the_finish_is_the_answers(finish: Finish, word: str) -> None:
    """The chunk before the end mark says why it stopped."""
    async with Upstream("openai", answer=Answer(finish=finish)) as up:
        events = (await ask(up, stream_of(up))).events

    assert events[-2].json["choices"][0] | {"index": 0} == {
        "index": 0, "delta": {}, "logprobs": None, "finish_reason": word,
    }  # fmt: skip


async def test_a_refusal_has_a_delta_of_its_own() -> None:
    """There is no content then."""
    async with Upstream("openai") as up:
        up.script("refusal")
        told = deltas((await ask(up, stream_of(up))).events)

    assert any("refusal" in delta for delta in told)
    assert not any(delta.get("content") for delta in told)


async def test_probabilities_of_tokens_are_told_where_asked_for() -> None:
    """Plain they cover the text, streamed they stand beside their piece."""
    wish = {"logprobs": True, "top_logprobs": 2}
    async with Upstream("openai") as up:
        plain = (await ask(up, sample_of(up, **wish))).json["choices"][0]["logprobs"]["content"]
        events = (await ask(up, stream_of(up, **wish))).events
        without = (await ask(up)).json["choices"][0]["logprobs"]

    streamed = [
        entry
        for event in events[:-1]
        for entry in (event.json["choices"][0]["logprobs"] or {"content": []})["content"]
    ]
    assert streamed == plain
    assert "".join(entry["token"] for entry in plain) == "The disk is full."
    assert [len(entry["top_logprobs"]) for entry in plain] == [2] * len(plain)
    assert without is None


async def test_several_choices_are_told_apart() -> None:
    """`n` gives as many choices, plain and streamed."""
    async with Upstream("openai") as up:
        plain = (await ask(up, sample_of(up, n=2))).json["choices"]
        events = (await ask(up, stream_of(up, n=2))).events[:-1]

    assert [choice["index"] for choice in plain] == [0, 1]
    assert {event.json["choices"][0]["index"] for event in events} == {0, 1}
