"""The anthropic SDK: tools, from the model's call over the result to the answer."""

from __future__ import annotations

import anthropic
import pytest
from anthropic.types import Message, MessageParam, ToolParam, ToolResultBlockParam, ToolUseBlock

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

TOOLS: list[ToolParam] = [
    {"name": name, "description": DESCRIPTIONS[name], "input_schema": dict(schema)}
    for name, schema in SCHEMAS.items()
]
ASKED: list[MessageParam] = [{"role": "user", "content": QUESTION}]


@pytest.fixture
def client(anthropic_sdk: anthropic.Anthropic) -> anthropic.Anthropic:
    """The SDK under test."""
    return anthropic_sdk


def uses(message: Message) -> list[ToolUseBlock]:
    """The calls of a message."""
    return [block for block in message.content if block.type == "tool_use"]


def with_results(message: Message) -> list[MessageParam]:
    """The conversation so far: a message as the SDK gave it, and what the tools found."""
    results: list[ToolResultBlockParam] = [
        {"type": "tool_result", "tool_use_id": use.id, "content": RESULTS[use.name]}
        for use in uses(message)
    ]
    return [
        *ASKED,
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": results},
    ]


def verdict(message: Message) -> str:
    """The text of a message's blocks."""
    return "".join(block.text for block in message.content if block.type == "text")


@pytest.mark.parametrize("name", NAMES)
def test_a_tool_is_used(client: anthropic.Anthropic, vendors: Vendors, name: str) -> None:
    """The model's call, its result, and the answer that builds on it, through every vendor."""
    vendors.say(looks_at_disk, name)
    first = client.messages.create(model=name, max_tokens=500, messages=ASKED, tools=TOOLS)
    [use] = uses(first)
    second = client.messages.create(
        model=name, max_tokens=500, messages=with_results(first), tools=TOOLS
    )
    assert first.stop_reason == "tool_use"
    assert use.id
    assert (use.name, use.input) == ("disk_usage", PATH)
    assert verdict(second) == VERDICT
    assert second.stop_reason == "end_turn"
    assert vendors.asked() == [name, name]


@pytest.mark.parametrize("name", NAMES)
def test_two_tools_are_used_while_streaming(
    client: anthropic.Anthropic, vendors: Vendors, name: str
) -> None:
    """Each call is a block of its own, put together by the SDK; both results reach the model."""
    vendors.say(looks_at_both, name)
    with client.messages.stream(model=name, max_tokens=500, messages=ASKED, tools=TOOLS) as stream:
        first = stream.get_final_message()
    with client.messages.stream(
        model=name, max_tokens=500, messages=with_results(first), tools=TOOLS
    ) as stream:
        second = stream.get_final_message()
    assert first.stop_reason == "tool_use"
    assert [(use.name, use.input) for use in uses(first)] == [("disk_usage", PATH), ("uptime", {})]
    assert len({use.id for use in uses(first)}) == 2
    assert verdict(second) == VERDICT


def test_a_failed_tool_is_told(client: anthropic.Anthropic, vendors: Vendors) -> None:
    """``is_error`` reaches Anthropic as it was said."""
    vendors.say(looks_at_disk, "anthropic")
    first = client.messages.create(model="anthropic", max_tokens=500, messages=ASKED, tools=TOOLS)
    turns = with_results(first)
    turns[-1] = {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": uses(first)[0].id,
                "content": "df: permission denied",
                "is_error": True,
            }
        ],
    }
    client.messages.create(model="anthropic", max_tokens=500, messages=turns, tools=TOOLS)
    [result] = vendors.last("anthropic").fields["messages"][-1]["content"]
    assert result["is_error"] is True


def test_a_tool_that_must_be_used_is_demanded(
    client: anthropic.Anthropic, vendors: Vendors
) -> None:
    """``tool_choice`` reaches OpenAI in its own words."""
    vendors.say(looks_at_disk, "openai")
    client.messages.create(
        model="openai",
        max_tokens=500,
        messages=ASKED,
        tools=TOOLS,
        tool_choice={"type": "tool", "name": "disk_usage", "disable_parallel_tool_use": True},
    )
    sent = vendors.last("openai").fields
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "disk_usage"}}
    assert sent["parallel_tool_calls"] is False
