"""The chain as a provider: whoever asks `LLMRouter` does not know that there is a chain."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, ClassVar

from faultmaven.errors import (
    AllProvidersFailedError,
    AnswerCutError,
    ChainError,
    LowConfidenceError,
    ProviderError,
)
from faultmaven.infrastructure.llm.hearing import tell
from faultmaven.infrastructure.llm.plan import make_plan
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry, get_registry
from faultmaven.infrastructure.llm.providers.streaming import whole
from faultmaven.infrastructure.llm.redaction import Redactor
from faultmaven.infrastructure.llm.resilience.budget import RetryBudget
from faultmaven.infrastructure.llm.resilience.deadline import Clock, Deadline
from faultmaven.infrastructure.llm.resilience.gate import Gate, ProviderGate
from faultmaven.infrastructure.llm.resilience.hedging import Hedging
from faultmaven.infrastructure.llm.resilience.retry import RetryPolicy
from faultmaven.infrastructure.llm.trial import Answer, Sleep, Tools
from faultmaven.infrastructure.llm.verdict import cause, resting, verdict
from faultmaven.infrastructure.llm.walk import Walk
from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import (
    GenerateOptions,
    IAnswerObserver,
    ILLMProvider,
    LLMResponse,
)
from faultmaven.models.stream import Beginning, IAnswerListener


class LLMRouter(ILLMProvider):
    """Asks the providers of the registry's chain until one answers well enough."""

    redacts_by_target: ClassVar[bool] = True

    def __init__(
        self,
        registry: ProviderRegistry | None = None,
        *,
        redactor: Redactor | None = None,
        observers: Sequence[IAnswerObserver] = (),
        retry: RetryPolicy | None = None,
        gate: Gate | None = None,
        budget: RetryBudget | None = None,
        hedging: Hedging | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._registry = registry or get_registry()
        redact_local = self._registry.settings.redact_local
        self._tools = Tools(
            redactor=redactor or Redactor(redact_local=redact_local),
            retry=retry or RetryPolicy(),
            gate=gate or ProviderGate(clock=clock),
            budget=budget or RetryBudget(clock=clock),
            observers=tuple(observers),
            sleep=sleep,
        )
        self._hedging = hedging or Hedging(lambda: self._registry.settings.hedge_after)
        self._clock = clock

    @property
    def provider_name(self) -> str:
        """``router``: a chain has no vendor's name."""
        return "router"

    def is_available(self) -> bool:
        """Whether the chain has at least one configured provider."""
        return bool(self._registry.get_fallback_chain())

    def get_supported_models(self) -> list[str]:
        """Models of the chain's providers, in its order."""
        chain = self._registry.get_fallback_chain()
        models = (self._registry.get_provider(name).get_supported_models() for name in chain)
        return list(dict.fromkeys(model for group in models for model in group))

    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        """Answer ``prompt`` by the first provider that is sure enough, else by the surest.

        Keywords are those of `GenerateOptions`.

        Raises:
            InvalidInputError: an option is out of range or names what is not configured.
            AllProvidersFailedError: nobody answered; carries one cause per attempt.
            RequestRejectedError: the providers find the request itself wrong.
            LowConfidenceError: ``require_confidence`` and no answer reached the threshold.
            AnswerCutError: the answer broke off after the listener had begun to hear it.
        """
        started = self._clock()
        options: GenerateOptions = kwargs  # type: ignore[assignment]  # what they are is up to the caller
        plan = make_plan(self._registry, prompt, options)
        deadline = Deadline(at=started + plan.seconds, clock=self._clock)
        hedging = None if self._hedging.percent() is None else self._hedging
        walk = Walk(plan, deadline, self._tools, hedging)
        await walk.run()
        if walk.cut is not None:
            raise _broken_off(walk, walk.cut)
        if walk.best is None or (plan.require_confidence and _is_unsure(walk.best)):
            raise _failure(walk)
        response = _response(walk, walk.best, elapsed=self._clock() - started)
        if plan.listener is not None and plan.held:
            seconds = plan.stream_seconds - (self._clock() - started)
            await tell(_tell_whole(walk.best, walk, plan.listener), seconds=seconds)
        for observer in self._tools.observers:
            observer.on_answer(response)
        return response

    async def route_request(self, prompt: str, confidence_threshold: float = 0.8) -> LLMResponse:
        """Answer ``prompt`` with an explicit threshold; see `generate`."""
        return await self.generate(prompt, confidence_threshold=confidence_threshold)


def _is_unsure(answer: Answer) -> bool:
    return answer.confidence.below_threshold


def _response(walk: Walk, best: Answer, *, elapsed: float) -> LLMResponse:
    completion = best.completion
    return LLMResponse(
        content=completion.text,
        confidence=best.confidence.score,
        provider=best.step.name,
        model=best.step.model,
        tokens_used=completion.usage.total,
        response_time_ms=round(elapsed * 1000),
        finish_reason=completion.finish_reason,
        usage=completion.usage,
        assessment=best.confidence,
        attempts=tuple(walk.attempts),
        stopped_because=walk.stopped_because,
        cost_usd=_total_cost(walk.attempts),
        tool_calls=completion.tool_calls,
        reasoning=completion.reasoning,
        thoughts=completion.thoughts,
        logprobs=completion.logprobs,
        ignored=best.ignored,
    )


async def _tell_whole(best: Answer, walk: Walk, listener: IAnswerListener) -> None:
    """Let an answer be heard that was kept until it was judged."""
    step = best.step
    answering = max(n for n, attempt in enumerate(walk.attempts) if attempt.provider == step.name)
    others = tuple(attempt for n, attempt in enumerate(walk.attempts) if n != answering)
    await listener.on_begin(Beginning(step.name, step.model, others, best.ignored))
    for delta in whole(best.completion):
        await listener.on_delta(delta)


def _broken_off(walk: Walk, failure: ProviderError) -> AnswerCutError:
    return AnswerCutError(
        f"The answer broke off: {cause(walk.attempts[-1])}",
        attempts=walk.attempts,
        retry_after=failure.retry_after,
        hint="Ask again: what was heard so far is not the whole answer.",
    )


def _total_cost(attempts: Sequence[Attempt]) -> float | None:
    total = None
    for attempt in attempts:
        if attempt.cost_usd is not None:
            total = (total or 0.0) + attempt.cost_usd
    return total


def _failure(walk: Walk) -> ChainError:
    """The error that says why there is no answer."""
    attempts = walk.attempts
    if walk.best is not None:
        message = (
            f"The surest answer scores {walk.best.confidence.score:.2f}, "
            f"below the required {walk.best.confidence.threshold:.2f}"
        )
        hint = "Ask without require_confidence, lower confidence_threshold, or add a provider."
        return LowConfidenceError(message, attempts=attempts, hint=hint)
    if not attempts and walk.stopped_because == "deadline":
        message = "All providers failed: the time was up before anybody could be asked"
        return AllProvidersFailedError(message, hint="Allow the request more time.")
    if walk.resting is not None:
        return resting(walk.resting)
    if not attempts:
        message = "All providers failed: no provider is configured"
        return AllProvidersFailedError(message, hint="Set an API key or LOCAL_LLM_URL.")
    return verdict(attempts, rejected=walk.rejected)
