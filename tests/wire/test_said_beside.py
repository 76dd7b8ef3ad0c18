"""What stands beside the conversation's words: names, descriptions, and results without words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from faultmaven.infrastructure.llm.redaction import Redactor
from faultmaven.infrastructure.llm.wire.anthropic_messages import AnthropicMessages
from faultmaven.infrastructure.llm.wire.cohere_chat import CohereChat
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.types import CompletionRequest, Endpoint
from faultmaven.models.interfaces import ProviderConfig
from faultmaven.models.prompt import Controls, Message, ResponseFormat, ToolCall

_KEY = "sk-ant-api03-abcdefghijklmnop1234"
_SCHEMA = {
    "type": "object",
    "properties": {"cause": {"type": "string"}},
    "required": ["cause"],
    "additionalProperties": False,
}
_FORM = ResponseFormat(_SCHEMA, "form", description="What is wrong.")
_NAMED = CompletionRequest(
    model="claude-sonnet-5",
    messages=(Message("system", "Be brief.", name="boss"), Message("user", "Why?", name="bob")),
    controls=Controls(response_format=_FORM),
)
_AT = Endpoint("http://vendor.example")


def _body(codec: Any, request: CompletionRequest) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(codec.encode(request, _AT).body)
    return body


def test_openai_is_told_names_and_descriptions() -> None:
    """Where the protocol has a place for them."""
    body = _body(OpenAIChat(), _NAMED)
    assert [message["name"] for message in body["messages"]] == ["boss", "bob"]
    assert body["response_format"]["json_schema"]["description"] == "What is wrong."
    assert OpenAIChat().ignored(_NAMED) == ()


@pytest.mark.parametrize("codec", [AnthropicMessages(), CohereChat()])
def test_others_say_that_they_are_not(codec: Any) -> None:
    """They are named among what was ignored."""
    told = {"messages.name", "response_format.json_schema.description"}
    assert told <= set(codec.ignored(_NAMED))
    assert "bob" not in json.dumps(_body(codec, _NAMED))


def test_what_is_not_there_is_not_written() -> None:
    """Without names and descriptions the request has no such fields."""
    plain = CompletionRequest(model="model-1", messages=(Message("user", "Why?"),))
    assert "name" not in _body(OpenAIChat(), plain)["messages"][0]
    assert CohereChat().ignored(plain) == ()


def test_neither_carries_a_secret_out() -> None:
    """They are masked as the words are."""
    config = ProviderConfig("openai", "k", "http://vendor.example", ["m"])
    (message,) = Redactor().for_provider((Message("user", "Why?", name=_KEY),), config)
    form = ResponseFormat({}, description=f"the key {_KEY}")
    controls = Redactor().controls_for(Controls(response_format=form), config)
    assert _KEY not in repr((message, controls))


@pytest.mark.parametrize("text", ["", " \n"])
def test_cohere_is_given_a_word_for_an_empty_result(text: str) -> None:
    """It refuses a result that says nothing."""
    request = CompletionRequest(
        model="model-1",
        messages=(
            Message("user", "Why?"),
            Message("assistant", "", tool_calls=(ToolCall("a", "df", "{}"),)),
            Message("tool", text, tool_call_id="a"),
        ),
    )
    (result,) = [m for m in _body(CohereChat(), request)["messages"] if m["role"] == "tool"]
    assert result["content"] == "(empty)"
