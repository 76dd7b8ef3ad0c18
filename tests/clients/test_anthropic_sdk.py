"""The anthropic SDK: answers, streams, pictures, thoughts and errors, from every vendor."""

from __future__ import annotations

import asyncio

import anthropic
import pytest
from anthropic.types import Message, MessageParam, ThinkingConfigEnabledParam

from clients.scenes import DIAGNOSIS, PIXEL, QUESTION, VERDICT, Diagnosis, never_ending
from clients.vendors import ANSWER, NAMES, SEEING, Vendors
from upstreams import Answer, Finish

ASKED: list[MessageParam] = [{"role": "user", "content": QUESTION}]
THINKING: ThinkingConfigEnabledParam = {"type": "enabled", "budget_tokens": 1024}
THOUGHT = "The log below /var grows by a gigabyte an hour."


@pytest.fixture
def client(anthropic_sdk: anthropic.Anthropic) -> anthropic.Anthropic:
    """The SDK under test."""
    return anthropic_sdk


def text_of(message: Message) -> str:
    """The text of a message's blocks."""
    return "".join(block.text for block in message.content if block.type == "text")


@pytest.mark.parametrize("name", NAMES)
def test_every_vendor_answers(client: anthropic.Anthropic, vendors: Vendors, name: str) -> None:
    """Whoever is asked, the SDK reads blocks, stop reason and tokens."""
    message = client.messages.create(
        model=name, max_tokens=500, system="You are an operator.", messages=ASKED
    )
    assert text_of(message) == ANSWER
    assert message.role == "assistant"
    assert message.type == "message"
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens > 0
    assert message.usage.output_tokens > 0
    assert message.id
    assert b"You are an operator." in vendors.last(name).body
    assert vendors.asked() == [name]


@pytest.mark.parametrize("name", NAMES)
def test_every_vendor_streams(client: anthropic.Anthropic, vendors: Vendors, name: str) -> None:
    """``messages.stream`` tells the text in pieces and gives the whole message in the end."""
    with client.messages.stream(model=name, max_tokens=500, messages=ASKED) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()
    assert len(pieces) > 1
    assert "".join(pieces) == text_of(message) == ANSWER
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens > 0
    assert vendors.asked() == [name]


@pytest.mark.parametrize("name", NAMES)
def test_events_come_in_anthropics_order(
    client: anthropic.Anthropic, vendors: Vendors, name: str
) -> None:
    """Raw events: a start, each block from its start to its stop, the end; no block overlaps."""
    with client.messages.create(model=name, max_tokens=500, messages=ASKED, stream=True) as stream:
        kinds = [event.type for event in stream]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    inner = kinds[1:-2]
    assert inner[0] == "content_block_start"
    assert inner[-1] == "content_block_stop"
    assert set(inner[1:-1]) == {"content_block_delta"}
    assert vendors.asked() == [name]


@pytest.mark.parametrize("name", NAMES)
def test_pieces_arrive_while_the_answer_is_written(
    client: anthropic.Anthropic, vendors: Vendors, name: str
) -> None:
    """The first piece is there before the vendor has finished."""
    vendors.say(Answer(ANSWER, delay=0.02), name)
    with client.messages.stream(model=name, max_tokens=500, messages=ASKED) as stream:
        texts = iter(stream.text_stream)
        first = next(texts)
        busy = vendors.upstreams[name].upstream.in_flight
        rest = "".join(texts)
    assert busy == 1
    assert first + rest == ANSWER


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_was_too_long_says_so(
    client: anthropic.Anthropic, vendors: Vendors, name: str
) -> None:
    """The limit's effect is told in Anthropic's word whatever the vendor's."""
    vendors.say(Answer("The disk is", finish=Finish.LENGTH), name)
    message = client.messages.create(model=name, max_tokens=3, messages=ASKED)
    assert message.stop_reason == "max_tokens"


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_reaches_whoever_can_see(
    client: anthropic.Anthropic, vendors: Vendors, name: str
) -> None:
    """A picture's bytes go along, in the vendor's own way."""
    message = client.messages.create(
        model=SEEING[name],
        max_tokens=500,
        messages=[
            {
                "role": "user",
                "content": [
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
                    },
                    {"type": "text", "text": "What does the graph show?"},
                ],
            }
        ],
    )
    assert text_of(message) == ANSWER
    assert PIXEL.encode() in vendors.last(name).body


@pytest.mark.parametrize("name", NAMES)
def test_a_form_is_kept(client: anthropic.Anthropic, vendors: Vendors, name: str) -> None:
    """``messages.parse`` with a model: the vendor is held to its schema."""
    vendors.say(DIAGNOSIS, name)
    message = client.messages.parse(
        model=name, max_tokens=500, messages=ASKED, output_format=Diagnosis
    )
    assert message.parsed_output == Diagnosis.model_validate(DIAGNOSIS)
    assert b'"certain"' in vendors.last(name).body


@pytest.mark.parametrize("stream", [False, True])
def test_thoughts_come_back_signed(
    client: anthropic.Anthropic, vendors: Vendors, *, stream: bool
) -> None:
    """Thinking blocks reach the SDK with their signature, and Anthropic takes them back."""
    vendors.say(Answer(ANSWER, thinking=THOUGHT), "anthropic")
    if stream:
        with client.messages.stream(
            model="anthropic", max_tokens=2048, messages=ASKED, thinking=THINKING
        ) as told:
            message: Message = told.get_final_message()
    else:
        message = client.messages.create(
            model="anthropic", max_tokens=2048, messages=ASKED, thinking=THINKING
        )
    thinking, text = message.content
    assert thinking.type == "thinking"
    assert thinking.thinking == THOUGHT
    assert thinking.signature
    assert text.type == "text"
    assert text.text == ANSWER

    vendors.say(VERDICT, "anthropic")
    turns: list[MessageParam] = [
        *ASKED,
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": "Are you sure?"},
    ]
    again = client.messages.create(
        model="anthropic",
        max_tokens=2048,
        messages=turns,
        thinking=THINKING,
    )
    assert text_of(again) == VERDICT
    assert thinking.signature.encode() in vendors.last("anthropic").body


