"""One completion as the compatible APIs ask for it, whichever protocol the caller speaks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from faultmaven.errors import AllProvidersFailedError
from faultmaven.models.completion import CompletionQuestion
from faultmaven.models.interfaces import (
    GenerateOptions,
    ILLMProvider,
    ISanitizer,
    LLMResponse,
)
from faultmaven.models.live import Live, now
from faultmaven.models.prompt import Message
from faultmaven.models.stream import IAnswerListener
from faultmaven.services.allowance import Allowance
from faultmaven.services.large_texts import worked
from faultmaven.services.model_directory import TROUBLESHOOT, Choice, ModelDirectory
from faultmaven.services.sanitizer import Sanitizer
from faultmaven.services.single_flight import SingleFlight
from faultmaven.services.troubleshooting_model import TroubleshootingModel


class CompletionService:
    """Answers conversations with any `ILLMProvider`, or with the troubleshooting agent.

    Args:
        llm_provider: who answers: the chain, or a single provider.
        models: whom a model's name stands for.
        troubleshooting: answers for ``faultmaven/troubleshoot``.
        sanitizer: masks texts for a provider that does not do so itself.
        request_timeout: most seconds one question may take.
        flights: where identical requests share an answer; nobody else's if ``None``.
        monotonic: gives seconds that never go back.
    """

    def __init__(
        self,
        llm_provider: ILLMProvider,
        *,
        models: ModelDirectory,
        troubleshooting: TroubleshootingModel,
        sanitizer: ISanitizer | None = None,
        request_timeout: Live[float] = 60.0,
        flights: SingleFlight | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.llm_provider = llm_provider
        self.models = models
        self._troubleshooting = troubleshooting
        self._sanitizer = sanitizer or Sanitizer()
        self._request_timeout = request_timeout
        self._flights = flights or SingleFlight()
        self._monotonic = monotonic

    async def complete(
        self,
        question: CompletionQuestion,
        *,
        listener: IAnswerListener | None = None,
        request_id: str = "",
        received_at: float | None = None,
        fingerprint: bytes | None = None,
    ) -> LLMResponse:
        """The whole answer; ``listener`` hears it while it is written.

        Args:
            question: what is asked.
            listener: hears the answer, or ``None``.
            request_id: id of the request, as in the logs.
            received_at: when the request came in, on the monotonic clock; now if ``None``.
            fingerprint: tells the caller and the whole request from others, so that identical ones
                are known; ``None`` for one that is answered on its own, as with a listener.

        Raises:
            UnknownModelError: nobody has the model; nobody was asked.
            InvalidInputError: an option is out of range, or names what is not configured.
            AnswerCutError: the answer broke off after the listener had heard part of it.
            ChainError: no usable answer; the listener has heard of no beginning.
        """
        allowance = self._allowance(question, received_at)
        if question.model == TROUBLESHOOT:
            return await self._troubleshooting.complete(
                question,
                listener=listener,
                request_id=request_id,
                allowance=allowance,
                fingerprint=fingerprint,
            )
        choice = self.models.choose(question.model, question.providers)
        # What is heard while it is written has to begin in time; only a caller's own deadline
        # holds to its end, and the chain sees to both.
        bounded = listener is None or question.timeout is not None
        seconds = allowance.left if bounded else None
        options = _options(question, choice)
        if listener is not None:
            options["listener"], fingerprint = listener, None
        return await self._ask(question, options, seconds=seconds, fingerprint=fingerprint)

    async def _ask(
        self,
        question: CompletionQuestion,
        options: GenerateOptions,
        *,
        seconds: float | None,
        fingerprint: bytes | None,
    ) -> LLMResponse:
        options["messages"] = await self._outgoing(question.messages)
        generate = partial(self._generate, options)
        try:
            if seconds is None:
                return await generate(None)
            return await self._flights.share(fingerprint, generate, seconds=seconds)
        except TimeoutError as error:
            message = f"All providers failed: no answer within {seconds or 0:.1f} s"
            hint = "Allow more time (deadline_ms, REQUEST_TIMEOUT), or ask for fewer tokens."
            raise AllProvidersFailedError(message, hint=hint) from error

    async def _generate(self, options: GenerateOptions, seconds: float | None) -> LLMResponse:
        if seconds is not None:
            options["timeout"] = max(seconds, 0.001)
        return await self.llm_provider.generate(_last_words(options["messages"]), **options)

    async def _outgoing(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The conversation, masked where whoever is asked does not see to that."""
        if self.llm_provider.redacts_by_target:
            return messages
        chars = sum(len(message.text) for message in messages)
        return await worked(chars, lambda: tuple(map(self._masked, messages)))

    def _masked(self, message: Message) -> Message:
        mask = self._sanitizer.mask
        calls = tuple(replace(call, arguments=mask(call.arguments)) for call in message.tool_calls)
        text, name = mask(message.text), mask(message.name)
        return replace(message, text=text, name=name, tool_calls=calls)

    def _allowance(self, question: CompletionQuestion, received_at: float | None) -> Allowance:
        """The shorter of what the service and the caller allow."""
        most = now(self._request_timeout)
        seconds = min(most, question.timeout or most)
        started = self._monotonic() if received_at is None else received_at
        return Allowance(started, seconds, self._monotonic)


def _options(question: CompletionQuestion, choice: Choice) -> GenerateOptions:
    """What was asked for, and no word about what was not."""
    options = GenerateOptions(
        controls=question.controls,
        # Without a wish of the caller's the first answer wins.
        confidence_threshold=question.confidence_threshold or 0.0,
    )
    if question.size:
        options["material_chars"] = question.size
    if choice.model is not None:
        options["model"] = choice.model
    if choice.providers:
        options["providers"] = choice.providers
    if question.max_tokens is not None:
        options["max_tokens"] = question.max_tokens
    if question.temperature is not None:
        options["temperature"] = question.temperature
    if question.stop:
        options["stop"] = question.stop
    if question.require_confidence:
        options["require_confidence"] = True
    if question.max_cost_usd is not None:
        options["max_cost_usd"] = question.max_cost_usd
    return options


def _last_words(messages: Sequence[Message]) -> str:
    """What the user said last, for whoever takes no conversation."""
    for message in reversed(messages):
        if message.role == "user":
            return message.text
    return ""
