"""Providers that answer when they are let go, in a chain that asks two at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from doubles import Fail, FakeTime, Witness, row, schema, settings_of
from faultmaven.infrastructure.llm.providers.base import BaseLLMProvider
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.providers.streaming import Ear
from faultmaven.infrastructure.llm.resilience.gate import ProviderGate
from faultmaven.infrastructure.llm.resilience.hedging import Hedging
from faultmaven.infrastructure.llm.resilience.retry import RetryPolicy
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.infrastructure.llm.wire.types import Completion, CompletionRequest
from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.prompt import Target
from faultmaven.models.stream import Delta

MODEL = "model-1"


@dataclass(slots=True)
class Player:
    """What one provider does.

    Attributes:
        text: what it answers.
        waits: whether it answers only once somebody sets ``go``.
        steps: turns of the loop that it takes before.
        fails: how it fails instead, each time it is asked or only at first.
        prior: how sure it says it is.
        lingers: turns of the loop between its first word and the rest.
        on_asked: called when it is asked.
        deaf: whether it goes on although it is cancelled.
        asked: what it was asked.
        left: how often it was cancelled.
    """

    text: str = "The disk is full."
    waits: bool = False
    steps: int = 0
    fails: list[Fail] = field(default_factory=list)
    prior: float | None = None
    lingers: int = 0
    on_asked: Callable[[], object] = lambda: None
    deaf: bool = False
    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[CompletionRequest] = field(default_factory=list)
    left: int = 0

    async def play(self, request: CompletionRequest, ear: Ear | None) -> Completion:
        """Answer, or fail."""
        self.asked.append(request)
        self.on_asked()
        try:
            await self._wait()
        except asyncio.CancelledError:
            self.left += 1
            if not self.deaf:
                raise
        if self.fails:
            raise self.fails.pop(0).error()
        if ear is not None:
            ear.opened()
            for word in self.text.split(" "):
                await ear.hear(Delta(text=f"{word} "))
                await _turns(self.lingers)
        return Completion(text=self.text, prior=self.prior)

    async def _wait(self) -> None:
        await _turns(self.steps)
        if self.waits:
            await self.go.wait()


async def _turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


class _Played(BaseLLMProvider):
    player: ClassVar[Player]

    def is_available(self) -> bool:
        return True

    def get_supported_models(self) -> list[str]:
        return self.config.models.copy()

    def target(self, model: str) -> Target:
        return Target(self.provider_name, model)

    def ignored(self, request: CompletionRequest) -> tuple[str, ...]:
        del request
        return ()

    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        raise AssertionError(f"the chain asks by complete, not {prompt!r} {sorted(kwargs)}")

    async def complete(self, request: CompletionRequest, *, timeout: float) -> Completion:  # noqa: ASYNC109 - the seam passes a length
        del timeout
        return await self.player.play(request, None)

    async def stream(self, request: CompletionRequest, ear: Ear) -> Completion:
        return await self.player.play(request, ear)


@dataclass(frozen=True, slots=True)
class Hedged:
    """A chain of players, and what a test looks at.

    Attributes:
        router: what is tested.
        registry: the providers.
        witness: what observers were told.
        gate: who may be asked; it has room for one attempt at each provider.
        hedging: what was learnt.
        time: the clock by which attempts are timed.
    """

    router: LLMRouter
    registry: ProviderRegistry
    witness: Witness
    gate: ProviderGate
    hedging: Hedging
    time: FakeTime

    def is_free(self, provider: str) -> bool:
        """Whether no attempt at the provider is left behind, and nobody blames it."""
        entry = self.gate.enter(provider, MODEL)
        if entry is not None:
            entry.released()
        return entry is not None


def hedged(
    players: Mapping[str, Player],
    *,
    percent: int | None = 95,
    usual: float = 0.0,
    samples: int = 20,
    calls: int = 200,
    rows: Mapping[str, Mapping[str, Any]] | None = None,
) -> Hedged:
    """Build a chain whose first provider was always quick so far.

    Args:
        players: who is in it, in order.
        percent: as HEDGE_AFTER.
        usual: milliseconds the first took.
        samples: how often it was asked.
        calls: calls that pay for extra ones.
        rows: further fields of rows.
    """
    classes = {name: type("_Played", (_Played,), {"player": p}) for name, p in players.items()}
    given = {name: row(class_, **(rows or {}).get(name, {})) for name, class_ in classes.items()}
    primary, *fallbacks = players
    order = {"CHAT_PROVIDER": primary, "FALLBACK_CHAIN": ",".join(fallbacks) or "none"}
    with schema(given):
        registry = ProviderRegistry(settings_of(order))
    hedging = Hedging(lambda: percent)
    for _ in range(samples):
        for live in (False, True):
            hedging.learn(Attempt(primary, MODEL, total_ms=usual), live=live)
    for _ in range(calls):
        hedging.budget.called()
    witness, time, gate = Witness(), FakeTime(), ProviderGate(room=lambda _provider: 1)
    router = LLMRouter(
        registry,
        observers=[witness],
        retry=RetryPolicy(chance=lambda: 0.0),
        gate=gate,
        hedging=hedging,
        clock=time.clock,
        sleep=time.sleep,
    )
    return Hedged(router, registry, witness, gate, hedging, time)
