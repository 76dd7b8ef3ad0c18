"""What everybody who copies OpenAI's chat completions checks in a request."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from upstreams.dialects import fields
from upstreams.dialects.problems import Problem, Refused

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
FIELDS = frozenset(
    [
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "modalities",
        "model",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    ]
)
"""The top-level fields of OpenAI's own request."""

_PARTS = frozenset({"text", "image_url", "input_audio", "file", "refusal"})
_IMAGE = re.compile(r"data:image/(png|jpeg|jpg|gif|webp);base64,(?P<data>.*)", re.DOTALL)


def check_message(message: Any) -> None:
    """Check one message's role and content."""
    if not isinstance(message, dict) or message.get("role") not in ROLES:
        raise Refused(Problem.INVALID, "Invalid value for 'messages[].role'.", "messages")
    content = message.get("content")
    if content is None and message["role"] == "assistant" and message.get("tool_calls"):
        return
    if not isinstance(content, str | list):
        raise Refused(Problem.INVALID, "Invalid value for 'content': expected text.", "messages")
    if isinstance(content, list):
        for part in content:
            _check_part(part, role=message["role"])


def _check_part(part: Any, *, role: str) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in _PARTS:
        raise Refused(Problem.INVALID, f"Invalid value: '{kind}' is no content part.", "messages")
    if kind == "text" and not isinstance(part.get("text"), str):
        raise Refused(Problem.INVALID, "Missing 'messages[].content[].text'.", "messages")
    if kind == "image_url":
        if role != "user":
            raise Refused(Problem.INVALID, "Images are only allowed for role 'user'.", "messages")
        _check_image(part.get("image_url"))


def _check_image(image: Any) -> None:
    url = image.get("url") if isinstance(image, dict) else None
    if not isinstance(url, str):
        text = "Invalid type for 'image_url': expected an object with 'url'."
        raise Refused(Problem.INVALID, text, "messages")
    if url.startswith(("https://", "http://")):
        return
    found = _IMAGE.fullmatch(url)
    if found is None or not is_base64(found["data"]):
        text = "Invalid image: expected an https URL or base64 data of png, jpeg, gif or webp."
        raise Refused(Problem.INVALID, text, "messages")


def is_base64(data: Any) -> bool:
    """Tell whether something is base64 of at least one byte."""
    try:
        return isinstance(data, str) and bool(base64.b64decode(data, validate=True))
    except binascii.Error:
        return False


def check_numbers(body: Mapping[str, Any], *, stop_limit: int) -> None:
    """Check sampling, limits and token probabilities."""
    fields.number(body, "temperature", low=0, high=2)
    fields.number(body, "top_p", low=0, high=1)
    fields.number(body, "frequency_penalty", low=-2, high=2)
    fields.number(body, "presence_penalty", low=-2, high=2)
    fields.number(body, "seed", low=-(1 << 63), high=(1 << 63) - 1)
    fields.positive(body, "max_tokens")
    fields.positive(body, "max_completion_tokens")
    fields.positive(body, "n")
    fields.stops(body, "stop", most=stop_limit)
    fields.flag(body, "logprobs")
    fields.flag(body, "store")
    fields.mapping(body, "metadata")
    fields.mapping(body, "logit_bias")
    fields.number(body, "top_logprobs", low=0, high=20)
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        raise Refused(Problem.INVALID, "'top_logprobs' needs 'logprobs'.", "top_logprobs")


def check_stream(body: Mapping[str, Any]) -> None:
    """Check the wish for a stream: a flag, and no options without it."""
    fields.flag(body, "stream")
    options = fields.mapping(body, "stream_options")
    fields.flag(options, "include_usage")
    if body.get("stream_options") is not None and not body.get("stream"):
        raise Refused(Problem.INVALID, "'stream_options' needs 'stream'.", "stream_options")


def check_response_format(body: Mapping[str, Any]) -> None:
    """Check that a response format is one of the three, and a schema has name and body."""
    asked = fields.mapping(body, "response_format")
    if not asked:
        return
    kind = asked.get("type")
    if kind not in {"text", "json_object", "json_schema"}:
        raise Refused(Problem.INVALID, "Invalid 'response_format.type'.", "response_format")
    if kind != "json_schema":
        return
    described = fields.mapping(asked, "json_schema")
    if not isinstance(described.get("schema"), dict):
        raise Refused(Problem.INVALID, "Missing 'json_schema.schema'.", "response_format")
    if not described.get("name"):
        raise Refused(Problem.INVALID, "Missing 'json_schema.name'.", "response_format")
