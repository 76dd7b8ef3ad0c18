"""Tools: called plain and streamed in each vendor's format, and answered to the end."""

import json
from typing import Any

import pytest

from upstreams import Answer, Call, Finish, Upstream, calling, using
from upstreams.client import ask, sample_of, stream_of
from upstreams.reading import calls_of, text_of
from upstreams.samples import Sample

CALLS = (Call("df", {"path": "/var/größe"}, "call_a"), Call("ps", {}, "call_b"))
SHAPED = [
    ("openai", 0), ("fireworks", 0), ("openrouter", 0), ("huggingface", 0), ("together", 0),
    ("vllm", 0), ("vllm_older", 0), ("llamacpp", 0), ("tgi", 1), ("ollama", 1),
]  # fmt: skip
CALLING = [*SHAPED, ("anthropic", 0), ("gemini", 0), ("cohere", 1), ("ollama", 0)]


@pytest.mark.parametrize(("dialect", "number"), CALLING)
async def test_calls_are_streamed(dialect: str, number: int) -> None:
    """Put together as a client does, they are the ones the test named, after the text."""
    async with Upstream(dialect, answer=Answer("Wait.", tool_calls=CALLS)) as up:
        received = await ask(up, stream_of(up, number))

    assert calls_of(dialect, number, received) == [
        ("df", {"path": "/var/größe"}, "call_a"),
        ("ps", {}, "call_b"),
    ]
    assert text_of(dialect, number, received) == "Wait." if dialect != "gemini" else True


@pytest.mark.parametrize(("dialect", "number"), SHAPED)
async def test_calls_in_openais_shape(dialect: str, number: int) -> None:
    """Arguments are JSON text, the finish tells of the calls, IDs are made up where none is."""
    async with Upstream(dialect, answer=calling(Call("df", {"path": "/"}), Call("ps"))) as up:
        choice = (await ask(up, sample_of(up, number))).json["choices"][0]

    calls = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert [call["function"] for call in calls] == [
        {"name": "df", "arguments": '{"path": "/"}'},
        {"name": "ps", "arguments": "{}"},
    ]
    assert len({call["id"] for call in calls}) == 2


async def test_anthropic_uses_tools() -> None:
    """Each is a block with an object for its input."""
    async with Upstream("anthropic", answer=Answer("Wait.", tool_calls=CALLS)) as up:
        body = (await ask(up)).json

    assert body["stop_reason"] == "tool_use"
    assert body["content"] == [
        {"type": "text", "text": "Wait."},
        {"type": "tool_use", "id": "call_a", "name": "df", "input": {"path": "/var/größe"}},
        {"type": "tool_use", "id": "call_b", "name": "ps", "input": {}},
    ]


@pytest.mark.parametrize("model", ["gemini-2.5-pro", "gemini-3.8-flash"])
async def test_gemini_signs_the_first_call_of_a_newer_model(model: str) -> None:
    """The others have no signature, and an older model signs nothing."""
    async with Upstream("gemini", models={model}, answer=calling(*CALLS)) as up:
        candidate = (await ask(up)).json["candidates"][0]
        events = (await ask(up, stream_of(up))).events

    parts = candidate["content"]["parts"]
    streamed = [event.json["candidates"][0]["content"]["parts"][0] for event in events[:-1]]
    newer = model.startswith("gemini-3")
    assert candidate["finishReason"] == "STOP"
    assert [part["functionCall"]["args"] for part in parts] == [{"path": "/var/größe"}, {}]
    assert [bool(part.get("thoughtSignature")) for part in parts] == [newer, False]
    assert streamed == parts


async def test_ollama_and_cohere_have_their_own_shapes() -> None:
    """Ollama's arguments are an object, Cohere's a text."""
    async with Upstream("ollama", answer=calling(*CALLS)) as up:
        message = (await ask(up)).json["message"]
        assert message["tool_calls"][0]["function"]["arguments"] == {"path": "/var/größe"}
    async with Upstream("cohere", answer=calling(*CALLS)) as up:
        body = (await ask(up, sample_of(up, 1))).json
        arguments = body["message"]["tool_calls"][0]["function"]["arguments"]
        assert json.loads(arguments) == {"path": "/var/größe"}
        assert body["finish_reason"] == "TOOL_CALL"


async def test_a_finish_alone_makes_up_a_call() -> None:
    """The model calls something even if the test names nothing."""
    async with Upstream("openai", answer=Answer(text=None, finish=Finish.TOOL)) as up:
        message = (await ask(up)).json["choices"][0]["message"]

    assert message["tool_calls"][0]["function"]["name"] == "df"


TOOL = {"type": "function", "function": {"name": "df", "parameters": {"type": "object"}}}


async def conversation(up: Upstream, number: int, turns: list[Any], **changes: Any) -> Any:
    """Send turns that follow the first one."""
    sample = sample_of(up, number, **changes)
    name = "contents" if "contents" in sample.body else "messages"
    body = {**sample.body, name: [*sample.body[name], *turns]}
    return (await ask(up, Sample(sample.path, body, sample.headers))).json


@pytest.mark.parametrize(("dialect", "number"), [*SHAPED, ("cohere", 1), ("ollama", 0)])
async def test_a_model_answers_with_what_its_tool_said(dialect: str, number: int) -> None:
    """First it calls; with the result in the request it says it."""
    source = using(Call("df", {"path": "/"}, "call_a"), say="It is {}.")
    async with Upstream(dialect, answer=source) as up:
        first = await conversation(up, number, [], tools=[TOOL])
        message = first["choices"][0]["message"] if "choices" in first else first["message"]
        result = {"role": "tool", "tool_call_id": "call_a", "content": "97 % full"}
        known = ("role", "content", "tool_calls")
        turn = {name: message[name] for name in known if message.get(name)}
        second = await conversation(up, number, [turn, result], tools=[TOOL])

    assert "It is 97 % full." in json.dumps(second)
    assert not up.rejections


async def test_claude_answers_with_what_its_tool_said() -> None:
    """The result is a block at the head of the user's turn."""
    source = using(Call("df", {"path": "/"}), say="It is {}.", thinking="Let me look.")
    tool = {"name": "df", "input_schema": {"type": "object"}}
    async with Upstream("anthropic", answer=source) as up:
        first = await conversation(up, 0, [], tools=[tool])
        identity = first["content"][1]["id"]
        result = {"type": "tool_result", "tool_use_id": identity, "content": "97 % full"}
        turns = [
            {"role": "assistant", "content": first["content"]},
            {"role": "user", "content": [result, {"type": "text", "text": "Well?"}]},
        ]
        second = await conversation(up, 0, turns, tools=[tool])

    assert second["content"][1]["text"] == "It is 97 % full."
    assert not up.rejections


async def test_gemini_answers_with_what_its_function_said() -> None:
    """The response is an object in a part."""
    source = using(Call("df", {"path": "/", "all": True}), say="It is {}.")
    tools = [{"functionDeclarations": [{"name": "df", "parametersJsonSchema": {}}]}]
    async with Upstream("gemini", models={"gemini-3.8-flash"}, answer=source) as up:
        first = await conversation(up, 0, [], tools=tools)
        response = {"name": "df", "response": {"result": "97 %"}}
        turns = [
            first["candidates"][0]["content"],
            {"role": "user", "parts": [{"functionResponse": response}]},
        ]
        second = await conversation(up, 0, turns, tools=tools)

    assert "97 %" in second["candidates"][0]["content"]["parts"][0]["text"]
    assert not up.rejections
