"""A request is taken as it is meant, or refused with field and fix."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from faultmaven.models.api import TroubleshootRequest
from faultmaven.models.examples import REQUEST
from faultmaven.models.faults import FieldFault, field_faults
from faultmaven.models.request import (
    MAX_ATTACHMENT_CHARS,
    MAX_CONTEXT_DEPTH,
    MAX_QUERY_CHARS,
)

_LEAST = {"session_id": "test-session", "query": "Test troubleshooting query"}
_SECRET = "sk-planted-0123456789abcdef"


def _faults(body: object) -> tuple[FieldFault, ...]:
    with pytest.raises(ValidationError) as caught:
        TroubleshootRequest.model_validate(body)
    return field_faults(caught.value.errors())


def _nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"leaf": 1}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


def test_least_request_is_enough() -> None:
    """The documented curl's two fields make a request, with the documented defaults (S82)."""
    request = TroubleshootRequest.model_validate(_LEAST)

    assert (request.session_id, request.query) == ("test-session", "Test troubleshooting query")
    assert (request.priority, request.attachments, request.context) == ("normal", [], {})
    assert (request.confidence_threshold, request.require_confidence) == (None, False)
    assert request.chain == ()


def test_documented_example_is_valid() -> None:
    """What the interactive documentation shows is accepted, and nothing of it ignored."""
    assert TroubleshootRequest.model_validate(REQUEST).ignored_fields == ()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"query": ""}, "query"),
        ({"query": " \n\u200b"}, "query"),
        ({"query": None}, "query"),
        ({"query": 7}, "query"),
        ({"query": ["a"]}, "query"),
        ({"query": "a\x00b"}, "query"),
        ({"query": "a\x08b"}, "query"),
        ({"query": "a\x85b"}, "query"),
        ({"query": "\ud800"}, "query"),
        ({"query": "x" * (MAX_QUERY_CHARS + 1)}, "query"),
        ({"session_id": ""}, "session_id"),
        ({"session_id": "a b"}, "session_id"),
        ({"session_id": "a\n"}, "session_id"),
        ({"session_id": "a\x1b[31m"}, "session_id"),
        ({"session_id": "s" * 129}, "session_id"),
        ({"session_id": 1}, "session_id"),
        ({"context": []}, "context"),
        ({"context": "x"}, "context"),
        ({"context": _nested(MAX_CONTEXT_DEPTH + 1)}, "context"),
        ({"context": {"a": [[["x\x00"]]]}}, "context"),
        ({"context": {"a\x00": 1}}, "context"),
        ({"context": {"a": "x" * 200_001}}, "context"),
        ({"context": {"a": list(range(10_001))}}, "context"),
        ({"attachments": {}}, "attachments"),
        ({"attachments": ["log"]}, "attachments.0"),
        ({"attachments": [{"name": "a"}]}, "attachments.0.content"),
        ({"attachments": [{"name": "", "content": ""}]}, "attachments.0.name"),
        ({"attachments": [{"name": "a\nb", "content": ""}]}, "attachments.0.name"),
        ({"attachments": [{"name": "a", "content": "\x00"}]}, "attachments.0.content"),
        ({"attachments": [{"name": "a", "content": ""}] * 21}, "attachments"),
        (
            {"attachments": [{"name": "a", "content": "x" * MAX_ATTACHMENT_CHARS}] * 2},
            "attachments",
        ),
        ({"priority": "urgent"}, "priority"),
        ({"provider": "two words"}, "provider"),
        ({"provider": ""}, "provider"),
        ({"providers": []}, "providers"),
        ({"providers": ["openai", " OpenAI"]}, "providers"),
        ({"providers": ["x"] * 21}, "providers"),
        ({"provider": "openai", "providers": ["openai"]}, "providers"),
        ({"model": "a b"}, "model"),
        ({"model": "a\u202eb"}, "model"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "9"}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"confidence_threshold": 1.1}, "confidence_threshold"),
        ({"confidence_threshold": -0.1}, "confidence_threshold"),
        ({"confidence_threshold": "0.5"}, "confidence_threshold"),
        ({"require_confidence": "yes"}, "require_confidence"),
        ({"deadline_ms": 0}, "deadline_ms"),
        ({"deadline_ms": 10**9}, "deadline_ms"),
        ({"max_cost_usd": -1}, "max_cost_usd"),
        ({"stream": "yes"}, "stream"),
        ({"max_token": 5}, "max_token"),
        ({"confidenceThreshold": 0.5}, "confidenceThreshold"),
    ],
)
def test_bad_field_is_named_with_its_fix(change: dict[str, Any], field: str) -> None:
    """Each wrong value names the field at fault, what is wrong and what mends it (S39)."""
    (fault,) = _faults({**_LEAST, **change})

    assert fault.field == field
    assert fault.message
    assert fault.fix.endswith((".", "?"))


