"""One question to one provider, whether it is ours or somebody else's."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol, runtime_checkable

from faultmaven.errors import (
    ProviderConnectionError,
    ProviderError,
    ProviderOverloadedError,
    ProviderProtocolError,
    ProviderTimeoutError,
)
from faultmaven.infrastructure.llm.plan import Step
from faultmaven.infrastructure.llm.providers.foreign import describe_failure
from faultmaven.infrastructure.llm.wire.types import Completion, CompletionRequest
from faultmaven.models.attempt import Usage
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.prompt import Message, Target

_LOADING_WAIT = 5.0  # seconds after which asking a loading model again makes sense


@runtime_checkable
class Completing(Protocol):
    """A provider of ours: takes a whole conversation and gives a `Completion`."""

    def target(self, model: str) -> Target:
        """What a prompt writer needs to know."""
        ...

    async def complete(self, request: CompletionRequest, *, timeout: float) -> Completion:  # noqa: ASYNC109 - the contract passes a length
        """Ask once."""
        ...


def target_of(step: Step) -> Target:
    """Who is about to be asked."""
    if isinstance(step.provider, Completing):
        return step.provider.target(step.model)
    return Target(step.name, step.model, context_window=step.config.context_window)


async def ask(step: Step, request: CompletionRequest, seconds: float) -> Completion:
    """Ask once, within ``seconds``.

    Raises:
        ProviderError: the attempt failed, whatever the provider raised.
    """
    _require_ready(step)
    if isinstance(step.provider, Completing):
        return await step.provider.complete(request, timeout=seconds)
    try:
        async with asyncio.timeout(seconds):
            response = await _generate(step, request)
        return _completion(response)
    except ProviderError as error:
        raise _signed(error, step) from error.__cause__
    except TimeoutError as error:
        message = f"no answer within {seconds:.1f} s"
        raise _signed(ProviderTimeoutError(message), step) from error
    except OSError as error:
        raise _signed(
            ProviderConnectionError(describe_failure(error, step.config)), step
        ) from error
    except Exception as error:  # a provider somebody else wrote may raise anything
        raise _signed(ProviderProtocolError(describe_failure(error, step.config)), step) from error


def _require_ready(step: Step) -> None:
    """Spare a provider that says it cannot answer yet, such as a model still being loaded.

    Raises:
        ProviderOverloadedError: it said so; another provider is the better bet meanwhile.
    """
    reason = step.config.not_ready() if step.config.not_ready else None
    if reason is not None:
        failure = ProviderOverloadedError(reason, retry_after=_LOADING_WAIT)
        failure.prefers_next = True
        raise _signed(failure, step)


async def _generate(step: Step, request: CompletionRequest) -> Any:
    """Call ``generate`` with the documented keywords only: others could land in a payload."""
    options: dict[str, Any] = {"model": request.model}
    if request.max_tokens is not None:
        options["max_tokens"] = request.max_tokens
    if request.temperature is not None:
        options["temperature"] = request.temperature
    return await step.provider.generate(flatten(request.messages), **options)


def flatten(messages: tuple[Message, ...]) -> str:
    """A conversation as one text, for providers that take no more than a prompt."""
    if len(messages) == 1:
        return messages[0].text
    labels = {"system": "", "user": "User: ", "assistant": "Assistant: "}
    return "\n\n".join(f"{labels[message.role]}{message.text}" for message in messages)


def _completion(response: Any) -> Completion:
    if not isinstance(response, LLMResponse):
        message = f"generate returned {type(response).__name__} instead of LLMResponse"
        raise ProviderProtocolError(message)
    content: object = response.content
    if not isinstance(content, str) or not content.strip():
        raise ProviderProtocolError("the answer is empty")
    usage = response.usage if response.usage.total else Usage(completion=response.tokens_used)
    return Completion(
        text=content,
        finish_reason=response.finish_reason,
        usage=usage,
        model=response.model,
        cost_usd=response.cost_usd,
        prior=response.confidence if 0 <= response.confidence <= 1 else None,
    )


def _signed(error: ProviderError, step: Step) -> ProviderError:
    error.provider, error.model = step.name, step.model
    return error
