"""Texts to vectors by exactly one provider.

Vectors of different models cannot be compared, so there is no chain here: another vendor's answer
would be worse than none. Retries, deadline, redaction and reports are those of the chain.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from faultmaven.errors import (
    InvalidInputError,
    ProviderError,
    ProviderTimeoutError,
)
from faultmaven.infrastructure.llm.asking import require_ready
from faultmaven.infrastructure.llm.plan import fair_seconds, seconds_within
from faultmaven.infrastructure.llm.providers.embedding import Embedding
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry, get_registry
from faultmaven.infrastructure.llm.redaction import Redactor
from faultmaven.infrastructure.llm.resilience.budget import RetryBudget
from faultmaven.infrastructure.llm.resilience.deadline import Clock, Deadline
from faultmaven.infrastructure.llm.resilience.gate import Entry, Gate, ProviderGate
from faultmaven.infrastructure.llm.resilience.retry import RetryPolicy
from faultmaven.infrastructure.llm.telling import Telling
from faultmaven.infrastructure.llm.trial import Sleep, Tools
from faultmaven.infrastructure.llm.verdict import failed, resting, verdict
from faultmaven.infrastructure.llm.wire.embeddings import EmbeddingRequest, Embeddings
from faultmaven.models.attempt import Attempt
from faultmaven.models.embedding import EmbeddingAnswer, EmbeddingQuestion
from faultmaven.models.interfaces import IAnswerObserver, ProviderConfig
from faultmaven.models.prompt import Controls, Message


class EmbeddingRouter:
    """Asks the one provider that a question names, again where that is worth it."""

    def __init__(
        self,
        registry: ProviderRegistry | None = None,
        *,
        redactor: Redactor | None = None,
        observers: Sequence[IAnswerObserver] = (),
        retry: RetryPolicy | None = None,
        gate: Gate | None = None,
        budget: RetryBudget | None = None,
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
        self._clock = clock

    def embedders(self) -> list[str]:
        """Names of the configured providers that give embeddings, in the schema's order."""
        names = self._registry.get_available_providers()
        return [name for name in names if isinstance(self._registry.get_provider(name), Embedding)]

    async def embed(self, question: EmbeddingQuestion) -> EmbeddingAnswer:
        """The texts' vectors, all of them from the provider and model that are named.

        Raises:
            InvalidInputError: the question names a provider that is not configured or gives no
                embeddings, or has no text, or a field out of range.
            AllProvidersFailedError: the provider did not answer; carries its attempts.
            RequestRejectedError: the provider finds the request itself wrong.
        """
        provider = self._embedder(question.provider)
        _require_sense(question)
        seconds = seconds_within(question.timeout, self._registry.request_timeout)
        asking = _Asking(
            question=question,
            provider=provider,
            config=self._registry.get_config(question.provider),
            deadline=Deadline.after(seconds, clock=self._clock),
            fair_seconds=fair_seconds(self._registry.request_timeout),
            tools=self._tools,
        )
        found = await asking.run()
        return EmbeddingAnswer(
            vectors=found.vectors,
            provider=question.provider,
            model=found.model or question.model,
            usage=found.usage,
            attempts=tuple(asking.attempts),
            ignored=found.ignored,
        )

    def _embedder(self, name: str) -> Embedding:
        configured = name in self._registry.get_available_providers()
        provider = self._registry.get_provider(name) if configured else None
        if isinstance(provider, Embedding):
            return provider
        why = "gives no embeddings" if configured else "is not configured"
        known = ", ".join(self.embedders()) or "none"
        message = f"names a provider that {why}"
        raise InvalidInputError(message, field="provider", hint=f"Choose from: {known}.")


