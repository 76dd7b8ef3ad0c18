"""When a second provider is asked beside one that is slow.

Hedged requests cut the tail of the latency for a few calls more: Dean and Barroso, "The Tail at
Scale", Communications of the ACM 56(2), 2013.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from faultmaven.infrastructure.llm.resilience.budget import HedgeBudget
from faultmaven.infrastructure.llm.resilience.pace import Pace
from faultmaven.models.attempt import Attempt

_MOST_PACES = 200  # models may be named by callers; the least used one is forgotten


@dataclass(slots=True)
class Hedging:
    """Knows how patient to be with whom, by what they took of late.

    Times to the first token and to a whole answer are kept apart, as are models: they differ by
    far more than what makes one of them slow.

    Attributes:
        percent: of its recent answers that a provider may exceed before another one is asked
            too, from 50 to 99; ``None`` while nobody is to be asked twice.
        budget: what that may cost.
    """

    percent: Callable[[], int | None] = lambda: None
    budget: HedgeBudget = field(default_factory=HedgeBudget)
    _paces: OrderedDict[tuple[str, str, bool], Pace] = field(
        default_factory=OrderedDict, init=False
    )

    def asked(self, provider: str, model: str, *, live: bool) -> float | None:
        """Count a call that is about to be made, and say how patient to be with it.

        Args:
            provider: who is asked.
            model: for which model.
            live: whether the answer is heard while it is written, so that its first token counts.

        Returns:
            Seconds, or ``None`` for as long as it takes.
        """
        percent = self.percent()
        if percent is None:
            return None
        self.budget.called()
        pace = self._paces.get((provider, model, live))
        return None if pace is None else pace.percentile(percent)

    def learn(self, attempt: Attempt, *, live: bool) -> None:
        """Remember how long an attempt took; a failure says nothing of that.

        One that lost against another would have taken longer. What it was given is a lower
        bound: it says something where that is more than usual, and leaving it out would make
        the slow ones seem to be fewer each time.
        """
        percent = self.percent()
        if percent is None or not (attempt.succeeded or attempt.lost):
            return
        first = attempt.first_token_ms
        seconds = (attempt.total_ms if first is None else first) / 1000
        pace = self._pace(attempt.provider, attempt.model, live=live)
        usual = pace.percentile(percent)
        if attempt.succeeded or (usual is not None and seconds >= usual):
            pace.add(seconds)

    def forget(self, provider: str) -> None:
        """Know nothing of a provider any more: it is configured otherwise than it was."""
        for key in [key for key in self._paces if key[0] == provider]:
            del self._paces[key]

    def _pace(self, provider: str, model: str, *, live: bool) -> Pace:
        key = (provider, model, live)
        pace = self._paces.get(key)
        if pace is None:
            pace = self._paces[key] = Pace()
            if len(self._paces) > _MOST_PACES:
                self._paces.popitem(last=False)
        self._paces.move_to_end(key)
        return pace
