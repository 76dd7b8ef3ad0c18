"""A provider asked over HTTP: encode, send, decode."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from email.utils import formatdate
from functools import partial
from typing import Any, ClassVar, cast

from faultmaven.errors import ProviderError, ProviderProtocolError
from faultmaven.infrastructure.llm.confidence import score_completion
from faultmaven.infrastructure.llm.providers.base import BaseLLMProvider, ProviderConfig
from faultmaven.infrastructure.llm.providers.checking import failed_check, passed_check
from faultmaven.infrastructure.llm.providers.hints import base_url_hint, hint_for
from faultmaven.infrastructure.llm.providers.keyed import Keys
from faultmaven.infrastructure.llm.providers.streaming import Ear, read_answer
from faultmaven.infrastructure.llm.resilience.deadline import Clock, within
from faultmaven.infrastructure.llm.transport import Transport, shared_transport
from faultmaven.infrastructure.llm.wire.errors import has_no_such_path, is_misdirected
from faultmaven.infrastructure.llm.wire.types import (
    Codec,
    Completion,
    CompletionRequest,
    Endpoint,
    Listing,
    WireRequest,
    WireResponse,
)
from faultmaven.models.interfaces import GenerateOptions, LLMResponse
from faultmaven.models.prompt import Message, Target
from faultmaven.models.status import CheckResult

_OK = 200


class HTTPProvider(BaseLLMProvider):
    """A vendor with a codec. A subclass names the codec and, where needed, its model rules.

    A codec that one vendor alone speaks is loaded with the first provider that speaks it, unless
    a subclass of that provider's names another: all together would be a twentieth of the start.

    Args:
        config: what it is configured with.
        transport: what moves the bytes; the process's own unless given.
        now: Unix time in seconds, for dates in answers that carry none of their own.
        clock: monotonic seconds, for keys that are set aside.
    """

    codec: Codec
    default_max_tokens: ClassVar[int] = 1024
    """Most tokens to write when the caller of `generate` names no number."""

    def __init__(
        self,
        config: ProviderConfig,
        *,
        transport: Transport | None = None,
        now: Callable[[], float] = time.time,
        clock: Clock = time.monotonic,
    ) -> None:
        super().__init__(config)
        self._transport = transport or shared_transport()
        self._now = now
        self._keys = Keys(config, clock=clock)

    def is_available(self) -> bool:
        """Whether key (where one is needed), address and model are configured."""
        has_key = bool(self.config.api_key) or not self.config.needs_key
        return has_key and bool(self.config.base_url) and bool(self.config.models)

    def get_supported_models(self) -> list[str]:
        """Configured models, the default first; a copy."""
        return self.config.models.copy()

    def listed_name(self, model: str) -> str:
        """The model's name as the vendor's list writes it."""
        return model

    def target(self, model: str) -> Target:
        """What a prompt writer needs to know about asking ``model`` here."""
        config = self.config
        return Target(
            provider=config.name,
            model=model,
            context_window=config.context_window,
            structured=self.codec.structured(model),
            small=config.small_model,
        )

    async def complete(self, request: CompletionRequest, *, timeout: float) -> Completion:  # noqa: ASYNC109 - bounds the one wait in it
        """Ask once, within ``timeout`` seconds.

        Raises:
            ProviderError: the attempt failed; provider, model and hint are filled in.
        """
        try:
            return _wanted(request, await self._within_time(request, timeout))
        except ProviderError as error:
            raise self._signed(error, request.model) from error.__cause__

    async def stream(self, request: CompletionRequest, ear: Ear) -> Completion:
        """Ask once, telling ``ear`` of each piece; the whole answer in the end.

        Whoever asks bounds the time. The pieces may have been heard when it fails.

        Raises:
            ProviderError: the attempt failed; provider, model and hint are filled in.
        """
        try:
            question = partial(self._streamed, request.streamed())
            return _wanted(request, await self._keys.listen(question, ear))
        except ProviderError as error:
            raise self._signed(error, request.model) from error.__cause__

    def ignored(self, request: CompletionRequest) -> tuple[str, ...]:
        """What is asked that this vendor has no word for, in the caller's names."""
        return self.codec.ignored(request)

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

    async def check(self, *, timeout: float) -> CheckResult:  # noqa: ASYNC109 - bounds the waits in it
        """Make the vendor's free calls; spends no tokens and raises no provider error.

        Of several keys, the first that is accepted makes them.
        """
        look = partial(self._look, self.get_effective_model(), timeout)
        return await self._finding(self._keys.first_accepted(look), timeout)

    async def check_keys(self, *, timeout: float) -> tuple[CheckResult, ...]:  # noqa: ASYNC109 - bounds the waits in it
        """As `check`, with each key on its own, at the same time; in the configured order."""
        look = partial(self._look, self.get_effective_model(), timeout)
        findings = (self._finding(look(key), timeout) for key in self._keys.endpoints)
        return tuple(await asyncio.gather(*findings))

    async def _finding(self, look: Awaitable[tuple[Listing, ...]], timeout: float) -> CheckResult:  # noqa: ASYNC109 - bounds the waits in it
        model = self.get_effective_model()
        try:
            async with within(timeout):
                listings = await look
        except ProviderError as error:
            return failed_check(self._signed(error, model))
        return passed_check(listings, self.config, model=model, listed_as=self.listed_name(model))

    def _within_time(self, request: CompletionRequest, timeout: float) -> Awaitable[Completion]:
        endpoints = self._keys.endpoints
        if len(endpoints) == len(self._candidates()) == 1:  # one wait, which the transport bounds
            return self._answer(request, timeout, endpoints[0])
        return self._with_each_key(request, timeout)

    async def _with_each_key(self, request: CompletionRequest, timeout: float) -> Completion:  # noqa: ASYNC109 - bounds the waits in it
        async with within(timeout):
            return await self._keys.ask(partial(self._answer, request, timeout))

    async def _answer(
        self,
        request: CompletionRequest,
        timeout: float,  # noqa: ASYNC109 - passed on
        endpoint: Endpoint,
    ) -> Completion:
        for codec in self._candidates():
            # Nobody keeps the request: a large one goes as soon as its answer is there.
            answer = self._transport.send(
                self._direct(codec.encode(request, endpoint)), timeout=timeout
            )
            response = self._clean(await answer)
            if self._understood(codec, response):
                return self._read(codec, response)
        raise self._failure(self.codec, response)

    async def _streamed(
        self, request: CompletionRequest, endpoint: Endpoint, ear: Ear
    ) -> Completion:
        scrub = self._keys.scrub
        for codec in self._candidates():
            question = self._transport.stream(self._direct(codec.encode(request, endpoint)))
            async with question as answer:
                if answer.status == _OK:
                    self.codec = codec
                    return await read_answer(codec, answer, ear, request=request, scrub=scrub)
                whole = await answer.read()
            response = self._clean(whole)
            if self._understood(codec, response):
                raise self._failure(codec, response)
        raise self._failure(self.codec, response)

    def _candidates(self) -> tuple[Codec, ...]:
        """The formats to try, in order; a vendor with several says so here."""
        return (self.codec,)

    def _understood(self, codec: Codec, response: WireResponse) -> bool:
        """Whether the server has the format's path at all; what it understood is remembered."""
        del codec, response
        return True

    async def _look(self, model: str, timeout: float, endpoint: Endpoint) -> tuple[Listing, ...]:  # noqa: ASYNC109 - passed on
        """Make the free calls; a vendor with several wire formats chooses here."""
        requests = self.codec.encode_check(model, endpoint)
        return tuple(
            [self._read_check(self.codec, await self._scrubbed(item, timeout)) for item in requests]
        )

    async def _look_if_listed(
        self,
        codec: Codec,
        model: str,
        timeout: float,  # noqa: ASYNC109 - passed on
        endpoint: Endpoint,
    ) -> tuple[Listing, ...]:
        """Make the free call of ``codec``; nothing where the server has no such path."""
        (request,) = codec.encode_check(model, endpoint)
        response = await self._scrubbed(request, timeout)
        return () if has_no_such_path(response) else (self._read_check(codec, response),)

    async def _scrubbed(self, request: WireRequest, timeout: float) -> WireResponse:  # noqa: ASYNC109 - passed on
        return self._clean(await self._transport.send(self._direct(request), timeout=timeout))

    def _direct(self, request: WireRequest) -> WireRequest:
        # What stays on the operator's machines is not masked: no proxy may read it on its way.
        if not self.config.local:
            return request
        return WireRequest(request.method, request.url, request.headers, request.body, direct=True)

    def _clean(self, response: WireResponse) -> WireResponse:
        """The answer without our keys, should it quote one."""
        body = self._keys.scrub(response.body)
        return response if body is response.body else replace(response, body=body)

    def _read(self, codec: Codec, response: WireResponse) -> Completion:
        if response.status != _OK:
            raise self._failure(codec, response)
        return codec.decode(response)

    def _read_check(self, codec: Codec, response: WireResponse) -> Listing:
        if is_misdirected(response):
            message = f"HTTP {response.status}: the server has no free call at this address"
            raise ProviderProtocolError(
                message, status_code=response.status, hint=base_url_hint(self.config)
            )
        if response.status != _OK:
            raise self._failure(codec, response)
        return codec.decode_check(response)

    def _failure(self, codec: Codec, response: WireResponse) -> ProviderError:
        dated = {"date": formatdate(self._now(), usegmt=True), **response.headers}
        error = codec.decode_error(replace(response, headers=dated))
        if is_misdirected(response):
            error.hint = base_url_hint(self.config)
        return error

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
            max_tokens=self.default_max_tokens if max_tokens is None else max_tokens,
            temperature=options.get("temperature"),
            stop=tuple(options.get("stop") or ()),
        )


def _wanted(request: CompletionRequest, completion: Completion) -> Completion:
    """The completion, unless it only asks for a tool and none was offered.

    Raises:
        ProviderProtocolError: that is so.
    """
    if completion.text or request.controls.tools:
        return completion
    raise ProviderProtocolError("the model asked for a tool instead", status_code=_OK)
