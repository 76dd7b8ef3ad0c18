"""Gemini's rules for tools, signatures, forms of the answer and further fields."""

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.errors import UnsupportedRequestError
from faultmaven.infrastructure.llm.wire.gemini_content import GeminiContent
from faultmaven.infrastructure.llm.wire.types import CompletionRequest, Endpoint
from faultmaven.models.prompt import (
    Controls,
    Image,
    Message,
    ResponseFormat,
    Tool,
    ToolCall,
    ToolChoice,
)
from upstreams.dialects.gemini_rules import check_contents
from upstreams.dialects.gemini_tools import check_calls
from wire.conversations import conversations

_ENDPOINT = Endpoint("http://h", "key")
_NOW, _BEFORE, _LONG_AGO = "gemini-3.8-flash", "gemini-2.5-flash", "gemini-1.5-flash"
_DF = Tool("df")
_ASK = (Message("user", "Which disk?"),)
_SCHEMA = {"type": "object", "properties": {"disk": {"type": "string"}}}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_PICTURE = Image("image/png", "AA==")


def _asked(
    messages: tuple[Message, ...] = _ASK, *, model: str = _NOW, **controls: Any
) -> CompletionRequest:
    return CompletionRequest(model, messages, controls=Controls(**controls))


def _sent(request: CompletionRequest) -> Any:
    return json.loads(GeminiContent().encode(request, _ENDPOINT).body)


def _used(result: Message, *, signature: str = "") -> tuple[Message, ...]:
    call = ToolCall("call_1", "df", '{"path": "/"}', signature)
    return (*_ASK, Message("assistant", "", tool_calls=(call,)), result)


def _parts(turn: Any, kind: str) -> list[Any]:
    return [part[kind] for part in turn["parts"] if kind in part]


@given(messages=conversations, model=st.sampled_from([_NOW, _BEFORE]))
@settings(max_examples=120)
def test_any_conversation_obeys_the_rules(messages: tuple[Message, ...], model: str) -> None:
    """Turns alternate; the one behind calls has one result for each, in their order, first."""
    body = _sent(_asked(messages, model=model))

    check_contents(body)
    turns = body["contents"]
    check_calls(turns, model=model)
    roles = [turn["role"] for turn in turns]
    assert roles == ["user", "model"] * (len(roles) // 2) + ["user"]
    assert not _parts(turns[0], "functionResponse")
    for turn, following in pairwise(turns):
        calls = _parts(turn, "functionCall")
        results = _parts(following, "functionResponse")
        assert [item["name"] for item in results] == [item["name"] for item in calls]
        assert [item.get("id") for item in results] == [item.get("id") for item in calls]
        assert not calls or "functionResponse" in following["parts"][0]
        assert all(_NAME.fullmatch(item["name"]) for item in calls)
        assert all(isinstance(item["args"], dict) for item in calls)
        assert all(isinstance(item["response"], dict) for item in results)


@given(messages=conversations)
@settings(max_examples=100)
def test_first_call_of_a_turn_is_always_signed(messages: tuple[Message, ...]) -> None:
    """Models that sign their calls refuse a turn whose first call has no signature."""
    for turn in _sent(_asked(messages))["contents"]:
        signatures = [
            "thoughtSignature" in part for part in turn["parts"] if "functionCall" in part
        ]
        assert all(signatures[:1])


@pytest.mark.parametrize(
    ("model", "signature", "sent"),
    [
        (_NOW, "c2ln", "c2ln"),
        (_NOW, "", "skip_thought_signature_validator"),
        ("models/gemini-flash-latest", "", "skip_thought_signature_validator"),
        (_BEFORE, "c2ln", "c2ln"),
        (_BEFORE, "", None),
    ],
)
def test_signature_goes_back(model: str, signature: str, sent: str | None) -> None:
    """Gemini's own signature goes back; a call of another vendor has the documented stand-in."""
    messages = _used(Message("tool", "97 %", tool_call_id="call_1"), signature=signature)

    part = _sent(_asked(messages, model=model))["contents"][1]["parts"][0]

    assert part.get("thoughtSignature") == sent


@pytest.mark.parametrize(
    ("text", "failed", "response"),
    [
        ('{"use": 97}', False, {"use": 97}),
        ("97 %", False, {"result": "97 %"}),
        ("[97]", False, {"result": "[97]"}),
        ('{"use": NaN}', False, {"result": '{"use": NaN}'}),
        ("", False, {"result": ""}),
        ('{"use": 97}', True, {"error": '{"use": 97}'}),
    ],
)
def test_result_becomes_an_object(*, text: str, failed: bool, response: dict[str, Any]) -> None:
    """A result is the object it stands for, or stands in one; a failure says that it is one."""
    messages = _used(Message("tool", text, tool_call_id="call_1", failed=failed))

    (result,) = _parts(_sent(_asked(messages))["contents"][2], "functionResponse")

    assert result["response"] == response


@pytest.mark.parametrize(("model", "within"), [(_NOW, True), (_BEFORE, False)])
def test_pictures_of_a_result(*, model: str, within: bool) -> None:
    """A picture that a tool gave stands within its result, or beside it for older models."""
    messages = _used(Message("tool", "See.", (_PICTURE,), tool_call_id="call_1"))

    turn = _sent(_asked(messages, model=model))["contents"][2]

    assert ("parts" in turn["parts"][0]["functionResponse"]) is within
    assert len(_parts(turn, "inlineData")) == (0 if within else 1)


def test_picture_without_content_is_refused() -> None:
    """We fetch nothing: a provider that wants the bytes of a picture is not asked."""
    picture = Image(url="https://example.org/disk.png")

    with pytest.raises(UnsupportedRequestError, match="content"):
        _sent(_asked((Message("user", "What is this?", (picture,)),)))


def test_conversation_without_a_turn_is_refused() -> None:
    """There has to be something to answer."""
    with pytest.raises(UnsupportedRequestError, match="message"):
        _sent(_asked((Message("system", "Be brief."),)))


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, None),
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("tool", "df"), {"mode": "ANY", "allowedFunctionNames": ["df"]}),
    ],
)
def test_choice_of_tools_is_translated(choice: ToolChoice | None, sent: Any) -> None:
    """May, must and must not have Gemini's words; without tools there is nothing to choose."""
    body = _sent(_asked(tools=(_DF,), tool_choice=choice))

    assert body.get("toolConfig") == (sent and {"functionCallingConfig": sent})
    assert "toolConfig" not in _sent(_asked(tool_choice=choice))


