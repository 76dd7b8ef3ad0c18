"""The background probe, against real servers on loopback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubles import HandWritten, Say, row, schema, scripted, settings_of
from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.llm.probing import LONGEST_CHECK, Prober
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_SCHEMA, ProviderRegistry
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.infrastructure.observability.health import HealthTracker
from faultmaven.models.status import CheckResult, Probe
from upstreams import Exchange, Upstream, answer_well, refused_url

SEVEN = ("fireworks", "openai", "anthropic", "gemini", "huggingface", "openrouter")


@dataclass(slots=True)
class Told:
    """A witness that remembers."""

    probes: list[Probe] = field(default_factory=list)

    def on_probe(self, probe: Probe) -> None:
        """Remember a free call."""
        self.probes.append(probe)

    def outcomes(self) -> dict[str, str]:
        """How the latest free call of each provider ended."""
        return {probe.provider: probe.outcome for probe in self.probes}


@dataclass(slots=True)
class Nights:
    """A sleep that remembers how long each was, and ends the probing when all are slept."""

    left: int
    slept: list[float] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def sleep(self, seconds: float) -> None:
        """Sleep no longer than the event loop needs to do something else."""
        self.slept.append(seconds)
        if len(self.slept) > self.left:
            self.over.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)


def variables_of(*upstreams: Upstream) -> dict[str, str]:
    """Configure one provider for each upstream, named as its dialect is."""
    found = {"LOCAL_LLM_ENABLED": "false"}
    for up in upstreams:
        name = up.dialect.name.upper()
        found |= {f"{name}_API_KEY": up.key, f"{name}_API_BASE": up.base_url}
        found |= {f"{name}_MODEL": up.model}
    return found


def registry_of(transport: Transport, **variables: str) -> ProviderRegistry:
    """Build a registry over exactly these variables."""
    return ProviderRegistry(settings_of(variables), transport=transport)


async def outcome_of(transport: Transport, **variables: str) -> Probe:
    """Probe the one provider that is configured."""
    told = Told()
    await Prober(registry_of(transport, **variables), witnesses=[told]).round()
    (probe,) = told.probes
    return probe


@contextmanager
def local_at(address: str) -> Iterator[None]:
    """Have the row of the local provider lead to another default address."""
    local = {**PROVIDER_SCHEMA["local"], "default_base_url": address}
    with schema({"local": local}, alone=False):
        yield


Check = Callable[[float], Awaitable[CheckResult]]


def checked(check: Check) -> type[HandWritten]:
    """Make a provider somebody else wrote, with a free call."""

    def ask(_self: HandWritten, *, timeout: float) -> Awaitable[CheckResult]:
        return check(timeout)

    return type("Checked", (HandWritten,), {"check": ask, "asked": []})


def registry_over(checks: Mapping[str, Check], **variables: str) -> ProviderRegistry:
    """Build a registry of providers with these free calls."""
    with schema({name: row(checked(check)) for name, check in checks.items()}):
        return ProviderRegistry(settings_of(variables))


async def passes(_seconds: float) -> CheckResult:
    """Pass."""
    return CheckResult(reachable=True)


@asynccontextmanager
async def probing(prober: Prober) -> AsyncIterator[None]:
    """Let the rounds run for the time of a block."""
    prober.start()
    try:
        yield
    finally:
        await prober.stop()


@pytest.mark.parametrize("name", SEVEN)
async def test_every_vendor_is_probed_for_nothing(transport: Transport, name: str) -> None:
    """Each vendor's free call is made once a round, and never one that costs (S81)."""
    async with Upstream(name) as up:
        registry, told = registry_of(transport, **variables_of(up)), Told()
        await Prober(registry, witnesses=[told]).round()
        assert {request.method for request in up.requests} == {"GET"}
        assert not up.rejections
    assert told.outcomes() == {name: "ok"}
    assert told.probes[0].model_found
    assert told.probes[0].key_accepted is (name != "huggingface")


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [("status_503", "overloaded"), ("reset_in_body", "connection"), ("status_401", "auth")],
)
async def test_what_went_wrong_is_told_with_a_hint(
    transport: Transport, fault: str, outcome: str
) -> None:
    """Class, detail and a way out are there for each kind of failure (S80)."""
    async with Upstream("openai") as up:
        up.always(fault)
        probe = await outcome_of(transport, **variables_of(up))
    assert (probe.outcome, probe.key_accepted) == (outcome, False)
    assert probe.detail
    assert probe.hint


async def test_a_model_that_is_not_listed_is_missing(transport: Transport) -> None:
    """The free call shows that the configured model is not served, and which ones are (S105)."""
    async with Upstream("openai", models={"gpt-4o"}) as up:
        variables = {**variables_of(up), "OPENAI_MODEL": "gpt-4oo"}
        probe = await outcome_of(transport, **variables)
    assert probe.error_class is ErrorClass.MODEL_NOT_FOUND
    assert probe.detail == "'gpt-4oo' is not among the models it lists"
    assert probe.hint is not None
    assert "gpt-4o" in probe.hint


