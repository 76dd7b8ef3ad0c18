"""Whatever is read the short way means what the careful way has it mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from faultmaven.api.openai.plain_question import plain_question
from faultmaven.api.openai.question import question_of
from faultmaven.api.openai.request import ChatRequest
from faultmaven.api.refusals import InvalidFieldsError
from faultmaven.models.completion import CompletionQuestion

MESSAGES = [{"role": "user", "content": "What is wrong?"}]
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["", "\ud83d", "\ud83d\ude00", "\x00", "\\ud83d", "auto", "a b", "ö", "x" * 257]
    ),
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXTS,
    st.sampled_from([2**63, 2**64, 2**70, 10_000_000, 10_000_001, 1e400, -0.0, 1, 2, 2.0, [], {}]),
)
ROLES = st.sampled_from(
    ["developer", "system", "user", "assistant", "tool", "function", "User", "", None, 1]
)
PLAIN_MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["developer", "system", "user", "assistant"]), "content": TEXTS}
)
MESSAGE = st.one_of(
    PLAIN_MESSAGE,
    st.fixed_dictionaries(
        {"role": ROLES, "content": ODD}, optional={"name": ODD, "refusal": ODD, "new": ODD}
    ),
    ODD,
)
FURTHER = {
    "max_tokens": st.one_of(st.integers(0, 5), ODD),
    "max_completion_tokens": st.one_of(st.integers(0, 5), ODD),
    "temperature": st.one_of(st.floats(-0.1, 2.1), st.integers(-1, 3), ODD),
    "stream": ODD,
    "n": ODD,
    "stop": ODD,
    "deadline_ms": ODD,
    "user": ODD,
    "new": ODD,
}
BODIES = st.fixed_dictionaries(
    {
        "model": st.one_of(st.just("openai/gpt-4o"), ODD),
        "messages": st.one_of(
            st.lists(PLAIN_MESSAGE, max_size=3), st.lists(MESSAGE, max_size=3), ODD
        ),
    },
    optional=FURTHER,
)


def carefully(raw: bytes) -> tuple[CompletionQuestion, bool] | None:
    """Read a body the careful way: the question, and whether its answer is to be streamed."""
    try:
        body = ChatRequest.model_validate_json(raw)
    except ValidationError:
        return None
    return question_of(body, size=len(raw)), bool(body.stream)


def body(**fields: Any) -> bytes:
    """Write a request."""
    return json.dumps({"model": "auto", "messages": MESSAGES, **fields}).encode()


@given(fields=BODIES, ascii_only=st.booleans())
def test_both_ways_read_the_same(fields: dict[str, Any], ascii_only: bool) -> None:  # noqa: FBT001 - by hypothesis
    """A body that the short way takes is one the careful way takes, and as the same question."""
    raw = json.dumps(fields, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    plain = plain_question(raw)
    if plain is not None:
        assert (plain, False) == carefully(raw)


@given(
    messages=st.lists(PLAIN_MESSAGE, min_size=1, max_size=3),
    tokens=st.integers(1, 10_000_000),
    temperature=st.one_of(st.floats(0, 2), st.integers(0, 2)),
)
def test_ordinary_numbers_are_the_same(
    messages: list[dict[str, str]], tokens: int, temperature: float
) -> None:
    """Numbers in bounds are read alike to the last bit, and have the same type."""
    raw = body(messages=messages, max_tokens=tokens, temperature=temperature, stream=False)
    plain = plain_question(raw)
    if "\\ud" not in raw.decode():
        assert plain is not None
        assert repr((plain, False)) == repr(carefully(raw))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"model":"x y","model":"b","messages":[{"role":"user","role":"system","content":"c"}]}',
        b'{"model":"b","messages":[],"messages":[{"role":"user","content":5,"content":"c"}]}',
        b' {"model":"b","stream":true,"stream":false,"messages":[{"role":"user","content":""}]}\n',
        b'{"model":"b","max_tokens":0,"max_tokens":7,"messages":[{"role":"user","content":"\\u00f6"}]}',
        b'{"model":"b","temperature":2E0,"messages":[{"content":"c","role":"developer"}]}',
    ],
)
def test_of_a_field_sent_twice_the_last_counts(raw: bytes) -> None:
    """What a body says twice, or in a rare way of writing, is read as the careful way reads it."""
    assert (plain_question(raw), False) == carefully(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"\xef\xbb\xbf" + body(),
        body() + b"x",
        body(messages=[{"role": "user", "content": "c" * 20_000}]),
        body(messages=[]),
        body(messages=[{"role": "user", "content": "\ud83d"}]),
        body(messages=[{"role": "user", "content": "c", "name": "ann"}]),
        body(max_tokens=True),
        body(max_tokens=0, max_completion_tokens=5),
        body(temperature=2.1),
        body(temperature=False),
        body(stream=True),
        body(stream=0),
        body(model=""),
        body(deadline_ms=50),
        body(new=1),
        body(messages=[{"role": "user", "content": b"\xff".decode("latin-1")}]).replace(
            b"\\u00ff", b"\xff"
        ),
    ],
)
def test_the_unusual_is_left_to_the_careful_way(raw: bytes) -> None:
    """What is wrong, large or uncommon is not read the short way."""
    assert plain_question(raw) is None


def test_the_header_gives_the_time() -> None:
    """The time that a header leaves is the question's; a wrong one is refused."""
    asked = plain_question(body(), "2.5")
    assert asked is not None
    assert asked.timeout == 2.5
    with pytest.raises(InvalidFieldsError):
        plain_question(body(), "soon")
