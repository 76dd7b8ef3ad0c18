"""Anthropic's rules for tools, thoughts, forms of the answer and further fields."""

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings

from faultmaven.errors import UnsupportedRequestError
from faultmaven.infrastructure.llm.wire.anthropic_messages import AnthropicMessages
from faultmaven.infrastructure.llm.wire.types import CompletionRequest, Endpoint
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
from upstreams.dialects.anthropic_rules import check_fields, check_turns
from wire.conversations import conversations

_ENDPOINT = Endpoint("http://h", "key")
_MODEL = "claude-sonnet-5"
_DF = Tool("df")
_ASK = (Message("user", "Which disk?"),)
_SCHEMA = {"type": "object", "properties": {"disk": {"type": "string"}}}
_THINK = {"thinking": {"type": "enabled", "budget_tokens": 2000}}
_USABLE = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _loop(*thoughts: Thought) -> tuple[Message, ...]:
    """A tool that is being used."""
    call = ToolCall("call_1", "df", "{}")
    return (
        *_ASK,
        Message("assistant", "", tool_calls=(call,), thoughts=thoughts),
        Message("tool", "97 %", tool_call_id="call_1"),
    )


def _asked(
    messages: tuple[Message, ...] = _ASK, *, model: str = _MODEL, **controls: Any
) -> CompletionRequest:
    return CompletionRequest(model, messages, controls=Controls(**controls))


def _sent(request: CompletionRequest) -> Any:
    return json.loads(AnthropicMessages().encode(request, _ENDPOINT).body)


def _blocks(turn: Any, kind: str) -> list[Any]:
    content = turn["content"]
    return [] if isinstance(content, str) else [b for b in content if b["type"] == kind]


@given(messages=conversations)
@settings(max_examples=120)
def test_any_conversation_obeys_the_rules(messages: tuple[Message, ...]) -> None:
    """Turns alternate, each call is answered in the next turn, and every id can be used once."""
    body = _sent(_asked(messages))
    turns = body["messages"]

    check_fields(body)
    check_turns(turns)
    roles = [turn["role"] for turn in turns]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    calls = [block for turn in turns for block in _blocks(turn, "tool_use")]
    assert len({call["id"] for call in calls}) == len(calls)
    assert all(_USABLE.fullmatch(call["id"]) and _USABLE.fullmatch(call["name"]) for call in calls)
    assert all(isinstance(call["input"], dict) for call in calls)


@given(messages=conversations)
@settings(max_examples=120)
def test_any_call_is_answered_at_once(messages: tuple[Message, ...]) -> None:
    """The turn behind calls begins with one result for each, in their order; none stand alone."""
    turns = _sent(_asked(messages))["messages"]

    assert not _blocks(turns[0], "tool_result")
    for turn, following in pairwise(turns):
        called = [block["id"] for block in _blocks(turn, "tool_use")]
        results = [block["tool_use_id"] for block in _blocks(following, "tool_result")]
        assert results == called
        first = following["content"][: len(called)]
        assert not called or all(block["type"] == "tool_result" for block in first)


@given(messages=conversations)
@settings(max_examples=100)
def test_nothing_that_was_said_is_lost(messages: tuple[Message, ...]) -> None:
    """Whatever user, assistant or tool said stands somewhere in what is sent."""
    said = json.dumps(_sent(_asked(messages))["messages"], ensure_ascii=False)

    for message in messages:
        if message.role != "system":
            text = message.text.encode("utf-8", "replace").decode()
            assert json.dumps(text.strip(), ensure_ascii=False)[1:-1] in said


@pytest.mark.parametrize(
    ("choice", "parallel", "sent"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("auto"), None, {"type": "auto"}),
        (ToolChoice("required"), False, {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice("tool", "df"), None, {"type": "tool", "name": "df"}),
        (ToolChoice("none"), False, {"type": "none"}),
    ],
)
def test_choice_of_tools_is_translated(
    *, choice: ToolChoice | None, parallel: bool | None, sent: Any
) -> None:
    """May, must and must not, one at a time or several, have Anthropic's words."""
    request = _asked(tools=(_DF,), tool_choice=choice, parallel_tool_calls=parallel)

    assert _sent(request).get("tool_choice") == sent


def test_strict_tool_is_held_to_its_schema() -> None:
    """A model that knows schemas follows a strict tool's; where it cannot, that is said."""
    strict, other = Tool("df", "", _SCHEMA, strict=True), Tool("du", strict=True)
    request = _asked(tools=(strict,))

    (tool,) = _sent(request)["tools"]

    assert tool["strict"]
    assert tool["input_schema"] == {**_SCHEMA, "additionalProperties": False}
    assert AnthropicMessages().ignored(request) == ()
    older = _asked(tools=(strict,), model="claude-3-haiku-20240307")
    for loose in (older, _asked(tools=(strict,) * 21)):
        assert _sent(loose)["tools"][0] == {"name": "df", "input_schema": _SCHEMA}
        assert AnthropicMessages().ignored(loose) == ("strict",)
    assert AnthropicMessages().ignored(_asked(tools=(other,))) == ()


