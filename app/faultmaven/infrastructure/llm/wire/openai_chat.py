"""OpenAI's chat completions, in the dialects of all who copied it."""

from __future__ import annotations

from typing import Any

from faultmaven.errors import ProviderError, ProviderProtocolError
from faultmaven.infrastructure.llm.wire import address, schema
from faultmaven.infrastructure.llm.wire.answer import finished
from faultmaven.infrastructure.llm.wire.body import read, write_json
from faultmaven.infrastructure.llm.wire.errors import error_of, read_error
from faultmaven.infrastructure.llm.wire.failure import failure_inside
from faultmaven.infrastructure.llm.wire.headers import bearer
from faultmaven.infrastructure.llm.wire.openai_answer import ChatCompletion, ModelList
from faultmaven.infrastructure.llm.wire.openai_dialects import OPENAI, ChatDialect
from faultmaven.infrastructure.llm.wire.types import (
    Completion,
    CompletionRequest,
    Endpoint,
    Listing,
    WireRequest,
    WireResponse,
)
from faultmaven.models.prompt import Message, StructuredOutput

_SCHEMA_NAME = "answer"


class OpenAIChat:
    """Codec for ``POST …/chat/completions``.

    https://platform.openai.com/docs/api-reference/chat
    """

    def __init__(self, dialect: ChatDialect = OPENAI) -> None:
        self._dialect = dialect

    def structured(self, model: str) -> StructuredOutput:
        """How ``model`` can be held to a JSON schema."""
        known = self._dialect.schemas.match(model)
        return StructuredOutput.JSON_SCHEMA if known else StructuredOutput.NONE

    def encode(self, request: CompletionRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request."""
        return WireRequest(
            method="POST",
            url=address.join(self._base(endpoint), self._dialect.path),
            headers=self._headers(endpoint),
            body=write_json(self._payload(request, endpoint)),
        )

    def decode(self, response: WireResponse) -> Completion:
        """Read a 200."""
        body = read(response, ChatCompletion)
        if body.error is not None:
            raise read_error(response)
        if not body.choices:
            raise ProviderProtocolError("the answer has no choices", status_code=response.status)
        if body.choices[0].error is not None:
            raise error_of(failure_inside(body.choices[0].error, response))
        return finished(body.completion)

    def decode_error(self, response: WireResponse) -> ProviderError:
        """Read an answer that is no 200."""
        return read_error(response)

    def encode_check(self, model: str, endpoint: Endpoint) -> tuple[WireRequest, ...]:
        """Write the free calls: the list of models, at OpenRouter the key's account first."""
        del model
        base, headers = self._base(endpoint), self._headers(endpoint)
        return tuple(
            WireRequest(method="GET", url=address.join(base, path), headers=headers)
            for path in self._dialect.checks
        )

    def decode_check(self, response: WireResponse) -> Listing:
        """Read a free call's 200."""
        data = read(response, ModelList).data
        if isinstance(data, dict):
            return Listing(key_accepted=True)
        accepted = None if self._dialect.lists_for_anyone else True
        return Listing(
            models=tuple(entry.id for entry in data),
            key_accepted=accepted,
            any_name=any(entry.alone for entry in data),
        )

    def _base(self, endpoint: Endpoint) -> str:
        version = self._dialect.version
        base = address.without_path(endpoint.base_url, self._dialect.path)
        return address.versioned(base, version) if version else base

    def _headers(self, endpoint: Endpoint) -> dict[str, str]:
        options = endpoint.options
        further = self._dialect.option_headers.items()
        named = {header: options[option] for option, header in further if option in options}
        return bearer(endpoint) | named

    def _payload(self, request: CompletionRequest, endpoint: Endpoint) -> dict[str, Any]:
        dialect, model = self._dialect, request.model
        reasons = dialect.reasoning.match(model)
        fields: dict[str, Any] = {
            "model": model,
            "messages": [_message(message) for message in request.messages],
            "max_completion_tokens" if reasons else "max_tokens": request.max_tokens,
            "temperature": None if reasons else request.temperature,
            "stop": None if dialect.without_stop.match(model) else list(request.stop) or None,
            "response_format": self._response_format(request),
        }
        fields |= {name: endpoint.options.get(name) for name in dialect.option_fields}
        return {name: value for name, value in fields.items() if value is not None}

    def _response_format(self, request: CompletionRequest) -> dict[str, Any] | None:
        if request.response_schema is None:
            return None
        strict = schema.strict(request.response_schema) if self._dialect.strict_schemas else None
        described: dict[str, Any] = {
            "name": _SCHEMA_NAME,
            "schema": strict or schema.plain(request.response_schema),
        }
        if self._dialect.strict_schemas:
            described["strict"] = strict is not None
        return {"type": "json_schema", "json_schema": described}


def _message(message: Message) -> dict[str, Any]:
    if not message.images:
        return {"role": message.role, "content": message.text}
    parts: list[dict[str, Any]] = [{"type": "text", "text": message.text}] if message.text else []
    for image in message.images:
        url = f"data:{image.media_type};base64,{image.data}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return {"role": message.role, "content": parts}
