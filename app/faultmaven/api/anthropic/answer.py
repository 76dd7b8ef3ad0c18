"""A whole answer in Anthropic's words (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from faultmaven.api.random_ids import random_id
from faultmaven.models.attempt import Usage
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.prompt import Thought, ToolCall

Fields = dict[str, Any]

INVALID_ARGUMENTS = "INVALID_JSON"
"""Under this name a tool gets arguments that are no JSON object, as the model wrote them.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming
"""

_STOP_REASONS = {
    "stop": "end_turn",
    "tool_calls": "end_turn",
    "length": "max_tokens",
    "content_filter": "refusal",
}
# Words that are not known to mean a normal end. Clients know no word for that; of those they
# know, this one tells them not to take the answer for the whole of it.
_UNKNOWN_END = "max_tokens"


def new_message_id() -> str:
    """A name for one answer."""
    return f"msg_{random_id()}"


def message(answer: LLMResponse, *, message_id: str, shows_thoughts: bool) -> Fields:
    """The body of a 200.

    Args:
        answer: what the chain gave.
        message_id: what the answer is called.
        shows_thoughts: whether the caller wants to read what the model thinks.
    """
    return {
        **opening(answer.model, message_id),
        "content": list(_content(answer, shows_thoughts=shows_thoughts)),
        "stop_reason": stop_reason(answer),
        "usage": usage(answer.usage),
    }


def opening(model: str, message_id: str) -> Fields:
    """The body before anything is known of the answer."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage(Usage()),
    }


def usage(spent: Usage) -> Fields:
    """Tokens; those the vendor had read before are counted apart, as Anthropic does."""
    thought = {"output_tokens_details": {"thinking_tokens": spent.reasoning}}
    return {
        "input_tokens": max(spent.prompt - spent.cached, 0),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": spent.cached,
        "output_tokens": spent.completion,
        **(thought if spent.reasoning else {}),
    }


def stop_reason(answer: LLMResponse) -> str:
    """Why the model stopped. Which stop sequence it met, if any, no other vendor tells."""
    known = _STOP_REASONS.get(answer.finish_reason, _UNKNOWN_END)
    # Some vendors say that the model just stopped, though it asks for tools.
    return "tool_use" if known == "end_turn" and answer.tool_calls else known


def foreign_signature(provider: str) -> str:
    """Stands where a vendor's proof of its thoughts would; our codecs send no such thoughts on."""
    return f"faultmaven:{provider}"


def thinking_block(thought: Thought) -> Fields:
    """A block of thoughts, readable or not."""
    if thought.hidden:
        return {"type": "redacted_thinking", "data": thought.hidden}
    return {"type": "thinking", "thinking": thought.text, "signature": thought.signature}


def is_signed(thought: Thought) -> bool:
    """Whether its vendor wants to see it again."""
    return bool(thought.signature or thought.hidden)


def _content(answer: LLMResponse, *, shows_thoughts: bool) -> Iterator[Fields]:
    yield from map(thinking_block, _thoughts(answer, shows_thoughts=shows_thoughts))
    if answer.content:
        yield {"type": "text", "text": answer.content}
    yield from map(_tool_use, answer.tool_calls)


def _thoughts(answer: LLMResponse, *, shows_thoughts: bool) -> list[Thought]:
    signed = [thought for thought in answer.thoughts if is_signed(thought)]
    if signed or not (shows_thoughts and answer.reasoning):
        return signed
    return [Thought(answer.reasoning, foreign_signature(answer.provider))]


def _tool_use(call: ToolCall) -> Fields:
    given = _arguments(call.arguments)
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": given}


def _arguments(text: str) -> Fields:
    """The arguments; a call without any may have none at all."""
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {INVALID_ARGUMENTS: text}


def _refused(constant: str) -> float:
    message = f"{constant} is no JSON"
    raise ValueError(message)