@pytest.mark.parametrize("name", [name for name in NAMES if name != "anthropic"])
def test_thoughts_of_anthropic_stay_with_anthropic(
    client: anthropic.Anthropic, vendors: Vendors, name: str
) -> None:
    """Another vendor continues a conversation with thinking blocks, without their signature."""
    vendors.say(Answer(ANSWER, thinking=THOUGHT), "anthropic")
    message = client.messages.create(
        model="anthropic",
        max_tokens=2048,
        messages=ASKED,
        thinking=THINKING,
    )
    signed = next(block for block in message.content if block.type == "thinking")

    vendors.say(VERDICT, name)
    turns: list[MessageParam] = [
        *ASKED,
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": "Are you sure?"},
    ]
    again = client.messages.create(model=name, max_tokens=2048, messages=turns)
    assert text_of(again) == VERDICT
    assert signed.signature.encode() not in vendors.last(name).body


@pytest.mark.parametrize("stream", [False, True])
def test_an_unknown_model_is_not_found(
    client: anthropic.Anthropic, vendors: Vendors, *, stream: bool
) -> None:
    """`anthropic.NotFoundError` names what exists instead; nobody was asked."""
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.create(model="nonsense", max_tokens=5, messages=ASKED, stream=stream)
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] == "not_found_error"
    assert "auto" in caught.value.body["error"]["message"]
    assert caught.value.request_id
    assert vendors.asked() == []


def test_bad_input_is_a_bad_request(client: anthropic.Anthropic, vendors: Vendors) -> None:
    """`anthropic.BadRequestError` names the field."""
    with pytest.raises(anthropic.BadRequestError, match="temperature"):
        client.messages.create(
            model="auto", max_tokens=5, messages=ASKED, extra_body={"temperature": 9}
        )
    assert vendors.asked() == []


@pytest.mark.parametrize("stream", [False, True])
def test_an_outage_of_everybody_is_unavailable(
    client: anthropic.Anthropic, vendors: Vendors, *, stream: bool
) -> None:
    """An `anthropic.APIStatusError` of the 500s, streaming or not."""
    vendors.stop()
    impatient = client.with_options(max_retries=0)
    with pytest.raises(anthropic.APIStatusError) as caught:
        impatient.messages.create(
            model="auto",
            max_tokens=5,
            messages=ASKED,
            stream=stream,
            extra_body={"deadline_ms": 400},
        )
    assert caught.value.status_code in {503, 529}
    assert vendors.asked() == []


def test_a_cut_answer_raises_in_the_middle(client: anthropic.Anthropic, vendors: Vendors) -> None:
    """A stream that breaks off is an `anthropic.APIError`, never a message that looks whole."""
    vendors.upstreams["anthropic"].script("stream_cut_after_content")
    told: list[str] = []

    def listen() -> None:
        with client.messages.stream(model="anthropic", max_tokens=500, messages=ASKED) as stream:
            for piece in stream.text_stream:
                told.append(piece)  # noqa: PERF402 - kept though the next one fails

    with pytest.raises(anthropic.APIError):
        listen()
    assert told
    assert ANSWER.startswith("".join(told))


def test_tokens_are_counted(client: anthropic.Anthropic, vendors: Vendors) -> None:
    """``count_tokens`` gives a number before anything is spent."""
    few = client.messages.count_tokens(model="anthropic", messages=ASKED)
    many = client.messages.count_tokens(
        model="anthropic", messages=[{"role": "user", "content": QUESTION * 50}]
    )
    assert 0 < few.input_tokens < many.input_tokens
    assert vendors.refused() == {}


def test_the_models_are_listed(client: anthropic.Anthropic, vendors: Vendors) -> None:
    """``models.list`` of Anthropic's SDK reads the same list."""
    found = [model.id for model in client.models.list()]
    assert {"auto", *NAMES} <= set(found)
    assert vendors.asked() == []


async def test_the_async_client_works_alike(url: str, vendors: Vendors) -> None:
    """Plain and streamed at the same time, from different vendors, over one client."""
    async with anthropic.AsyncAnthropic(base_url=url, api_key="any") as client:

        async def plain(name: str) -> str:
            message = await client.messages.create(model=name, max_tokens=500, messages=ASKED)
            return text_of(message)

        async def streamed(name: str) -> str:
            async with client.messages.stream(model=name, max_tokens=500, messages=ASKED) as stream:
                return "".join([piece async for piece in stream.text_stream])

        said = await asyncio.gather(*map(plain, NAMES), *map(streamed, NAMES))
    assert said == [ANSWER] * (2 * len(NAMES))
    assert sorted(vendors.asked()) == sorted([*NAMES, *NAMES])


async def test_the_async_client_may_leave(url: str, vendors: Vendors) -> None:
    """A stream that is closed early ends the vendor's work as well."""
    vendors.say(never_ending, "gemini")
    async with anthropic.AsyncAnthropic(base_url=url, api_key="any") as client:
        async with client.messages.stream(model="gemini", max_tokens=500, messages=ASKED) as stream:
            async for _ in stream.text_stream:
                break
        await asyncio.to_thread(
            vendors.upstreams["gemini"].until, lambda up: up.in_flight == 0, within=2
        )
    assert vendors.upstreams["gemini"].disconnects
