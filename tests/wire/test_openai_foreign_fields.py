"""Fields of other protocols, where OpenAI's own models are asked and where others are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.openai_dialects import LOCAL, OPENAI, ChatDialect
from faultmaven.infrastructure.llm.wire.types import CompletionRequest, Endpoint
from faultmaven.models.prompt import Controls, Message

ASKED = {"top_k": 40, "reasoning_effort": "max"}


@pytest.mark.parametrize(
    ("dialect", "model", "sent", "ignored"),
    [
        (OPENAI, "gpt-4o", {}, ("reasoning_effort", "top_k")),
        (OPENAI, "gpt-5.2", {"reasoning_effort": "high"}, ("top_k",)),
        (OPENAI, "gpt-oss-120b", ASKED, ()),
        (LOCAL, "gpt-4o", ASKED, ()),
    ],
)
def test_only_who_knows_a_field_gets_it(
    dialect: ChatDialect, model: str, sent: dict[str, Any], ignored: tuple[str, ...]
) -> None:
    """OpenAI refuses what it does not know; what is left out is told."""
    controls = Controls(parameters=ASKED)
    request = CompletionRequest(model, (Message("user", "Hi"),), controls=controls)
    codec = OpenAIChat(dialect)
    body = json.loads(codec.encode(request, Endpoint("http://127.0.0.1:9/v1", "key")).body)
    assert {name: body[name] for name in ASKED if name in body} == sent
    assert codec.ignored(request) == ignored


@pytest.mark.parametrize(
    ("model", "temperature", "ignored"),
    [
        ("gpt-4o", 0.2, ()),
        ("gpt-5.2", None, ()),
        ("gpt-5.2", 1.0, ()),
        ("gpt-5.2", 0.2, ("temperature",)),
    ],
)
def test_a_temperature_that_is_left_out_is_told(
    model: str, temperature: float | None, ignored: tuple[str, ...]
) -> None:
    """A model that reasons refuses one, unless it is the one that says nothing."""
    request = CompletionRequest(model, (Message("user", "Hi"),), temperature=temperature)
    assert OpenAIChat(OPENAI).ignored(request) == ignored
