"""The chain with its breakers: who fails is left alone, and one finds out when it is over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from doubles import Fail, Say, chain_of
from faultmaven.errors import (
    AllProvidersFailedError,
    ProviderAuthError,
    ProviderConnectionError,
    ProviderOverloadedError,
    RateLimitedError,
)
from faultmaven.infrastructure.llm.resilience.breaker import BreakerRules
from faultmaven.infrastructure.llm.resilience.gate import ProviderGate
from llm.streaming_doubles import Listener, Stream, streaming_chain

DOWN = Fail(ProviderOverloadedError)
NO_RETRIES = {"one": {"max_retries": 0}}


async def test_a_dead_primary_costs_five_attempts_and_then_none() -> None:
    """Once its breaker is open nobody waits for it, and it is asked again after a second."""
    chain = chain_of({"one": [DOWN], "two": [Say()]}, rows=NO_RETRIES)
    for _ in range(50):
        assert (await chain.router.generate("Why?")).provider == "two"
    assert chain.calls() == {"one": 5, "two": 50}
    chain.time.now += 1.01
    answer = await chain.router.generate("Why?")
    assert [attempt.provider for attempt in answer.attempts] == ["one", "two"]
    assert chain.calls()["one"] == 6


async def test_it_is_asked_again_once_it_is_well() -> None:
    """One good probe brings the primary back for everybody."""
    chain = chain_of({"one": [*[DOWN] * 5, Say("Back.")], "two": [Say()]}, rows=NO_RETRIES)
    for _ in range(5):
        await chain.router.generate("Why?")
    chain.time.now += 1.01
    for _ in range(3):
        assert (await chain.router.generate("Why?")).provider == "one"


async def test_two_hundred_at_half_open_send_one_probe() -> None:
    """However many come at that moment, exactly one finds out and the others are served."""
    scripts: Any = {"one": [*[DOWN] * 5, Stream((0.05, "Back."))], "two": [Stream(("Here.",))]}
    chain = streaming_chain(scripts, rows=NO_RETRIES)
    for _ in range(5):
        await chain.router.generate("Why?", listener=Listener())
    await asyncio.sleep(1.05)
    before = chain.calls()["one"]
    answers = await asyncio.gather(
        *(chain.router.generate("Why?", listener=Listener()) for _ in range(200))
    )
    assert chain.calls()["one"] - before == 1
    assert sorted({answer.provider for answer in answers}) == ["one", "two"]


async def test_a_probe_whose_caller_leaves_lets_the_next_one_find_out() -> None:
    """A cancelled probe frees its place at once."""
    script: Any = [*[DOWN] * 5, Stream((60.0,)), Stream(("Back.",))]
    chain = streaming_chain({"one": script, "two": [Stream()]}, rows=NO_RETRIES)
    for _ in range(5):
        await chain.router.generate("Why?", listener=Listener())
    await asyncio.sleep(1.05)
    leaving = asyncio.create_task(chain.router.generate("Why?", listener=Listener()))
    await asyncio.sleep(0.02)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert (await chain.router.generate("Why?", listener=Listener())).provider == "one"


async def test_nobody_left_means_a_short_refusal_not_for_ever() -> None:
    """With every breaker open one request a second tries, and the others are told when to come."""
    chain = chain_of({"one": [DOWN]}, rows=NO_RETRIES)
    for _ in range(5):
        with pytest.raises(AllProvidersFailedError):
            await chain.router.generate("Why?")
    with pytest.raises(AllProvidersFailedError):
        await chain.router.generate("Why?")
    with pytest.raises(AllProvidersFailedError) as caught:
        await chain.router.generate("Why?")
    assert caught.value.attempts == ()
    assert caught.value.retry_after is not None
    asked = chain.calls()["one"]
    for _ in range(100):
        chain.time.now += 0.1
        with pytest.raises(AllProvidersFailedError):
            await chain.router.generate("Why?")
    assert 9 <= chain.calls()["one"] - asked <= 11


@pytest.mark.parametrize("kind", [ProviderAuthError, RateLimitedError])
async def test_neutral_failures_open_nothing(kind: type[ProviderAuthError]) -> None:
    """A refused key or a limited pace is no reason to doubt the provider's health."""
    chain = chain_of({"one": [Fail(kind)], "two": [Say()]}, rows=NO_RETRIES)
    for _ in range(20):
        await chain.router.generate("Why?")
    assert chain.calls()["one"] == 20


async def test_retries_of_all_requests_share_one_budget() -> None:
    """A provider that fails every time is asked at most a fifth more often than called."""
    gate = ProviderGate(rules=_never(), room=lambda _: 10_000)
    scripts: Any = {"one": [Fail(ProviderConnectionError)], "two": [Say()]}
    chain = chain_of(scripts, rows={"one": {"max_retries": 3}}, gate=gate)
    began = chain.time.now
    for _ in range(500):
        await chain.router.generate("Why?")
        chain.time.now += 0.02
    floor = 3 * (chain.time.now - began) / 0.9  # its seconds are told in tenths
    assert chain.calls()["one"] - 500 <= max(0.2 * 500, floor) + 3


def _never() -> BreakerRules:
    return BreakerRules(failures=10**9, share=0.0)


async def test_a_full_provider_is_passed_over() -> None:
    """Beyond its room the next provider is asked, and its place is free again afterwards."""
    gate = ProviderGate(room=lambda name: 1 if name == "one" else 100)
    chain = streaming_chain(
        {"one": [Stream((0.05, "One."))], "two": [Stream(("Two.",))]}, gate=gate
    )
    first, second = await asyncio.gather(
        *(chain.router.generate("Why?", listener=Listener()) for _ in range(2))
    )
    assert {first.provider, second.provider} == {"one", "two"}
    assert (await chain.router.generate("Why?", listener=Listener())).provider == "one"
