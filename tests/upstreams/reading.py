"""Reading each vendor's stream as its own clients do: its text and its tool calls."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from upstreams.client import Received


def _openai_text(received: Received) -> str:
    """Read a stream in OpenAI's shape."""
    chunks = [event.json for event in received.events if event.text != "[DONE]"]
    return "".join(
        chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"]
    )


def _anthropic_text(received: Received) -> str:
    """Read Anthropic's text deltas."""
    deltas = [
        event.json["delta"] for event in received.events if event.name == "content_block_delta"
    ]
    return "".join(delta.get("text", "") for delta in deltas)


def _gemini_text(received: Received) -> str:
    """Read the parts that are no thoughts."""
    candidates = [event.json["candidates"][0] for event in received.events]
    parts = [part for candidate in candidates for part in candidate["content"]["parts"]]
    return "".join(part["text"] for part in parts if not part.get("thought"))


def _cohere_text(received: Received) -> str:
    """Read the content deltas."""
    deltas = [event.json for event in received.events if event.name == "content-delta"]
    return "".join(delta["delta"]["message"]["content"].get("text", "") for delta in deltas)


def _token_text(received: Received) -> str:
    """Read the tokens that are none of the model's marks."""
    tokens = [event.json["token"] for event in received.events]
    return "".join(token["text"] for token in tokens if not token["special"])


_READERS: Mapping[tuple[str, int], Callable[[Received], str]] = {
    ("anthropic", 0): _anthropic_text,
    ("gemini", 0): _gemini_text,
    ("gemini", 1): _gemini_text,
    ("cohere", 0): lambda got: "".join(line.get("text", "") for line in got.lines),
    ("cohere", 1): _cohere_text,
    ("ollama", 0): lambda got: "".join(line["message"]["content"] for line in got.lines),
    ("tgi", 0): _token_text,
    ("hf_endpoint", 0): _token_text,
    ("hf_endpoint", 1): _token_text,
    ("hf_endpoint_object", 0): _token_text,
    ("hf_endpoint_object", 1): _token_text,
    ("llamacpp", 1): lambda got: "".join(event.json["content"] for event in got.events),
}


def text_of(dialect: str, number: int, received: Received) -> str:
    """Read the text of a vendor's stream, asked for with the sample of this number."""
    return _READERS.get((dialect, number), _openai_text)(received)


Called = tuple[str, Any, str | None]
"""A call as a client reads it: the tool's name, its arguments, the call's ID."""


def calls_of(dialect: str, number: int, received: Received) -> list[Called]:
    """Read the tool calls of a vendor's stream, asked for with the sample of this number."""
    return _CALL_READERS.get((dialect, number), _openai_calls)(received)


def _openai_calls(received: Received) -> list[Called]:
    chunks = [event.json for event in received.events if event.text != "[DONE]"]
    deltas = (chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"])
    return _joined(piece for delta in deltas for piece in delta.get("tool_calls", ()))


def _cohere_calls(received: Received) -> list[Called]:
    told = (event.json for event in received.events if event.name in _COHERE_CALLS)
    return _joined(
        {"index": event["index"], **event["delta"]["message"]["tool_calls"]} for event in told
    )


_COHERE_CALLS = frozenset({"tool-call-start", "tool-call-delta"})


def _joined(pieces: Iterable[Mapping[str, Any]]) -> list[Called]:
    calls: dict[int, list[str]] = {}
    for piece in pieces:
        function = piece["function"]
        if "id" in piece:
            calls[piece["index"]] = [function["name"], "", piece["id"]]
        calls[piece["index"]][1] += function["arguments"]
    return [(name, json.loads(arguments), identity) for name, arguments, identity in calls.values()]


def _anthropic_calls(received: Received) -> list[Called]:
    calls: dict[int, list[str]] = {}
    for event in (event.json for event in received.events):
        block, delta = event.get("content_block", {}), event.get("delta", {})
        if block.get("type") == "tool_use":
            calls[event["index"]] = [block["name"], "", block["id"]]
        if delta.get("type") == "input_json_delta":
            calls[event["index"]][1] += delta["partial_json"]
    return [(name, json.loads(arguments), identity) for name, arguments, identity in calls.values()]


def _gemini_calls(received: Received) -> list[Called]:
    candidates = [event.json["candidates"][0] for event in received.events]
    parts = [part for candidate in candidates for part in candidate["content"]["parts"]]
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    return [(call["name"], call["args"], call.get("id")) for call in calls]


def _ollama_calls(received: Received) -> list[Called]:
    calls = [call for line in received.lines for call in line["message"].get("tool_calls", ())]
    functions = [(call["function"], call.get("id")) for call in calls]
    return [(function["name"], function["arguments"], identity) for function, identity in functions]


_CALL_READERS: Mapping[tuple[str, int], Callable[[Received], list[Called]]] = {
    ("anthropic", 0): _anthropic_calls,
    ("gemini", 0): _gemini_calls,
    ("gemini", 1): _gemini_calls,
    ("cohere", 1): _cohere_calls,
    ("ollama", 0): _ollama_calls,
}
