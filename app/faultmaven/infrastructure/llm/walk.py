"""One request's way along the chain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import ParamSpec, TypeVar

from faultmaven.errors import ErrorClass, ProviderError, ProviderTimeoutError
from faultmaven.infrastructure.llm.asking import ask, ignored_by, listen, target_of
from faultmaven.infrastructure.llm.confidence import best_possible, score_completion
from faultmaven.infrastructure.llm.hearing import Hearing
from faultmaven.infrastructure.llm.plan import Plan, Step
from faultmaven.infrastructure.llm.redaction import Redactor
from faultmaven.infrastructure.llm.resilience.deadline import Deadline
from faultmaven.infrastructure.llm.resilience.gate import Gate
from faultmaven.infrastructure.llm.resilience.retry import RetryPolicy
from faultmaven.infrastructure.llm.resilience.watch import StreamLimits, Watch
from faultmaven.infrastructure.llm.telling import Telling
from faultmaven.infrastructure.llm.wire.types import Completion, CompletionRequest
from faultmaven.models.attempt import Attempt
from faultmaven.models.confidence import Confidence, Signal
from faultmaven.models.interfaces import IAnswerObserver
from faultmaven.models.prompt import Target
from faultmaven.models.stream import Beginning, IAnswerListener

P = ParamSpec("P")
T = TypeVar("T")

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Tools:
    """What every walk needs and none owns.

    Attributes:
        redactor: masks what must not reach a provider.
        retry: when to ask the same provider again.
        gate: who should not be asked just now.
        observers: who is told what happened.
        sleep: waits for a number of seconds.
    """

    redactor: Redactor
    retry: RetryPolicy
    gate: Gate
    observers: Sequence[IAnswerObserver] = ()
    sleep: Sleep = asyncio.sleep


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its score, where it came from, and what was left out of the request."""

    step: Step
    completion: Completion
    confidence: Confidence
    ignored: tuple[str, ...] = ()


