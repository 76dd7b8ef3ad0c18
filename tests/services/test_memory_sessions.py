"""Conversations in memory: kept whole, within bounds."""

from __future__ import annotations

from faultmaven.models.session import Turn
from faultmaven.services.memory_sessions import MemorySessionStore


def _turn(text: str) -> Turn:
    return Turn("user", text, 1.0)


async def test_turns_are_kept_in_order_and_created_on_first_use() -> None:
    """What was appended is read back, oldest first."""
    store = MemorySessionStore(clock=lambda: 42.0)

    assert await store.get("s") is None
    await store.append("s", [_turn("a")])
    await store.append("s", [_turn("b"), _turn("c")])
    session = await store.get("s")

    assert session is not None
    assert session.created_at == 42.0
    assert [turn.text for turn in session.turns] == ["a", "b", "c"]
    assert await store.is_healthy()


async def test_oldest_goes_first_when_it_is_full() -> None:
    """Neither sessions nor turns grow without end."""
    store = MemorySessionStore(max_sessions=2, max_turns=3)
    for name in "abc":
        await store.append(name, [_turn(str(i)) for i in range(5)])

    assert await store.get("a") is None
    kept = await store.get("c")
    assert kept is not None
    assert [turn.text for turn in kept.turns] == ["2", "3", "4"]


async def test_closing_forgets() -> None:
    """After closing nothing is left."""
    store = MemorySessionStore()
    await store.append("s", [_turn("a")])

    await store.aclose()

    assert await store.get("s") is None
