"""How those who speak OpenAI's chat completions differ from each other, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_REASONING = re.compile(r"(?:gpt-(?:[5-9]|\d\d)|o\d)(?![a-z0-9])", re.IGNORECASE)
_NO_STOP = re.compile(r"o\d(?![a-z0-9])", re.IGNORECASE)
_NO_EFFORT_WITH_TOOLS = re.compile(r"gpt-5\.6(?!\d)", re.IGNORECASE)
# Not gpt-oss, which others serve.
_OPENAI_OWN = re.compile(r"(?:gpt-\d|chatgpt-|o\d(?![a-z0-9]))", re.IGNORECASE)
_NONE = re.compile(r"(?!)")
_ALL = re.compile(r"")
# https://platform.openai.com/docs/guides/structured-outputs: from gpt-4o-2024-08-06 on.
_OPENAI_SCHEMAS = (
    r"(?:gpt-4o(?!-2024-05-13|-audio|-realtime|-transcribe)|gpt-4\.1|gpt-(?:[5-9]|\d\d)"
    r"|o1(?!-mini|-preview)|o[34])"
)
# What remains of OpenAI's own names: those are known to take none, others' are not.
_OPENAI_WITHOUT_SCHEMAS = re.compile(
    rf"(?!{_OPENAI_SCHEMAS})(?:gpt-[34]|chatgpt-|o\d(?![a-z0-9]))", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChatDialect:
    """One vendor's way of speaking chat completions.

    Two are the same only if they are one object: they are keys of what is remembered for each.

    Attributes:
        path: what follows the base URL.
        version: put behind a base URL that names no version, such as ``/v1``; or empty.
        checks: paths of the free calls, relative to the same base.
        lists_for_anyone: the list of models says nothing about the key.
        own: models that refuse every field that OpenAI's protocol does not name.
        reasoning: models that want ``max_completion_tokens`` and no sampling fields.
        without_stop: models that refuse ``stop``.
        without_effort_for_tools: models that refuse an effort together with tools.
        schemas: models that can be held to a JSON schema.
        without_schemas: models that are known not to be.
        strict_schemas: whether schemas are adapted to OpenAI's strict mode.
        stream_usage: whether a stream can be asked for its usage.
        option_headers: header for each option of the endpoint that has one.
        option_fields: options of the endpoint that become fields of the body, below the caller's.
    """

    path: str = "/chat/completions"
    version: str = ""
    checks: tuple[str, ...] = ("/models",)
    lists_for_anyone: bool = False
    own: re.Pattern[str] = _NONE
    reasoning: re.Pattern[str] = _NONE
    without_stop: re.Pattern[str] = _NONE
    without_effort_for_tools: re.Pattern[str] = _NONE
    schemas: re.Pattern[str] = _NONE
    without_schemas: re.Pattern[str] = _NONE
    strict_schemas: bool = False
    stream_usage: bool = True
    option_headers: Mapping[str, str] = field(default_factory=dict)
    option_fields: tuple[str, ...] = ("reasoning_effort",)


OPENAI = ChatDialect(
    own=_OPENAI_OWN,
    reasoning=_REASONING,
    without_stop=_NO_STOP,
    without_effort_for_tools=_NO_EFFORT_WITH_TOOLS,
    schemas=re.compile(_OPENAI_SCHEMAS, re.IGNORECASE),
    without_schemas=_OPENAI_WITHOUT_SCHEMAS,
    strict_schemas=True,
)
"""OpenAI, and whoever copies it under names of their own: rules go by the model's name."""

FIREWORKS = ChatDialect(schemas=_ALL)
"""Fireworks holds every model to a schema by a grammar."""

HUGGINGFACE = ChatDialect(lists_for_anyone=True)
"""The router passes a request on to some twenty providers; a schema is not promised by all."""

OPENROUTER = ChatDialect(
    checks=("/key", "/models"),
    lists_for_anyone=True,
    schemas=re.compile(
        rf"openai/{_OPENAI_SCHEMAS}|google/gemini-(?:2\.[5-9]|[3-9]|\d\d)", re.IGNORECASE
    ),
    strict_schemas=True,
    option_headers={"referer": "HTTP-Referer", "title": "X-OpenRouter-Title"},
)
"""OpenRouter: ``/key`` is the call that checks the key."""

LOCAL = ChatDialect(version="/v1", schemas=_ALL)
"""Ollama, vLLM, TGI, llama.cpp, LM Studio and others on machines of one's own."""