def test_tools_of_the_past_are_declared() -> None:
    """A conversation that used tools is taken where none is on offer now; none may be used."""
    body = _sent(_asked(_loop(), tool_choice=ToolChoice("required")))

    assert [tool["name"] for tool in body["tools"]] == ["df"]
    assert body["tool_choice"] == {"type": "none"}


def test_failure_without_words_is_given_some() -> None:
    """Anthropic refuses an empty result of a tool that failed."""
    messages = (*_loop()[:2], Message("tool", "", tool_call_id="call_1", failed=True))

    (result,) = _sent(_asked(messages))["messages"][-1]["content"]
    assert result["is_error"]
    assert result["content"].strip()


def test_thoughts_go_back_where_a_tool_is_in_use() -> None:
    """Anthropic's own thoughts lead their turn; those of others and of ended turns stay behind."""
    own, hidden, other = (
        Thought("Look.", "c2ln"),
        Thought(hidden="x"),
        Thought("Hm.", "faultmaven:"),
    )
    ended = Message("assistant", "Hello.", thoughts=(own,))
    messages = (Message("user", "Hi."), ended, *_loop(other, own, hidden))

    turns = _sent(_asked(messages))["messages"]

    assert turns[1]["content"] == "Hello."
    assert turns[3]["content"][:2] == [
        {"type": "thinking", "thinking": "Look.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "x"},
    ]
    assert len(turns[3]["content"]) == 3


def test_thoughts_of_ended_turns_go_back_to_a_thinking_model() -> None:
    """Where the caller turns thinking on, every signed thought goes back."""
    ended = Message("assistant", "Hello.", thoughts=(Thought("Look.", "c2ln"),))
    messages = (Message("user", "Hi."), ended, *_ASK)

    body = _sent(_asked(messages, native={"anthropic": _THINK}))

    assert body["thinking"] == _THINK["thinking"]
    assert [block["type"] for block in body["messages"][1]["content"]] == ["thinking", "text"]


@pytest.mark.parametrize(
    ("thoughts", "native", "kept"),
    [
        ((Thought("Look.", "c2ln"),), _THINK, True),
        ((Thought("Look.", "faultmaven:"),), _THINK, False),
        ((), _THINK, False),
        ((), {"thinking": {"type": "adaptive"}}, True),
        ((), {"thinking": {"type": "disabled"}}, True),
        ((), {"thinking": "nonsense"}, True),
    ],
)
def test_thinking_is_left_out_where_it_would_be_refused(
    *, thoughts: tuple[Thought, ...], native: dict[str, Any], kept: bool
) -> None:
    """A tool whose use another vendor began is used on without thinking, and that is said."""
    request = _asked(_loop(*thoughts), native={"anthropic": native})

    assert ("thinking" in _sent(request)) is kept
    assert AnthropicMessages().ignored(request) == (() if kept else ("thinking",))


def test_thinking_has_room_and_fixes_sampling() -> None:
    """The answer has room behind the thoughts; a thinking model takes no sampling fields."""
    controls = Controls(native={"anthropic": _THINK}, parameters={"top_p": 0.5})
    request = CompletionRequest("claude-opus-4-0", _ASK, temperature=0.2, controls=controls)

    body = _sent(request)

    assert body["max_tokens"] > 2000
    assert not {"temperature", "top_p"} & body.keys()
    assert AnthropicMessages().ignored(request) == ("top_p",)


@pytest.mark.parametrize(
    ("model", "parameters", "sent"),
    [
        ("claude-3-haiku-20240307", {"top_p": 0.5, "top_k": 9}, {"temperature", "top_p", "top_k"}),
        ("claude-haiku-4-5", {"top_p": 0.5, "top_k": 9}, {"temperature", "top_k"}),
        ("claude-opus-4-8", {"top_p": 0.5, "top_k": 9}, set()),
    ],
)
def test_sampling_is_sent_to_whom_takes_it(
    model: str, parameters: dict[str, Any], sent: set[str]
) -> None:
    """Old models take all sampling fields, later ones one or none; what is left out is said."""
    request = CompletionRequest(
        model, _ASK, temperature=0.2, controls=Controls(parameters=parameters)
    )

    assert _sent(request).keys() & {"temperature", "top_p", "top_k"} == sent
    assert set(AnthropicMessages().ignored(request)) == parameters.keys() - sent


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        ("claude-sonnet-5", "minimal", "low"),
        ("claude-opus-4-8", "xhigh", "xhigh"),
        ("claude-opus-4-6", "xhigh", "high"),
        ("claude-sonnet-5", "none", None),
        ("claude-sonnet-5", 3, None),
        ("claude-sonnet-4-5", "low", None),
    ],
)
def test_effort_is_translated(model: str, asked: object, sent: str | None) -> None:
    """OpenAI's effort is Anthropic's where the model has any; else it is named as left out."""
    request = _asked(model=model, parameters={"reasoning_effort": asked})

    assert _sent(request).get("output_config") == (sent and {"effort": sent})
    assert AnthropicMessages().ignored(request) == (() if sent else ("reasoning_effort",))


