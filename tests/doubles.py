"""Stand-ins that swap at a seam: an environment, rows of the schema, providers that play a script.

A scripted provider is a class, as every provider in `PROVIDER_SCHEMA` is::

    class_ = scripted(Fail(ProviderTimeoutError), Say("The disk is full.", seconds=2))
    with schema({"one": row(class_)}):
        registry = ProviderRegistry(settings_of({}))

It plays its script and then repeats the last play. Time passes on `time_of_tests` only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

from faultmaven.errors import ProviderError, ProviderTimeoutError
from faultmaven.infrastructure.llm.providers.base import BaseLLMProvider
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_SCHEMA, ProviderRegistry
from faultmaven.infrastructure.llm.resilience.retry import RetryPolicy
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.infrastructure.llm.wire.types import Completion, CompletionRequest
from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.interfaces import HedgeOutcome, ILLMProvider, LLMResponse
from faultmaven.models.prompt import Target
from faultmaven.settings import Settings, load_settings

NO_ENV_FILE = Path("/nonexistent/.env")
"""Stands for the absence of a ``.env``."""


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Make these the only variables of the process."""
    with patch.dict("os.environ", values, clear=True):
        yield


def settings_of(values: Mapping[str, str], env_file: Path = NO_ENV_FILE) -> Settings:
    """Read the settings from exactly these variables."""
    with environment(values):
        return load_settings(env_file)


@contextmanager
def schema(rows: Mapping[str, Any], *, alone: bool = True) -> Iterator[None]:
    """Put rows into `PROVIDER_SCHEMA`, instead of its own or beside them."""
    with patch.dict(PROVIDER_SCHEMA, rows, clear=alone):
        yield


def row(provider_class: type[ILLMProvider], **fields: Any) -> dict[str, Any]:
    """Write a row that needs no key; everything else as the schema's defaults have it."""
    return {
        "model_var": "TEST_MODEL",
        "default_model": "model-1",
        "default_base_url": "http://127.0.0.1:9",
        "provider_class": provider_class,
        "confidence_score": 0.9,
        **fields,
    }


@dataclass(slots=True)
class FakeTime:
    """A clock that moves only when somebody sleeps or works on it."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        """Tell the time in seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        assert seconds >= 0, "nobody can sleep backwards"
        self.slept.append(seconds)
        self.now += seconds


@dataclass(frozen=True, slots=True)
class Say:
    """A play: answer, after a while."""

    text: str = "The disk is full."
    seconds: float = 0.0
    finish_reason: str = "stop"
    prior: float | None = None
    usage: Usage = Usage(3, 4)
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Fail:
    """A play: fail, after a while."""

    kind: type[ProviderError]
    seconds: float = 0.0
    message: str = "it went wrong"
    fields: Mapping[str, Any] = field(default_factory=dict)
    falls_back: bool | None = None
    prefers_next: bool | None = None

    def error(self) -> ProviderError:
        """Make the error."""
        error = self.kind(self.message, **self.fields)
        for name in ("falls_back", "prefers_next"):
            value = getattr(self, name)
            if value is not None:
                setattr(error, name, value)
        return error


Play = Say | Fail


class ScriptedProvider(BaseLLMProvider):
    """A provider of ours as the chain sees one; subclassed by `scripted`."""

    script: ClassVar[Sequence[Play]]
    asked: ClassVar[list[CompletionRequest]]
    timeouts: ClassVar[list[float]]
    time: ClassVar[FakeTime]

    def is_available(self) -> bool:
        """Tell that it is configured."""
        return True

    def get_supported_models(self) -> list[str]:
        """List the configured models."""
        return self.config.models.copy()

    def target(self, model: str) -> Target:
        """Describe who is asked."""
        return Target(self.provider_name, model, context_window=self.config.context_window)

    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        """Refuse: the chain asks providers of ours through `complete`."""
        raise AssertionError(f"the chain asks by complete, not {prompt!r} {sorted(kwargs)}")

    async def complete(self, request: CompletionRequest, *, timeout: float) -> Completion:  # noqa: ASYNC109 - the seam passes a length
        """Play what is next, for as long as the timeout lets it."""
        play = self.script[min(len(self.asked), len(self.script) - 1)]
        self.asked.append(request)
        self.timeouts.append(timeout)
        self._work(play.seconds, timeout)
        if isinstance(play, Fail):
            raise play.error()
        return Completion(
            text=play.text,
            finish_reason=play.finish_reason,
            usage=play.usage,
            cost_usd=play.cost_usd,
            prior=play.prior,
        )

    def _work(self, seconds: float, limit: float) -> None:
        self.time.now += min(seconds, limit)
        if seconds > limit:
            raise ProviderTimeoutError(f"no answer within {limit:.1f} s")


