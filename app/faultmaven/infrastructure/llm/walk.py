"""One request's way along the chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

from faultmaven.errors import ErrorClass, ProviderError
from faultmaven.infrastructure.llm.confidence import best_possible
from faultmaven.infrastructure.llm.hearing import tell
from faultmaven.infrastructure.llm.plan import Plan, Step
from faultmaven.infrastructure.llm.race import Race
from faultmaven.infrastructure.llm.resilience.deadline import Deadline
from faultmaven.infrastructure.llm.resilience.gate import Entry
from faultmaven.infrastructure.llm.resilience.hedging import Hedging
from faultmaven.infrastructure.llm.telling import Telling
from faultmaven.infrastructure.llm.trial import Answer, Tools, Trial
from faultmaven.models.attempt import Attempt
from faultmaven.models.stream import IAnswerListener


@dataclass(slots=True)
class Walk:
    """The state of one request on its way along the chain.

    Attributes:
        plan: what to do.
        deadline: when it must be over.
        tools: what to do it with.
        hedging: when another provider is asked beside a slow one, or ``None`` for never.
        attempts: what has been tried.
        best: the surest answer so far, or ``None``.
        stopped_because: why the walk ended.
        rejected: whether a provider found the caller's request wrong.
        cut: how an answer failed that was being listened to already, or ``None``.
        resting: seconds until somebody may be asked, where nobody could be; else ``None``.
    """

    plan: Plan
    deadline: Deadline
    tools: Tools
    hedging: Hedging | None = None
    attempts: list[Attempt] = field(default_factory=list)
    best: Answer | None = None
    stopped_because: str = "exhausted"
    rejected: bool = False
    cut: ProviderError | None = None
    resting: float | None = None
    _later: tuple[Step, ...] | None = field(default=None, init=False)  # nobody has looked at them
    _known_left: tuple[Step, ...] = field(default=(), init=False)
    _met: bool = field(default=False, init=False)
    _reserve: Step | None = field(default=None, init=False)
    _began: bool = field(default=False, init=False)  # part of an answer has been passed on

    async def run(self) -> None:
        """Ask one provider after the other until an answer is sure enough or nothing is left."""
        if self.deadline.passed:
            self.stopped_because = "deadline"
            return
        admitted, last = self._first() or self._next(), None
        while admitted is not None:
            step, entry = admitted
            if last is not None:
                self._fall_back(last, to=step)
            last = await self._visit(step, entry)
            if self._began:  # somebody reads it: nobody else can be asked any more
                self.cut = last.failure
                self.stopped_because = "threshold_met" if self._met else "committed"
                return
            if last.failure is not None:
                self._narrow(last, last.failure)
            reason = self._stop()
            if reason is not None:
                self.stopped_because = reason
                return
            admitted = self._next()
        if not self.attempts and self.plan.steps:
            self.resting = min(map(self._wait_for, self.plan.steps))

    @property
    def _left(self) -> tuple[Step, ...]:
        """Who may still be asked, in order."""
        if self._later is not None:
            self._known_left, self._later = self._in_reach(self._later), None
        return self._known_left

    @_left.setter
    def _left(self, steps: tuple[Step, ...]) -> None:
        self._known_left, self._later = steps, None

    def _first(self) -> tuple[Step, Entry] | None:
        """The head of the chain, if it may be asked: nearly always, and then nobody else matters.

        So a request costs the same however many providers are configured.
        """
        self._later = self.plan.steps
        head = self.plan.steps[0] if self.plan.steps else None
        entry = self.tools.gate.enter(head.name, head.model) if head else None
        if head is None or entry is None:
            return None
        self._later = self.plan.steps[1:]
        return head, entry

    def _next(self) -> tuple[Step, Entry] | None:
        """Who may be asked next, and that they may; ``None`` for nobody."""
        for place, step in enumerate(self._left):
            entry = self.tools.gate.enter(step.name, step.model, force=step is self._reserve)
            if entry is not None:
                self._left = self._left[place + 1 :]
                return step, entry
        return None

    def _wait_for(self, step: Step) -> float:
        return self.tools.gate.wait(step.name, step.model)

    def _in_reach(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Who may be asked now, then, for want of any answer, who is due first of the others."""
        waits = [(self._wait_for(step), step) for step in steps]
        due = [item for item in waits if item[0] > 0]
        if not due:
            return steps
        self._reserve = min(due, key=itemgetter(0))[1]
        return (*(step for wait, step in waits if wait <= 0), self._reserve)

    async def _visit(self, step: Step, entry: Entry) -> Trial:
        """Ask one provider, again where that is worth it; the attempt that counts in the end."""
        self.tools.budget.called()
        trial = self._trial(step, entry)
        while True:
            known = len(self.attempts)
            if self.hedging is None:
                await self._attend(trial)
            else:
                trial = await self._hedge(trial, self.hedging)
            if trial.answer is not None:
                self._keep(trial.answer)
            if self.plan.listener is not None:
                self._began = trial.began
                await self._tell(self.plan.listener, self.attempts[known:])
            again = await self._again(trial, trial.failure) if trial.failure else None
            if again is None:
                return trial
            trial = again

    async def _again(self, trial: Trial, error: ProviderError) -> Trial | None:
        """Another attempt at the provider that failed, after a wait; ``None``: not worth it."""
        step, tries = trial.step, trial.number
        # Where nobody listens, hope lies in another provider, asked before or after.
        others = bool(self._left) or (error.prefers_next and len(self.plan.steps) > 1)
        wait = self._wait_before_retry(step, error, tries, has_next=others)
        if self._began or self.rejected or wait is None or not self.tools.budget.take():
            return None
        await self.tools.sleep(wait)
        if self.deadline.passed:
            return None
        # Meanwhile others may have found out that there is no hope here.
        entry = self.tools.gate.enter(step.name, step.model)
        if entry is None:
            return None
        self._explain_last("retry")
        return self._trial(step, entry, number=tries + 1, waited=wait)

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

    def _trial(self, step: Step, entry: Entry, *, number: int = 1, waited: float = 0.0) -> Trial:
        return Trial(
            self.plan,
            self.deadline,
            self.tools,
            step,
            entry,
            number=number,
            waited=waited,
            known=self.attempts,
        )

    async def _attend(self, trial: Trial) -> None:
        """See to one attempt; it is recorded and told to the observers whatever comes of it."""
        telling = Telling(self.tools.observers, trial.step.name)
        try:
            telling.start()
            attempt = await trial.run()
            self.attempts.append(attempt)
            telling.end(attempt)
        except BaseException:  # a caller who left, or a fault of ours: not the provider's
            telling.cancel()
            trial.entry.released()
            raise
        if self.hedging is not None:
            self.hedging.learn(attempt, live=self.plan.live)

    async def _hedge(self, first: Trial, hedging: Hedging) -> Trial:
        """See to one attempt, and to another one beside it if it is slow; the one that counts."""
        patience = self._patience(first.step, hedging)
        if patience is None:
            await self._attend(first)
            return first
        race = Race(first, self._attend, self.attempts, hedging)
        await race.run(patience, self._beside)
        *others, last = race.ended
        for trial in others:
            if trial.answer is not None:
                self._keep(trial.answer)
            if trial.failure is not None:
                self._narrow(trial, trial.failure)
        return last

    def _patience(self, step: Step, hedging: Hedging) -> float | None:
        """Seconds until another provider is asked beside this one; ``None``: nobody is."""
        patience = hedging.asked(step.name, step.model, live=self.plan.live)
        # Who limits the cost does not want to pay twice.
        return patience if self._left and self.plan.max_cost_usd is None else None

    def _beside(self, first: Trial, patience: float) -> Trial | None:
        """An attempt at who is next and ready now; the walk does not come to them any more."""
        for step in self._left:
            entry = self.tools.gate.enter(step.name, step.model)
            if entry is not None:
                self._left = tuple(other for other in self._left if other is not step)
                first.next_because = "hedge"
                return self._trial(step, entry, waited=patience)
        return None

    async def _tell(self, listener: IAnswerListener, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            await tell(listener.on_attempt(attempt), seconds=self.deadline.left())

    def _keep(self, answer: Answer) -> None:
        """Keep the surest answer; one that is sure enough ends the search."""
        found, best = answer.confidence, self.best
        self._met = not found.below_threshold
        if self._met or best is None or found.score > best.confidence.score:
            self.best = answer

    def _narrow(self, trial: Trial, failure: ProviderError) -> None:
        """Nobody is left if the request is wrong, larger windows if it was too long."""
        if not failure.falls_back:
            self.rejected, self._left = True, ()
        elif failure.error_class is ErrorClass.CONTEXT_LENGTH:
            larger = (later for later in self._left if _is_larger(later, trial.step))
            self._left = tuple(larger)

    def _stop(self) -> str | None:
        """Why the walk ends here, or ``None`` when it goes on."""
        if self._met:
            return "threshold_met"
        if self.deadline.passed and not self.rejected:
            return "deadline"
        left = self._left
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

    def _fall_back(self, last: Trial, *, to: Step) -> None:
        reason = last.failure.error_class.value if last.failure else "low_confidence"
        self._explain_last(f"fallback: {reason}")
        for observer in self.tools.observers:
            observer.on_fallback(last.step.name, to.name, reason)

    def _explain_last(self, reason: str) -> None:
        self.attempts[-1] = replace(self.attempts[-1], next_because=reason)


def _is_larger(later: Step, step: Step) -> bool:
    """An unknown window is given the benefit of the doubt."""
    here, there = step.config.context_window, later.config.context_window
    return here is None or there is None or there > here
