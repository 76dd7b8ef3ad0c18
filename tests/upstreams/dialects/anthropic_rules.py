"""What Anthropic checks in a request for a message."""

import re
from collections.abc import Mapping
from typing import Any

from upstreams.dialects import fields, schemas
from upstreams.dialects.anthropic_blocks import check_blocks
from upstreams.dialects.anthropic_tools import check_results, check_tools
from upstreams.dialects.chat_rules import check_stream
from upstreams.dialects.problems import Problem, Refused

_NEWEST_VERSION = "2026-10-21"
VERSIONS = frozenset({"2023-01-01", "2023-06-01", _NEWEST_VERSION})
_FIELDS = frozenset(
    [
        "cache_control",
        "container",
        "context_management",
        "inference_geo",
        "max_tokens",
        "mcp_servers",
        "messages",
        "metadata",
        "model",
        "output_config",
        "service_tier",
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
    ]
)
_FIXED_SAMPLING = re.compile(
    r"claude-(opus-4-[78]|(sonnet|opus)-5|haiku-5-5|(sonnet|opus)-5-5|fable-|mythos-)"
)
_PREFILLS = re.compile(r"claude-(3|(sonnet|opus|haiku)-4(-[0-5])?(-\d{8})?$)")
_SAMPLING_DEFAULTS = {"temperature": 1, "top_p": 1, "top_k": None}
_SCHEMA_KEYWORDS = frozenset(
    [
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "maxItems",
        "uniqueItems",
    ]
)


def check_fields(body: Mapping[str, Any]) -> None:
    """Check the top-level fields."""
    fields.only(body, _FIELDS, message="{}: Extra inputs are not permitted")
    if "max_tokens" not in body:
        raise Refused(Problem.INVALID, "max_tokens: Field required")
    fields.items(body, "messages", message="messages: at least one message is required")
    fields.positive(body, "max_tokens")
    fields.number(body, "temperature", low=0, high=1)
    fields.number(body, "top_p", low=0, high=1)
    fields.stops(body, "stop_sequences", most=8191)
    if not isinstance(body.get("system", ""), str | list):
        raise Refused(Problem.INVALID, "system: Input should be a valid string")
    check_stream(body)
    check_tools(body)


def check_turns(turns: list[Any]) -> None:
    """Check the turns' roles and contents."""
    for place, turn in enumerate(turns):
        role = turn.get("role") if isinstance(turn, dict) else None
        if role not in {"user", "assistant"}:
            text = f'messages.{place}: Unexpected role "{role}"; use the top-level `system`.'
            raise Refused(Problem.INVALID, text)
        check_blocks(turn.get("content"), role=turn["role"], place=f"messages.{place}")
    if turns[0]["role"] != "user":
        raise Refused(Problem.INVALID, 'messages: first message must use the "user" role')
    check_results(turns)


def check_sampling(body: Mapping[str, Any], *, version: str) -> None:
    """Check what may be said of sampling, which depends on version and model."""
    for name, default in _SAMPLING_DEFAULTS.items():
        if name not in body:
            continue
        if version == _NEWEST_VERSION:
            raise Refused(Problem.INVALID, f"{name}: not supported in this API version")
        if _FIXED_SAMPLING.match(body["model"]) and body[name] != default:
            raise Refused(Problem.INVALID, f"{name}: not supported by this model")


def check_last_turn(body: Mapping[str, Any]) -> None:
    """Refuse a last turn of the assistant where the model does not continue it."""
    if body["messages"][-1]["role"] == "assistant" and not _PREFILLS.match(body["model"]):
        text = "This model does not support assistant message prefill."
        raise Refused(Problem.INVALID, text)


def check_output(body: Mapping[str, Any]) -> None:
    """Check a JSON schema; source: Anthropic's page on structured outputs."""
    asked = fields.mapping(fields.mapping(body, "output_config"), "format")
    if not asked:
        return
    if asked.get("type") != "json_schema" or not isinstance(asked.get("schema"), dict):
        raise Refused(Problem.INVALID, "output_config.format: Input should be a JSON schema")
    start = "output_config.format.schema: "
    schemas.closed(asked["schema"], message=start + "'additionalProperties' must be false")
    schemas.without(
        asked["schema"], keywords=_SCHEMA_KEYWORDS, message=start + "'{}' is not supported"
    )
