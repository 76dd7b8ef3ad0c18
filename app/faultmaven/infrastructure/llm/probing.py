"""The background probe: makes each configured provider's free call, again and again.

No tokens are ever spent: a provider that has no free call is not probed. What a call shows is told
to whoever wants to know; nothing is decided here.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.foreign import describe_failure
from faultmaven.infrastructure.llm.providers.hints import hint_for
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.resilience.deadline import Clock
from faultmaven.infrastructure.llm.resilience.retry import Chance
from faultmaven.models.status import CheckResult, Probe

logger = logging.getLogger(__name__)

LONGEST_CHECK = 10.0
"""Seconds a free call may take, however long the interval is."""

_JITTER = 0.2  # of the interval, either way: several gateways do not stay in step
_FIRST_WITHIN = 1.0  # seconds
_SWITCHED_OFF = 5.0  # seconds until it is looked whether probing was switched on
_GRACE = 1.0  # seconds; a check that minds its own timeout ends within it
_HOLDS = 3  # intervals a result says something for


class ProbeWitness(Protocol):
    """Wants to know what free calls show."""

    def on_probe(self, probe: Probe) -> None:
        """A free call has ended."""
        ...


@runtime_checkable
class _Checkable(Protocol):
    async def check(self, *, timeout: float) -> CheckResult: ...  # noqa: ASYNC109 - as `ICheckable`


@dataclass(frozen=True, slots=True)
class _Target:
    """Whom one round asks."""

    config: ProviderConfig
    provider: _Checkable


class Prober:
    """Probes every configured provider each `Settings.probe_interval` seconds, give or take 20 %.

    Providers are probed at the same time, one call at a provider at a time. Each round reads the
    registry afresh: a reload changes whom the next round asks. A provider that says it is not ready
    is left alone. A local server that nobody configured, and that never answered, is no outage
    while others are asked first: its absence is not told.

    Args:
        registry: the providers, and the interval; 0 switches probing off.
        witnesses: are told what each call showed.
        clock: monotonic seconds.
        sleep: waits between rounds.
        chance: source of the jitter.
    """

    def __init__(
        self,
        registry: ProviderRegistry,
        *,
        witnesses: Sequence[ProbeWitness] = (),
        clock: Clock = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Chance = random.random,
    ) -> None:
        self._registry = registry
        self._witnesses = witnesses
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._rounds: asyncio.Task[None] | None = None
        self._asked: dict[str, asyncio.Task[None]] = {}
        self._outcomes: dict[str, str] = {}
        self._met: set[str] = set()

    def start(self) -> None:
        """Begin the rounds, anew if they run: the first within a second."""
        if self._rounds is not None:
            self._rounds.cancel()
        self._rounds = asyncio.create_task(self._run(), name="prober")

    async def stop(self) -> None:
        """End the rounds and the calls in flight."""
        rounds, self._rounds = self._rounds, None
        tasks = [*self._asked.values(), *([rounds] if rounds else [])]
        ending = [task for task in tasks if not task.done()]
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending, timeout=_GRACE)

    async def round(self) -> None:
        """Probe everybody once; a provider whose last call still runs is passed over."""
        seconds = min(LONGEST_CHECK, self._interval)
        asked = [self._ask(target, seconds) for target in self._targets()]
        if asked:
            # A check that ignores its cancellation holds up nobody but itself.
            await asyncio.wait(asked, timeout=seconds + 2 * _GRACE)

    @property
    def _interval(self) -> float:
        return self._registry.settings.probe_interval

    async def _run(self) -> None:
        await self._sleep(self._chance() * min(_FIRST_WITHIN, self._interval))
        while True:
            began = self._clock()
            if self._interval > 0:
                await self.round()
            await self._sleep(max(0.0, self._pause() - (self._clock() - began)))

    def _pause(self) -> float:
        jitter = 1 + _JITTER * (2 * self._chance() - 1)
        return self._interval * jitter or _SWITCHED_OFF

    def _targets(self) -> Iterator[_Target]:
        for name in self._registry.get_available_providers():
            config, provider = self._registry.get_config(name), self._registry.get_provider(name)
            ready = config.not_ready is None or config.not_ready() is None
            if ready and name not in self._asked and isinstance(provider, _Checkable):
                yield _Target(config, provider)

    def _ask(self, target: _Target, seconds: float) -> asyncio.Task[None]:
        name = target.config.name
        task = asyncio.create_task(self._probe(target, seconds), name=f"probe of {name}")
        self._asked[name] = task
        task.add_done_callback(lambda _: self._asked.pop(name, None))
        return task

    async def _probe(self, target: _Target, seconds: float) -> None:
        try:
            probe = await self._outcome(target, seconds)
            if self._is_current(target):
                self._tell(probe, target.config)
        except Exception as error:  # noqa: BLE001 - a check somebody else wrote may raise anything
            why = describe_failure(error, target.config)
            logger.warning("Provider '%s': its check fails with %s", target.config.name, why)

    async def _outcome(self, target: _Target, seconds: float) -> Probe:
        began = self._clock()
        try:
            async with asyncio.timeout(seconds + _GRACE):
                result = await target.provider.check(timeout=seconds)
        except TimeoutError:
            result = _no_answer(target.config, seconds)
        took = (self._clock() - began) * 1000
        return _judged(result, target.config, latency_ms=took, holds=_HOLDS * self._interval)

    def _is_current(self, target: _Target) -> bool:
        """Whether the provider was not replaced, or removed, while it was asked."""
        name, registry = target.config.name, self._registry
        if name not in registry.get_available_providers():
            return False
        present: object = registry.get_provider(name)
        return present is target.provider

    def _tell(self, probe: Probe, config: ProviderConfig) -> None:
        if not probe.error_class:
            self._met.add(probe.provider)
        if probe.error_class is ErrorClass.CONNECTION and self._is_merely_absent(config):
            return
        self._log(probe)
        for witness in self._witnesses:
            witness.on_probe(probe)

    def _is_merely_absent(self, config: ProviderConfig) -> bool:
        environment = self._registry.settings.environment
        variables = (config.base_url_var, config.model_var)
        named = any(environment.get(variable or "", "").strip() for variable in variables)
        last_resort = self._registry.get_fallback_chain()[:1] != [config.name]
        return config.local and last_resort and not named and config.name not in self._met

    def _log(self, probe: Probe) -> None:
        before = self._outcomes.get(probe.provider)
        self._outcomes[probe.provider] = probe.outcome
        if before == probe.outcome or (before is None and probe.error_class is None):
            return
        if probe.error_class is None:
            logger.info("Provider '%s': its free call is answered again", probe.provider)
        else:
            told = (probe.provider, probe.outcome, probe.detail or "no detail")
            logger.warning("Provider '%s': its free call fails (%s): %s", *told)


def _no_answer(config: ProviderConfig, seconds: float) -> CheckResult:
    return CheckResult(
        reachable=False,
        error_class=ErrorClass.TIMEOUT,
        detail=f"no answer within {seconds:.1f} s",
        hint=hint_for(ErrorClass.TIMEOUT, config, next(iter(config.models), "")),
    )


def _judged(
    result: CheckResult, config: ProviderConfig, *, latency_ms: float, holds: float
) -> Probe:
    """What a finding says of the provider's health: no more than it shows."""
    error_class, detail = result.error_class, result.detail
    if error_class is None and result.model_found is False:
        error_class = ErrorClass.MODEL_NOT_FOUND
        detail = f"'{config.models[0]}' is not among the models it lists"
    return Probe(
        provider=config.name,
        latency_ms=latency_ms,
        holds=holds,
        error_class=error_class,
        detail=detail,
        hint=result.hint,
        key_accepted=result.key_accepted is True or not config.api_key,
        model_found=result.model_found is True,
    )
