"""Anthropic's Messages API."""

from __future__ import annotations

from typing import Any

from faultmaven.errors import ProviderError, UnsupportedRequestError
from faultmaven.infrastructure.llm.wire import address
from faultmaven.infrastructure.llm.wire import anthropic_controls as controls
from faultmaven.infrastructure.llm.wire import anthropic_models as models
from faultmaven.infrastructure.llm.wire.alternation import Turn, alternate, tool_loop
from faultmaven.infrastructure.llm.wire.answer import finished
from faultmaven.infrastructure.llm.wire.anthropic_answer import (
    REFUSAL,
    MessageBody,
    Models,
    silence,
)
from faultmaven.infrastructure.llm.wire.anthropic_models import DEFAULT_VERSION
from faultmaven.infrastructure.llm.wire.anthropic_stream import AnthropicReader
from faultmaven.infrastructure.llm.wire.anthropic_turns import signed, write_turns
from faultmaven.infrastructure.llm.wire.body import read
from faultmaven.infrastructure.llm.wire.carried import left_out
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.headers import JSON, shared, usable_key
from faultmaven.infrastructure.llm.wire.sse import ServerSentEvents
from faultmaven.infrastructure.llm.wire.turns import system_text
from faultmaven.infrastructure.llm.wire.types import (
    Completion,
    CompletionRequest,
    Endpoint,
    EventReader,
    Framing,
    Listing,
    WireRequest,
    WireResponse,
)
from faultmaven.models.json_text import json_bytes
from faultmaven.models.prompt import StructuredOutput

_DEFAULT_MAX_TOKENS = 1024  # the field is required
_PAGE = 1000  # most models one page of the list holds


class AnthropicMessages:
    """Codec for ``POST …/messages``.

    https://platform.claude.com/docs/en/api/messages
    """

    def structured(self, model: str) -> StructuredOutput:
        """How ``model`` can be held to a JSON schema."""
        known = models.knows_schemas(model)
        return StructuredOutput.JSON_SCHEMA if known else StructuredOutput.NONE

    def encode(self, request: CompletionRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request.

        Raises:
            UnsupportedRequestError: the assistant has the last word, which the model will not
                continue, or the model cannot promise the form of the answer.
        """
        return WireRequest(
            method="POST",
            url=address.join(_base(endpoint), "/messages"),
            headers=shared(endpoint, _headers),
            body=json_bytes(_payload(request, _version(endpoint))),
        )

    def ignored(self, request: CompletionRequest) -> tuple[str, ...]:
        """What is asked that is left out."""
        native, turns = _native(request), alternate(request.messages)
        kept = _accepted(native, turns)
        sent = controls.carried(request, thinking=controls.thinks(kept))
        missing = left_out(request, carried=sent, protocol=controls.PROTOCOL)
        loosened = ("strict",) if controls.loosened(request) else ()
        return tuple(sorted({*missing, *loosened, *(native.keys() - kept.keys())}))

    def framing(self) -> Framing:
        """What cuts a stream into events."""
        return ServerSentEvents()

    def reader(self) -> EventReader:
        """What reads the events of a stream."""
        return AnthropicReader()

    def decode(self, response: WireResponse) -> Completion:
        """Read a 200; a refusal is one of its failures, whatever was said before it."""
        body = read(response, MessageBody)
        if body.type == "error":
            raise read_error(response)
        completion = body.completion
        said = completion.text.strip() or completion.tool_calls
        failure = None if said and body.stop_reason != REFUSAL else silence(body.stop_reason)
        if failure is not None:
            raise failure
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
        names = tuple(entry.id for entry in read(response, Models).data)
        return Listing(models=names, key_accepted=True)


def _base(endpoint: Endpoint) -> str:
    return address.versioned(address.without_path(endpoint.base_url, "/messages"), "/v1")


def _version(endpoint: Endpoint) -> str:
    return endpoint.options.get("version") or DEFAULT_VERSION


def _headers(endpoint: Endpoint) -> dict[str, str]:
    headers = {**JSON, "anthropic-version": _version(endpoint)}
    key = usable_key(endpoint)
    return headers | {"x-api-key": key} if key else headers


def _payload(request: CompletionRequest, version: str) -> dict[str, Any]:
    turns = alternate(request.messages)
    native = _accepted(_native(request), turns)
    thinking = controls.thinks(native)
    _refuse_last_word(turns, continued=models.prefills(request.model) and not thinking)
    tools = controls.tools(request, turns)
    fields: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens or _DEFAULT_MAX_TOKENS + controls.thinking_budget(native),
        "system": _system(request) or None,
        "messages": write_turns(turns, thinking=thinking),
        "stop_sequences": list(request.stop) or None,
        "tools": tools,
        "tool_choice": controls.tool_choice(request, declared=tools is not None),
        "output_config": controls.output_config(request),
        "metadata": controls.metadata(request),
        "stream": request.stream or None,
        **controls.sampling(request, version=version, thinking=thinking),
    }
    ours = {name: value for name, value in fields.items() if value is not None}
    return controls.merged(native, ours)


def _native(request: CompletionRequest) -> dict[str, Any]:
    """The caller's own fields; whether the answer streams is not among them."""
    native = request.controls.native.get(controls.PROTOCOL, {})
    return {name: value for name, value in native.items() if name != "stream"}


def _accepted(native: dict[str, Any], turns: tuple[Turn, ...]) -> dict[str, Any]:
    """Those fields without ``thinking`` where Anthropic would refuse it.

    It wants to see its own thoughts behind every use of a tool that goes on; there are none if
    another vendor began it.
    """
    loop = tool_loop(turns)
    if not loop or not controls.demands_thoughts(native):
        return native
    if any(signed(turn.thoughts) for turn in loop):
        return native
    return {name: value for name, value in native.items() if name != "thinking"}


def _refuse_last_word(turns: tuple[Turn, ...], *, continued: bool) -> None:
    if not turns or (turns[-1].role == "assistant" and not continued):
        raise UnsupportedRequestError("the conversation must end with the user's message")


def _system(request: CompletionRequest) -> str:
    demanded = request.controls.response_format
    wants_any_json = demanded is not None and demanded.schema is None
    texts = (system_text(request.messages), controls.JSON_INSTRUCTION if wants_any_json else "")
    return "\n\n".join(filter(None, texts))