@dataclass(slots=True)
class _Asking:
    """The state of one question.

    Attributes:
        question: what is asked.
        provider: who is asked.
        config: what it is configured with.
        deadline: when it must be over.
        fair_seconds: given less by the caller, the provider is not blamed for its silence.
        tools: what to ask with.
        attempts: what has been tried.
    """

    question: EmbeddingQuestion
    provider: Embedding
    config: ProviderConfig
    deadline: Deadline
    fair_seconds: float
    tools: Tools
    attempts: list[Attempt] = field(default_factory=list)
    _granted: float = field(default=0.0, init=False)  # seconds the last attempt was given

    async def run(self) -> Embeddings:
        """Ask until there is an answer, or no hope of one.

        Raises:
            ChainError: there is none.
        """
        waited = 0.0
        failure: ProviderError | None = None
        self.tools.budget.called()
        while entry := self._enter():
            if self.attempts:
                self.attempts[-1] = replace(self.attempts[-1], next_because="retry")
            outcome = await self._try(entry, waited)
            if isinstance(outcome, Embeddings):
                return outcome
            failure = outcome
            wait = self._wait_before_retry(failure)
            if wait is None or not self.tools.budget.take():
                break
            await self.tools.sleep(wait)
            if self.deadline.passed:
                break
            waited = wait
        if failure is None:
            raise resting(self.tools.gate.wait(self.question.provider, self.question.model))
        raise verdict(self.attempts, rejected=not failure.falls_back)

    def _enter(self) -> Entry | None:
        """Let one attempt through; the first one also for want of anybody else to ask."""
        question, first = self.question, not self.attempts
        return self.tools.gate.enter(question.provider, question.model, force=first)

    def _wait_before_retry(self, error: ProviderError) -> float | None:
        tries = len(self.attempts)
        return self.tools.retry.wait_before(
            error,
            retries_left=self.config.max_retries - tries + 1,
            tries=tries,
            time_left=self.deadline.left(),
            has_next=False,
        )

    async def _try(self, entry: Entry, waited: float) -> Embeddings | ProviderError:
        """One attempt, recorded and told to the observers whatever comes of it."""
        number = len(self.attempts) + 1
        name, model = self.question.provider, self.question.model
        draft = Attempt(name, model, number=number, queue_ms=waited * 1000)
        telling = Telling(self.tools.observers, name)
        try:
            telling.start()
            attempt, outcome = await self._attempt(entry, draft)
            self.attempts.append(attempt)
            telling.end(attempt)
        except BaseException:  # a caller who left, or a fault of ours: not the provider's
            telling.cancel()
            entry.released()
            raise
        return outcome

    async def _attempt(
        self, entry: Entry, draft: Attempt
    ) -> tuple[Attempt, Embeddings | ProviderError]:
        started = self.deadline.clock()
        try:
            found = await self._ask()
        except ProviderError as error:
            attempt = failed(self._timed(draft, started), error)
            if not error.asked or self._is_cut_short(error):
                entry.released()
                return replace(attempt, cut_short=True), error
            entry.failed(error)
            return attempt, error
        entry.succeeded()
        return replace(self._timed(draft, started), usage=found.usage), found

    async def _ask(self) -> Embeddings:
        require_ready(self.config, self.question.model)
        request = self._masked()
        self._granted = min(self.config.timeout, self.deadline.left())
        return await self.provider.embed(request, timeout=self._granted)

    def _masked(self) -> EmbeddingRequest:
        """The request as this provider may see it."""
        question, redactor = self.question, self.tools.redactor
        texts = tuple(Message("user", text) for text in question.inputs)
        further = Controls(parameters=question.parameters)
        return EmbeddingRequest(
            model=question.model,
            inputs=tuple(item.text for item in redactor.for_provider(texts, self.config)),
            dimensions=question.dimensions,
            parameters=redactor.controls_for(further, self.config).parameters,
        )

    def _is_cut_short(self, error: ProviderError) -> bool:
        """Whether too little was left of the caller's time for anybody to answer."""
        ours = isinstance(error, ProviderTimeoutError) and error.status_code is None
        return ours and self._granted < min(self.config.timeout, self.fair_seconds)

    def _timed(self, draft: Attempt, started: float) -> Attempt:
        return replace(draft, total_ms=(self.deadline.clock() - started) * 1000)


def _require_sense(question: EmbeddingQuestion) -> None:
    if not question.inputs:
        raise InvalidInputError("holds no text", field="input")
    for place, text in enumerate(question.inputs):
        if not text:
            raise InvalidInputError("is empty", field=f"input.{place}")
    if question.dimensions is not None and question.dimensions < 1:
        raise InvalidInputError("must be at least 1", field="dimensions")
