"""What OpenAI, its copies, Ollama and Cohere refuse of tools, their results, and images."""

import json
from typing import Any

import pytest

from upstreams import Upstream
from upstreams.client import Received, ask, sample_of

PNG = "iVBORw0KGgo="
USER = {"role": "user", "content": "x"}


async def told(dialect: str, number: int, changes: dict[str, Any]) -> Received:
    """Ask with changes."""
    async with Upstream(dialect) as up:
        return await ask(up, sample_of(up, number, **changes))


TOOL = {"type": "function", "function": {"name": "df", "parameters": {"type": "object"}}}
FORCED = {"type": "function", "function": {"name": "df"}}
STRICT = {"name": "df", "strict": True, "parameters": {"type": "object"}}


def call(identity: Any = "a", arguments: Any = "{}", name: str = "df") -> dict[str, Any]:
    """Write a call."""
    function = {"name": name, "arguments": arguments}
    return {"id": identity, "type": "function", "function": function}


def calls(*items: dict[str, Any]) -> dict[str, Any]:
    """Write an assistant's turn with calls."""
    return {"role": "assistant", "content": None, "tool_calls": list(items)}


def result(identity: str = "a", **more: Any) -> dict[str, Any]:
    """Write a tool's turn."""
    return {"role": "tool", "tool_call_id": identity, "content": "full", **more}


def image(url: Any, role: str = "user") -> dict[str, Any]:
    """Write a turn with an image."""
    return {"role": role, "content": [{"type": "image_url", "image_url": {"url": url}}]}


OPENAI_ACCEPTS: list[dict[str, Any]] = [
    {"tools": [TOOL], "tool_choice": "required", "parallel_tool_calls": False},
    {"tools": [TOOL], "tool_choice": FORCED},
    {"messages": [USER, calls(call()), result()]},
    {"messages": [USER, calls(call("a"), call("b")), result("b"), result("a"), USER]},
    {"messages": [USER, calls(call("x" * 40)), result("x" * 40)]},
    {"messages": [image("https://127.0.0.1/a.png")]},
    {"messages": [image(f"data:image/png;base64,{PNG}")]},
    {"seed": 7, "user": "u", "metadata": {"a": "b"}, "store": False, "n": 2},
    {"presence_penalty": -2, "frequency_penalty": 2, "logprobs": True, "top_logprobs": 20},
]
OPENAI_REFUSES: list[tuple[dict[str, Any], str]] = [
    ({"tools": []}, "too short"),
    ({"tools": ["df"]}, "tools[].function"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "does not match pattern"),
    ({"tools": [{"type": "function", "function": {"name": "a" * 65}}]}, "does not match pattern"),
    ({"tools": [{"type": "function", "function": STRICT}]}, "additionalProperties"),
    ({"tool_choice": "auto"}, "only allowed when"),
    ({"parallel_tool_calls": True}, "only allowed when"),
    ({"tools": [TOOL], "tool_choice": "any"}, "Invalid value"),
    ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "df"}}, "Invalid value"),
    (
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "ps"}}},
        "not found in 'tools'",
    ),
    ({"messages": [USER, result()]}, "must be a response to a preceeding"),
    ({"messages": [USER, calls(call()), USER, result()]}, "must be followed by tool messages"),
    ({"messages": [USER, calls(call())]}, "must be followed by tool messages"),
    ({"messages": [USER, calls(call("a"), call("b")), result("a"), USER]}, "Not answered: b"),
    ({"messages": [USER, calls(call()), result("b")]}, "must be a response to a preceeding"),
    ({"messages": [USER, calls(call("x" * 41)), result("x" * 41)]}, "string too long"),
    ({"messages": [USER, calls(call(arguments={})), result()]}, "expected a string"),
    ({"messages": [USER, calls(call(None)), result()]}, ".id"),
    ({"messages": [USER, {"role": "tool", "content": "x"}]}, "tool_call_id"),
    ({"messages": [{**USER, "reasoning_content": "x"}]}, "Unknown parameter"),
    ({"messages": [image("file:///etc/passwd")]}, "Invalid image"),
    ({"messages": [image("data:image/tiff;base64,AAAA")]}, "Invalid image"),
    ({"messages": [image("data:image/png;base64,!")]}, "Invalid image"),
    ({"messages": [image(7)]}, "image_url"),
    ({"messages": [image("https://127.0.0.1/a.png", "system")]}, "role 'user'"),
    ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "content part"),
    ({"n": 0}, "'n'"),
    ({"seed": "x"}, "seed"),
    ({"presence_penalty": 3}, "presence_penalty"),
    ({"top_logprobs": 2}, "needs 'logprobs'"),
    ({"logprobs": 2}, "logprobs"),
    ({"metadata": []}, "metadata"),
    ({"stream_options": {"include_usage": 1}, "stream": True}, "include_usage"),
    ({"model": "gpt-5.6-sol", "reasoning_effort": "low", "tools": [TOOL]}, "reasoning_effort"),
]


