"""A conversation whose tools one vendor asked for, continued by any other one."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import anthropic
import openai
import pytest
from anthropic.types import MessageParam, ToolParam, ToolResultBlockParam
from openai.types.chat import (
    ChatCompletionFunctionToolParam,
    ChatCompletionMessage,
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionMessageParam,
)

from clients.scenes import (
    DESCRIPTIONS,
    DISK,
    QUESTION,
    RESULTS,
    SCHEMAS,
    UPTIME,
    VERDICT,
    looks_at_both,
)
from clients.vendors import NAMES, Vendors
from upstreams import Answer, Request

PAIRS = tuple(permutations(NAMES, 2))
THOUGHT = "First the disk, then how long it has been up."

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
NATIVE_TOOLS: list[ToolParam] = [
    {"name": name, "description": DESCRIPTIONS[name], "input_schema": dict(schema)}
    for name, schema in SCHEMAS.items()
]


@pytest.fixture
def client(openai_sdk: openai.OpenAI) -> openai.OpenAI:
    """The SDK under test."""
    return openai_sdk


def thinks_first(request: Request) -> Answer:
    """A model that thinks, asks for two tools, and tells what they say."""
    said = looks_at_both(request)
    return Answer(text=said.text, finish=said.finish, tool_calls=said.tool_calls, thinking=THOUGHT)


def first_turn(
    client: openai.OpenAI, name: str, *, stream: bool
) -> list[ChatCompletionMessageParam]:
    """The conversation up to the results of the tools that ``name`` asked for."""
    asked: list[ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]
    if stream:
        with client.chat.completions.stream(model=name, messages=asked, tools=TOOLS) as told:
            message: ChatCompletionMessage = told.get_final_completion().choices[0].message
    else:
        answer = client.chat.completions.create(model=name, messages=asked, tools=TOOLS)
        message = answer.choices[0].message
    said: Any = message.model_dump(exclude_none=True)
    results: list[ChatCompletionMessageParam] = [
        {"role": "tool", "tool_call_id": call.id, "content": RESULTS[call.function.name]}
        for call in message.tool_calls or ()
        if isinstance(call, ChatCompletionMessageFunctionToolCall)
    ]
    assert len(results) == len(RESULTS)
    return [*asked, said, *results]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_the_next_vendor_continues(
    client: openai.OpenAI, vendors: Vendors, first: str, second: str, *, stream: bool
) -> None:
    """With the first vendor gone, the next takes calls and results that it never asked for.

    Ids, signatures and thoughts of the first must not make it refuse; the upstream judges that
    as its vendor does.
    """
    vendors.say(thinks_first)
    turns = first_turn(client, first, stream=stream)
    vendors.stop(first)

    answer = client.chat.completions.with_raw_response.create(
        model="auto", messages=turns, tools=TOOLS, extra_body={"providers": [first, second]}
    )

    assert answer.headers["x-faultmaven-provider"] == second
    assert answer.parse().choices[0].message.content == VERDICT
    sent = json.dumps(vendors.last(second).fields, ensure_ascii=False)
    assert DISK in sent
    assert UPTIME in sent
    assert vendors.asked() == [first, second]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_the_next_vendor_continues_for_a_claude_client(
    anthropic_sdk: anthropic.Anthropic, vendors: Vendors, first: str, second: str
) -> None:
    """The same through Anthropic's protocol: what its SDK got goes back as it came."""
    vendors.say(thinks_first)
    asked: list[MessageParam] = [{"role": "user", "content": QUESTION}]
    with anthropic_sdk.messages.stream(
        model=first, max_tokens=500, messages=asked, tools=NATIVE_TOOLS
    ) as stream:
        message = stream.get_final_message()
    results: list[ToolResultBlockParam] = [
        {"type": "tool_result", "tool_use_id": block.id, "content": RESULTS[block.name]}
        for block in message.content
        if block.type == "tool_use"
    ]
    turns: list[MessageParam] = [
        *asked,
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": results},
    ]
    vendors.stop(first)
    with anthropic_sdk.messages.stream(
        model="auto",
        max_tokens=500,
        messages=turns,
        tools=NATIVE_TOOLS,
        extra_body={"providers": [first, second]},
    ) as stream:
        said = "".join(stream.text_stream)

    assert len(results) == len(RESULTS)
    assert said == VERDICT
    assert vendors.asked() == [first, second]


@pytest.mark.parametrize("name", NAMES)
def test_a_conversation_comes_home(client: openai.OpenAI, vendors: Vendors, name: str) -> None:
    """Every vendor takes back its own calls and those of all the others in one conversation."""
    vendors.say(thinks_first)
    turns: list[ChatCompletionMessageParam] = []
    for other in (*NAMES, name):
        turns += first_turn(client, other, stream=False)
        turns.append({"role": "assistant", "content": VERDICT})
    turns.append({"role": "user", "content": "And now?"})

    answer = client.chat.completions.create(model=name, messages=turns, tools=TOOLS)

    assert answer.choices[0].message.content == VERDICT
