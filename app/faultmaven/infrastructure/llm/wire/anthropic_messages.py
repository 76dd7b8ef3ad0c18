"""Anthropic's Messages API."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from faultmaven.errors import (
    ContentFilteredError,
    ContextLengthError,
    ProviderError,
    ProviderRequestError,
)
from faultmaven.infrastructure.llm.wire import address, schema
from faultmaven.infrastructure.llm.wire.answer import finished
from faultmaven.infrastructure.llm.wire.body import Count, Shape, Word, read, write_json
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.headers import JSON, usable_key
from faultmaven.infrastructure.llm.wire.lenient import LenientObject
from faultmaven.infrastructure.llm.wire.turns import dialogue, system_text
from faultmaven.infrastructure.llm.wire.types import (
    Completion,
    CompletionRequest,
    Endpoint,
    Listing,
    WireRequest,
    WireResponse,
)
from faultmaven.models.attempt import Usage
from faultmaven.models.prompt import Message, StructuredOutput

DEFAULT_VERSION = "2023-06-01"
"""API version unless the endpoint's option ``version`` names another."""

_DEFAULT_MAX_TOKENS = 1024  # the field is required
_MAX_TEMPERATURE = 1.0
_PAGE = 1000  # most models one page of the list holds
_EARLIER = "(The conversation began earlier.)"

# Models up to 4.6 take sampling fields, later ones refuse them; so does every newer version.
_SAMPLES = re.compile(
    r"claude-(?:instant|2|3)\b|claude-(?:opus|sonnet|haiku)-4(?:-[0-6])?(?:-\d{8}|-latest)?$"
)
# https://platform.claude.com/docs/en/build-with-claude/structured-outputs
_KNOWS_SCHEMAS = re.compile(
    r"claude-(?:opus-4-[1-9]|sonnet-4-[5-9]|haiku-4-[5-9]"
    r"|(?:opus|sonnet|haiku)-(?:[5-9]|\d\d)|fable|mythos)(?!\d)"
)


class _Block(Shape):
    type: Word = ""
    text: Word = ""
    thinking: Word = ""


class _Usage(Shape):
    input: Count = Field(default=0, alias="input_tokens")
    output: Count = Field(default=0, alias="output_tokens")
    cache_written: Count = Field(default=0, alias="cache_creation_input_tokens")
    cache_read: Count = Field(default=0, alias="cache_read_input_tokens")

    @property
    def tokens(self) -> Usage:
        """The counts; what came from the cache or went there was read too."""
        return Usage(
            prompt=self.input + self.cache_written + self.cache_read, completion=self.output
        )


class _Answer(Shape):
    type: Word = ""
    content: tuple[_Block, ...] = ()
    model: Word = ""
    stop_reason: Word = ""
    usage: LenientObject[_Usage] = _Usage()

    @property
    def completion(self) -> Completion:
        """The text blocks joined, the thoughts beside them."""
        return Completion(
            text="".join(block.text for block in self.content if block.type == "text"),
            finish_reason=self.stop_reason,
            usage=self.usage.tokens,
            model=self.model,
            reasoning="\n".join(block.thinking for block in self.content if block.thinking),
        )


class _Model(Shape):
    id: str


class _Models(Shape):
    data: tuple[_Model, ...]


class AnthropicMessages:
    """Codec for ``POST …/messages``.

    https://platform.claude.com/docs/en/api/messages
    """

    def structured(self, model: str) -> StructuredOutput:
        """How ``model`` can be held to a JSON schema."""
        known = _KNOWS_SCHEMAS.match(model)
        return StructuredOutput.JSON_SCHEMA if known else StructuredOutput.NONE

    def encode(self, request: CompletionRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request.

        Raises:
            ProviderRequestError: the conversation does not end with the user.
        """
        return WireRequest(
            method="POST",
            url=address.join(_base(endpoint), "/messages"),
            headers=_headers(endpoint),
            body=write_json(_payload(request, _version(endpoint))),
        )

    def decode(self, response: WireResponse) -> Completion:
        """Read a 200; a refusal is one of its failures, whatever was said before it."""
        body = read(response, _Answer)
        if body.type == "error":
            raise read_error(response)
        if body.stop_reason == "refusal":
            raise ContentFilteredError("the model refused to answer", status_code=response.status)
        completion = body.completion
        if body.stop_reason == "model_context_window_exceeded" and not completion.text.strip():
            message = "the prompt filled the model's context window"
            raise ContextLengthError(message, status_code=response.status)
        return finished(completion)

    def decode_error(self, response: WireResponse) -> ProviderError:
        """Read an answer that is no 200."""
        return read_error(response)

    def encode_check(self, model: str, endpoint: Endpoint) -> tuple[WireRequest, ...]:
        """Write the free call: the list of models, which needs a good key."""
        del model
        url = address.join(_base(endpoint), f"/models?limit={_PAGE}")
        return (WireRequest(method="GET", url=url, headers=_headers(endpoint)),)

    def decode_check(self, response: WireResponse) -> Listing:
        """Read the list of models."""
        models = tuple(entry.id for entry in read(response, _Models).data)
        return Listing(models=models, key_accepted=True)


def _base(endpoint: Endpoint) -> str:
    return address.versioned(address.without_path(endpoint.base_url, "/messages"), "/v1")


def _version(endpoint: Endpoint) -> str:
    return endpoint.options.get("version") or DEFAULT_VERSION


def _headers(endpoint: Endpoint) -> dict[str, str]:
    headers = {**JSON, "anthropic-version": _version(endpoint)}
    key = usable_key(endpoint)
    return headers | {"x-api-key": key} if key else headers


def _payload(request: CompletionRequest, version: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens or _DEFAULT_MAX_TOKENS,
        "system": system_text(request.messages) or None,
        "messages": [_turn(message) for message in _turns(request)],
        "temperature": _temperature(request, version),
        "stop_sequences": list(request.stop) or None,
        "output_config": _output_config(request),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _turns(request: CompletionRequest) -> tuple[Message, ...]:
    """The dialogue, beginning and ending with the user as the API demands."""
    turns = dialogue(request.messages)
    if not turns or turns[-1].role != "user":
        raise ProviderRequestError("the conversation must end with the user's message")
    return turns if turns[0].role == "user" else (Message("user", _EARLIER), *turns)


def _turn(message: Message) -> dict[str, Any]:
    if not message.images:
        return {"role": message.role, "content": message.text}
    blocks: list[dict[str, Any]] = [
        {
            "type": "image",
            "source": {"type": "base64", "media_type": image.media_type, "data": image.data},
        }
        for image in message.images
    ]
    if message.text:
        blocks.append({"type": "text", "text": message.text})
    return {"role": message.role, "content": blocks}


def _temperature(request: CompletionRequest, version: str) -> float | None:
    if request.temperature is None or version != DEFAULT_VERSION:
        return None
    if not _SAMPLES.match(request.model):
        return None
    return min(request.temperature, _MAX_TEMPERATURE)


def _output_config(request: CompletionRequest) -> dict[str, Any] | None:
    if request.response_schema is None or not _KNOWS_SCHEMAS.match(request.model):
        return None
    adapted = schema.closed(request.response_schema)
    return None if adapted is None else {"format": {"type": "json_schema", "schema": adapted}}
