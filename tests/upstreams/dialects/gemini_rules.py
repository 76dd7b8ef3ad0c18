"""What Google checks in a request to generate content."""

from collections.abc import Mapping
from typing import Any

from upstreams.dialects import fields
from upstreams.dialects.chat_rules import is_base64
from upstreams.dialects.gemini_tools import read
from upstreams.dialects.problems import Problem, Refused

FIELDS = frozenset(
    [
        "contents",
        "tools",
        "toolConfig",
        "safetySettings",
        "systemInstruction",
        "generationConfig",
        "cachedContent",
        "serviceTier",
        "store",
        "model",
        "labels",
    ]
)
_PART_FIELDS = frozenset(
    [
        "text",
        "inlineData",
        "fileData",
        "functionCall",
        "functionResponse",
        "executableCode",
        "codeExecutionResult",
        "thought",
        "thoughtSignature",
        "videoMetadata",
        "mediaResolution",
    ]
)
_CONFIG_FIELDS = frozenset(
    [
        "stopSequences",
        "responseMimeType",
        "responseSchema",
        "responseJsonSchema",
        "responseModalities",
        "candidateCount",
        "maxOutputTokens",
        "temperature",
        "topP",
        "topK",
        "seed",
        "presencePenalty",
        "frequencyPenalty",
        "responseLogprobs",
        "logprobs",
        "thinkingConfig",
        "speechConfig",
        "mediaResolution",
        "imageConfig",
    ]
)


def _both(names: frozenset[str]) -> frozenset[str]:
    """Google reads a field in camel case and in snake case."""
    return names | {fields.snake(name) for name in names}


def only_known(body: Mapping[str, Any], names: frozenset[str], where: str) -> None:
    """Refuse a field Google does not know, in camel case or in snake case."""
    place = f' at "{where}"' if where else ""
    text = f'Invalid JSON payload received. Unknown name "{{}}"{place}: Cannot find field.'
    fields.only(body, _both(names), message=text)


def check_contents(body: Mapping[str, Any]) -> None:
    """Check the turns and the instruction."""
    text = "* GenerateContentRequest.contents: contents is not specified"
    for turn in fields.items(body, "contents", message=text):
        if not isinstance(turn, dict):
            raise Refused(Problem.INVALID, 'Invalid value at "contents": expected an object.')
        only_known(turn, frozenset({"role", "parts"}), "contents[]")
        if turn.get("role", "user") not in {"user", "model"}:
            raise Refused(Problem.INVALID, "Please use a valid role: user, model.")
        for part in fields.items(turn, "parts", message="contents.parts must not be empty."):
            _check_part(part)
    system = body.get("systemInstruction", {"parts": [1]})
    if not isinstance(system, dict) or not system.get("parts"):
        raise Refused(Problem.INVALID, 'Invalid value at "system_instruction".')


def _check_part(part: Any) -> None:
    if not isinstance(part, dict):
        raise Refused(Problem.INVALID, 'Invalid value at "contents[].parts[]".')
    only_known(part, _PART_FIELDS, "contents[].parts[]")
    data = read(part, "inlineData")
    if data is not None and not (read(data, "mimeType") and is_base64(data.get("data"))):
        text = 'Invalid value at "contents[].parts[].inline_data": expected type and base64.'
        raise Refused(Problem.INVALID, text)
    if not isinstance(part.get("text", ""), str):
        raise Refused(Problem.INVALID, 'Invalid value at "contents[].parts[].text".')


def check_config(config: Mapping[str, Any]) -> None:
    """Check the configuration."""
    only_known(config, _CONFIG_FIELDS, "generation_config")
    fields.positive(config, "maxOutputTokens")
    fields.number(config, "temperature", low=0, high=2)
    fields.number(config, "topP", low=0, high=1)
    fields.stops(config, "stopSequences", most=5)
    if isinstance(config.get("stopSequences"), str):
        raise Refused(Problem.INVALID, 'Invalid value at "stop_sequences": expected a list.')
    schemas = [name for name in ("responseSchema", "responseJsonSchema") if name in config]
    if len(schemas) > 1:
        raise Refused(Problem.INVALID, "Only one response schema may be set.")
    if schemas and config.get("responseMimeType") != "application/json":
        text = "Response schema needs response_mime_type 'application/json'."
        raise Refused(Problem.INVALID, text)
