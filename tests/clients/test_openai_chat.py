"""The openai SDK: answers, streams, forms and pictures, from every vendor."""

from __future__ import annotations

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from clients.scenes import DIAGNOSIS, PIXEL, QUESTION, Diagnosis
from clients.vendors import ANSWER, NAMES, SEEING, VENDORS, Vendors
from upstreams import Answer, Finish

ASKED: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "You are an operator."},
    {"role": "user", "content": QUESTION},
]


@pytest.fixture
def client(openai_sdk: openai.OpenAI) -> openai.OpenAI:
    """The SDK under test."""
    return openai_sdk


@pytest.mark.parametrize("name", NAMES)
def test_every_vendor_answers(client: openai.OpenAI, vendors: Vendors, name: str) -> None:
    """Whoever is asked, the SDK reads text, finish, tokens and the name of the model."""
    answer = client.chat.completions.create(model=name, messages=ASKED)

    [choice] = answer.choices
    assert choice.message.content == ANSWER
    assert choice.message.role == "assistant"
    assert choice.finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.id
    assert answer.object == "chat.completion"
    assert vendors.asked() == [name]


@pytest.mark.parametrize("name", NAMES)
def test_every_vendor_streams(client: openai.OpenAI, vendors: Vendors, name: str) -> None:
    """The text comes in several pieces, then the finish, and the tokens because they are asked."""
    with client.chat.completions.create(
        model=name, messages=ASKED, stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)

    pieces = [c.choices[0].delta.content for c in chunks if c.choices if c.choices[0].delta.content]
    finishes = [c.choices[0].finish_reason for c in chunks if c.choices]
    assert len(pieces) > 1
    assert "".join(pieces) == ANSWER
    assert [finish for finish in finishes if finish] == ["stop"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0
    assert len({chunk.id for chunk in chunks}) == 1
    assert vendors.asked() == [name]


def test_a_stream_has_no_usage_unless_it_is_asked_for(
    client: openai.OpenAI, vendors: Vendors
) -> None:
    """Without ``stream_options`` every chunk has a choice, as clients rely on."""
    with client.chat.completions.create(model="auto", messages=ASKED, stream=True) as stream:
        chunks = list(stream)
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    assert vendors.asked() == ["openai"]


@pytest.mark.parametrize("name", NAMES)
def test_pieces_arrive_while_the_answer_is_written(
    client: openai.OpenAI, vendors: Vendors, name: str
) -> None:
    """The first piece is there before the vendor has finished: nothing waits for the whole."""
    vendors.say(Answer(ANSWER, delay=0.02), name)
    with client.chat.completions.create(model=name, messages=ASKED, stream=True) as stream:
        first = next(c for c in stream if c.choices and c.choices[0].delta.content)
        busy = vendors.upstreams[name].upstream.in_flight
        rest = "".join(c.choices[0].delta.content or "" for c in stream)
    assert busy == 1
    assert f"{first.choices[0].delta.content}{rest}" == ANSWER


@pytest.mark.parametrize("name", NAMES)
def test_the_stream_helper_puts_the_answer_together(
    client: openai.OpenAI, vendors: Vendors, name: str
) -> None:
    """``chat.completions.stream`` tells every piece and gives the whole in the end."""
    with client.chat.completions.stream(model=name, messages=ASKED) as stream:
        told = "".join(event.delta for event in stream if event.type == "content.delta")
        whole = stream.get_final_completion()
    assert told == ANSWER
    assert whole.choices[0].message.content == ANSWER
    assert vendors.asked() == [name]


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_was_too_long_says_so(
    client: openai.OpenAI, vendors: Vendors, name: str
) -> None:
    """A limit is passed on, and its effect is told in OpenAI's word whatever the vendor's."""
    vendors.say(Answer("The disk is", finish=Finish.LENGTH), name)
    answer = client.chat.completions.create(model=name, messages=ASKED, max_tokens=3)
    assert answer.choices[0].finish_reason == "length"
    assert b"3" in vendors.last(name).body


@pytest.mark.parametrize("name", NAMES)
def test_a_form_is_kept(client: openai.OpenAI, vendors: Vendors, name: str) -> None:
    """``parse`` with a model: the vendor is held to its schema, and its answer is an object."""
    vendors.say(DIAGNOSIS, name)
    answer = client.chat.completions.parse(model=name, messages=ASKED, response_format=Diagnosis)
    assert answer.choices[0].message.parsed == Diagnosis.model_validate(DIAGNOSIS)
    assert b'"certain"' in vendors.last(name).body


@pytest.mark.parametrize("name", NAMES)
def test_a_form_is_kept_while_streaming(client: openai.OpenAI, vendors: Vendors, name: str) -> None:
    """The same in pieces, read by the SDK while they come."""
    vendors.say(DIAGNOSIS, name)
    with client.chat.completions.stream(
        model=name, messages=ASKED, response_format=Diagnosis
    ) as stream:
        whole = stream.get_final_completion()
    assert whole.choices[0].message.parsed == Diagnosis.model_validate(DIAGNOSIS)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_reaches_whoever_can_see(
    client: openai.OpenAI, vendors: Vendors, name: str
) -> None:
    """A picture in a data URL goes along, in the vendor's own way."""
    answer = client.chat.completions.create(
        model=SEEING[name],
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What does the graph show?"},
                    {
                        "type": "image_url",
                        "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "low"},
                    },
                ],
            }
        ],
    )
    assert answer.choices[0].message.content == ANSWER
    assert PIXEL.encode() in vendors.last(name).body


@pytest.mark.parametrize("name", NAMES)
def test_a_model_may_be_named_whole(client: openai.OpenAI, vendors: Vendors, name: str) -> None:
    """``provider/model`` asks that provider for that model."""
    model = VENDORS[name].model
    answer = client.chat.completions.create(model=f"{name}/{model}", messages=ASKED)
    assert answer.choices[0].message.content == ANSWER
    assert vendors.asked() == [name]


def test_the_raw_response_tells_who_answered(client: openai.OpenAI, vendors: Vendors) -> None:
    """Headers name provider and model for whoever looks beneath the SDK's objects."""
    vendors.stop("openai")
    raw = client.chat.completions.with_raw_response.create(model="auto", messages=ASKED)
    assert raw.headers["x-faultmaven-provider"] == "anthropic"
    assert raw.headers["x-faultmaven-attempts"] == "2"
    assert raw.parse().choices[0].message.content == ANSWER


def test_the_agent_answers_as_a_model(client: openai.OpenAI, vendors: Vendors) -> None:
    """``faultmaven/troubleshoot`` is a model like any other to the SDK."""
    vendors.say({"response": "Free some space below /var/log.", "evidence": []})
    answer = client.chat.completions.create(
        model="faultmaven/troubleshoot", messages=[{"role": "user", "content": QUESTION}]
    )
    assert answer.choices[0].message.content
    assert vendors.asked()
