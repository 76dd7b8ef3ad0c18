"""An answer as OpenAI writes it.

https://platform.openai.com/docs/api-reference/chat/object. Beside what is documented there go
``reasoning_content`` (as DeepSeek and vLLM have it), ``extra_content`` on a tool call (as
Google's compatible endpoint has it) and ``thinking_blocks`` (as LiteLLM has it): a caller who
sends them back lets the vendor see its own thoughts again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from faultmaven.api.random_ids import random_id
from faultmaven.models.attempt import Usage
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.json_text import json_bytes
from faultmaven.models.prompt import Thought, ToolCall
from faultmaven.models.value import value

_FINISHES = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "max_tokens": "length",
    "refusal": "content_filter",
}
# Words that are not known to mean a normal end. Clients know no word for that; of those they
# know, this one tells them not to take the answer for the whole of it.
_UNKNOWN_END = "length"


@value
class Envelope:
    """What all parts of one answer have in common.

    Attributes:
        id: of the completion.
        created: Unix time in seconds.
        old_words: whether the caller speaks of functions instead of tools.
    """

    id: str
    created: int
    old_words: bool = False


def new_envelope(*, old_words: bool = False) -> Envelope:
    """The envelope of a new answer."""
    return Envelope(f"chatcmpl-{random_id()}", int(time.time()), old_words)


def completion_body(answer: LLMResponse, envelope: Envelope) -> dict[str, Any]:
    """The whole answer."""
    choice = {
        "index": 0,
        "message": _message(answer, old_words=envelope.old_words),
        "logprobs": logprobs_body(answer.logprobs),
        "finish_reason": finish_reason(answer, old_words=envelope.old_words),
    }
    return {
        "id": envelope.id,
        "object": "chat.completion",
        "created": envelope.created,
        "model": answer.model,
        "choices": [choice],
        "usage": usage_body(answer.usage),
        "system_fingerprint": None,
    }


def as_json(body: Mapping[str, Any]) -> bytes:
    """A body's bytes; half a surrogate pair, which a model may write, is no character."""
    return json_bytes(body)


def finish_reason(answer: LLMResponse, *, old_words: bool) -> str:
    """Why the model stopped, in the closed set that clients know."""
    known = _FINISHES.get(answer.finish_reason, _UNKNOWN_END)
    if answer.tool_calls and known in {"stop", "tool_calls"}:
        return "function_call" if old_words else "tool_calls"
    # Without a call there is none to make, whatever the vendor says.
    return "stop" if known == "tool_calls" and not answer.tool_calls else known


def usage_body(usage: Usage) -> dict[str, Any]:
    """Tokens spent."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def logprobs_body(logprobs: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Token probabilities, or nothing where there are none."""
    return {"content": list(map(dict, logprobs)), "refusal": None} if logprobs else None


def thinking_body(thought: Thought) -> dict[str, Any]:
    """One block of thoughts that its vendor signed or hid."""
    if thought.hidden:
        return {"type": "redacted_thinking", "data": thought.hidden}
    return {"type": "thinking", "thinking": thought.text, "signature": thought.signature}


def signature_body(signature: str) -> dict[str, Any]:
    """The fields that carry a vendor's proof on a tool call; none without one."""
    if not signature:
        return {}
    return {"extra_content": {"google": {"thought_signature": signature}}}


def _message(answer: LLMResponse, *, old_words: bool) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if answer.tool_calls and not answer.content else answer.content,
        "refusal": None,
        "annotations": [],
    }
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    if answer.thoughts:
        message["thinking_blocks"] = [thinking_body(thought) for thought in answer.thoughts]
    if answer.tool_calls:
        message |= _calls(answer.tool_calls, old_words=old_words)
    return message


def _calls(calls: tuple[ToolCall, ...], *, old_words: bool) -> dict[str, Any]:
    if old_words:
        return {"function_call": {"name": calls[0].name, "arguments": calls[0].arguments}}
    return {"tool_calls": [_call(call) for call in calls]}


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {
        "id": call.id,
        "type": "function",
        "function": function,
        **signature_body(call.signature),
    }
