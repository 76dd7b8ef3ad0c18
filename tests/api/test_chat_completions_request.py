"""What OpenAI's request means here, and what is refused, with the field that is at fault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api.chatting import ASKED, CHAT, asked, error_of
from api.playing import Playing
from api.service import client_of, container_of
from faultmaven.api.openai.question import question_of
from faultmaven.api.openai.request import ChatRequest
from faultmaven.models.completion import CompletionQuestion
from faultmaven.models.prompt import (
    Controls,
    Image,
    Message,
    ResponseFormat,
    Thought,
    Tool,
    ToolCall,
    ToolChoice,
)

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
DF = {"type": "function", "function": {"name": "df", "description": "Disk", "strict": True}}
CALL = {"id": "c1", "type": "function", "function": {"name": "df", "arguments": "{}"}}


def question(**fields: Any) -> CompletionQuestion:
    """Read a request as the route does."""
    body = json.dumps({**ASKED, **fields})
    return question_of(ChatRequest.model_validate_json(body))


def messages(*sent: dict[str, Any]) -> tuple[Message, ...]:
    """Read a conversation."""
    return question(messages=list(sent)).messages


def controls(**fields: Any) -> Controls:
    """Read what is asked of the model beside the conversation."""
    return question(**fields).controls


def test_every_role_has_its_place() -> None:
    """Developers speak as the system; a result belongs to its call."""
    assert messages(
        {"role": "developer", "content": "Be brief."},
        {"role": "system", "content": [{"type": "text", "text": "In English."}]},
        {"role": "user", "content": "Is it full?", "name": "ann"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "99%"}]},
        {"role": "assistant", "content": "Yes.", "refusal": None, "annotations": []},
    ) == (
        Message("system", "Be brief."),
        Message("system", "In English."),
        Message("user", "Is it full?", name="ann"),
        Message("assistant", "", tool_calls=(ToolCall("c1", "df", "{}"),)),
        Message("tool", "99%", tool_call_id="c1"),
        Message("assistant", "Yes."),
    )


def test_a_refusal_is_what_was_said() -> None:
    """As a part or as the message's own field."""
    part = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    field = {"role": "assistant", "content": None, "refusal": "No."}
    assert messages(part, field) == (Message("assistant", "No."),) * 2


def test_the_old_words_are_calls_and_results() -> None:
    """A function_call gets an id, and the function's message refers to it."""
    first = {"role": "assistant", "content": None, "function_call": CALL["function"]}
    result = {"role": "function", "name": "df", "content": "99%"}
    assert messages(first, result, first, result) == (
        Message("assistant", "", tool_calls=(ToolCall("call_1", "df", "{}"),)),
        Message("tool", "99%", tool_call_id="call_1"),
        Message("assistant", "", tool_calls=(ToolCall("call_2", "df", "{}"),)),
        Message("tool", "99%", tool_call_id="call_2"),
    )


def test_pictures_are_bytes_or_addresses() -> None:
    """A data URL is taken apart, an address stays one; texts are joined line by line."""
    url = f"data:image/png;name=a.png;base64,{PIXEL}"
    parts = [
        {"type": "text", "text": "What is"},
        {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
        {"type": "text", "text": "this?"},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    ]
    assert messages({"role": "user", "content": parts}) == (
        Message(
            "user",
            "What is\nthis?",
            (
                Image("image/png", PIXEL, detail="low"),
                Image(url="https://example.org/a.png"),
            ),
        ),
    )


def test_a_vendors_own_thoughts_come_back() -> None:
    """Signatures and signed thoughts are read where the answer put them."""
    extra = {"google": {"thought_signature": "c2ln"}}
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "eHg="},
    ]
    (message,) = messages(
        {
            "role": "assistant",
            "content": None,
            "thinking_blocks": blocks,
            "reasoning_content": "Hm.",
            "tool_calls": [{**CALL, "extra_content": extra}],
        }
    )
    assert message.tool_calls == (ToolCall("c1", "df", "{}", "c2ln"),)
    assert message.thoughts == (Thought("Hm.", "c2ln"), Thought(hidden="eHg="))