async def test_nobody_outside_is_probed_in_privacy_mode(transport: Transport) -> None:
    """PRIVACY_MODE holds for free calls, too."""
    async with Upstream("openai") as up:
        registry = registry_of(transport, **variables_of(up), PRIVACY_MODE="local_only")
        await Prober(registry).round()
        assert up.connections.accepted == 0


async def test_a_reload_changes_whom_the_next_round_asks(transport: Transport) -> None:
    """Each round reads the registry afresh (S102)."""
    async with Upstream("openai") as old, Upstream("fireworks") as new:
        registry, told = registry_of(transport, **variables_of(old)), Told()
        prober = Prober(registry, witnesses=[told])
        await prober.round()
        registry.adopt(registry_of(transport, **variables_of(new)))
        await prober.round()
        assert (len(old.requests), len(new.requests)) == (1, 1)
    assert [probe.provider for probe in told.probes] == ["openai", "fireworks"]


async def test_what_was_asked_of_a_replaced_provider_is_not_told(
    transport: Transport,
) -> None:
    """A refusal of the old key says nothing of the new one."""
    async with Upstream("openai") as old, Upstream("fireworks") as new:
        let_go = asyncio.Event()

        async def wait(exchange: Exchange) -> None:
            await let_go.wait()
            await answer_well(exchange)

        old.default_free = wait
        registry, told = registry_of(transport, **variables_of(old)), Told()
        prober = Prober(registry, witnesses=[told])
        round_ = asyncio.create_task(prober.round())
        await old.until(lambda up: up.in_flight == 1)
        registry.adopt(registry_of(transport, **variables_of(new)))
        let_go.set()
        await round_
    assert told.probes == []


async def test_one_that_is_not_ready_is_left_alone(transport: Transport) -> None:
    """A model that still loads is starting, not down: it is asked when it is there."""
    async with Upstream("ollama") as up:
        registry, told = registry_of(transport, LOCAL_LLM_URL=up.origin), Told()
        reasons: list[str | None] = ["loading"]
        config = registry.get_config("local")
        loading = replace(config, models=[up.model], not_ready=lambda: reasons[-1])
        registry.use_local_server(loading)
        prober = Prober(registry, witnesses=[told])
        await prober.round()
        assert up.connections.accepted == 0
        reasons.append(None)
        await prober.round()
    assert told.outcomes() == {"local": "ok"}


async def test_a_local_server_that_nobody_set_up_is_not_missed(
    transport: Transport,
) -> None:
    """The documented last resort is absent on most machines: no outage, while others are asked."""
    async with Upstream("openai") as up:
        with local_at(refused_url()):
            variables = {**variables_of(up), "CHAT_PROVIDER": "openai", "LOCAL_LLM_ENABLED": "true"}
            registry, told = registry_of(transport, **variables), Told()
        assert registry.get_fallback_chain() == ["openai", "local"]
        await Prober(registry, witnesses=[told]).round()
    assert told.outcomes() == {"openai": "ok"}


async def test_a_local_server_that_somebody_needs_is_missed(transport: Transport) -> None:
    """Named in the configuration, first of the chain, or there before: its absence is told."""
    assert (await outcome_of(transport, LOCAL_LLM_URL=refused_url())).outcome == "connection"
    with local_at(refused_url()):
        assert (await outcome_of(transport, CHAT_PROVIDER="local")).outcome == "connection"
    async with Upstream("ollama") as up, Upstream("openai") as first:
        with local_at(up.origin):
            variables = {**variables_of(first), "LOCAL_LLM_ENABLED": "true"}
            registry, told = registry_of(transport, **variables, CHAT_PROVIDER="openai"), Told()
        registry.use_local_server(replace(registry.get_config("local"), models=[up.model]))
        prober = Prober(registry, witnesses=[told])
        await prober.round()
        assert told.outcomes() == {"openai": "ok", "local": "ok"}
        await up.stop()
        await prober.round()
    assert told.outcomes() == {"openai": "ok", "local": "connection"}


async def test_a_hanging_call_overlaps_neither_itself_nor_others() -> None:
    """One that ignores even its end is not asked again meanwhile; the others are (S81)."""
    let_go, asked = asyncio.Event(), list[str]()

    async def hangs(_seconds: float) -> CheckResult:
        asked.append("stubborn")
        while not let_go.is_set():
            with suppress(asyncio.CancelledError):
                await let_go.wait()
        return CheckResult(reachable=True)

    async def counts(seconds: float) -> CheckResult:
        asked.append("good")
        return await passes(seconds)

    registry = registry_over({"stubborn": hangs, "good": counts}, PROBE_INTERVAL="0.01")
    prober = Prober(registry)
    rounds = [asyncio.create_task(prober.round()) for _ in range(3)]
    for _ in range(3):
        await asyncio.sleep(0)
    assert asked == ["stubborn", "good"], "those that run are passed over"
    let_go.set()
    await asyncio.gather(*rounds)
    await prober.round()
    assert asked == ["stubborn", "good", "stubborn", "good"]


