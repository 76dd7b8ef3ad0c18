"""Providers that stream what a test says, and a listener that remembers what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from doubles import Chain, Fail, FakeTime, Play, ScriptedProvider, Witness, row, schema, settings_of
from faultmaven.errors import ProviderConnectionError
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.providers.streaming import Ear
from faultmaven.infrastructure.llm.resilience.gate import Gate
from faultmaven.infrastructure.llm.resilience.retry import RetryPolicy
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.infrastructure.llm.wire.types import Completion, CompletionRequest
from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.stream import Beginning, Delta


@dataclass(frozen=True, slots=True)
class Stream:
    """A play: these pieces, then an end.

    Attributes:
        pieces: a text stands for a piece of text; a number for seconds of silence.
        fails: how it ends, or ``None`` for well.
    """

    pieces: tuple[str | Delta | float, ...] = ("The disk ", "is full.")
    fails: Fail | None = None


class StreamingProvider(ScriptedProvider):
    """A provider of ours whose answers can be heard."""

    script: ClassVar[Sequence[Any]]

    async def stream(self, request: CompletionRequest, ear: Ear) -> Completion:
        """Play what is next."""
        play = self.script[min(len(self.asked), len(self.script) - 1)]
        self.asked.append(request)
        if isinstance(play, Fail):
            raise play.error()
        ear.opened()
        text = ""
        for piece in play.pieces:
            if isinstance(piece, float):
                await asyncio.sleep(piece)
                continue
            delta = Delta(text=piece) if isinstance(piece, str) else piece
            text += delta.text
            await ear.hear(delta)
        if play.fails is not None:
            raise play.fails.error()
        return Completion(text=text.strip(), usage=Usage(3, 4))

    def ignored(self, request: CompletionRequest) -> tuple[str, ...]:
        """Leave out whatever is asked further."""
        return tuple(sorted(request.controls.parameters))


CUT = Fail(ProviderConnectionError, message="the answer was cut")


@dataclass(slots=True)
class Listener:
    """Remembers, in order, what it is told; waits as long as a test says."""

    heard: list[Attempt | Beginning | Delta] = field(default_factory=list)
    pause: float = 0.0

    async def on_attempt(self, attempt: Attempt) -> None:
        """Remember an attempt."""
        self.heard.append(attempt)

    async def on_begin(self, beginning: Beginning) -> None:
        """Remember a beginning."""
        self.heard.append(beginning)

    async def on_delta(self, delta: Delta) -> None:
        """Remember a piece."""
        self.heard.append(delta)
        await asyncio.sleep(self.pause)

    @property
    def text(self) -> str:
        """Everything that was said."""
        return "".join(item.text for item in self.heard if isinstance(item, Delta))

    @property
    def beginnings(self) -> list[str]:
        """Who began to answer."""
        return [item.provider for item in self.heard if isinstance(item, Beginning)]


def streaming_chain(
    scripts: Mapping[str, Sequence[Play | Stream]],
    *,
    rows: Mapping[str, Mapping[str, Any]] | None = None,
    settings: Mapping[str, str] | None = None,
    gate: Gate | None = None,
) -> Chain:
    """Build a chain of streaming providers in this order, on the real clock."""
    witness, time = Witness(), FakeTime()
    classes: dict[str, type[ScriptedProvider]] = {}
    for name, script in scripts.items():
        members = {"script": script, "asked": [], "timeouts": [], "time": time}
        classes[name] = type("StreamingProvider", (StreamingProvider,), members)
    given = {name: row(class_, **(rows or {}).get(name, {})) for name, class_ in classes.items()}
    primary, *fallbacks = scripts
    order = {"CHAT_PROVIDER": primary, "FALLBACK_CHAIN": ",".join(fallbacks) or "none"}
    with schema(given):
        registry = ProviderRegistry(settings_of({**order, **(settings or {})}))
    retry = RetryPolicy(chance=lambda: 0.0)
    router = LLMRouter(registry, observers=[witness], retry=retry, gate=gate)
    return Chain(router, registry, classes, time, witness)
