"""The openai SDK: tools, from the model's call over the result to the answer."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai.types.chat import (
    ChatCompletionFunctionToolParam,
    ChatCompletionMessage,
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionMessageParam,
)

from clients.scenes import (
    DESCRIPTIONS,
    PATH,
    QUESTION,
    RESULTS,
    SCHEMAS,
    VERDICT,
    looks_at_both,
    looks_at_disk,
)
from clients.vendors import NAMES, Vendors

TOOLS: list[ChatCompletionFunctionToolParam] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": DESCRIPTIONS[name],
            "parameters": dict(schema),
        },
    }
    for name, schema in SCHEMAS.items()
]


@pytest.fixture
def client(openai_sdk: openai.OpenAI) -> openai.OpenAI:
    """The SDK under test."""
    return openai_sdk


def functions(message: ChatCompletionMessage) -> list[ChatCompletionMessageFunctionToolCall]:
    """The calls of a message, which are all of functions."""
    calls = message.tool_calls or []
    assert all(isinstance(call, ChatCompletionMessageFunctionToolCall) for call in calls)
    return [c for c in calls if isinstance(c, ChatCompletionMessageFunctionToolCall)]


def with_results(message: ChatCompletionMessage) -> list[ChatCompletionMessageParam]:
    """A message with calls, as the SDK gave it, and what the tools found."""
    said: Any = message.model_dump(exclude_none=True)
    results: list[ChatCompletionMessageParam] = [
        {"role": "tool", "tool_call_id": call.id, "content": RESULTS[call.function.name]}
        for call in functions(message)
    ]
    return [said, *results]


@pytest.mark.parametrize("name", NAMES)
def test_a_tool_is_used(client: openai.OpenAI, vendors: Vendors, name: str) -> None:
    """The model's call, its result, and the answer that builds on it, through every vendor."""
    vendors.say(looks_at_disk, name)
    asked: list[ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]

    first = client.chat.completions.create(model=name, messages=asked, tools=TOOLS)
    [call] = functions(first.choices[0].message)
    second = client.chat.completions.create(
        model=name, messages=[*asked, *with_results(first.choices[0].message)], tools=TOOLS
    )

    assert first.choices[0].finish_reason == "tool_calls"
    assert call.id
    assert call.function.name == "disk_usage"
    assert json.loads(call.function.arguments) == PATH
    assert second.choices[0].message.content == VERDICT
    assert second.choices[0].finish_reason == "stop"
    assert vendors.asked() == [name, name]


@pytest.mark.parametrize("name", NAMES)
def test_two_tools_are_used_at_once(client: openai.OpenAI, vendors: Vendors, name: str) -> None:
    """Parallel calls have ids of their own, and both results reach the model."""
    vendors.say(looks_at_both, name)
    asked: list[ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]

    first = client.chat.completions.create(model=name, messages=asked, tools=TOOLS)
    calls = functions(first.choices[0].message)
    second = client.chat.completions.create(
        model=name, messages=[*asked, *with_results(first.choices[0].message)], tools=TOOLS
    )

    assert [call.function.name for call in calls] == ["disk_usage", "uptime"]
    assert len({call.id for call in calls}) == 2
    assert second.choices[0].message.content == VERDICT


@pytest.mark.parametrize("name", NAMES)
def test_tools_are_used_while_streaming(client: openai.OpenAI, vendors: Vendors, name: str) -> None:
    """The SDK's stream helper puts the calls together; their results go back like any other."""
    vendors.say(looks_at_both, name)
    asked: list[ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]

    with client.chat.completions.stream(model=name, messages=asked, tools=TOOLS) as stream:
        first = stream.get_final_completion().choices[0]
    calls = functions(first.message)
    with client.chat.completions.stream(
        model=name, messages=[*asked, *with_results(first.message)], tools=TOOLS
    ) as stream:
        second = stream.get_final_completion().choices[0]

    assert first.finish_reason == "tool_calls"
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        ("disk_usage", PATH),
        ("uptime", {}),
    ]
    assert second.message.content == VERDICT


@pytest.mark.parametrize("name", NAMES)
def test_chunks_of_calls_are_numbered(client: openai.OpenAI, vendors: Vendors, name: str) -> None:
    """Each call's first chunk has id and name, the others only arguments, as clients expect."""
    vendors.say(looks_at_both, name)
    with client.chat.completions.create(
        model=name, messages=[{"role": "user", "content": QUESTION}], tools=TOOLS, stream=True
    ) as stream:
        pieces = [
            piece
            for chunk in stream
            if chunk.choices
            for piece in chunk.choices[0].delta.tool_calls or ()
        ]

    for index, tool in enumerate(SCHEMAS):
        first, *rest = [piece for piece in pieces if piece.index == index]
        assert first.id
        assert first.function is not None
        assert first.function.name == tool
        assert all(piece.id is None for piece in rest)
        assert all(piece.function and not piece.function.name for piece in rest)
    assert {piece.index for piece in pieces} == {0, 1}


def test_a_tool_that_must_be_used_is_demanded(client: openai.OpenAI, vendors: Vendors) -> None:
    """``tool_choice`` reaches the vendors in their own words; who has none is passed over."""
    vendors.say(looks_at_disk)
    answer = client.chat.completions.with_raw_response.create(
        model="auto",
        messages=[{"role": "user", "content": QUESTION}],
        tools=TOOLS,
        tool_choice="required",
        extra_body={"providers": ["local", "anthropic"]},
    )
    assert answer.headers["x-faultmaven-provider"] == "anthropic"
    assert vendors.asked() == ["anthropic"]
    assert vendors.last("anthropic").fields["tool_choice"]["type"] == "any"
