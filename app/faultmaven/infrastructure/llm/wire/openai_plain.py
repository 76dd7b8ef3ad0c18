"""Answers and events that hold text and nothing else: nearly all there are.

They are read by looking at the few fields that matter. Whatever is not exactly as expected is
left to the careful reader, which is several times as slow.
"""

from __future__ import annotations

from typing import Any

from faultmaven.infrastructure.llm.wire.types import Completion
from faultmaven.models.attempt import Usage
from faultmaven.models.json_text import read_json

_MOST_TOKENS = 2**53  # as the careful reader has it
_MEANINGFUL = ("refusal", "reasoning_content", "reasoning", "tool_calls", "function_call")
_NO_TEXT = frozenset(_MEANINGFUL)
_PARTS = ("prompt_tokens_details", "completion_tokens_details")  # of the tokens counted


def plain_text(data: bytes) -> tuple[str, str] | None:
    """The text of such an event, and the model it names or an empty text; else ``None``."""
    try:
        event = read_json(data)
    except ValueError:
        return None
    choice = _only_choice(event)
    if choice is None:
        return None
    delta = choice.get("delta")
    if type(delta) is not dict or (len(delta) > 1 and _says_more(delta)):
        return None
    text, model = delta.get("content"), event.get("model", "")
    return (text, model) if type(text) is str and text and type(model) is str else None


def _only_choice(event: Any) -> dict[str, Any] | None:
    """The piece of the one answer, if the event tells of nothing else."""
    if type(event) is not dict or event.get("object") == "error":
        return None
    if event.get("error") is not None or event.get("usage") is not None:
        return None
    choices = event.get("choices")
    if type(choices) is not list or len(choices) != 1 or type(choices[0]) is not dict:
        return None
    choice: dict[str, Any] = choices[0]
    index = choice.get("index", 0)
    if type(index) is not int or index or choice.get("finish_reason") is not None:
        return None
    if choice.get("error") is not None or choice.get("logprobs") is not None:
        return None
    return choice


def plain_answer(data: bytes) -> Completion | None:
    """A whole answer that is text and nothing else, as read; else ``None``."""
    try:
        body = read_json(data)
    except ValueError:
        return None
    choice = _first_choice(body)
    message = choice.get("message") if choice is not None else None
    if choice is None or type(message) is not dict or _says_more(message):
        return None
    text, reason = message.get("content"), choice.get("finish_reason")
    model, usage = body.get("model", ""), _plain_usage(body.get("usage"))
    if type(text) is not str or type(reason) is not str or type(model) is not str or usage is None:
        return None
    return Completion(text=text, finish_reason=reason, usage=usage, model=model) if text else None


def _says_more(message: dict[str, Any]) -> bool:
    """Whether there is something in it beside its text."""
    return not _NO_TEXT.isdisjoint(message) and any(map(message.get, _MEANINGFUL))


def _first_choice(body: Any) -> dict[str, Any] | None:
    if type(body) is not dict or body.get("error") is not None:
        return None
    choices = body.get("choices")
    if type(choices) is not list or len(choices) != 1 or type(choices[0]) is not dict:
        return None
    choice: dict[str, Any] = choices[0]
    told = choice.get("error") is not None or choice.get("logprobs") is not None
    return None if told else choice


def _plain_usage(usage: Any) -> Usage | None:
    """The tokens spent, where they are told as they should be, and no price beside them."""
    if type(usage) is not dict or "cost" in usage:
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not (_are_counts(prompt, completion) and prompt and completion):
        return None
    if usage.keys().isdisjoint(_PARTS):
        return Usage(prompt, completion)
    cached = _detail(usage, "prompt_tokens_details", "cached_tokens")
    reasoning = _detail(usage, "completion_tokens_details", "reasoning_tokens")
    told = _are_counts(cached, reasoning)
    return Usage(prompt, completion, cached, reasoning) if told else None


def _are_counts(one: Any, other: Any) -> bool:
    if type(one) is not int or type(other) is not int:
        return False
    return 0 <= one <= _MOST_TOKENS and 0 <= other <= _MOST_TOKENS


def _detail(usage: dict[str, Any], part: str, name: str) -> Any:
    """A count of a part that may be missing: 0 then."""
    details = usage.get(part)
    return details.get(name, 0) if type(details) is dict else 0