def scripted(*script: Play, time: FakeTime | None = None) -> type[ScriptedProvider]:
    """Make a class whose instances share one script and one memory."""
    members = {"script": script, "asked": [], "timeouts": [], "time": time or FakeTime()}
    return type("ScriptedProvider", (ScriptedProvider,), members)


class HandWritten(BaseLLMProvider):
    """A provider somebody else wrote: three methods and nothing of ours."""

    behave: ClassVar[Callable[..., Any]]
    asked: ClassVar[list[tuple[str, dict[str, Any]]]]

    def is_available(self) -> bool:
        """Tell that it is configured."""
        return True

    def get_supported_models(self) -> list[str]:
        """List the configured models."""
        return self.config.models.copy()

    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        """Do whatever the test says."""
        self.asked.append((prompt, kwargs))
        answer: LLMResponse = await type(self).behave(self)
        return answer


def hand_written(behave: Callable[[HandWritten], Any]) -> type[HandWritten]:
    """Make a hand-written provider of a coroutine function."""
    return type("HandWritten", (HandWritten,), {"behave": staticmethod(behave), "asked": []})


@dataclass(slots=True)
class Witness:
    """An observer that remembers everything it is told, in order."""

    seen: list[tuple[str, ...]] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    answers: list[LLMResponse] = field(default_factory=list)

    def on_start(self, provider: str) -> None:
        """Remember a start."""
        self.seen.append(("start", provider))

    def on_attempt(self, attempt: Attempt) -> None:
        """Remember an attempt."""
        self.seen.append(("attempt", attempt.provider, attempt.outcome))
        self.attempts.append(attempt)

    def on_cancel(self, provider: str) -> None:
        """Remember a cancellation."""
        self.seen.append(("cancel", provider))

    def on_fallback(self, source: str, target: str, reason: str) -> None:
        """Remember a fallback."""
        self.seen.append(("fallback", source, target, reason))

    def on_hedge(self, first: str, second: str, outcome: HedgeOutcome) -> None:
        """Remember how a second provider fared beside a first."""
        self.seen.append(("hedge", first, second, outcome))

    def on_answer(self, response: LLMResponse) -> None:
        """Remember an answer."""
        self.seen.append(("answer", response.provider))
        self.answers.append(response)


@dataclass(frozen=True, slots=True)
class Chain:
    """A router over scripted providers, with everything a test wants to look at.

    Attributes:
        router: what is tested.
        registry: the providers and their order.
        classes: each provider's class: what it was asked, and within which time.
        time: the clock of all of them.
        witness: what the observers were told.
    """

    router: LLMRouter
    registry: ProviderRegistry
    classes: Mapping[str, type[ScriptedProvider]]
    time: FakeTime
    witness: Witness

    def calls(self) -> dict[str, int]:
        """Count how often each provider was asked."""
        return {name: len(class_.asked) for name, class_ in self.classes.items()}


def chain_of(
    scripts: Mapping[str, Sequence[Play]],
    *,
    rows: Mapping[str, Mapping[str, Any]] | None = None,
    settings: Mapping[str, str] | None = None,
    **tools: Any,
) -> Chain:
    """Build a chain of scripted providers in this order.

    Args:
        scripts: what each provider plays.
        rows: further fields of their rows.
        settings: further variables of the environment.
        tools: what the router is given besides registry, clock and witness.
    """
    time, witness = FakeTime(), Witness()
    classes = {name: scripted(*script, time=time) for name, script in scripts.items()}
    given = {name: row(class_, **(rows or {}).get(name, {})) for name, class_ in classes.items()}
    primary, *fallbacks = scripts
    order = {"CHAT_PROVIDER": primary, "FALLBACK_CHAIN": ",".join(fallbacks) or "none"}
    with schema(given):
        registry = ProviderRegistry(settings_of({**order, **(settings or {})}))
    usual: dict[str, Any] = {"retry": RetryPolicy(chance=lambda: 0.5), **tools}
    router = LLMRouter(registry, observers=[witness], clock=time.clock, sleep=time.sleep, **usual)
    return Chain(router, registry, classes, time, witness)
