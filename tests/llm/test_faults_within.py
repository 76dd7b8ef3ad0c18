"""Faults of our own on the way: nobody's attempt stays open because of them."""

from collections.abc import Sequence
from typing import NoReturn

import pytest

from doubles import Chain, Say, Witness, chain_of
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.infrastructure.observability.health import HealthTracker
from faultmaven.infrastructure.observability.metrics import Metrics
from faultmaven.models.attempt import Attempt
from faultmaven.models.confidence import Signal
from faultmaven.models.prompt import Prompt, Target


class FaultOfOursError(Exception):
    """A fault of our own."""


def broken_render(_target: Target) -> Prompt:
    """Fail to write."""
    raise FaultOfOursError


def broken_assess(_text: str, _target: Target) -> Sequence[Signal]:
    """Fail to judge."""
    raise FaultOfOursError


class BrokenAtStart(Witness):
    """Fails when it hears of a start."""

    def on_start(self, provider: str) -> NoReturn:
        """Fail."""
        raise FaultOfOursError(provider)


class BrokenAtEnd(Witness):
    """Fails when it hears of an end, having noted it."""

    def on_attempt(self, attempt: Attempt) -> None:
        """Note it, and fail."""
        super().on_attempt(attempt)
        raise FaultOfOursError


def watched_by(chain: Chain, *observers: Witness | Metrics) -> LLMRouter:
    """Build a router over the chain's providers with these observers."""
    return LLMRouter(
        chain.registry, observers=observers, clock=chain.time.clock, sleep=chain.time.sleep
    )


@pytest.mark.parametrize("options", [{"render": broken_render}, {"assess": broken_assess}])
async def test_fault_around_the_question_closes_the_attempt(options: dict[str, object]) -> None:
    """A prompt writer or a judge that fails is told as a cancellation, and passed on (S85)."""
    chain = chain_of({"one": [Say()]})
    metrics = Metrics(chain.registry, HealthTracker(chain.registry))
    with pytest.raises(FaultOfOursError):
        await watched_by(chain, chain.witness, metrics).generate("Why?", **options)
    assert chain.witness.seen == [("start", "one"), ("cancel", "one")]
    exposition = metrics.expose()[0].decode()
    assert 'in_flight{provider="one"} 0.0' in exposition


async def test_fault_of_an_observer_closes_the_attempt_for_the_others() -> None:
    """Whoever heard of a start hears of one end, whichever observer fails (S85)."""
    before, after, faulty = Witness(), Witness(), BrokenAtEnd()
    chain = chain_of({"one": [Say()]})
    with pytest.raises(FaultOfOursError):
        await watched_by(chain, before, faulty, after).generate("Why?")
    assert before.seen == [("start", "one"), ("attempt", "one", "ok")]
    assert faulty.seen == before.seen
    assert after.seen == [("start", "one"), ("cancel", "one")]


async def test_fault_at_the_start_tells_those_who_know() -> None:
    """An observer that never heard of the start hears of no end (S85)."""
    before, after = Witness(), Witness()
    chain = chain_of({"one": [Say()]})
    with pytest.raises(FaultOfOursError):
        await watched_by(chain, before, BrokenAtStart(), after).generate("Why?")
    assert before.seen == [("start", "one"), ("cancel", "one")]
    assert after.seen == []
