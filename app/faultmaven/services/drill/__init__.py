"""The failover drill: what the configured chain survives, tried without its vendors.

Every provider of the chain is replaced by a server on loopback that speaks its wire format, and
the first ones are made to fail. Router, breakers, retries, codecs and HTTP client are the
service's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Protocol

from faultmaven.models.interfaces import ILLMProvider
from faultmaven.services.drill.asking import ask_for_stream, ask_plain
from faultmaven.services.drill.faults import FAULTS, Fault, answer
from faultmaven.services.drill.report import Case, Outcome, Report, Seen, advice_for
from faultmaven.services.drill.stand_in import stand_in

__all__ = ["FAULTS", "Case", "DrillService", "Outcome", "Rehearsal", "Report", "Seen"]

_AT_A_TIME = 8


class Rehearsal(Protocol):
    """The configured chain, ready to be pointed elsewhere."""

    @property
    def chain(self) -> Sequence[str]:
        """Providers that can be drilled, in the order in which they are asked."""
        ...

    @property
    def left_out(self) -> Sequence[str]:
        """Providers of the chain whose code does its own network, and might reach a vendor."""
        ...

    @property
    def missing(self) -> Sequence[str]:
        """Variables that would configure a further provider."""
        ...

    def router(
        self, origins: Mapping[str, str], *, seconds: float
    ) -> AbstractAsyncContextManager[ILLMProvider]:
        """The chain, new and without a memory, with its providers at these addresses.

        Args:
            origins: scheme, host and port of each provider of ``chain``.
            seconds: most time one attempt may take.
        """
        ...


class DrillService:
    """Puts the chain through every fault.

    Args:
        rehearsal: the configured chain.
    """

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal

    async def run(self, *, seconds: float = 1.0) -> Report:
        """Let the first provider fail, then the first two, and so on.

        Args:
            seconds: after how long a silent provider is given up; the configured timeouts are
                longer.
        """
        chain = tuple(self._rehearsal.chain)
        cases = await self._cases(chain, seconds)
        return Report(
            chain=chain,
            left_out=tuple(self._rehearsal.left_out),
            cases=cases,
            advice=advice_for(chain, cases, self._rehearsal.missing),
        )

    async def _cases(self, chain: Sequence[str], seconds: float) -> tuple[Case, ...]:
        """A few faults at a time: most of it is waiting, and more would hold each other up."""
        rows = [(fault, chain[:many]) for many in range(1, len(chain) + 1) for fault in FAULTS]
        room = asyncio.Semaphore(_AT_A_TIME)

        async def tried(fault: Fault, failing: Sequence[str]) -> Case:
            async with room:
                return await self._case(fault, chain, failing, seconds=seconds)

        return tuple(await asyncio.gather(*(tried(*row) for row in rows)))

    async def _case(
        self, fault: Fault, chain: Sequence[str], failing: Sequence[str], *, seconds: float
    ) -> Case:
        async with AsyncExitStack() as servers:
            origins = {
                name: await servers.enter_async_context(
                    stand_in(fault.behave if name in failing else answer)
                )
                for name in chain
            }

            async def tried(ask: Callable[[ILLMProvider], Awaitable[Seen]]) -> Seen:
                # Each request meets a chain that knows of no failure yet.
                async with self._rehearsal.router(origins, seconds=seconds) as router:
                    return await ask(router)

            if fault.midway:
                return Case(fault.name, tuple(failing), None, await tried(ask_for_stream))
            plain, stream = await asyncio.gather(tried(ask_plain), tried(ask_for_stream))
            return Case(fault.name, tuple(failing), plain, stream)
