"""Ollama's lines are its whole answer in pieces, and its requests are what it takes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.errors import ProviderConnectionError, ProviderError, ProviderProtocolError
from faultmaven.infrastructure.llm.wire.ollama_chat import OllamaChat
from faultmaven.infrastructure.llm.wire.types import (
    Completion,
    CompletionRequest,
    Endpoint,
    WireEvent,
    WireResponse,
)
from faultmaven.models.prompt import Controls, Message, Tool
from wire.conversations import conversations
from wire.cut_streams import chunks_of, compact, parts_of, whole

_CODEC = OllamaChat()
_ENDPOINT = Endpoint("http://127.0.0.1:11434")
_MADE_AT = "2026-11-22T10:00:00.5Z"
_texts = st.text("ab é\n<>", max_size=12)
_calls = st.lists(
    st.fixed_dictionaries(
        {
            "function": st.fixed_dictionaries(
                {
                    "name": st.sampled_from(["df", "du"]),
                    "arguments": st.sampled_from([{}, {"path": "/é"}]),
                }
            )
        }
    ),
    max_size=3,
)


def _line(**message: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "", **message}
    return {"model": "m", "created_at": _MADE_AT, "message": message, "done": False}


def _books(reason: str) -> dict[str, Any]:
    return {"done": True, "done_reason": reason, "prompt_eval_count": 9, "eval_count": 3}


def _decoded(answer: dict[str, Any]) -> Completion | str:
    try:
        return _CODEC.decode(WireResponse(200, {}, compact(answer).encode()))
    except ProviderError as error:
        return str(error)


def _assembled(chunks: list[bytes]) -> Completion | str:
    try:
        return whole(_CODEC, chunks)
    except ProviderError as error:
        return str(error)


@given(
    data=st.data(),
    thinking=_texts,
    content=_texts,
    calls=_calls,
    reason=st.sampled_from(["stop", "length", "load"]),
)
def test_pieces_are_the_whole_answer(
    data: st.DataObject, thinking: str, content: str, calls: list[Any], reason: str
) -> None:
    """However an answer is cut into lines and bytes, it is the answer in one piece."""
    lines = [
        *(_line(thinking=part) for part in data.draw(parts_of(thinking))),
        *(_line(content=part) for part in data.draw(parts_of(content))),
        *(_line(tool_calls=[call]) for call in calls),
        _line() | _books(reason),
    ]
    body = "".join(f"{compact(line)}\n" for line in lines).encode()
    answer = _line(thinking=thinking, content=content, tool_calls=calls) | _books(reason)

    assert _assembled(data.draw(chunks_of(body))) == _decoded(answer)


@given(data=st.data())
def test_a_stream_that_lost_its_end_was_cut(data: st.DataObject) -> None:
    """Whatever part of a stream is missing at its end, what is left is no answer."""
    lines = [_line(content="The disk"), _line(content=" is full."), _line() | _books("stop")]
    body = "".join(f"{compact(line)}\n" for line in lines).encode()
    kept = data.draw(st.integers(0, len(body) - 2))  # the last line end alone may be missing

    with pytest.raises(ProviderConnectionError):
        whole(_CODEC, [body[:kept]])


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"<html>", b"\xff"])
def test_what_is_no_line_is_refused(data: bytes) -> None:
    """Half a line, or something else altogether, is malformed."""
    with pytest.raises(ProviderProtocolError):
        _CODEC.reader().read(WireEvent(data))


@pytest.mark.parametrize(
    "arguments",
    ['{"n": NaN}', '{"n": 1e999}', "7", "[1]"],
)
def test_arguments_that_are_no_json_are_refused(arguments: str) -> None:
    """Numbers that JSON does not have, or no object at all, are no arguments."""
    line = (
        f'{{"message":{{"tool_calls":[{{"function":{{"name":"df","arguments":{arguments}}}}}]}}}}'
    )

    with pytest.raises(ProviderProtocolError):
        _CODEC.reader().read(WireEvent(line.encode()))


def test_arguments_that_came_as_text_stay() -> None:
    """A server behind Ollama's format that writes text for arguments is understood."""
    call = {"id": "c1", "function": {"name": "df", "arguments": '{"path": "/"}'}}
    answer = _line(tool_calls=[call, {"function": {}}, "odd"]) | _books("stop")

    (read,) = _CODEC.decode(WireResponse(200, {}, compact(answer).encode())).tool_calls

    assert (read.id, read.name, read.arguments) == ("c1", "df", '{"path": "/"}')


@given(messages=conversations)
def test_any_conversation_is_written(messages: tuple[Message, ...]) -> None:
    """Whatever a model wrote for arguments becomes an object; every turn is sent, in its order."""
    request = CompletionRequest("m", tuple(item for item in messages))

    sent = json.loads(_CODEC.encode(request, _ENDPOINT).body)["messages"]

    assert [(turn["role"], turn["content"]) for turn in sent] == [
        (message.role, message.text) for message in messages
    ]
    for turn, message in zip(sent, messages, strict=True):
        calls = turn.get("tool_calls", [])
        assert [call["function"]["name"] for call in calls] == [
            call.name for call in message.tool_calls
        ]
        assert all(isinstance(call["function"]["arguments"], dict) for call in calls)


@pytest.mark.parametrize(
    ("effort", "think"),
    [("none", False), ("minimal", "low"), ("medium", "medium"), ("max", "high")],
)
def test_effort_is_said_in_ollama_s_words(effort: str, think: bool | str) -> None:  # noqa: FBT001 - a value of the field
    """OpenAI's steps of effort become Ollama's, and are not reported as left out."""
    controls = Controls(parameters={"reasoning_effort": effort})
    request = CompletionRequest("m", (Message("user", "Why?"),), controls=controls)

    assert json.loads(_CODEC.encode(request, _ENDPOINT).body)["think"] == think
    assert _CODEC.ignored(request) == ()


@pytest.mark.parametrize(("strict", "ignored"), [(True, ("strict",)), (False, ()), (None, ())])
def test_strict_tools_are_said_to_be_loosened(
    strict: bool | None,  # noqa: FBT001 - a value of the field
    ignored: tuple[str, ...],
) -> None:
    """Ollama has no word for a tool whose arguments must follow its schema: the caller is told."""
    tool = Tool("df", parameters={"type": "object"}, strict=strict)
    request = CompletionRequest("m", (Message("user", "?"),), controls=Controls(tools=(tool,)))

    assert OllamaChat().ignored(request) == ignored
