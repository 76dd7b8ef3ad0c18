"""Google's Gemini API, method ``generateContent``."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from faultmaven.errors import ContentFilteredError, ProviderError, ProviderProtocolError
from faultmaven.infrastructure.llm.wire import address, schema
from faultmaven.infrastructure.llm.wire.answer import finished
from faultmaven.infrastructure.llm.wire.body import Count, Number, Shape, Word, read, write_json
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.excerpt import excerpt
from faultmaven.infrastructure.llm.wire.failure import ErrorField
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

_DEFAULT_VERSION = "/v1beta"
_PAGE = 1000  # most models one page of the list holds
_ROLES = {"user": "user", "assistant": "model"}
_COLLECTIONS = ("models/", "tunedModels/")
# responseJsonSchema came with 2.5; earlier models know a dialect of OpenAPI only.
_KNOWS_SCHEMAS = re.compile(r"(?:models/)?gemini-(?:2\.[5-9]|[3-9]|\d\d)(?!.*-(?:tts|image|live))")


class _Part(Shape):
    text: Word = ""
    thought: bool = False
    function_call: dict[str, object] | None = Field(default=None, alias="functionCall")


class _Content(Shape):
    parts: tuple[_Part, ...] = ()


class _Candidate(Shape):
    content: LenientObject[_Content] = _Content()
    finish_reason: Word = Field(default="", alias="finishReason")
    average_logprob: Number = Field(default=None, alias="avgLogprobs")

    def text(self, *, thought: bool) -> str:
        """The answer's parts joined, or the thoughts'."""
        return "".join(part.text for part in self.content.parts if part.thought is thought)

    @property
    def finish_word(self) -> str:
        """The reason; a call of a function is told from an ordinary ``STOP``."""
        calls = any(part.function_call for part in self.content.parts)
        return "tool_calls" if calls and not self.text(thought=False) else self.finish_reason


class _Feedback(Shape):
    block_reason: Word = Field(default="", alias="blockReason")


class _Usage(Shape):
    prompt: Count = Field(default=0, alias="promptTokenCount")
    answer: Count = Field(default=0, alias="candidatesTokenCount")
    thoughts: Count = Field(default=0, alias="thoughtsTokenCount")


class _Answer(Shape):
    error: ErrorField = None
    candidates: tuple[_Candidate, ...] = ()
    feedback: LenientObject[_Feedback] = Field(default=_Feedback(), alias="promptFeedback")
    usage: LenientObject[_Usage] = Field(default=_Usage(), alias="usageMetadata")
    model: Word = Field(default="", alias="modelVersion")

    @property
    def completion(self) -> Completion:
        """The first candidate."""
        candidate, usage = self.candidates[0], self.usage
        return Completion(
            text=candidate.text(thought=False),
            finish_reason=candidate.finish_word,
            usage=Usage(prompt=usage.prompt, completion=usage.answer + usage.thoughts),
            model=self.model,
            reasoning=candidate.text(thought=True),
            mean_logprob=candidate.average_logprob,
        )


class _Model(Shape):
    name: str


class _Models(Shape):
    models: tuple[_Model, ...]


class GeminiContent:
    """Codec for ``POST …/models/{model}:generateContent``.

    The key travels in a header only: an address ends up in logs.
    https://ai.google.dev/api/generate-content
    """

    def structured(self, model: str) -> StructuredOutput:
        """How ``model`` can be held to a JSON schema."""
        known = _KNOWS_SCHEMAS.match(model)
        return StructuredOutput.JSON_SCHEMA if known else StructuredOutput.NONE

    def encode(self, request: CompletionRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request."""
        path = f"/{_resource(request.model)}:generateContent"
        return WireRequest(
            method="POST",
            url=address.join(_base(endpoint), path),
            headers=_headers(endpoint),
            body=write_json(_payload(request)),
        )

    def decode(self, response: WireResponse) -> Completion:
        """Read a 200."""
        body = read(response, _Answer)
        if body.error is not None:
            raise read_error(response)
        if body.candidates:
            return finished(body.completion)
        if body.feedback.block_reason:
            message = f"the prompt was blocked: {excerpt(body.feedback.block_reason, most=40)}"
            raise ContentFilteredError(message, status_code=response.status)
        raise ProviderProtocolError("the answer has no candidates", status_code=response.status)

    def decode_error(self, response: WireResponse) -> ProviderError:
        """Read an answer that is no 200."""
        return read_error(response)

    def encode_check(self, model: str, endpoint: Endpoint) -> tuple[WireRequest, ...]:
        """Write the free call: the list of models, which needs a good key."""
        del model
        url = address.join(_base(endpoint), f"/models?pageSize={_PAGE}")
        return (WireRequest(method="GET", url=url, headers=_headers(endpoint)),)

    def decode_check(self, response: WireResponse) -> Listing:
        """Read the list of models."""
        entries = read(response, _Models).models
        names = tuple(entry.name.removeprefix("models/") for entry in entries)
        return Listing(models=names, key_accepted=True)


def _base(endpoint: Endpoint) -> str:
    return address.versioned(endpoint.base_url, _DEFAULT_VERSION)


def _headers(endpoint: Endpoint) -> dict[str, str]:
    key = usable_key(endpoint)
    return {**JSON, "x-goog-api-key": key} if key else dict(JSON)


def _resource(model: str) -> str:
    name = model if model.startswith(_COLLECTIONS) else f"models/{model}"
    return address.segment(name)


def _payload(request: CompletionRequest) -> dict[str, Any]:
    system = system_text(request.messages)
    payload: dict[str, Any] = {
        "contents": [_turn(message) for message in dialogue(request.messages)],
        "generationConfig": _configuration(request),
    }
    return payload | {"systemInstruction": {"parts": [{"text": system}]}} if system else payload


def _turn(message: Message) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"text": message.text}] if message.text else []
    parts += [
        {"inlineData": {"mimeType": image.media_type, "data": image.data}}
        for image in message.images
    ]
    return {"role": _ROLES[message.role], "parts": parts}


def _configuration(request: CompletionRequest) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "maxOutputTokens": request.max_tokens,
        "temperature": request.temperature,
        "stopSequences": list(request.stop) or None,
    }
    if request.response_schema is not None and _KNOWS_SCHEMAS.match(request.model):
        fields["responseMimeType"] = "application/json"
        fields["responseJsonSchema"] = schema.plain(request.response_schema)
    return {name: value for name, value in fields.items() if value is not None}
