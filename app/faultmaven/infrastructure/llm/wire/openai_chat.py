"""OpenAI's chat completions, in the dialects of all who copied it."""

from __future__ import annotations

from collections.abc import Mapping

from faultmaven.errors import ProviderError, ProviderProtocolError
from faultmaven.infrastructure.llm.wire import address
from faultmaven.infrastructure.llm.wire.answer import finished
from faultmaven.infrastructure.llm.wire.body import read
from faultmaven.infrastructure.llm.wire.errors import error_of, read_error
from faultmaven.infrastructure.llm.wire.failure import failure_inside
from faultmaven.infrastructure.llm.wire.headers import bearer
from faultmaven.infrastructure.llm.wire.openai_answer import ChatCompletion, ModelList
from faultmaven.infrastructure.llm.wire.openai_dialects import OPENAI, ChatDialect
from faultmaven.infrastructure.llm.wire.openai_plain import plain_answer
from faultmaven.infrastructure.llm.wire.openai_request import Fields, ignored, payload
from faultmaven.infrastructure.llm.wire.openai_stream import ChatReader
from faultmaven.infrastructure.llm.wire.sse import ServerSentEvents
from faultmaven.infrastructure.llm.wire.types import (
    Completion,
    CompletionRequest,
    Endpoint,
    EventReader,
    Framing,
    Listing,
    SharedHeaders,
    WireRequest,
    WireResponse,
)
from faultmaven.models.json_text import json_bytes
from faultmaven.models.prompt import StructuredOutput


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
        """Write the request.

        Raises:
            UnsupportedRequestError: the model cannot be held to the schema that is demanded.
        """
        url, headers = _opening(self._dialect, endpoint)
        return WireRequest("POST", url, headers, json_bytes(self._payload(request, endpoint)))

    def ignored(self, request: CompletionRequest) -> tuple[str, ...]:
        """What is asked and not sent: others' fields, and what the model would refuse."""
        return ignored(request, self._dialect)

    def framing(self) -> Framing:
        """What cuts a stream into events."""
        return ServerSentEvents()

    def reader(self) -> EventReader:
        """What reads the events of one stream."""
        return ChatReader()

    def decode(self, response: WireResponse) -> Completion:
        """Read a 200."""
        plain = plain_answer(response.body)
        if plain is not None:
            return finished(plain)
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
        base, headers = _base(self._dialect, endpoint), _headers(self._dialect, endpoint)
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

    def _payload(self, request: CompletionRequest, endpoint: Endpoint) -> Fields:
        return payload(request, self._dialect, endpoint.options)


def _opening(dialect: ChatDialect, endpoint: Endpoint) -> tuple[str, Mapping[str, str]]:
    """Where every request of an endpoint goes, and the headers it has."""
    opening: tuple[str, Mapping[str, str]] | None = endpoint.kept.get(dialect)
    if opening is None:
        url = address.join(_base(dialect, endpoint), dialect.path)
        opening = url, SharedHeaders(_headers(dialect, endpoint))
        endpoint.kept[dialect] = opening
    return opening


def _base(dialect: ChatDialect, endpoint: Endpoint) -> str:
    base = address.without_path(endpoint.base_url, dialect.path)
    return address.versioned(base, dialect.version) if dialect.version else base


def _headers(dialect: ChatDialect, endpoint: Endpoint) -> Mapping[str, str]:
    options = endpoint.options
    further = dialect.option_headers.items()
    named = {header: options[option] for option, header in further if option in options}
    return bearer(endpoint) | named
