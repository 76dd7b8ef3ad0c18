"""Text Generation Inference's own API, and the Hugging Face endpoints that grew from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field, model_validator

from faultmaven.errors import ProviderError, UnsupportedRequestError
from faultmaven.infrastructure.llm.wire import address, schema
from faultmaven.infrastructure.llm.wire.answer import finished
from faultmaven.infrastructure.llm.wire.body import Shape, read
from faultmaven.infrastructure.llm.wire.carried import left_out
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.failure import ErrorField
from faultmaven.infrastructure.llm.wire.function_tools import refuse_tools
from faultmaven.infrastructure.llm.wire.headers import bearer
from faultmaven.infrastructure.llm.wire.lenient import LenientObject
from faultmaven.infrastructure.llm.wire.sse import ServerSentEvents
from faultmaven.infrastructure.llm.wire.tgi_stream import Details, TgiReader
from faultmaven.infrastructure.llm.wire.turns import flatten
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

Route = Callable[[str, str], str]
"""From base URL and model to the address of the call."""

_SERVERLESS = "/models"  # behind it the model is named in the path, elsewhere it is fixed
_OWN_ROUTE, _OWN_STREAM = "/generate", "/generate_stream"
_MOST_PENALTY = 2


class _Answer(Shape):
    error: ErrorField = None
    text: str = Field(default="", alias="generated_text")
    details: LenientObject[Details] = Details()

    @model_validator(mode="before")
    @classmethod
    def _first_of_list(cls, value: object) -> object:
        """Endpoints answer with a list of one, TGI's own route with the object itself."""
        return value[0] if isinstance(value, list) and value else value

    @property
    def completion(self) -> Completion:
        """The generated text; counts only where details were given."""
        return Completion(
            text=self.text,
            finish_reason=self.details.finish_reason,
            usage=self.details.usage,
        )


class _Info(Shape):
    model: str = Field(alias="model_id")


class TgiGenerate:
    """Codec for ``{"inputs": …}``.

    https://huggingface.github.io/text-generation-inference/

    Args:
        route: where a model is asked.
        grammars: whether the server takes a schema and reports details, as TGI itself does;
            other servers behind the same format refuse fields they do not know.
    """

    def __init__(self, *, route: Route, grammars: bool) -> None:
        self._route = route
        self._grammars = grammars

    def structured(self, model: str) -> StructuredOutput:
        """How ``model`` can be held to a JSON schema."""
        del model
        return StructuredOutput.JSON_SCHEMA if self._grammars else StructuredOutput.NONE

    def encode(self, request: CompletionRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request; the conversation becomes one prompt.

        Raises:
            UnsupportedRequestError: there are pictures or tools, or a form of the answer is
                demanded that the server cannot be held to.
        """
        refuse_tools(request.controls)
        url, body = self._route(endpoint.base_url, request.model), self._payload(request)
        if request.stream and url.endswith(_OWN_ROUTE):
            url = url.removesuffix(_OWN_ROUTE) + _OWN_STREAM
        elif request.stream:
            body["stream"] = True
        return WireRequest("POST", url, headers=bearer(endpoint), body=json_bytes(body))

    def ignored(self, request: CompletionRequest) -> tuple[str, ...]:
        """What is asked that TGI has no word for."""
        return left_out(request, carried=_sampling(request.controls.parameters))

    def framing(self) -> Framing:
        """Server-sent events."""
        return ServerSentEvents()

    def reader(self) -> EventReader:
        """One token an event, and all of them once more in the last."""
        return TgiReader()

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
        """Write the free call: what the server serves."""
        del model
        url = address.join(address.unversioned(endpoint.base_url), "/info")
        return (WireRequest(method="GET", url=url, headers=bearer(endpoint)),)

    def decode_check(self, response: WireResponse) -> Listing:
        """Read what the server serves."""
        return Listing(models=(read(response, _Info).model,), any_name=True)

    def _payload(self, request: CompletionRequest) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "max_new_tokens": request.max_tokens,
            "temperature": request.temperature or None,  # 0 is refused; without it TGI is greedy
            "stop": list(request.stop) or None,
            "return_full_text": False,
            "details": self._grammars or None,
            "grammar": self._grammar(request),
            **_sampling(request.controls.parameters),
        }
        parameters = {name: value for name, value in fields.items() if value is not None}
        return {"inputs": flatten(request.messages), "parameters": parameters}

    def _grammar(self, request: CompletionRequest) -> dict[str, Any] | None:
        """The schema that is demanded, else the one that is wished for.

        Raises:
            UnsupportedRequestError: a form is demanded, and there is no word for it.
        """
        demanded = request.controls.response_format
        wanted = request.response_schema if demanded is None else demanded.schema
        if wanted is not None and self._grammars:
            return {"type": "json", "value": schema.plain(wanted)}
        if demanded is not None:
            raise UnsupportedRequestError("this wire format cannot promise the answer's form")
        return None


def _sampling(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """How a next token is drawn; what TGI's validation would refuse is left out.

    A ``top_p`` of 1, which many clients send unasked, says what its absence says.
    https://github.com/huggingface/text-generation-inference/blob/main/router/src/validation.rs
    """
    allowed: Mapping[str, Callable[[float], bool]] = {
        "top_p": lambda value: 0 < value <= 1,
        "top_k": lambda value: value > 0,
        "seed": lambda value: value >= 0,
        "frequency_penalty": lambda value: -_MOST_PENALTY <= value <= _MOST_PENALTY,
    }
    given = {name: parameters.get(name) for name in allowed}
    return {
        name: None if name == "top_p" and value == 1 else value
        for name, value in given.items()
        if isinstance(value, int | float) and allowed[name](value)
    }


def server_route(base_url: str, model: str) -> str:
    """TGI's own route; the server serves one model, whatever it is called."""
    del model
    return address.join(address.unversioned(base_url), _OWN_ROUTE)


def endpoint_route(base_url: str, model: str) -> str:
    """A Hugging Face endpoint: the model behind ``…/models``, else the address as it stands."""
    base = address.tidy(base_url)
    return f"{base}/{address.segment(model)}" if base.endswith(_SERVERLESS) else base
