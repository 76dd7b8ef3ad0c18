"""Events that hold a piece of text and nothing else: nearly all that a stream consists of.

They are read by looking at the few fields that matter. Whatever is not exactly as expected is
left to the careful reader, which is ten times as slow.
"""

from __future__ import annotations

from typing import Any

from faultmaven.models.json_text import read_json

_MEANINGFUL = ("refusal", "reasoning_content", "reasoning", "tool_calls", "function_call")


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
    if type(delta) is not dict or (len(delta) > 1 and any(map(delta.get, _MEANINGFUL))):
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
