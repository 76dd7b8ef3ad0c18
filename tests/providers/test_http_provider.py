"""What every provider asked over HTTP shares, whatever its format."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from faultmaven.errors import (
    ErrorClass,
    ModelNotFoundError,
    ProviderAuthError,
    ProviderConnectionError,
    ProviderError,
    ProviderProtocolError,
    ProviderTimeoutError,
    RateLimitedError,
)
from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.hints import hint_for
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.transport import Transport, WireStream
from faultmaven.infrastructure.llm.wire.types import WireRequest, WireResponse
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.prompt import Message
from providers.vendors import CLASSES, SEVEN, provider_for
from upstreams import Reply, Upstream, faults_for, json_reply, refused_url


class NoTransport:
    """A transport over which nothing may be sent."""

    async def send(self, request: WireRequest, *, timeout: float) -> WireResponse:  # noqa: ASYNC109 - the seam's own signature
        """Fail the test."""
        message = f"a request was sent to {request.url} within {timeout} s"
        raise AssertionError(message)

    def stream(self, request: WireRequest) -> AbstractAsyncContextManager[WireStream]:
        """Fail the test."""
        raise AssertionError(f"a request was sent to {request.url}")

    async def aclose(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("name", SEVEN)
def test_available_means_configured(name: str) -> None:
    """Without key, address or models it is not available, and nobody is asked (S47)."""
    provider_class = CLASSES[SEVEN[name]]
    needs_key = name != "local"
    good = {"name": name, "api_key": "k" * 20, "base_url": "http://h", "models": ["m"]}
    lacks: list[dict[str, Any]] = [{"base_url": ""}, {"models": []}, {"api_key": None}]

    def available(**changes: Any) -> bool:
        config = ProviderConfig(**{**good, **changes}, needs_key=needs_key)
        return provider_class(config, transport=NoTransport()).is_available()

    assert available()
    assert [available(**lack) for lack in lacks] == [False, False, not needs_key]


def test_supported_models_are_a_copy() -> None:
    """Changing the list that is given changes nothing (S48)."""
    config = ProviderConfig("openai", "k", "http://h", ["a", "b"])
    provider = OpenAIProvider(config, transport=NoTransport())

    provider.get_supported_models().clear()

    assert provider.get_supported_models() == ["a", "b"]


@pytest.mark.parametrize("fault", faults_for("openai"), ids=lambda fault: str(fault.name))
async def test_every_fault_has_its_class(fault: Any, transport: Transport) -> None:
    """Whatever the upstream does, the attempt ends in time with the right class (S37, S42, S92)."""
    async with Upstream("openai") as up:
        up.script(fault)
        provider = provider_for(up, transport, timeout=0.3 if fault.stalls else 5.0)
        outcome = (await asyncio.gather(provider.generate("Why?"), return_exceptions=True))[0]

    if isinstance(outcome, ProviderError):
        assert outcome.error_class.value in fault.classes
        assert (outcome.provider, outcome.model) == ("openai", up.model)
        assert up.key not in f"{outcome!r} {outcome.hint}"
    else:
        assert fault.answered
        assert isinstance(outcome, LLMResponse)
        assert outcome.content


async def test_failure_is_signed_and_hinted(transport: Transport) -> None:
    """An error says who failed with which model, and which variable mends it (S105, S106)."""
    async with Upstream("openai", keys={"sk-other-0123456789"}) as up:
        with pytest.raises(ProviderAuthError) as refused:
            await provider_for(up, transport, api_key="sk-wrong-0123456789").generate("Why?")
    async with Upstream("openai") as up:
        with pytest.raises(ModelNotFoundError) as unknown:
            await provider_for(up, transport, models=["gpt-9"]).generate("Why?")

    assert (refused.value.provider, refused.value.model) == ("openai", "gpt-4o")
    assert "VENDOR_API_KEY" in str(refused.value.hint)
    assert all(f"({number})" in str(refused.value.hint) for number in range(1, 6))
    assert "VENDOR_MODEL" in str(unknown.value.hint)
    assert "gpt-9" in str(unknown.value.hint)


async def test_wrong_path_names_the_address_variable(transport: Transport) -> None:
    """A 404 of the server, not of the model, and a redirect both point at the base URL (S108)."""
    async with Upstream("openai") as up:
        misplaced = provider_for(up, transport, base_url=up.origin + "/v7")
        with pytest.raises(ModelNotFoundError) as missing:
            await misplaced.generate("Why?")
        up.script("redirect")
        with pytest.raises(ProviderProtocolError) as moved:
            await provider_for(up, transport).generate("Why?")

    assert "VENDOR_API_BASE" in str(missing.value.hint)
    assert "VENDOR_API_BASE" in str(moved.value.hint)
    assert [request.path for request in up.requests] == ["/v7/chat/completions", up.last.path]


async def test_three_ways_not_to_get_through_are_three_classes(transport: Transport) -> None:
    """Refused, wrong address and too slow differ in class and in advice (S108)."""
    config = ProviderConfig("openai", "k", refused_url(), ["m"], base_url_var="OPENAI_API_BASE")
    with pytest.raises(ProviderConnectionError) as refused:
        await OpenAIProvider(config, transport=transport).generate("Why?")
    async with Upstream("openai") as up:
        up.script("stalled_headers")
        with pytest.raises(ProviderTimeoutError) as slow:
            await provider_for(up, transport).generate("Why?", timeout=0.1)
        with pytest.raises(ModelNotFoundError) as missing:
            await provider_for(up, transport, base_url=up.origin).generate("Why?")

    hints = {caught.value.hint for caught in (refused, slow, missing)}
    assert len(hints) == 3
    assert None not in hints


async def test_password_in_an_address_is_not_shown(transport: Transport) -> None:
    """Credentials that were put into a base URL stay out of the hint (S69)."""
    address = refused_url().replace("://", "://ops:hunter2secret@")
    config = ProviderConfig("local", None, address, ["m"], local=True)
    with pytest.raises(ProviderConnectionError) as caught:
        await OpenAIProvider(config, transport=transport).generate("Why?")

    assert "hunter2secret" not in f"{caught.value!r} {caught.value.hint}"


async def test_key_quoted_by_the_server_is_removed(transport: Transport) -> None:
    """A key of any shape that an answer quotes is taken out before anybody reads it (S69)."""
    key = "unusual/key.without.known.shape"
    async with Upstream("openai", keys={key}) as up:
        provider = provider_for(up, transport)
        up.script(Reply(400, f"bad key {'x' * 170} {key}".encode()))
        with pytest.raises(ProviderProtocolError) as plain:
            await provider.generate("Why?")
        up.script(json_reply(200, {"error": {"message": f"key {key} is bad"}}))
        with pytest.raises(ProviderProtocolError) as inside:
            await provider.generate("Why?")

    assert "unusual/key" not in repr(plain.value)
    assert "unusual/key" not in repr(inside.value)


async def test_date_to_come_back_at_is_read_without_a_date_of_the_server() -> None:
    """Where an answer has no date of its own, ours stands in for it (S107)."""

    class Recorded(NoTransport):
        async def send(self, request: WireRequest, *, timeout: float) -> WireResponse:  # noqa: ASYNC109, ARG002 - the seam's own signature
            headers = {"retry-after": "Sun, 22 Nov 2026 10:00:05 GMT"}
            return WireResponse(429, headers, b"{}")

    config = ProviderConfig("openai", "k", "http://h", ["m"])
    ten_o_clock = 1_795_341_600.0
    provider = OpenAIProvider(config, transport=Recorded(), now=lambda: ten_o_clock)

    with pytest.raises(RateLimitedError) as caught:
        await provider.generate("Why?")

    assert caught.value.retry_after == 5


async def test_attempt_ends_with_its_own_timeout(transport: Transport) -> None:
    """A stalled server costs the configured time, however much the caller would give (S42)."""
    async with Upstream("anthropic") as up:
        up.script("stalled_body")
        started = time.monotonic()
        with pytest.raises(ProviderTimeoutError):
            await provider_for(up, transport, timeout=0.2).generate("Why?", timeout=60)
        assert 0.19 <= time.monotonic() - started < 5


async def test_caller_that_leaves_closes_the_connection(transport: Transport) -> None:
    """A cancelled call is no failure of the provider, and its connection is closed."""
    async with Upstream("gemini") as up:
        up.script("stalled_headers")
        call = asyncio.create_task(provider_for(up, transport).generate("Why?"))
        await up.until(lambda up: up.requests)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await up.until(lambda up: up.disconnects)


async def test_options_of_generate_reach_the_wire(transport: Transport) -> None:
    """System, history, limits and the prompt are sent; an unlisted model is not (S46, S52)."""
    async with Upstream("openai") as up:
        provider = provider_for(up, transport, models=["gpt-4o", "gpt-4o-mini"])
        await provider.generate(
            "Why?",
            model="gpt-4o-mini",
            system="Be brief.",
            history=[Message("user", "Hello."), Message("assistant", "Hi.")],
            max_tokens=7,
            temperature=0.1,
            stop=["END"],
        )
        asked = up.last.json
        await provider.generate("Why?", model="claude-sonnet-5", nonsense=True)

    assert asked == {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello."},
            {"role": "assistant", "content": "Hi."},
            {"role": "user", "content": "Why?"},
        ],
        "max_tokens": 7,
        "temperature": 0.1,
        "stop": ["END"],
    }
    assert up.last.json["model"] == "gpt-4o"
    assert up.last.json["max_tokens"] == 1024
    assert not up.rejections


async def test_one_class_serves_many_names(transport: Transport) -> None:
    """OpenAI's class under another row's name answers under that name (S55, S87, S99)."""
    async with Upstream("together") as up:
        response = await provider_for(up, transport, name="together").generate("Why?")

    assert response.provider == "together"
    assert up.last.path == "/v1/chat/completions"
    assert not up.rejections


async def test_answer_carries_confidence_and_parts(transport: Transport) -> None:
    """The prior is the configured score; an answer cut at its limit is trusted less (S44, S49)."""
    async with Upstream("openrouter") as up:
        provider = provider_for(up, transport, confidence_score=0.9)
        whole = await provider.generate("Why?")
        up.script("cut_by_length")
        cut = await provider.generate("Why?")

    assert whole.confidence == 0.9
    assert whole.cost_usd == 0.0001
    assert cut.finish_reason == "length"
    assert cut.confidence < whole.confidence
    assert whole.assessment is not None
    assert whole.assessment.signals[0].name == "prior"


def test_classes_of_failure_have_hints() -> None:
    """Whatever an operator can act on comes with advice (S105, S106, S107, S108)."""
    config = ProviderConfig("openai", "k", "http://h", ["m"], model_var="OPENAI_MODEL")
    actionable = {
        ErrorClass.AUTH,
        ErrorClass.MODEL_NOT_FOUND,
        ErrorClass.CONNECTION,
        ErrorClass.TIMEOUT,
        ErrorClass.QUOTA,
        ErrorClass.RATE_LIMITED,
        ErrorClass.CONTEXT_LENGTH,
        ErrorClass.OVERLOADED,
    }

    assert {kind for kind in ErrorClass if hint_for(kind, config, "m")} == actionable
