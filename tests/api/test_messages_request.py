"""What a request of Anthropic's protocol means to the chain."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from api.playing import ASKED
from faultmaven.api.anthropic.counting import estimated_tokens
from faultmaven.api.anthropic.request import Asked, MessagesRequest, asked
from faultmaven.models.completion import CompletionQuestion
from faultmaven.models.faults import field_faults
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

PNG = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
DF = {"name": "df", "input_schema": {"type": "object"}}


def read(timeout: str | None = None, **fields: Any) -> Asked:
    """Read a request with further fields."""
    body = MessagesRequest.model_validate_json(json.dumps({**ASKED, **fields}))
    return asked(body, timeout)


def faults(**fields: Any) -> dict[str, str]:
    """Tell what is wrong with a request, by field."""
    with pytest.raises(ValidationError) as caught:
        read(**fields)
    details = caught.value.errors(include_input=False, include_url=False)
    return {fault.field: fault.message for fault in field_faults(details)}


def messages_of(*turns: tuple[str, Any]) -> tuple[Message, ...]:
    """Read a conversation."""
    sent = [{"role": role, "content": content} for role, content in turns]
    return read(messages=sent).question.messages


def test_the_smallest_request_asks_for_nothing_more() -> None:
    """What was not sent is not asked."""
    question = CompletionQuestion("auto", (Message("user", "What is wrong?"),), max_tokens=64)
    assert read() == Asked(question, stream=False, shows_thoughts=False)


@pytest.mark.parametrize(
    "system", ["Be brief.", [{"type": "text", "text": "Be brief.", "cache_control": {"ttl": "1h"}}]]
)
def test_the_system_prompt_comes_first(system: Any) -> None:
    """As a text or as blocks; what is said of caching has no meaning here."""
    question = read(system=system).question
    assert question.messages[0] == Message("system", "Be brief.")


def test_a_turn_with_results_becomes_several() -> None:
    """Each tool's result is a message, what the user says beside them follows."""
    results = [
        {"type": "tool_result", "tool_use_id": "a", "content": "91 %"},
        {
            "type": "tool_result",
            "tool_use_id": "b",
            "is_error": True,
            "content": [{"type": "text", "text": "denied"}, {"type": "image", "source": PNG}],
        },
        {"type": "tool_result", "tool_use_id": "c"},
    ]
    said = [{"type": "text", "text": "And now?"}, {"type": "text", "text": "Be quick."}]
    assert messages_of(("user", [*results, *said])) == (
        Message("tool", "91 %", tool_call_id="a"),
        Message(
            "tool",
            "denied",
            images=(Image("image/png", "AAAA"),),
            tool_call_id="b",
            failed=True,
        ),
        Message("tool", "", tool_call_id="c"),
        Message("user", "And now?\n\nBe quick."),
    )


def test_results_alone_leave_no_empty_turn() -> None:
    """Vendors refuse a user who says nothing."""
    result = {"type": "tool_result", "tool_use_id": "a", "content": "91 %"}
    assert messages_of(("user", [result])) == (Message("tool", "91 %", tool_call_id="a"),)