@pytest.mark.parametrize(
    ("model", "tools", "demand", "sent"),
    [
        (_NOW, (), _SCHEMA, _SCHEMA),
        (_NOW, (_DF,), _SCHEMA, _SCHEMA),
        (_BEFORE, (), _SCHEMA, _SCHEMA),
        (_NOW, (_DF,), None, None),
        (_LONG_AGO, (), None, None),
    ],
)
def test_demanded_form_is_promised(
    model: str, tools: tuple[Tool, ...], demand: Any, sent: Any
) -> None:
    """A schema, or JSON of any kind, is asked for; the demand beats what we wish for."""
    controls = Controls(tools=tools, response_format=ResponseFormat(demand))
    request = CompletionRequest(model, _ASK, response_schema={"type": "array"}, controls=controls)

    configuration = _sent(request)["generationConfig"]

    assert configuration["responseMimeType"] == "application/json"
    assert configuration.get("responseJsonSchema") == sent


@pytest.mark.parametrize(
    ("model", "tools", "demand"),
    [(_LONG_AGO, (), _SCHEMA), (_BEFORE, (_DF,), _SCHEMA), (_BEFORE, (_DF,), None)],
)
def test_form_that_cannot_be_promised_is_refused(
    model: str, tools: tuple[Tool, ...], demand: Any
) -> None:
    """Old models know no schemas, older ones no JSON beside tools: another provider is asked."""
    with pytest.raises(UnsupportedRequestError):
        _sent(_asked(model=model, tools=tools, response_format=ResponseFormat(demand)))


@pytest.mark.parametrize(("model", "tools"), [(_LONG_AGO, ()), (_BEFORE, (_DF,))])
def test_form_that_is_only_wished_for_gives_way(model: str, tools: tuple[Tool, ...]) -> None:
    """Our own wish for a schema costs nobody the answer."""
    request = CompletionRequest(
        model, _ASK, response_schema=_SCHEMA, controls=Controls(tools=tools)
    )

    assert _sent(request)["generationConfig"] == {}


@pytest.mark.parametrize(
    ("parameters", "sent"),
    [
        ({"top_p": 0.5, "top_k": 9}, {"topP": 0.5, "topK": 9}),
        ({"presence_penalty": 1, "seed": 7}, {"presencePenalty": 1, "seed": 7}),
        ({"frequency_penalty": 0}, {"frequencyPenalty": 0}),
        ({"logprobs": True, "top_logprobs": 3}, {"responseLogprobs": True, "logprobs": 3}),
        ({"logprobs": False}, {}),
        ({"reasoning_effort": "minimal"}, {"thinkingConfig": {"thinkingLevel": "low"}}),
        ({"reasoning_effort": "xhigh"}, {"thinkingConfig": {"thinkingLevel": "high"}}),
    ],
)
def test_parameters_are_carried(parameters: dict[str, Any], sent: dict[str, Any]) -> None:
    """What Gemini has a word for is sent under it, and nothing is named as left out."""
    request = _asked(parameters=parameters)

    assert _sent(request)["generationConfig"] == sent
    assert GeminiContent().ignored(request) == ()


@pytest.mark.parametrize(
    ("model", "controls", "ignored"),
    [
        (_NOW, {"parameters": {"user": "u1", "top_logprobs": 3}}, ("top_logprobs", "user")),
        (_NOW, {"parameters": {"seed": 2**40, "reasoning_effort": "none"}},
         ("reasoning_effort", "seed")),
        (_BEFORE, {"parameters": {"reasoning_effort": "low"}}, ("reasoning_effort",)),
        (_NOW, {"parallel_tool_calls": False, "tools": (_DF,)}, ("parallel_tool_calls",)),
        (_NOW, {"tools": (Tool("df", "", _SCHEMA, strict=True),)}, ("strict",)),
        (_NOW, {"native": {"openai": {"verbosity": "low"}}}, ("verbosity",)),
    ],
)  # fmt: skip
def test_what_is_left_out_is_named(
    model: str, controls: dict[str, Any], ignored: tuple[str, ...]
) -> None:
    """What Gemini, or the model, has no word for is not sent, and is said."""
    request = _asked(model=model, **controls)

    assert GeminiContent().ignored(request) == ignored
    assert _sent(request)["generationConfig"] == {}
