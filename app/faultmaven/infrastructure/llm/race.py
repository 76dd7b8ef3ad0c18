"""Two attempts at once: one that is slow, and another one beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from faultmaven.infrastructure.llm.resilience.hedging import Hedging
from faultmaven.infrastructure.llm.trial import Trial
from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import HedgeOutcome


@dataclass(slots=True)
class Race:
    """Asks one provider and, where it is slow, another one; the first usable answer wins.

    What wins is the first content where somebody listens, else an answer that is sure enough. The
    other attempt is then cancelled at once, so that it can neither speak nor fail any more. While
    nobody has won, each may fail or be unsure without an effect on the other.

    Attributes:
        first: the attempt that may be slow.
        attend: sees to one attempt, and records it where it ends by itself.
        attempts: where attempts are recorded; one that is given up is here before the other's end.
        hedging: pays for the second, and learns from one that is given up.
        second: the attempt beside it, or ``None`` as long as there is none.
        winner: whose answer it is, or ``None``.
        ended: the attempts that ended by themselves, in that order: a winner comes last.
    """

    first: Trial
    attend: Callable[[Trial], Awaitable[None]]
    attempts: list[Attempt]
    hedging: Hedging
    second: Trial | None = field(default=None, init=False)
    winner: Trial | None = field(default=None, init=False)
    ended: list[Trial] = field(default_factory=list, init=False)
    _tasks: dict[Trial, asyncio.Task[None]] = field(default_factory=dict, init=False)
    _begun: list[Trial] = field(default_factory=list, init=False)

    async def run(self, patience: float, beside: Callable[[Trial, float], Trial | None]) -> None:
        """See to both until nobody is asked any more.

        Args:
            patience: seconds that the first is given alone.
            beside: given the first and its patience, says who is asked beside it, if anybody.

        Raises:
            CancelledError: the caller left, or a provider cancelled itself.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                first = self._start(self.first, tasks)
                await asyncio.wait((first,), timeout=patience)
                if not first.done() and self.winner is None and self.hedging.budget.affords:
                    self.second = beside(self.first, patience)
                if self.second is not None:
                    self.hedging.budget.pay()
                    self._start(self.second, tasks)
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            self._end()
        if not self.ended:
            raise asyncio.CancelledError

    def _start(self, trial: Trial, tasks: asyncio.TaskGroup) -> asyncio.Task[None]:
        trial.latch = self._claim
        task = self._tasks[trial] = tasks.create_task(self._run(trial))
        return task

    async def _run(self, trial: Trial) -> None:
        self._begun.append(trial)
        await self.attend(trial)
        self.ended.append(trial)

    def _end(self) -> None:
        for trial in self._tasks:  # one that was cancelled before its first step has told nobody
            trial.entry.released()
        if self.second is None:
            return
        outcome = self._outcome()
        for observer in self.first.tools.observers:
            observer.on_hedge(self.first.step.name, self.second.step.name, outcome)

    def _outcome(self) -> HedgeOutcome:
        if self.winner is None:
            return "neither"
        return "won" if self.winner is self.second else "lost"

    def _claim(self, trial: Trial) -> bool:
        """Let a trial win, unless another one has."""
        if self.winner is None:
            self.winner = trial
            self._give_up_others(trial)
        return self.winner is trial

    def _give_up_others(self, winner: Trial) -> None:
        for loser, task in self._tasks.items():
            if loser is winner or task.done():
                continue
            task.cancel()
            if loser in self._begun:
                self._record(loser.lose(to=winner.step.name))

    def _record(self, lost: Attempt) -> None:
        self.attempts.append(lost)
        self.hedging.learn(lost, live=self.first.plan.live)
