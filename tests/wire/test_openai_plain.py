"""The quick way to read an event of a chat stream gives what the careful one gives."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from faultmaven.errors import ProviderError
from faultmaven.infrastructure.llm.wire.openai_answer import ChatCompletion
from faultmaven.infrastructure.llm.wire.openai_plain import plain_answer, plain_text
from faultmaven.infrastructure.llm.wire.openai_stream import ChatReader
from faultmaven.infrastructure.llm.wire.types import WireEvent
from faultmaven.models.stream import Delta

_ODD = st.sampled_from([None, "", "x", 0, 1, True, False, 1.5, [], ["x"], {}, {"message": "no"}])


def _with(fields: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The fields, some of them left out and some of them odd."""
    ways = {name: st.just(value) | st.just(value) | _ODD for name, value in fields.items()}
    return st.fixed_dictionaries({}, optional=ways)


_DELTA = _with(
    {"content": " pod", "role": "assistant", "refusal": None, "reasoning": "", "tool_calls": []}
)
_CHOICES = st.lists(
    st.builds(
        lambda delta, rest: rest | {"delta": delta},
        _DELTA | _ODD,
        _with({"index": 0, "finish_reason": None, "logprobs": None, "error": None}),
    ),
    max_size=2,
)
_EVENTS = st.builds(
    lambda choices, rest: rest | {"choices": choices},
    _CHOICES | _ODD,
    _with({"id": "c1", "object": "chat.completion.chunk", "model": "m", "usage": None}),
)


def _read_carefully(event: dict[str, Any]) -> Delta | None:
    """What the careful reader makes of it: an array of nothing hides it from the quick one."""
    data = json.dumps(event | {"choices": [*event["choices"], {"index": 7}]}).encode()
    assert plain_text(data) is None
    try:
        (delta,) = ChatReader().read(WireEvent(data))
    except (ProviderError, ValueError):
        return None
    return delta


@given(_EVENTS)
def test_what_is_read_quickly_is_what_is_read_carefully(event: dict[str, Any]) -> None:
    """An event that the quick reader takes holds its text and model, and nothing besides."""
    plain = plain_text(json.dumps(event).encode())
    if plain is not None:
        assert _read_carefully(event) == Delta(text=plain[0], model=plain[1])


def test_an_ordinary_piece_is_read_quickly() -> None:
    """What every vendor sends for each token takes the quick way."""
    choice = {"index": 0, "delta": {"content": " pod"}, "logprobs": None, "finish_reason": None}
    event = {"id": "c1", "model": "m", "choices": [choice], "usage": None}
    assert plain_text(json.dumps(event).encode()) == (" pod", "m")


_USAGE = _with(
    {
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "total_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
)
_MESSAGE = _with(
    {"content": "It is full.", "role": "assistant", "refusal": None, "reasoning": "", "x": 1}
)
_ANSWERS = st.builds(
    lambda message, choice, usage, rest: (
        rest | {"usage": usage, "choices": [choice | {"message": message}]}
    ),
    _MESSAGE | _ODD,
    _with({"index": 0, "finish_reason": "stop", "logprobs": None, "error": None}),
    _USAGE | _ODD,
    _with({"id": "c1", "object": "chat.completion", "model": "m", "error": None}),
)


@given(_ANSWERS)
def test_an_answer_read_quickly_is_the_one_read_carefully(answer: dict[str, Any]) -> None:
    """Text, finish, model and every count are the same, whichever way they were read."""
    data = json.dumps(answer).encode()
    plain = plain_answer(data)
    if plain is not None:
        assert plain == ChatCompletion.model_validate_json(data).completion


def test_an_ordinary_answer_is_read_quickly() -> None:
    """What every vendor answers takes the quick way."""
    choice = {"index": 0, "message": {"content": "Full."}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    answer = {"id": "c1", "model": "m", "choices": [choice], "usage": usage}
    plain = plain_answer(json.dumps(answer).encode())
    assert plain is not None
    assert (plain.text, plain.finish_reason, plain.usage.total) == ("Full.", "stop", 7)
