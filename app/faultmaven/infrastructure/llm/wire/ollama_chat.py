"""Ollama's native API, for servers too old to speak OpenAI's format."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from faultmaven.errors import ProviderError
from faultmaven.infrastructure.llm.wire import address, schema
from faultmaven.infrastructure.llm.wire.answer import finished
from faultmaven.infrastructure.llm.wire.body import Count, Shape, Word, read, write_json
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.failure import ErrorField
from faultmaven.infrastructure.llm.wire.headers import bearer
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


class _Message(Shape):
    content: str = ""
    thinking: Word = ""
    tool_calls: list[dict[str, object]] | None = None


class _Answer(Shape):
    error: ErrorField = None
    message: _Message | None = None
    model: Word = ""
    done_reason: Word = ""
    read: Count = Field(default=0, alias="prompt_eval_count")
    written: Count = Field(default=0, alias="eval_count")

    @property
    def completion(self) -> Completion:
        """The message; an empty one that calls tools says so, since ``done_reason`` does not."""
        message = self.message or _Message()
        calls = message.tool_calls and not message.content
        return Completion(
            text=message.content,
            finish_reason="tool_calls" if calls else self.done_reason,
            usage=Usage(prompt=self.read, completion=self.written),
            model=self.model,
            reasoning=message.thinking,
        )


class _Model(Shape):
    name: str


class _Tags(Shape):
    models: tuple[_Model, ...]


class OllamaChat:
    """Codec for ``POST …/api/chat``.

    https://github.com/ollama/ollama/blob/main/docs/api.md
    """

    def structured(self, model: str) -> StructuredOutput:
        """Ollama holds any model to a schema by a grammar."""
        del model
        return StructuredOutput.JSON_SCHEMA

    def encode(self, request: CompletionRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request."""
        return WireRequest(
            method="POST",
            url=address.join(_root(endpoint), "/api/chat"),
            headers=bearer(endpoint),
            body=write_json(_payload(request)),
        )

    def decode(self, response: WireResponse) -> Completion:
        """Read a 200."""
        body = read(response, _Answer)
        if body.error is not None:
            raise read_error(response)
        return finished(body.completion)

    def decode_error(self, response: WireResponse) -> ProviderError:
        """Read an answer that is no 200."""
        return read_error(response)

    def encode_check(self, model: str, endpoint: Endpoint) -> tuple[WireRequest, ...]:
        """Write the free call: the models on disk."""
        del model
        url = address.join(_root(endpoint), "/api/tags")
        return (WireRequest(method="GET", url=url, headers=bearer(endpoint)),)

    def decode_check(self, response: WireResponse) -> Listing:
        """Read the models on disk."""
        return Listing(models=tuple(entry.name for entry in read(response, _Tags).models))


def _root(endpoint: Endpoint) -> str:
    return address.unversioned(address.without_path(endpoint.base_url, "/api/chat"))


def _payload(request: CompletionRequest) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "model": request.model,
        "messages": [_message(message) for message in request.messages],
        "stream": False,
        "options": _options(request),
    }
    if request.response_schema is None:
        return payload
    return payload | {"format": schema.plain(request.response_schema)}


def _message(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": message.text}
    if not message.images:
        return turn
    return turn | {"images": [image.data for image in message.images]}


def _options(request: CompletionRequest) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "stop": list(request.stop) or None,
    }
    return {name: value for name, value in fields.items() if value is not None}