def test_what_the_assistant_did_comes_back() -> None:
    """Text, calls, and thoughts with their proof, readable or not."""
    said = [
        {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xyz"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "a", "name": "df", "input": {"path": "/é", "n": [1]}},
    ]
    (message,) = messages_of(("assistant", said))
    assert message == Message(
        "assistant",
        "I look.",
        tool_calls=(ToolCall("a", "df", '{"path":"/é","n":[1]}'),),
        thoughts=(Thought("Hm.", "sig"), Thought(hidden="xyz")),
    )


def test_pictures_are_sent_or_named() -> None:
    """Bytes, or an address that nobody here fetches."""
    content = [
        {"type": "image", "source": PNG},
        {"type": "image", "source": {"type": "url", "url": "https://host.example/a.png"}},
    ]
    (message,) = messages_of(("user", content))
    named = Image(url="https://host.example/a.png")
    assert message == Message("user", "", images=(Image("image/png", "AAAA"), named))


def test_a_system_turn_may_stand_in_the_middle() -> None:
    """Clients send reminders so."""
    said = messages_of(("user", "Hi"), ("system", "Be brief."))
    assert said == (Message("user", "Hi"), Message("system", "Be brief."))


def test_tools_are_offered() -> None:
    """With all that is said of them."""
    described = {**DF, "type": "custom", "description": "disk use", "strict": True}
    controls = read(tools=[described]).question.controls
    assert controls == Controls(tools=(Tool("df", "disk use", {"type": "object"}, strict=True),))


@pytest.mark.parametrize(
    ("sent", "choice"),
    [
        ({"type": "auto"}, ToolChoice("auto")),
        ({"type": "any"}, ToolChoice("required")),
        ({"type": "none"}, ToolChoice("none")),
        ({"type": "tool", "name": "df"}, ToolChoice("tool", "df")),
    ],
)
def test_tools_may_must_or_must_not_be_used(sent: Any, choice: ToolChoice) -> None:
    """Each of Anthropic's words has one of ours."""
    assert read(tools=[DF], tool_choice=sent).question.controls.tool_choice == choice


@pytest.mark.parametrize(("alone", "several"), [(True, False), (False, True), (None, None)])
def test_calls_may_be_kept_apart(alone: bool | None, several: bool | None) -> None:  # noqa: FBT001 - a parameter of the test
    """Anthropic's word for it is the opposite of ours."""
    choice = {"type": "auto", "disable_parallel_tool_use": alone}
    assert read(tools=[DF], tool_choice=choice).question.controls.parallel_tool_calls is several


@pytest.mark.parametrize("place", ["output_config", "output_format"])
def test_the_form_of_the_answer_is_a_demand(place: str) -> None:
    """Under its name of today and its earlier one."""
    form = {"type": "json_schema", "schema": {"type": "object"}}
    sent = {"output_config": {"format": form}} if place == "output_config" else {place: form}
    assert read(**sent).question.controls.response_format == ResponseFormat({"type": "object"})


def test_every_other_wish_finds_its_place() -> None:
    """What others know too in common words, what only Anthropic knows as it is."""
    question = read(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        stop_sequences=["END", ""],
        metadata={"user_id": "u-1"},
        output_config={"effort": "low", "task_budget": 3},
        thinking={"type": "adaptive"},
        context_management={"edits": []},
        speed=None,
    ).question
    assert (question.temperature, question.stop) == (0.5, ("END",))
    assert question.controls.parameters == {
        "top_p": 0.9,
        "top_k": 40,
        "user": "u-1",
        "reasoning_effort": "low",
    }
    assert question.controls.native == {
        "anthropic": {
            "thinking": {"type": "adaptive"},
            "output_config": {"task_budget": 3},
            "context_management": {"edits": []},
        }
    }


@pytest.mark.parametrize(
    ("thinking", "shown"),
    [
        ({"type": "enabled", "budget_tokens": 1024}, True),
        ({"type": "adaptive"}, True),
        ({"type": "adaptive", "display": "omitted"}, False),
        ({"type": "disabled"}, False),
        (None, False),
    ],
)
def test_thoughts_are_shown_to_who_asks(thinking: Any, shown: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Of whichever vendor."""
    assert read(thinking=thinking).shows_thoughts is shown


def test_the_gateways_own_fields_count() -> None:
    """Threshold, money, order; and of two deadlines the earlier."""
    sent = {
        "confidence_threshold": 0.7,
        "require_confidence": True,
        "max_cost_usd": 0.5,
        "providers": ["one", "two"],
        "deadline_ms": 5_000,
    }
    question = read("2", **sent).question
    assert (question.confidence_threshold, question.require_confidence) == (0.7, True)
    assert (question.max_cost_usd, question.providers) == (0.5, ("one", "two"))
    assert question.timeout == 2
    assert read("9", **sent).question.timeout == 5


def content_of(*blocks: Any, role: str = "user") -> list[Any]:
    """Write a conversation of one turn."""
    return [{"role": role, "content": list(blocks)}]


CALL = {"type": "tool_use", "id": "a", "name": "df", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "a"}


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"max_tokens": None}, "max_tokens", "must be a whole number"),
        ({"max_tokens": 0}, "max_tokens", "must be at least 1"),
        ({"model": "a b"}, "model", "is not a model's name"),
        ({"messages": []}, "messages", "must have at least 1 entry"),
        ({"messages": content_of()}, "messages.0.content", "must not be blank"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages.0.content", "blank"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "messages.0.role", "must be one of"),
        ({"messages": [{"role": "user", "content": 4}]}, "messages.0.content", "must be a list"),
        ({"messages": content_of({"type": "document"})}, "messages.0.content.0.type", "document"),
        (
            {"messages": content_of({"type": "secret"})},
            "messages.0.content.0.type",
            "is not a type",
        ),
        ({"messages": content_of({"text": "a"})}, "messages.0.content.0.type", "is missing"),
        ({"messages": content_of({"type": "text"})}, "messages.0.content.0.text", "is missing"),
        ({"messages": content_of(CALL)}, "messages.0.content.0.type", "cannot hold"),
        (
            {"messages": content_of(RESULT, role="assistant")},
            "messages.0.content.0.type",
            "is tool_result, which the assistant's message cannot hold",
        ),
        (
            {"messages": content_of({**RESULT, "content": [CALL]})},
            "messages.0.content.0.content.0.type",
            "a tool's result cannot hold",
        ),
        (
            {"messages": content_of({**CALL, "input": "x"}, role="assistant")},
            "messages.0.content.0.input",
            "must be an object",
        ),
        (
            {"messages": content_of({**CALL, "input": {"a": float("nan")}}, role="assistant")},
            "messages.0.content.0.input",
            "NaN",
        ),
        (
            {"messages": content_of({"type": "image", "source": {"type": "file"}})},
            "messages.0.content.0.source.type",
            "must be base64 or url",
        ),
        (
            {"messages": content_of({"type": "image", "source": {"type": "url", "url": "x"}})},
            "messages.0.content.0.source.url",
            "must be a web address",
        ),
        (
            {"messages": content_of({"type": "image", "source": {"type": "base64"}})},
            "messages.0.content.0.source.media_type",
            "must be a picture's",
        ),
        ({"system": [{"type": "image", "source": PNG}]}, "system.0.type", "the system prompt"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "tools.0.type", "Anthropic"),
        ({"tools": [{"name": "df"}]}, "tools.0.input_schema", "is missing"),
        ({"tools": [{"input_schema": {}}]}, "tools.0.name", "is missing"),
        ({"tool_choice": {"type": "any"}}, "tool_choice", "there is none"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name", "is missing"),
        (
            {"tools": [DF], "tool_choice": {"type": "tool", "name": "du"}},
            "tool_choice.name",
            "is none of the tools",
        ),
        ({"temperature": 1.5}, "temperature", "must be at most 1"),
        ({"confidence_threshold": 2}, "confidence_threshold", "must be at most 1"),
        ({"further": float("inf")}, "further", "NaN or Infinity"),
        ({"output_config": {"f": float("inf")}}, "output_config.f", "NaN or Infinity"),
        (
            {"messages": content_of({"type": "image", "source": {**PNG, "data": "!!!not"}})},
            "messages.0.content.0.source.data",
            "holds no valid base64",
        ),
        ({f"f{number}": 1 for number in range(60)}, "body", "more than 50 fields"),
    ],
)
def test_what_is_wrong_is_named(fields: Any, field: str, words: str) -> None:
    """The field's place and what is wrong there."""
    assert words in faults(**fields)[field]


def count(**fields: Any) -> int:
    """Estimate a conversation's tokens."""
    return estimated_tokens(MessagesRequest.model_validate({**ASKED, **fields}))


def test_an_estimate_grows_with_all_that_is_sent() -> None:
    """Words, system prompt, tools, pictures; other scripts count for more."""
    picture = {"role": "user", "content": [{"type": "image", "source": PNG}]}
    less = count()
    assert 4 < less < 12
    assert count(system="Be brief.") > less
    assert count(tools=[DF]) > less
    assert count(messages=[picture]) > 1000
    latin = count(messages=[{"role": "user", "content": "disk " * 100}])
    assert 100 <= latin <= 200
    assert count(messages=[{"role": "user", "content": "磁盘满了吗 " * 100}]) > 2 * latin
