"""Several keys of one provider, from the environment through the chain to real upstreams."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from doubles import FakeTime, Witness, settings_of
from faultmaven.errors import AllProvidersFailedError, ErrorClass
from faultmaven.infrastructure.llm.providers.discovery import discover
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_SCHEMA, ProviderRegistry
from faultmaven.infrastructure.llm.resilience.gate import ProviderGate
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.services.doctor import DoctorService, EmbeddedAbility, Finding
from llm.streaming_doubles import Listener
from upstreams import FAULTS, Exchange, Upstream, answer_well

BAD, GOOD, SPARE = "sk-canary-bad-012345", "sk-canary-good-012345", "sk-canary-spare-012345"
ANSWER = "The disk is full."
KEYED = tuple(name for name in PROVIDER_SCHEMA if name != "local")


def _settings(**upstreams: Upstream) -> dict[str, str]:
    """Variables that point providers at their upstreams, asked in this order."""
    primary, *fallbacks = upstreams
    values = {"CHAT_PROVIDER": primary, "FALLBACK_CHAIN": ",".join(fallbacks) or "none"}
    for name, up in upstreams.items():
        prefix = name.upper()
        values |= {f"{prefix}_API_BASE": up.base_url, f"{prefix}_API_KEY": up.key}
        values[f"{prefix}_MODEL"] = up.model
    return values


def _registry(transport: Transport, values: Mapping[str, str]) -> ProviderRegistry:
    return ProviderRegistry(settings_of(values), transport=transport)


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        (f"{BAD},{GOOD}", (BAD, GOOD)),
        (f" {BAD} ,\n{GOOD}, ", (BAD, GOOD)),
        (f'"{BAD}","{GOOD}"', (BAD, GOOD)),
        (f"{BAD},{BAD},{GOOD}", (BAD, GOOD)),
        (f"<your key>,{GOOD},sk-...,changeme", (GOOD,)),
        ("<your key>,...", ()),
    ],
)
def test_a_list_of_keys_is_read(value: str, keys: tuple[str, ...]) -> None:
    """White space, quotes, doubles and placeholders are dropped; the order is kept."""
    found = discover("openai", PROVIDER_SCHEMA["openai"], {"OPENAI_API_KEY": value})

    assert found.config.api_keys == found.config.all_keys == keys
    assert found.config.api_key == (keys[0] if keys else None)
    assert (found.missing is None) == bool(keys)
    assert "canary" not in repr(found)


def test_an_odd_key_is_named_by_its_number() -> None:
    """A key in another form is warned about by variable and number, never by itself."""
    found = discover("openai", PROVIDER_SCHEMA["openai"], {"OPENAI_API_KEY": f"{GOOD},zz-canary"})

    [warning] = found.warnings
    assert warning.startswith("OPENAI_API_KEY (key 2 of 2) does not begin with sk-")
    assert "canary" not in warning


@pytest.mark.parametrize("manner", ["whole", "streamed"])
@pytest.mark.parametrize("name", KEYED)
async def test_a_bad_key_costs_no_fallback(name: str, manner: str, transport: Transport) -> None:
    """The chain sees one good attempt at the same provider, whichever vendor it is."""
    async with (
        Upstream(name, keys={GOOD}, answer=ANSWER) as up,
        Upstream("openai") as backup,
    ):
        other = "fireworks" if name == "openai" else "openai"
        values = _settings(**{name: up, other: backup})
        values[f"{name.upper()}_API_KEY"] = f"{BAD},{GOOD}"
        witness, ear = Witness(), Listener()
        router = LLMRouter(_registry(transport, values), observers=[witness])
        listener = ear if manner == "streamed" else None
        response = await router.generate("Why?", confidence_threshold=0.5, listener=listener)

    assert (response.provider, response.content) == (name, ANSWER)
    assert [attempt.error_class for attempt in response.attempts] == [None]
    assert [attempt.error_class for attempt in witness.attempts] == [None]
    assert len(up.requests) == 2
    assert not backup.requests
    assert (ear.text, ear.beginnings) == ((ANSWER, [name]) if listener else ("", []))


async def test_with_every_key_refused_the_next_provider_answers(transport: Transport) -> None:
    """Each key is tried once in one attempt; later requests spend one request on it each."""
    async with (
        Upstream("openai", keys={GOOD}) as up,
        Upstream("anthropic", answer=ANSWER) as backup,
    ):
        values = _settings(openai=up, anthropic=backup) | {"OPENAI_API_KEY": f"{BAD},{SPARE}"}
        router = LLMRouter(_registry(transport, values))
        first = await router.generate("Why?")
        asked = len(up.requests)
        second = await router.generate("Why?")

    for response in (first, second):
        assert [attempt.error_class for attempt in response.attempts] == [ErrorClass.AUTH, None]
        assert response.provider == "anthropic"
    assert (asked, len(up.requests)) == (2, 3)


async def test_a_limited_provider_is_left_alone_until_its_first_key_is_back(
    transport: Transport,
) -> None:
    """The gate hears when the first of the keys may be used, not when the last one may."""

    async def limited(exchange: Exchange) -> None:
        seconds = "20" if exchange.request.bearer == BAD else "900"
        reply = exchange.endpoint.fail_with_status(429)
        await exchange.send(reply.with_headers(("retry-after", seconds)))

    async with Upstream("openai", keys={BAD, GOOD}) as up:
        up.always(limited)
        values = _settings(openai=up) | {"OPENAI_API_KEY": f"{BAD},{GOOD}"}
        gate = ProviderGate(clock=FakeTime().clock)
        router = LLMRouter(_registry(transport, values), gate=gate)
        with pytest.raises(AllProvidersFailedError) as caught:
            await router.generate("Why?", timeout=5)

    assert len(up.requests) == 2
    assert 15 < gate.wait("openai", up.model) <= 20
    assert caught.value.retry_after is not None
    assert 15 < caught.value.retry_after <= 20


async def test_a_spent_key_is_no_reason_to_leave_the_provider(transport: Transport) -> None:
    """Out of quota with one key, the provider goes on with the other, and its gate stays open."""

    async def spent(exchange: Exchange) -> None:
        refused = exchange.request.bearer == BAD
        await (FAULTS["insufficient_quota"] if refused else answer_well)(exchange)

    async with Upstream("openai", keys={BAD, GOOD}, answer=ANSWER) as up:
        up.always(spent)
        values = _settings(openai=up) | {"OPENAI_API_KEY": f"{BAD},{GOOD}"}
        gate = ProviderGate()
        router = LLMRouter(_registry(transport, values), gate=gate)
        answers = [(await router.generate("Why?")).content for _ in range(3)]

    assert answers == [ANSWER] * 3
    assert gate.wait("openai", up.model) == 0
    assert [request.bearer for request in up.requests] == [BAD, GOOD, GOOD, GOOD]


async def test_no_key_is_seen_anywhere(
    transport: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    """Seven vendors' keys stay out of logs, errors, attempts and everything that can be printed."""
    caplog.set_level(logging.DEBUG, logger="faultmaven")
    async with AsyncExitStack() as stack:
        opened = {
            name: await stack.enter_async_context(Upstream(name, keys={SPARE, GOOD}))
            for name in KEYED
        }
        values = _settings(**opened)
        values |= {f"{name.upper()}_API_KEY": f"{BAD},{SPARE},{GOOD}" for name in KEYED}
        registry = _registry(transport, values)
        router = LLMRouter(registry, sleep=FakeTime().sleep)
        told = []
        for fault in ("echo", "status_401", "status_402", "rate_limit_seconds"):
            for up in opened.values():
                up.always(fault)
            with pytest.raises(AllProvidersFailedError) as caught:
                await router.generate("Why?")
            told += [repr(caught.value), str(caught.value.attempts), str(caught.value.hint)]
        shown = [registry.get_provider_status()]
        shown += [vars(registry.get_provider(name)) for name in KEYED]

    assert "key 1 of 3 is set aside" in caplog.text
    assert "canary" not in f"{told} {shown} {caplog.text}"