async def test_a_check_that_breaks_is_the_matter_of_nobody_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What somebody else wrote may raise anything: it is logged, and others are still probed."""

    async def breaks(_seconds: float) -> CheckResult:
        raise ValueError("no such field")

    told = Told()
    registry = registry_over({"broken": breaks, "good": passes})
    await Prober(registry, witnesses=[told]).round()
    assert told.outcomes() == {"good": "ok"}
    assert "Provider 'broken': its check fails with ValueError: no such field" in caplog.messages


async def test_one_without_a_free_call_is_never_asked() -> None:
    """No provider is asked anything that could cost."""
    class_ = scripted(Say())
    with schema({"one": row(class_)}):
        registry = ProviderRegistry(settings_of({}))
    told = Told()
    await Prober(registry, witnesses=[told]).round()
    assert (told.probes, class_.asked) == ([], [])


@pytest.mark.parametrize(("interval", "seconds"), [("2", 2.0), ("600", LONGEST_CHECK)])
async def test_a_call_is_bounded(interval: str, seconds: float) -> None:
    """A free call gets the interval's time at most, and never more than ten seconds."""
    given_to_it: list[float] = []

    async def notes(limit: float) -> CheckResult:
        given_to_it.append(limit)
        return await passes(limit)

    await Prober(registry_over({"one": notes}, PROBE_INTERVAL=interval)).round()
    assert given_to_it == [seconds]


@given(st.floats(0, 1, exclude_max=True), st.sampled_from([0.5, 60.0, 3600.0]))
def test_rounds_are_an_interval_apart_give_or_take_a_fifth(chance: float, interval: float) -> None:
    """The first comes within a second, each next one within 20 % of the interval (S80)."""
    nights, told = Nights(left=3), Told()

    async def run() -> None:
        registry = registry_over({"one": passes}, PROBE_INTERVAL=str(interval))
        prober = Prober(
            registry,
            witnesses=[told],
            sleep=nights.sleep,
            chance=lambda: chance,
            clock=lambda: 0.0,
        )
        async with probing(prober), asyncio.timeout(20):
            await nights.over.wait()

    asyncio.run(run())
    first, *others = nights.slept
    assert 0 <= first <= min(1, interval)
    assert all(interval * 0.8 <= slept <= interval * 1.2 for slept in others)
    assert len(told.probes) == len(others)


async def test_an_interval_of_nothing_probes_nobody() -> None:
    """0 switches it off; whether it was switched on again is looked up every few seconds."""
    nights, told = Nights(left=3), Told()
    registry = registry_over({"one": passes}, PROBE_INTERVAL="0")
    prober = Prober(registry, witnesses=[told], sleep=nights.sleep, clock=lambda: 0.0)
    async with probing(prober), asyncio.timeout(20):
        await nights.over.wait()
    assert told.probes == []
    assert nights.slept[1:] == [5.0, 5.0, 5.0]


async def test_stopping_ends_what_is_in_flight(transport: Transport) -> None:
    """Neither a call nor a task outlives the service."""
    async with Upstream("openai") as up:
        up.always("stalled_headers")
        before = asyncio.all_tasks()
        prober = Prober(registry_of(transport, **variables_of(up)), chance=lambda: 0.0)
        async with probing(prober):
            await up.until(lambda upstream: upstream.in_flight == 1)
        await up.until(lambda upstream: upstream.disconnects)
    left = {task for task in asyncio.all_tasks() - before if "prob" in task.get_name()}
    assert not left


async def test_an_outage_and_its_end_are_seen_without_a_request(
    transport: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    """One round after the server went it is down, one after it came back it is healthy (S80)."""
    caplog.set_level(logging.INFO)
    async with Upstream("openai") as up:
        registry = registry_of(transport, **variables_of(up))
        tracker = HealthTracker(registry)
        prober = Prober(registry, witnesses=[tracker])
        states = []
        for happens in (None, up.stop, None, up.start):
            if happens is not None:
                await happens()
            await prober.round()
            states.append(tracker.snapshot()["openai"].state)
    assert states == ["healthy", "down", "down", "healthy"]
    said = [text for text in caplog.messages if "free call" in text]
    assert len(said) == 2, "told when it changes, not at every round"
    assert said[0].startswith("Provider 'openai': its free call fails (connection)")
    assert said[1] == "Provider 'openai': its free call is answered again"