@pytest.mark.parametrize(
    ("parameters", "user", "ignored"),
    [
        ({"user": "u1"}, "u1", ()),
        ({"metadata": {"user_id": "u2"}, "user": "u2"}, "u2", ()),
        ({"metadata": {"user_id": "u2", "team": "sre"}}, "u2", ("metadata",)),
        ({"metadata": {"team": "sre"}}, None, ("metadata",)),
        ({"user": 7, "seed": 1, "logprobs": True}, None, ("logprobs", "seed", "user")),
    ],
)
def test_who_asks_is_told(
    parameters: dict[str, Any], user: str | None, ignored: tuple[str, ...]
) -> None:
    """The caller's user goes where Anthropic has a place for it; the rest is named."""
    request = _asked(parameters=parameters)

    assert _sent(request).get("metadata") == (user and {"user_id": user})
    assert AnthropicMessages().ignored(request) == ignored


def test_native_fields_join_ours() -> None:
    """Anthropic's own fields are sent as they are, but what we write ourselves stays."""
    native = {
        "model": "another",
        "stream": True,
        "cache_control": {"type": "ephemeral"},
        "output_config": {"format": {"type": "x"}, "task_budget": 5},
        "tools": [{"type": "web_search_20260209", "name": "web_search"}],
    }
    request = _asked(
        tools=(_DF,),
        response_format=ResponseFormat(_SCHEMA),
        native={"anthropic": native, "openai": {"verbosity": "low"}},
    )

    body = _sent(request)

    assert body["model"] == _MODEL
    assert "stream" not in body
    assert body["cache_control"] == {"type": "ephemeral"}
    assert body["output_config"]["task_budget"] == 5
    assert body["output_config"]["format"]["type"] == "json_schema"
    assert [tool["name"] for tool in body["tools"]] == ["df", "web_search"]
    assert AnthropicMessages().ignored(request) == ("verbosity",)


def test_demanded_schema_is_promised_or_refused() -> None:
    """A schema the caller demands beats the one we wish for; where it cannot be held, we say so."""
    demand = ResponseFormat(_SCHEMA)
    controls = Controls(response_format=demand)
    request = CompletionRequest(_MODEL, _ASK, response_schema={"type": "string"}, controls=controls)

    promised = _sent(request)["output_config"]["format"]["schema"]

    assert promised == {**_SCHEMA, "additionalProperties": False}
    for model, schema in (("claude-3-haiku-20240307", _SCHEMA), (_MODEL, {"type": "object"})):
        with pytest.raises(UnsupportedRequestError, match="schema"):
            _sent(_asked(model=model, response_format=ResponseFormat(schema)))


def test_any_json_object_is_asked_for_in_words() -> None:
    """There is no mode for it, so that the system prompt says it, behind the caller's own."""
    messages = (Message("system", "Be brief."), *_ASK)

    body = _sent(_asked(messages, response_format=ResponseFormat()))

    assert body["system"].startswith("Be brief.\n\n")
    assert "JSON object" in body["system"]
    assert "output_config" not in body


@pytest.mark.parametrize("model", ["claude-3-haiku-20240307", "claude-haiku-4-5", "claude-opus-4"])
def test_prefill_is_sent_to_whom_continues_it(model: str) -> None:
    """Models up to 4.5 go on with what the assistant began, without blanks behind it."""
    messages = (*_ASK, Message("assistant", "The disk is "))

    assert _sent(_asked(messages, model=model))["messages"][-1]["content"] == "The disk is"


@pytest.mark.parametrize("messages", [(), (Message("system", "s"),), (Message("assistant", "a"),)])
def test_prefill_is_refused_by_whom_does_not(messages: tuple[Message, ...]) -> None:
    """Elsewhere the user has to speak last; another provider may see it otherwise."""
    with pytest.raises(UnsupportedRequestError, match="user") as caught:
        _sent(_asked(messages))

    assert caught.value.falls_back


def test_prefill_is_refused_by_whom_thinks() -> None:
    """A model that is to think first does not go on with an answer."""
    messages = (*_ASK, Message("assistant", "The disk is "))

    with pytest.raises(UnsupportedRequestError, match="user"):
        _sent(_asked(messages, model="claude-haiku-4-5", native={"anthropic": _THINK}))


def test_pictures_travel_by_address() -> None:
    """A picture's address is handed on; the assistant can show none."""
    picture = Image(url="https://example.org/disk.png")

    turns = _sent(_asked((Message("user", "", (picture,)),)))["messages"]

    source = {"type": "url", "url": "https://example.org/disk.png"}
    assert turns == [{"role": "user", "content": [{"type": "image", "source": source}]}]
    with pytest.raises(UnsupportedRequestError, match="picture"):
        _sent(_asked((*_ASK, Message("assistant", "See:", (picture,)), *_ASK)))
