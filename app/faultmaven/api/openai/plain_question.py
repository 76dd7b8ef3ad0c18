"""Questions that hold a model, texts and hardly anything else: nearly all there are.

They are read by looking at the few fields that matter. Whatever is not exactly as expected, wrong
or merely uncommon, is left to the careful way, which makes a checked object of each part, says
what is wrong, and is several times as slow.
"""

from __future__ import annotations

from typing import Any, Literal

from faultmaven.api.body import timeout_of
from faultmaven.api.extensions import is_model_name
from faultmaven.api.openai.request import MAX_TOKENS
from faultmaven.models.completion import CompletionQuestion
from faultmaven.models.json_text import read_json
from faultmaven.models.prompt import Message

_LONGEST = 20_000  # bytes; reading more is not for the event loop
_FIELDS = frozenset(
    {"model", "messages", "max_tokens", "max_completion_tokens", "temperature", "stream"}
)
_BACKSLASH = ord("\\")
_SPEAKERS: dict[Any, Literal["system", "user", "assistant"]] = {
    "developer": "system",
    "system": "system",
    "user": "user",
    "assistant": "assistant",
}
_HOTTEST = 2


def plain_question(raw: bytes, timeout: str | None = None) -> CompletionQuestion | None:
    """The question of such a body, its answer wanted whole; ``None`` leaves it to the careful way.

    Args:
        raw: the body.
        timeout: what a header says of the time there is.

    Raises:
        InvalidInputError: that header is wrong.
    """
    fields = _fields(raw)
    if fields is None or fields.get("stream", False) is not False:
        return None
    model, messages = fields.get("model"), _messages(fields.get("messages"))
    if messages is None or type(model) is not str or not is_model_name(model):
        return None
    tokens, temperature = _tokens(fields), fields.get("temperature", 0.0)
    if tokens == 0 or type(temperature) not in _NUMBERS or not 0 <= temperature <= _HOTTEST:
        return None
    return CompletionQuestion(
        model=model,
        messages=messages,
        max_tokens=tokens,
        temperature=float(temperature) if "temperature" in fields else None,
        timeout=None if timeout is None else timeout_of(timeout),
        size=len(raw),
    )


_NUMBERS = (float, int)


def _fields(raw: bytes) -> dict[str, Any] | None:
    """What the body says, if it says nothing but what is known here."""
    if len(raw) > _LONGEST or (_BACKSLASH in raw and _may_hold_half_a_pair(raw)):
        return None
    try:
        fields = read_json(raw)
    except ValueError:
        return None
    return fields if type(fields) is dict and fields.keys() <= _FIELDS else None


def _may_hold_half_a_pair(raw: bytes) -> bool:
    """Whether a surrogate is written out: half of a pair passes some readers, but is no text."""
    # Not ``in``, which tries the bytes as a number first and drops the error.
    return raw.find(b"\\ud") >= 0 or raw.find(b"\\uD") >= 0


def _messages(sent: Any) -> tuple[Message, ...] | None:
    """The conversation, if there is one, of texts alone."""
    if type(sent) is not list or not sent:
        return None
    messages = []
    for message in sent:
        if type(message) is not dict or len(message) != 2:  # noqa: PLR2004 - speaker and text
            return None
        role, text = message.get("role"), message.get("content")
        if type(role) is not str or role not in _SPEAKERS or type(text) is not str:
            return None
        messages.append(Message(_SPEAKERS[role], text))
    return tuple(messages)


def _tokens(fields: dict[str, Any]) -> int | None:
    """Most tokens of the answer, ``None`` where nothing is said of them; 0 if that is unusual."""
    wanted = None
    for name in ("max_tokens", "max_completion_tokens"):  # the latter wins
        if name in fields:
            wanted = fields[name]
            if type(wanted) is not int or not 1 <= wanted <= MAX_TOKENS:
                return 0
    return wanted
