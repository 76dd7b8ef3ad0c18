"""One request of the drill, and what its caller saw."""

from __future__ import annotations

import time
from collections.abc import Sequence

from faultmaven.errors import AnswerCutError, ChainError
from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import IAnswerListener, ILLMProvider, LLMResponse
from faultmaven.services.drill.ear import Ear
from faultmaven.services.drill.forms import ANSWER
from faultmaven.services.drill.report import Outcome, Seen

_QUESTION = "Why does node-1 not answer?"
_WHOLE = "".join(ANSWER)


async def ask_plain(router: ILLMProvider) -> Seen:
    """Ask for a whole answer."""
    return await _ask(router, None)


async def ask_for_stream(router: ILLMProvider) -> Seen:
    """Ask for a stream, and hear it to its end."""
    return await _ask(router, Ear())


async def _ask(router: ILLMProvider, ear: Ear | None) -> Seen:
    started = time.monotonic()
    listener: dict[str, IAnswerListener] = {"listener": ear} if ear else {}
    try:
        # How good an answer is cannot be drilled: any answer ends the chain.
        answer = await router.generate(_QUESTION, confidence_threshold=0.0, **listener)
    except ChainError as error:
        return _failed(error, _since(started))
    heard = answer.content if ear is None else ear.text
    return _answered(answer, _since(started), whole=heard == _WHOLE)


def _answered(answer: LLMResponse, took: float, *, whole: bool) -> Seen:
    before = answer.attempts[:-1]
    return Seen(
        outcome=Outcome.ANSWERED if whole else Outcome.FAILED,
        provider=answer.provider,
        switch_ms=_spent(before) + answer.attempts[-1].queue_ms,
        total_ms=took,
        attempts=_told(answer.attempts),
        error=None if whole else "part of an answer, passed off as the whole of it",
    )


def _failed(error: ChainError, took: float) -> Seen:
    cut = isinstance(error, AnswerCutError)
    return Seen(
        outcome=Outcome.TOLD if cut else Outcome.FAILED,
        provider=error.attempts[-1].provider if cut else None,
        switch_ms=took,
        total_ms=took,
        attempts=_told(error.attempts),
        error=str(error),
    )


def _spent(attempts: Sequence[Attempt]) -> float:
    return sum(attempt.queue_ms + attempt.total_ms for attempt in attempts)


def _told(attempts: Sequence[Attempt]) -> tuple[str, ...]:
    return tuple(f"{attempt.provider}: {attempt.outcome}" for attempt in attempts)


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1000
