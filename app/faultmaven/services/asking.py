"""Puts an inquiry to whoever answers, within the time there is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from faultmaven.errors import AllProvidersFailedError
from faultmaven.models.api import TroubleshootRequest
from faultmaven.models.interfaces import (
    GenerateOptions,
    IAnswerListener,
    ILLMProvider,
    LLMResponse,
)
from faultmaven.services.inquiry import Inquiry
from faultmaven.services.large_texts import worked
from faultmaven.services.single_flight import SingleFlight


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered.

    Attributes:
        llm: the answer.
        inquiry: the one whose prompts it answers, of this request or of an identical one.
    """

    llm: LLMResponse
    inquiry: Inquiry


async def ask(
    llm: ILLMProvider,
    inquiry: Inquiry,
    request: TroubleshootRequest,
    *,
    seconds: float,
    flights: SingleFlight,
    fingerprint: bytes | None = None,
    listener: IAnswerListener | None = None,
    on_asked: Callable[[], object] | None = None,
) -> Answered:
    """The answer, whether a chain gives it or a provider that knows no options.

    Args:
        llm: who is asked.
        inquiry: what.
        request: what the caller wishes beside that.
        seconds: time until the deadline.
        flights: where the answer is shared with who asks the same now.
        fingerprint: by which they are known; ``None`` shares nothing, and so does a listener.
        listener: hears the answer while it is written.
        on_asked: called once somebody is being asked: the request is none that the chain
            refuses for what it says.

    Raises:
        InvalidInputError: the request names what is not configured.
        ChainError: no usable answer, or none in time.
        ProviderError: a single provider failed.
    """
    options = _options(inquiry, request)
    if listener is not None:
        options["listener"] = listener
        fingerprint = None
    prompt = await _prompt(llm, inquiry)

    async def generate(seconds: float) -> Answered:
        options["timeout"] = max(seconds, 0.001)
        return Answered(await llm.generate(prompt, **options), inquiry)

    # Runs when the provider first waits for anything; what it refuses, it refuses before.
    asked = asyncio.get_running_loop().call_soon(on_asked or _nobody)
    try:
        return await flights.share(fingerprint, generate, seconds=seconds)
    except TimeoutError as error:
        message = f"All providers failed: no answer within {seconds:.1f} s"
        hint = "Allow more time (deadline_ms, REQUEST_TIMEOUT), or send less text."
        raise AllProvidersFailedError(message, hint=hint) from error
    finally:
        asked.cancel()


def _nobody() -> None:
    """Stands for nobody who wants to know."""


async def _prompt(llm: ILLMProvider, inquiry: Inquiry) -> str:
    """The prompt for who cannot write one per target; a chain, which can, gets the bare query."""
    if llm.redacts_by_target:
        return inquiry.query
    return await worked(inquiry.material_chars, inquiry.plain_prompt)


def _options(inquiry: Inquiry, request: TroubleshootRequest) -> GenerateOptions:
    """What was asked for, and no word about what was not."""
    options = GenerateOptions(
        render=inquiry.render,
        material_chars=inquiry.material_chars,
        assess=inquiry.assess,
    )
    if request.model is not None:
        options["model"] = request.model
    if request.max_tokens is not None:
        options["max_tokens"] = request.max_tokens
    if request.temperature is not None:
        options["temperature"] = request.temperature
    if request.confidence_threshold is not None:
        options["confidence_threshold"] = request.confidence_threshold
    if request.max_cost_usd is not None:
        options["max_cost_usd"] = request.max_cost_usd
    if request.require_confidence:
        options["require_confidence"] = True
    if request.chain:
        options["providers"] = request.chain
    return options
