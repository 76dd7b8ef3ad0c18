"""A caller who leaves is nobody's failure."""

import asyncio

import pytest

from doubles import (
    Fail,
    Witness,
    chain_of,
    hand_written,
    row,
    schema,
    settings_of,
)
from faultmaven.errors import (
    ProviderOverloadedError,
)
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.resilience.gate import ProviderGate
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.models.interfaces import LLMResponse


async def test_leaving_caller_is_nobodys_failure() -> None:
    """When the caller leaves, no attempt fails, nobody is set aside, and observers are told."""
    entered = asyncio.Event()

    async def behave(_: object) -> LLMResponse:
        entered.set()
        await asyncio.Event().wait()
        raise AssertionError("for ever is over")

    witness, gate = Witness(), ProviderGate(room=lambda _: 1)
    with schema({"one": row(hand_written(behave)), "two": row(hand_written(behave))}):
        registry = ProviderRegistry(settings_of({"CHAT_PROVIDER": "one", "FALLBACK_CHAIN": "two"}))
    router = LLMRouter(registry, observers=[witness], gate=gate)
    task = asyncio.create_task(router.generate("Why?"))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert witness.seen == [("start", "one"), ("cancel", "one")]
    assert gate.wait("one", "model-1") == 0, "its place is free and nobody is set aside"


async def test_leaving_caller_ends_a_wait() -> None:
    """A caller who leaves while the chain waits for a retry is let go at once."""
    waiting = asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    chain = chain_of({"one": [Fail(ProviderOverloadedError)]})
    router = LLMRouter(chain.registry, observers=[chain.witness], sleep=sleep)
    task = asyncio.create_task(router.generate("Why?"))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert chain.witness.seen == [("start", "one"), ("attempt", "one", "overloaded")]