async def test_another_server_gets_none_of_the_old_keys(transport: Transport) -> None:
    """A local server that takes a configured one's place is asked with its own key alone."""
    async with Upstream("vllm", keys={GOOD}, answer=ANSWER) as up:
        registry = _registry(transport, {"LOCAL_LLM_API_KEY": f"{BAD},{SPARE}"})
        old = registry.get_config("local")
        registry.use_local_server(
            replace(old, api_key=GOOD, base_url=up.base_url, models=[up.model])
        )
        router = LLMRouter(registry)
        for _ in range(3):
            assert (await router.generate("Why?")).content == ANSWER

    assert {request.bearer for request in up.requests} == {GOOD}


class NoModel:
    """An embedded model nobody wants."""

    async def ability(self) -> EmbeddedAbility:
        """Say so."""
        return EmbeddedAbility(wanted=False, reason="A provider has an API key.", model="")


async def _findings(transport: Transport, up: Upstream, keys: str) -> list[Finding]:
    values = _settings(openai=up) | {"OPENAI_API_KEY": keys, "PORT": "0"}
    registry = _registry(transport, values)
    doctor = DoctorService(registry, NoModel(), env_file=Path("/nonexistent/.env"))
    return [finding for finding in await doctor.examine() if finding.subject == "openai"]


async def test_the_doctor_looks_at_each_key(transport: Transport) -> None:
    """A provider that works with one of its keys is in order; the bad key is named by number."""
    async with Upstream("openai", keys={GOOD, SPARE}) as up:
        works, bad = await _findings(transport, up, f"{GOOD},{BAD}")
        good = await _findings(transport, up, f"{GOOD},{SPARE}")
        [refused] = await _findings(transport, up, f"{BAD},{BAD}x")
        [single] = await _findings(transport, up, GOOD)

    assert (works.severity, bad.severity) == ("ok", "warning")
    assert bad.message.startswith("Key 2 of 2: It does not accept the key")
    assert bad.fix is not None
    assert [finding.severity for finding in good] == ["ok", "ok"]
    assert good[1].message == "Each of its 2 keys is accepted."
    assert refused.severity == "problem"
    assert single.severity == "ok"
    assert "canary" not in repr((works, bad, good, refused, single))