@dataclass(slots=True)
class Walk:
    """The state of one request on its way along the chain.

    Attributes:
        plan: what to do.
        deadline: when it must be over.
        tools: what to do it with.
        attempts: what has been tried.
        best: the surest answer so far, or ``None``.
        stopped_because: why the walk ended.
        rejected: whether a provider found the caller's request wrong.
        cut: how an answer failed that was being listened to already, or ``None``.
    """

    plan: Plan
    deadline: Deadline
    tools: Tools
    attempts: list[Attempt] = field(default_factory=list)
    best: Answer | None = None
    stopped_because: str = "exhausted"
    rejected: bool = False
    cut: ProviderError | None = None
    _met: bool = field(default=False, init=False)
    _reserve: Step | None = field(default=None, init=False)
    _granted: float = field(default=0.0, init=False)  # seconds the last attempt was given
    _hearing: Hearing | None = field(default=None, init=False)  # of the last attempt, if it is live

    async def run(self) -> None:
        """Ask one provider after the other until an answer is sure enough or nothing is left."""
        if self.deadline.passed:
            self.stopped_because = "deadline"
            return
        steps = self._in_reach(self.plan.steps)
        while steps:
            step, rest = steps[0], steps[1:]
            failure = await self._visit(step, rest)
            if self._began:  # somebody reads it: nobody else can be asked any more
                self.cut = failure
                self.stopped_because = "threshold_met" if self._met else "committed"
                return
            steps = self._narrowed(step, rest, failure)
            reason = self._stop(steps)
            if reason is not None:
                self.stopped_because = reason
                return
            self._fall_back(step, steps[0], failure)

    def _in_reach(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Who may be asked now, then, for want of any answer, who is due first of the others."""
        waits = {step.name: self.tools.gate.not_before(step.name) for step in steps}
        ready = [step for step in steps if waits[step.name] <= 0]
        aside = sorted(
            (step for step in steps if waits[step.name] > 0), key=lambda step: waits[step.name]
        )
        self._reserve = aside[0] if aside else None
        return (*ready, *aside[:1])

    async def _visit(self, step: Step, rest: tuple[Step, ...]) -> ProviderError | None:
        """Ask one provider, again where that is worth it; the last failure, or ``None``."""
        waited, tries = 0.0, 0
        while True:
            tries += 1
            error = await self._try(step, number=tries, waited=waited)
            if error is None or self._began:
                return error
            # Where nobody listens, hope lies in another provider, asked before or after.
            others = bool(rest) or (error.prefers_next and len(self.plan.steps) > 1)
            wait = self._wait_before_retry(step, error, tries, has_next=others)
            if wait is None:
                return error
            await self.tools.sleep(wait)
            if self.deadline.passed:
                return error
            self._explain_last("retry")
            waited = wait

    def _wait_before_retry(
        self, step: Step, error: ProviderError, tries: int, *, has_next: bool
    ) -> float | None:
        return self.tools.retry.wait_before(
            error,
            retries_left=step.config.max_retries - tries + 1,
            tries=tries,
            time_left=self.deadline.left(),
            has_next=has_next,
        )

    async def _try(self, step: Step, *, number: int, waited: float) -> ProviderError | None:
        """One attempt, recorded and told to the observers whatever comes of it; its failure."""
        draft = Attempt(step.name, step.model, number=number, queue_ms=waited * 1000)
        telling = Telling(self.tools.observers, step.name)
        try:
            telling.start()
            attempt, failure = await self._attempt(step, draft)
            self.attempts.append(attempt)
            telling.end(attempt)
            if self.plan.listener is not None:
                await self.plan.listener.on_attempt(attempt)
        except BaseException:  # a caller who left, or a fault of ours: not the provider's
            telling.cancel()
            raise
        return failure

    async def _attempt(self, step: Step, draft: Attempt) -> tuple[Attempt, ProviderError | None]:
        started = self.deadline.clock()
        self._hearing = None
        try:
            answer = await self._ask(step)
        except ProviderError as error:
            failed = _failed(self._timed(draft), error, self._ms_since(started))
            if not error.asked or self._is_cut_short(step, error):
                return replace(failed, cut_short=True), error
            self.tools.gate.failed(step.name, error)
            return failed, error
        self.tools.gate.succeeded(step.name)
        self._keep(answer)
        return _answered(self._timed(draft), answer, self._ms_since(started)), None

    @property
    def _began(self) -> bool:
        """Whether part of an answer has been passed on."""
        return self._hearing is not None and self._hearing.began

    def _timed(self, draft: Attempt) -> Attempt:
        if self._hearing is None:
            return draft
        heard = self._hearing
        return replace(draft, connect_ms=heard.connect_ms, first_token_ms=heard.first_token_ms)

    def _is_cut_short(self, step: Step, error: ProviderError) -> bool:
        """Whether too little was left of the caller's time, or the caller read too slowly."""
        if self._hearing is not None and self._hearing.watch.held_up:
            return True
        ours = isinstance(error, ProviderTimeoutError) and error.status_code is None
        return ours and self._granted < min(step.config.timeout, self.plan.fair_seconds)

    async def _ask(self, step: Step) -> Answer:
        target = target_of(step)
        request = await self._worked(self._request, step, target)
        self._granted = min(step.config.timeout, self.deadline.left())
        completion = await self._completion(step, request)
        prior = step.config.confidence_score if completion.prior is None else completion.prior
        confidence = score_completion(
            completion,
            prior=prior,
            threshold=step.threshold,
            further=await self._worked(self._judged, completion, target),
        )
        return Answer(step, completion, confidence, ignored_by(step, request))

    async def _completion(self, step: Step, request: CompletionRequest) -> Completion:
        if self.plan.listener is None or self.plan.held:
            return await ask(step, request, self._granted)
        self._hearing = self._hear(step, request, self.plan.listener)
        return await listen(step, request, hearing=self._hearing)

    def _hear(self, step: Step, request: CompletionRequest, listener: IAnswerListener) -> Hearing:
        left = self.deadline.left()
        limits = StreamLimits(
            first=min(self._granted, self.plan.first_token),
            silence=self.plan.silence,
            whole=left,
            begun=left + self.plan.stream_seconds - self.plan.seconds,
        )
        ignored = ignored_by(step, request)
        beginning = Beginning(step.name, step.model, tuple(self.attempts), ignored)
        return Hearing(listener, beginning, Watch(limits), clock=self.deadline.clock)

    async def _worked(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What pure work gives; beside the event loop if it would hold up everybody else."""
        if self.plan.large:
            return await asyncio.to_thread(work, *args, **kwargs)
        return work(*args, **kwargs)

    def _judged(self, completion: Completion, target: Target) -> Sequence[Signal]:
        return self.plan.assess(completion.text, target) if self.plan.assess else ()

    def _request(self, step: Step, target: Target) -> CompletionRequest:
        prompt = self.plan.render(target)
        return CompletionRequest(
            model=step.model,
            messages=self.tools.redactor.for_provider(prompt.messages, step.config),
            max_tokens=self.plan.max_tokens,
            temperature=_first_given(self.plan.temperature, prompt.temperature),
            stop=self.plan.stop,
            response_schema=prompt.response_schema,
            controls=self.tools.redactor.controls_for(self.plan.controls, step.config),
        )

    def _keep(self, answer: Answer) -> None:
        """Keep the surest answer; one that is sure enough ends the search."""
        self._met = not answer.confidence.below_threshold
        best = self.best
        if self._met or best is None or answer.confidence.score > best.confidence.score:
            self.best = answer

    def _narrowed(
        self, step: Step, rest: tuple[Step, ...], failure: ProviderError | None
    ) -> tuple[Step, ...]:
        """Who is left: nobody if the request is wrong, larger windows if it was too long."""
        if failure is None:
            return rest
        if not failure.falls_back:
            self.rejected = True
            return ()
        if failure.error_class is ErrorClass.CONTEXT_LENGTH:
            return tuple(later for later in rest if _is_larger(later, step))
        return rest

    def _stop(self, left: tuple[Step, ...]) -> str | None:
        """Why the walk ends here, or ``None`` when it goes on."""
        if self._met:
            return "threshold_met"
        if self.deadline.passed and not self.rejected:
            return "deadline"
        if not left or (self.best is not None and left[0] is self._reserve):
            return "exhausted"
        if self.plan.max_cost_usd is not None and 0 < self.spent >= self.plan.max_cost_usd:
            return "budget"
        return "no_better" if self._nobody_better(left) else None

    def _nobody_better(self, left: tuple[Step, ...]) -> bool:
        """Whether nobody is expected to beat the best answer, or to reach a threshold."""
        if self.best is None:
            return False
        score = self.best.confidence.score
        hopes = ((best_possible(step.config.confidence_score), step.threshold) for step in left)
        return not any(hope > score or hope >= threshold for hope, threshold in hopes)

    @property
    def spent(self) -> float:
        """Known cost so far, in US dollars."""
        return sum(attempt.cost_usd or 0.0 for attempt in self.attempts)

    def _fall_back(self, step: Step, to: Step, failure: ProviderError | None) -> None:
        reason = failure.error_class.value if failure else "low_confidence"
        self._explain_last(f"fallback: {reason}")
        for observer in self.tools.observers:
            observer.on_fallback(step.name, to.name, reason)

    def _explain_last(self, reason: str) -> None:
        self.attempts[-1] = replace(self.attempts[-1], next_because=reason)

    def _ms_since(self, started: float) -> float:
        return (self.deadline.clock() - started) * 1000


def _failed(draft: Attempt, error: ProviderError, total_ms: float) -> Attempt:
    return replace(
        draft,
        error_class=error.error_class,
        detail=str(error),
        hint=error.hint,
        status_code=error.status_code,
        retry_after=error.retry_after,
        total_ms=total_ms,
    )


def _answered(draft: Attempt, answer: Answer, total_ms: float) -> Attempt:
    return replace(
        draft,
        confidence=answer.confidence.score,
        usage=answer.completion.usage,
        cost_usd=answer.completion.cost_usd,
        total_ms=total_ms,
    )


def _first_given(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _is_larger(later: Step, step: Step) -> bool:
    """An unknown window is given the benefit of the doubt."""
    here, there = step.config.context_window, later.config.context_window
    return here is None or there is None or there > here