def test_tools_and_their_choice() -> None:
    """Everything about tools has its place."""
    schema = {"type": "object", "properties": {"path": {"type": "string"}}}
    function = {"name": "du", "parameters": schema}
    found = controls(
        tools=[DF, {"type": "function", "function": function}],
        tool_choice={"type": "function", "function": {"name": "du"}},
        parallel_tool_calls=False,
    )
    assert found.tools == (Tool("df", "Disk", strict=True), Tool("du", "", schema))
    assert found.tool_choice == ToolChoice("tool", "du")
    assert found.parallel_tool_calls is False


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({"tools": [DF], "tool_choice": "required"}, ToolChoice("required")),
        ({"tools": [DF], "tool_choice": "none"}, ToolChoice("none")),
        ({"tools": [DF]}, None),
        ({"tool_choice": "auto"}, None),
        ({"functions": [{"name": "df"}], "function_call": "auto"}, ToolChoice("auto")),
        (
            {"functions": [{"name": "df"}], "function_call": {"name": "df"}},
            ToolChoice("tool", "df"),
        ),
    ],
)
def test_choices_of_a_tool(fields: dict[str, Any], choice: ToolChoice | None) -> None:
    """In new words and in old ones; without tools there is nothing to choose."""
    assert controls(**fields).tool_choice == choice


def test_the_old_words_know_one_call_only() -> None:
    """So several at once are not asked for."""
    assert controls(functions=[{"name": "df"}]).parallel_tool_calls is False


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, ResponseFormat()),
        (
            {
                "type": "json_schema",
                "json_schema": {"name": "d", "strict": True, "schema": {"type": "object"}},
            },
            ResponseFormat({"type": "object"}, "d", strict=True),
        ),
    ],
)
def test_forms_of_the_answer(sent: Any, wanted: ResponseFormat | None) -> None:
    """Text needs no form; an object may have a schema."""
    assert controls(response_format=sent).response_format == wanted


def test_further_fields_keep_their_names() -> None:
    """What OpenAI documents travels as parameters, null standing for absence."""
    fields = {
        "top_p": 0.5,
        "top_k": 40,
        "seed": -7,
        "presence_penalty": -2,
        "frequency_penalty": 2,
        "logit_bias": {"50256": -100},
        "logprobs": True,
        "top_logprobs": 5,
        "reasoning_effort": "low",
        "verbosity": "low",
        "user": "ann",
        "safety_identifier": "a1",
        "prompt_cache_key": "k",
        "metadata": {"a": "b"},
        "service_tier": "flex",
        "store": False,
        "prediction": {"type": "content", "content": "x"},
        "web_search_options": {},
    }
    nothing = dict.fromkeys(("audio", "stop", "tools", "response_format", "max_tokens"))
    found = controls(**fields, **nothing, modalities=["text"], n=1)
    assert found.parameters == fields
    assert found == Controls(parameters=fields)


def test_unknown_fields_travel_apart() -> None:
    """They are for providers that speak this protocol, and for nobody else."""
    found = controls(guided_json={"a": 1}, top_p=None)
    assert found.native == {"openai": {"guided_json": {"a": 1}}}
    assert not found.parameters


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({}, None),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 7}, 7),
        ({"max_tokens": 5, "max_completion_tokens": 7}, 7),
    ],
)
def test_the_newer_limit_of_tokens_wins(fields: dict[str, int], tokens: int | None) -> None:
    """Clients in transition send both."""
    assert question(**fields).max_tokens == tokens


@pytest.mark.parametrize(
    ("sent", "stops"),
    [(None, ()), ("END", ("END",)), (["a", "b", "c", "d"], ("a", "b", "c", "d")), ([], ())],
)
def test_stops_are_one_text_or_several(sent: Any, stops: tuple[str, ...]) -> None:
    """As the original takes them."""
    assert question(stop=sent).stop == stops


def said(content: Any, role: str = "user", **fields: Any) -> dict[str, Any]:
    """Write a request of one message."""
    return {"messages": [{"role": role, "content": content, **fields}]}


def picture(url: str) -> dict[str, Any]:
    """Write a request with a picture."""
    return said([{"type": "image_url", "image_url": {"url": url}}])


