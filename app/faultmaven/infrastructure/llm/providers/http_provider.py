"""A provider asked over HTTP: encode, send, decode."""

from __future__ import annotations

import difflib
from typing import Any, ClassVar, cast

from faultmaven.errors import ErrorClass, ProviderError
from faultmaven.infrastructure.llm.confidence import score_completion
from faultmaven.infrastructure.llm.providers.base import BaseLLMProvider, ProviderConfig
from faultmaven.infrastructure.llm.providers.hints import hint_for
from faultmaven.infrastructure.llm.transport import Transport, shared_transport
from faultmaven.infrastructure.llm.wire.types import (
    Codec,
    Completion,
    CompletionRequest,
    Endpoint,
    WireResponse,
)
from faultmaven.models.interfaces import GenerateOptions, LLMResponse
from faultmaven.models.prompt import Message, Target
from faultmaven.models.status import CheckResult

_OK = 200
_DEFAULT_MAX_TOKENS = 1024


class HTTPProvider(BaseLLMProvider):
    """A vendor with a codec. A subclass names the codec and, where needed, its model rules."""

    codec: ClassVar[Codec]

    def __init__(self, config: ProviderConfig, *, transport: Transport | None = None) -> None:
        super().__init__(config)
        self._transport = transport or shared_transport()
        self._endpoint = Endpoint(
            base_url=config.base_url, api_key=config.api_key, options=config.options
        )

    def is_available(self) -> bool:
        """Whether key (where one is needed), address and model are configured."""
        has_key = bool(self.config.api_key) or not self.config.needs_key
        return has_key and bool(self.config.base_url) and bool(self.config.models)

    def get_supported_models(self) -> list[str]:
        """Configured models, the default first; a copy."""
        return self.config.models.copy()

    def target(self, model: str) -> Target:
        """What a prompt writer needs to know about asking ``model`` here."""
        return Target(
            provider=self.provider_name,
            model=model,
            context_window=self.config.context_window,
            structured=self.codec.structured(model),
            small=self.config.small_model,
        )

    async def complete(self, request: CompletionRequest, *, timeout: float) -> Completion:  # noqa: ASYNC109 - bounds the one wait in it
        """Ask once, within ``timeout`` seconds.

        Raises:
            ProviderError: the attempt failed; provider, model and hint are filled in.
        """
        try:
            wire_request = self.codec.encode(request, self._endpoint)
            response = await self._transport.send(wire_request, timeout=timeout)
            return self._decode(response)
        except ProviderError as error:
            raise self._signed(error, request.model) from error.__cause__

    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        """Answer ``prompt`` with one attempt at this vendor; see `GenerateOptions`.

        Raises:
            ProviderError: the attempt failed.
        """
        self._start_timing()
        options = cast("GenerateOptions", kwargs)
        request = self._request(prompt, options)
        timeout = options.get("timeout") or self.config.timeout
        completion = await self.complete(request, timeout=min(timeout, self.config.timeout))
        assessment = score_completion(completion, prior=self.config.confidence_score)
        return LLMResponse(
            content=completion.text,
            confidence=assessment.score,
            provider=self.provider_name,
            model=request.model,
            tokens_used=completion.usage.total,
            response_time_ms=self._get_response_time_ms(),
            finish_reason=completion.finish_reason,
            usage=completion.usage,
            assessment=assessment,
            cost_usd=completion.cost_usd,
        )

    async def check(self, *, timeout: float) -> CheckResult:  # noqa: ASYNC109 - bounds the one wait in it
        """Make the vendor's free call; spends no tokens and raises no provider error."""
        model = self.get_effective_model()
        try:
            request = self.codec.encode_check(model, self._endpoint)
            response = await self._transport.send(request, timeout=timeout)
            if response.status != _OK:
                raise self.codec.decode_error(response)
            names = self.codec.decode_check(response)
        except ProviderError as error:
            return _failed_check(self._signed(error, model))
        return self._listed(model, names)

    def _decode(self, response: WireResponse) -> Completion:
        if response.status != _OK:
            raise self.codec.decode_error(response)
        return self.codec.decode(response)

    def _signed(self, error: ProviderError, model: str) -> ProviderError:
        """The error with what only we know: who failed, and which setting mends it."""
        error.provider = self.provider_name
        error.model = model
        error.hint = error.hint or hint_for(error.error_class, self.config, model)
        return error

    def _request(self, prompt: str, options: GenerateOptions) -> CompletionRequest:
        system = options.get("system")
        messages: list[Message] = [Message("system", system)] if system else []
        messages.extend(options.get("history") or ())
        messages.append(Message("user", prompt, tuple(options.get("images") or ())))
        max_tokens = options.get("max_tokens")
        return CompletionRequest(
            model=self.get_effective_model(options.get("model")),
            messages=tuple(messages),
            max_tokens=_DEFAULT_MAX_TOKENS if max_tokens is None else max_tokens,
            temperature=options.get("temperature"),
            stop=tuple(options.get("stop") or ()),
        )

    def _listed(self, model: str, names: tuple[str, ...]) -> CheckResult:
        found = model in names if names else None
        nearest = difflib.get_close_matches(model, names, n=3, cutoff=0.3) if names else []
        hint = None
        if found is False:
            hint = hint_for(ErrorClass.MODEL_NOT_FOUND, self.config, model, nearest)
        return CheckResult(
            reachable=True, key_accepted=True, model_found=found, models=names, hint=hint
        )


def _failed_check(error: ProviderError) -> CheckResult:
    unreachable = error.error_class in {ErrorClass.CONNECTION, ErrorClass.TIMEOUT}
    return CheckResult(
        reachable=not unreachable,
        key_accepted=False if error.error_class is ErrorClass.AUTH else None,
        error_class=error.error_class,
        detail=str(error),
        hint=error.hint,
    )