@pytest.mark.parametrize("changes", OPENAI_ACCEPTS, ids=str)
async def test_openai_accepts(changes: dict[str, Any]) -> None:
    """What the vendor allows gets an answer."""
    assert (await told("openai", 0, changes)).status == 200


@pytest.mark.parametrize(("changes", "words"), OPENAI_REFUSES, ids=str)
async def test_openai_refuses(changes: dict[str, Any], words: str) -> None:
    """What the vendor forbids gets its 400."""
    received = await told("openai", 0, changes)

    assert received.status == 400
    assert words in received.json["error"]["message"]


@pytest.mark.parametrize(("dialect", "number"), [("vllm", 0), ("llamacpp", 0), ("tgi", 1)])
async def test_local_servers_pair_nothing(dialect: str, number: int) -> None:
    """They fill a template with whatever comes, but want arguments as text."""
    lonely = await told(dialect, number, {"messages": [USER, result()]})
    wrong = await told(dialect, number, {"messages": [USER, calls(call(arguments={}))]})

    assert lonely.status == 200
    assert wrong.status in {400, 422}


OLLAMA: list[tuple[dict[str, Any], int]] = [
    ({"messages": [USER, {"role": "assistant", "tool_calls": [
        {"function": {"name": "df", "arguments": {"path": "/"}}}]},
        {"role": "tool", "content": "full", "tool_name": "df"}]}, 200),
    ({"messages": [{**USER, "images": [PNG]}], "tools": [TOOL]}, 200),
    ({"messages": [USER, calls(call())]}, 400),
    ({"messages": [{**USER, "images": [f"data:image/png;base64,{PNG}"]}]}, 400),
    ({"messages": [{**USER, "images": PNG}]}, 400),
    ({"tools": [{"name": "df"}]}, 400),
]  # fmt: skip
COHERE: list[tuple[dict[str, Any], int]] = [
    ({"tools": [TOOL], "tool_choice": "REQUIRED"}, 200),
    ({"messages": [USER, calls(call()), result()]}, 200),
    ({"messages": [image("https://127.0.0.1/a.png")]}, 200),
    ({"messages": [image(f"data:image/png;base64,{PNG}")]}, 200),
    ({"tools": [TOOL], "tool_choice": "auto"}, 400),
    ({"tools": [TOOL], "tool_choice": {"type": "function"}}, 400),
    ({"tool_choice": "NONE"}, 400),
    ({"tools": [{"type": "function", "function": {}}]}, 400),
    ({"messages": [USER, result()]}, 400),
    ({"messages": [USER, calls(call()), {"role": "tool", "content": "x"}]}, 400),
    ({"messages": [USER, calls(call()), result("b")]}, 400),
    ({"messages": [USER, calls(call()), USER, result()]}, 400),
    ({"messages": [USER, calls(call(arguments={})), result()]}, 400),
    ({"messages": [image("https://127.0.0.1/a.png", "assistant")]}, 400),
    ({"messages": [image("/etc/passwd")]}, 400),
]


@pytest.mark.parametrize(("changes", "status"), OLLAMA, ids=json.dumps)
async def test_ollama(changes: dict[str, Any], status: int) -> None:
    """Arguments are an object, images bare base64."""
    assert (await told("ollama", 0, changes)).status == status


@pytest.mark.parametrize(("changes", "status"), COHERE, ids=json.dumps)
async def test_cohere(changes: dict[str, Any], status: int) -> None:
    """A choice is one of two words, a result follows its call."""
    assert (await told("cohere", 1, changes)).status == status
