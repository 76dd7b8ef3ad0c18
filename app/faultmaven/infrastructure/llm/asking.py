"""One question to one provider, whether it is ours or somebody else's."""

from __future__ import annotations

from functools import cache
from typing import Protocol, TypeGuard, runtime_checkable

from faultmaven.errors import ProviderError, ProviderOverloadedError, ProviderTimeoutError
from faultmaven.infrastructure.llm.hearing import Hearing
from faultmaven.infrastructure.llm.plan import Step
from faultmaven.infrastructure.llm.providers.foreign import ask_foreign
from faultmaven.infrastructure.llm.providers.hints import hint_for
from faultmaven.infrastructure.llm.providers.streaming import Ear, whole
from faultmaven.infrastructure.llm.wire.carried import left_out, refuse_controls
from faultmaven.infrastructure.llm.wire.types import Completion, CompletionRequest
from faultmaven.models.interfaces import ILLMProvider, ProviderConfig
from faultmaven.models.prompt import Target

_LOADING_WAIT = 10.0  # seconds after which asking a loading model again makes sense


@runtime_checkable
class Completing(Protocol):
    """A provider of ours: takes a whole conversation and gives a `Completion`."""

    def target(self, model: str) -> Target:
        """What a prompt writer needs to know."""
        ...

    async def complete(self, request: CompletionRequest, *, timeout: float) -> Completion:  # noqa: ASYNC109 - the contract passes a length
        """Ask once."""
        ...


@cache
def _has_the_methods_of(protocol: type, kind: type) -> bool:
    """Whether a class has them; looked up once, since asking a protocol is slow."""
    return issubclass(kind, protocol)


def is_completing(provider: ILLMProvider) -> TypeGuard[Completing]:
    """Whether a provider takes a whole conversation."""
    return _has_the_methods_of(Completing, type(provider))


def is_streaming(provider: ILLMProvider) -> TypeGuard[Streaming]:
    """Whether a provider's answers can be heard while they are written."""
    return _has_the_methods_of(Streaming, type(provider))


def target_of(step: Step) -> Target:
    """Who is about to be asked."""
    if is_completing(step.provider):
        return step.provider.target(step.model)
    return Target(step.name, step.model, context_window=step.config.context_window)


@runtime_checkable
class Streaming(Completing, Protocol):
    """A provider of ours whose answers can be heard while they are written."""

    async def stream(self, request: CompletionRequest, ear: Ear) -> Completion:
        """Ask once; the caller bounds the time."""
        ...

    def ignored(self, request: CompletionRequest) -> tuple[str, ...]:
        """What is asked that the vendor has no word for."""
        ...


def ignored_by(step: Step, request: CompletionRequest) -> tuple[str, ...]:
    """What is asked that this provider has no word for, in the caller's names."""
    if is_streaming(step.provider):
        return step.provider.ignored(request)
    return left_out(request, carried=())


async def listen(
    step: Step,
    request: CompletionRequest,
    *,
    hearing: Hearing,
) -> Completion:
    """Ask once, letting the answer be heard while it is written, as far as the provider can.

    Raises:
        ProviderError: the attempt failed, maybe after part of the answer was heard.
    """
    require_ready(step.config, step.model)
    try:
        async with hearing.watch as watch:
            if is_streaming(step.provider):
                return await step.provider.stream(request, hearing)
            completion = await ask(step, request, watch.limits.first)
            for delta in whole(completion):
                await hearing.hear(delta)
            return completion
    except ProviderTimeoutError as error:  # the watch knows neither the provider nor its settings
        error.hint = error.hint or hint_for(error.error_class, step.config, step.model)
        raise _signed(error, step) from error.__cause__


async def ask(step: Step, request: CompletionRequest, seconds: float) -> Completion:
    """Ask once, within ``seconds``.

    Raises:
        ProviderError: the attempt failed, whatever the provider raised.
    """
    require_ready(step.config, step.model)
    if is_completing(step.provider):
        return await step.provider.complete(request, timeout=seconds)
    try:
        refuse_controls(request, "a provider with a generate method alone")
        return await ask_foreign(step.provider, request, config=step.config, seconds=seconds)
    except ProviderError as error:
        raise _signed(error, step) from error.__cause__


def require_ready(config: ProviderConfig, model: str) -> None:
    """Spare a provider that says it cannot answer yet, such as a model still being loaded.

    Raises:
        ProviderOverloadedError: it said so; another provider is the better bet meanwhile.
    """
    reason = config.not_ready() if config.not_ready else None
    if reason is not None:
        failure = ProviderOverloadedError(
            reason, provider=config.name, model=model, retry_after=_LOADING_WAIT
        )
        failure.prefers_next = True
        failure.asked = False
        raise failure


def _signed(error: ProviderError, step: Step) -> ProviderError:
    error.provider, error.model = step.name, step.model
    return error
