"""One attempt's answer on its way to a listener."""

from __future__ import annotations

from faultmaven.infrastructure.llm.hearing import Hearing
from faultmaven.infrastructure.llm.resilience.watch import StreamLimits, Watch
from faultmaven.models.attempt import Usage
from faultmaven.models.stream import Beginning, Delta
from llm.streaming_doubles import Listener


async def test_thoughts_that_were_held_back_bring_no_old_books() -> None:
    """What was heard last of tokens and price counts, whenever the pieces are passed on."""
    listener = Listener()
    async with Watch(StreamLimits(10, 10, 10, 10)) as watch:
        hearing = Hearing(listener, lambda _ms: Beginning("one", "m"), watch)
        await hearing.hear(Delta(reasoning="Hm.", usage=Usage(10, 1), cost_usd=0.1))
        await hearing.hear(Delta(usage=Usage(10, 500), cost_usd=0.2))
        await hearing.hear(Delta(text=" Full."))
    assert (hearing.usage, hearing.cost_usd) == (Usage(10, 500), 0.2)
    assert listener.heard == [Beginning("one", "m"), Delta(reasoning="Hm."), Delta(text="Full.")]