@pytest.mark.parametrize("body", [[], "text", 7, None])
def test_body_that_is_no_object_is_refused(body: object) -> None:
    """The body itself is named when it is no object."""
    (fault,) = _faults(body)

    assert fault.field == "body"


def test_all_faults_are_told_at_once() -> None:
    """A caller with three wrong fields learns of all three."""
    faults = _faults({"session_id": "a b", "max_tokens": 0})

    assert {fault.field for fault in faults} == {"session_id", "query", "max_tokens"}


@pytest.mark.parametrize(
    "body",
    [
        {"session_id": f"{_SECRET} ", "query": f"{_SECRET}\x00", "priority": _SECRET},
        {**_LEAST, "max_tokens": _SECRET, "context": _SECRET, "model": f" {_SECRET}"},
        {**_LEAST, "provider": f"{_SECRET} ", "attachments": [_SECRET]},
        {**_LEAST, f"query{_SECRET} ": 1, "quer": 1, "temperature": _SECRET},
    ],
)
def test_refusal_never_repeats_the_input(body: dict[str, Any]) -> None:
    """Whatever was sent in whatever field, the faults do not hold it."""
    told = " ".join(map(str, _faults(body)))

    assert _SECRET not in told


def test_misspelt_field_is_refused_with_the_name_that_was_meant() -> None:
    """A slip that would silently lose a limit is an error."""
    (fault,) = _faults({**_LEAST, "max_cost_us": 1})

    assert "max_cost_usd" in fault.fix


def test_foreign_field_is_ignored_and_named() -> None:
    """A field of the caller's own does no harm, and is told; odd names are not repeated."""
    request = TroubleshootRequest.model_validate(
        {**_LEAST, "trace": {"a": 1}, "<script>alert(1)</script>": 1}
    )

    assert request.ignored_fields == ("trace", "(unprintable name)")


def test_terminal_colours_are_stripped_from_logs() -> None:
    """A pasted terminal log is the normal case."""
    request = TroubleshootRequest.model_validate(
        {
            "session_id": "s",
            "query": "\x1b[31mERROR\x1b[0m why?",
            "attachments": [{"name": "a.log", "content": "\x1b]0;t\x07ok\tx\r\n"}],
        }
    )

    assert request.query == "ERROR why?"
    assert request.attachments[0].content == "ok\tx\r\n"


def test_limits_themselves_are_allowed() -> None:
    """The largest and smallest documented values pass."""
    request = TroubleshootRequest.model_validate(
        {
            "session_id": "s" * 128,
            "query": "x" * MAX_QUERY_CHARS,
            "context": _nested(MAX_CONTEXT_DEPTH),
            "attachments": [{"name": "a", "content": "y" * MAX_ATTACHMENT_CHARS}],
            "confidence_threshold": 0,
            "temperature": 2,
            "max_tokens": 1,
            "max_cost_usd": 0,
            "deadline_ms": 1,
            "stream": False,
        }
    )

    assert request.confidence_threshold == 0


@pytest.mark.parametrize(
    ("narrowing", "chain"),
    [
        ({"provider": " OpenAI "}, ("openai",)),
        ({"providers": ["local", "gemini"]}, ("local", "gemini")),
    ],
)
def test_chain_is_narrowed_by_one_name_or_a_list(
    narrowing: dict[str, Any], chain: tuple[str, ...]
) -> None:
    """Names are folded as in CHAT_PROVIDER, and keep their order."""
    assert TroubleshootRequest.model_validate({**_LEAST, **narrowing}).chain == chain


def test_deep_context_costs_no_recursion() -> None:
    """A hundred thousand levels are refused like twenty-one."""
    (fault,) = _faults({**_LEAST, "context": _nested(100_000)})

    assert fault.field == "context"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*TroubleshootRequest.model_fields, "other"]) | st.text(), _JSON
    )
)
def test_any_object_is_a_request_or_has_faults(body: dict[str, Any]) -> None:
    """No JSON object breaks validation; each fault can be written out."""
    told = _told(body)

    assert all(told)


def _told(body: dict[str, Any]) -> list[str]:
    try:
        return [TroubleshootRequest.model_validate(body).query.strip()]
    except ValidationError as error:
        return [str(fault) for fault in field_faults(error.errors())]