REFUSED: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"n": 2}, "n", "must be 1"),
    ({"model": None}, "model", "must be a string"),
    ({"model": "a b"}, "model", "is not a model's name"),
    ({"messages": []}, "messages", "must have at least 1 entry"),
    ({"messages": "hello"}, "messages", "must be a list"),
    (said(None), "messages.0.content", "is missing"),
    (said(7), "messages.0.content", "must be a list"),
    (said("x", role="narrator"), "messages.0.role", "must be one of"),
    (said(None, role="assistant"), "messages.0.content", "is missing"),
    (said("x", role="tool"), "messages.0.tool_call_id", "is missing"),
    (said("x", role="function"), "messages.0.name", "is missing"),
    (said([{"type": "input_audio"}]), "messages.0.content.0.type", "cannot be input_audio"),
    (said([{"type": "file"}]), "messages.0.content.0.type", "cannot be file"),
    (said([{"type": "marker"}]), "messages.0.content.0.type", "must be text, image_url"),
    (said([{"type": "text"}]), "messages.0.content.0.text", "is missing"),
    (picture("ftp://marker/a.png"), "messages.0.content.0.image_url.url", "must be an https"),
    (picture("data:image/png,marker"), "messages.0.content.0.image_url.url", "must be an https"),
    (picture("data:image/png;base64,@@@"), "messages.0.content.0.image_url.url", "valid base64"),
    (picture("data:image/png;base64,"), "messages.0.content.0.image_url.url", "valid base64"),
    (
        said([{"type": "image_url", "image_url": {"url": "https://x/y"}}], role="system"),
        "messages.0.content",
        "holds an image",
    ),
    (
        said(None, role="assistant", tool_calls=[{**CALL, "type": "custom"}]),
        "messages.0.tool_calls.0.type",
        "must be one of 'function'",
    ),
    ({"tools": [{"type": "web_search"}]}, "tools.0.type", "must be one of 'function'"),
    ({"tools": [DF], "tool_choice": "marker"}, "tool_choice", "must be one of"),
    (
        {"tools": [DF], "tool_choice": {"type": "function", "function": {"name": "marker"}}},
        "tool_choice",
        "demands a tool",
    ),
    ({"tool_choice": "required"}, "tool_choice", "demands a tool"),
    ({"function_call": {"name": "marker"}}, "function_call", "demands a tool"),
    ({"response_format": {"type": "marker"}}, "response_format.type", "must be one of"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "is missing"),
    ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "at most 4"),
    ({"stop": [""]}, "stop", "empty text"),
    ({"temperature": 3}, "temperature", "must be at most 2"),
    ({"temperature": "1"}, "temperature", "must be a number"),
    ({"max_tokens": 0}, "max_tokens", "must be at least 1"),
    ({"top_p": 2}, "top_p", "must be at most 1"),
    ({"logit_bias": {"marker": 200}}, "logit_bias", "must map token ids"),
    ({"top_logprobs": 3}, "top_logprobs", "needs logprobs"),
    ({"modalities": ["text", "audio"]}, "modalities", "can only be text"),
    ({"audio": {"voice": "marker"}}, "audio", "cannot be asked for"),
    ({"stream_options": {"include_usage": True}}, "stream_options", "only allowed when stream"),
    ({"confidence_threshold": 2}, "confidence_threshold", "must be at most 1"),
    ({"providers": ["nobody"]}, "providers", "names a provider that is not configured"),
)


@pytest.mark.parametrize(
    ("fields", "param", "message"),
    REFUSED,
    ids=[f"{n}-{case[1]}" for n, case in enumerate(REFUSED)],
)
async def test_what_is_wrong_is_named(
    tmp_path: Path, fields: dict[str, Any], param: str, message: str
) -> None:
    """Status 400 as OpenAI has it, with field and reason, never with what was sent."""
    llm = Playing()
    async with client_of(container_of(tmp_path, llm=llm)) as client:
        response = await client.post(CHAT, json=asked(**fields))
    error = error_of(response, 400)
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert message in error["message"]
    assert "marker" not in response.text
    assert not llm.options


async def test_a_flood_of_unknown_fields_is_refused(tmp_path: Path) -> None:
    """Some may be news of tomorrow; thousands are a mistake."""
    flood = {f"field_{number}": 1 for number in range(1000)}
    async with client_of(container_of(tmp_path, llm=Playing())) as client:
        response = await client.post(CHAT, json=asked(**flood))
    assert "more than 50 fields" in error_of(response, 400)["message"]
