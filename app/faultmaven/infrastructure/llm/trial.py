"""One attempt at one provider: asked, judged, timed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ParamSpec, TypeVar

from faultmaven.errors import ProviderError, ProviderTimeoutError
from faultmaven.infrastructure.llm.asking import ask, ignored_by, listen, target_of
from faultmaven.infrastructure.llm.confidence import score_completion
from faultmaven.infrastructure.llm.hearing import Hearing
from faultmaven.infrastructure.llm.plan import Plan, Step
from faultmaven.infrastructure.llm.redaction import Redactor
from faultmaven.infrastructure.llm.resilience.budget import RetryBudget
from faultmaven.infrastructure.llm.resilience.deadline import Deadline
from faultmaven.infrastructure.llm.resilience.gate import Entry, Gate
from faultmaven.infrastructure.llm.resilience.retry import RetryPolicy
from faultmaven.infrastructure.llm.resilience.watch import StreamLimits, Watch
from faultmaven.infrastructure.llm.verdict import failed
from faultmaven.infrastructure.llm.wire.types import Completion, CompletionRequest
from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.confidence import Confidence, Signal
from faultmaven.models.interfaces import IAnswerObserver
from faultmaven.models.prompt import Assess, Target
from faultmaven.models.stream import Beginning, IAnswerListener
from faultmaven.models.value import value

P = ParamSpec("P")
T = TypeVar("T")

Sleep = Callable[[float], Awaitable[None]]

_NOTHING_SPENT = Usage()


@value
class Tools:
    """What every walk needs and none owns.

    Attributes:
        redactor: masks what must not reach a provider.
        retry: when to ask the same provider again.
        gate: who should not be asked just now.
        budget: what retries may cost, over all requests.
        observers: who is told what happened.
        sleep: waits for a number of seconds.
    """

    redactor: Redactor
    retry: RetryPolicy
    gate: Gate
    budget: RetryBudget
    observers: Sequence[IAnswerObserver] = ()
    sleep: Sleep = asyncio.sleep


@value
class Answer:
    """An answer with its score, where it came from, and what was left out of the request."""

    step: Step
    completion: Completion
    confidence: Confidence
    ignored: tuple[str, ...] = ()


@dataclass(eq=False, slots=True)
class Trial:
    """One attempt, and what came of it.

    Attributes:
        plan: what is asked.
        deadline: when it must be over.
        tools: what to ask with.
        step: who is asked.
        entry: that they may be; told how it ended.
        number: which try at this provider it is, from 1.
        waited: seconds that it was put off.
        known: the request's attempts that have ended, as they become more.
        next_because: why another attempt follows, as far as that is known before it ends.
        latch: asked before the answer is taken for the request's own; ``False``: another attempt
            was first. ``None`` where there is no other.
        answer: what was answered, or ``None``.
        failure: how it failed, or ``None``.
        lost: another attempt was first, so that nothing this one does counts any more.
    """

    plan: Plan
    deadline: Deadline
    tools: Tools
    step: Step
    entry: Entry
    number: int = 1
    waited: float = 0.0
    known: Sequence[Attempt] = ()
    next_because: str | None = None
    latch: Callable[[Trial], bool] | None = None
    answer: Answer | None = field(default=None, init=False)
    failure: ProviderError | None = field(default=None, init=False)
    lost: bool = field(default=False, init=False)
    _started: float = field(default=0.0, init=False)
    _granted: float = field(default=0.0, init=False)  # seconds
    _target: Target | None = field(default=None, init=False)
    _hearing: Hearing | None = field(default=None, init=False)

    async def run(self) -> Attempt:
        """Ask, and say what came of it; the answer or the failure is kept."""
        self._started = self.deadline.clock()
        try:
            self.answer = await self._ask()
        except ProviderError as error:
            if self.lost:  # how it fails then is of our own making
                raise asyncio.CancelledError from error
            # The traceback knows this frame, which knows this trial: a ring.
            self.failure = error.with_traceback(None)
            attempt = failed(self._timed(), error)
            if not error.asked or self._is_cut_short(error):
                return replace(attempt, cut_short=True)
            self.entry.failed(error)
            return attempt
        finally:
            if self._hearing is not None:
                self._hearing.end()
            if self.answer is None:  # whoever was told already does not listen any more
                self.entry.released()
        self.entry.succeeded()
        return self._timed(self.answer)

    def lose(self, to: str) -> Attempt:
        """Give up, because ``to`` was first; what is known of this attempt."""
        self.lost = True
        return replace(self._timed(), lost=True, detail=f"{to} was first")

    @property
    def began(self) -> bool:
        """Whether part of the answer has been passed on, so that nobody else can be asked."""
        return self._hearing is not None and self._hearing.began

    def _timed(self, answer: Answer | None = None) -> Attempt:
        """What is known of the attempt so far."""
        hearing = self._hearing
        spent = hearing if answer is None else answer.completion
        return Attempt(
            provider=self.step.name,
            model=self.step.model,
            number=self.number,
            confidence=None if answer is None else answer.confidence.score,
            queue_ms=self.waited * 1000,
            connect_ms=None if hearing is None else hearing.connect_ms,
            first_token_ms=None if hearing is None else hearing.first_token_ms,
            total_ms=(self.deadline.clock() - self._started) * 1000,
            usage=_NOTHING_SPENT if spent is None else spent.usage,
            cost_usd=None if spent is None else spent.cost_usd,
            next_because=self.next_because,
        )

    def _is_cut_short(self, error: ProviderError) -> bool:
        """Whether too little was left of the caller's time, or the caller read too slowly."""
        if self._hearing is not None and self._hearing.watch.held_up:
            return True
        ours = isinstance(error, ProviderTimeoutError) and error.status_code is None
        return ours and self._granted < min(self.step.config.timeout, self.plan.fair_seconds)

    async def _ask(self) -> Answer:
        step = self.step
        request = await self._worked(self._request) if self.plan.large else self._request()
        self._granted = min(step.config.timeout, self.deadline.left())
        completion = await self._completion(request)
        assess = self.plan.assess
        confidence = score_completion(
            completion,
            prior=step.config.confidence_score if completion.prior is None else completion.prior,
            threshold=step.threshold,
            further=() if assess is None else await self._judged(assess, completion.text),
        )
        if self.latch is not None and (self.lost or not confidence.below_threshold):
            self._claim()
        return Answer(step, completion, confidence, ignored_by(step, request))

    def _claim(self) -> None:
        """Take the answer for the request's own.

        Raises:
            CancelledError: another attempt was first.
        """
        if self.latch is not None and not self.latch(self):
            raise asyncio.CancelledError

    def _completion(self, request: CompletionRequest) -> Awaitable[Completion]:
        listener = self.plan.listener
        if listener is None or self.plan.held:
            return ask(self.step, request, self._granted)
        self._hearing = self._hear(request, listener)
        return listen(self.step, request, hearing=self._hearing)

    def _hear(self, request: CompletionRequest, listener: IAnswerListener) -> Hearing:
        left = self.deadline.left()
        limits = StreamLimits(
            first=min(self._granted, self.plan.first_token),
            silence=self.plan.silence,
            whole=left,
            begun=left + self.plan.stream_seconds - self.plan.seconds,
        )
        begin = partial(self._begin, ignored_by(self.step, request))
        return Hearing(listener, begin, Watch(limits), clock=self.deadline.clock)

    def _begin(self, ignored: tuple[str, ...], first_token_ms: float) -> Beginning:
        self._claim()
        return Beginning(
            self.step.name,
            self.step.model,
            tuple(self.known),
            ignored,
            first_token_ms,
            self.waited * 1000,
        )

    async def _worked(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What pure work gives, done beside the event loop: else it would hold up everybody.

        Raises:
            ProviderTimeoutError: the time was up before it was done; nobody was asked.
        """
        try:
            async with asyncio.timeout(self.deadline.left()):
                return await asyncio.to_thread(work, *args, **kwargs)
        except TimeoutError as error:
            failure = ProviderTimeoutError("the time was up while the request was being written")
            failure.asked = False
            raise failure from error

    async def _judged(self, assess: Assess, text: str) -> Sequence[Signal]:
        # The one it was written for: what is learned of a provider meanwhile is for the next time.
        target = self._target or target_of(self.step)
        return await self._worked(assess, text, target) if self.plan.large else assess(text, target)

    def _request(self) -> CompletionRequest:
        plan, redactor, config = self.plan, self.tools.redactor, self.step.config
        prompt = plan.prompt
        if callable(prompt):
            self._target = target_of(self.step)
            prompt = prompt(self._target)
        return CompletionRequest(
            model=self.step.model,
            messages=redactor.for_provider(prompt.messages, config),
            max_tokens=plan.max_tokens,
            temperature=prompt.temperature if plan.temperature is None else plan.temperature,
            stop=redactor.texts_for(plan.stop, config),
            response_schema=prompt.response_schema,
            controls=redactor.controls_for(plan.controls, config),
        )
