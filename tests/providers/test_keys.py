"""Several keys of one provider: whose turn it is, who is left alone, and what the vendor sees."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from doubles import FakeTime
from faultmaven.errors import (
    ErrorClass,
    ProviderAuthError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
)
from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.embedding import EmbeddingProvider
from faultmaven.infrastructure.llm.providers.http_provider import HTTPProvider
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.infrastructure.llm.wire.embeddings import EmbeddingRequest
from faultmaven.infrastructure.llm.wire.types import CompletionRequest
from faultmaven.models.prompt import Message
from faultmaven.models.stream import Delta
from providers.vendors import CLASSES, SEVEN, config_for
from upstreams import (
    FAULTS,
    Answer,
    Exchange,
    Reply,
    Request,
    Upstream,
    answer_well,
    json_reply,
)
from upstreams.dialects.problems import Problem
from upstreams.dialects.stream import before_content, half_told
from upstreams.faults.telling import streamed, told

ONE, TWO, THREE = "canary-one-0123456789", "canary-two-0123456789", "canary-two-0123456789-more"
KEYED = [dialect for dialect in SEVEN.values() if dialect != "ollama"]


class Ear:
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.text = ""

    def opened(self) -> None:
        """Nothing to do."""

    async def hear(self, delta: Delta) -> None:
        """Remember a piece."""
        self.text += delta.text

    def grace(self, seconds: float) -> float:
        """Wait as long as is proposed."""
        return seconds


async def _plain(provider: HTTPProvider, seconds: float = 5.0) -> str:
    return (await provider.complete(_request(provider), timeout=seconds)).text


async def _streamed(provider: HTTPProvider, seconds: float = 5.0) -> str:
    ear = Ear()
    async with asyncio.timeout(seconds):
        completion = await provider.stream(_request(provider), ear)
    assert ear.text.strip() == completion.text
    return completion.text


ASK = pytest.mark.parametrize("ask", [_plain, _streamed])


def _request(provider: HTTPProvider) -> CompletionRequest:
    return CompletionRequest(provider.config.models[0], (Message("user", "Why?"),), max_tokens=64)


def _with(up: Upstream, transport: Transport, *keys: str, **parts: Any) -> HTTPProvider:
    """Our provider with these keys, and with further parts of its constructor."""
    config = config_for(up, api_key=keys[0], api_keys=keys)
    return CLASSES[up.dialect.name](config, transport=transport, **parts)


def _key(request: Request) -> str:
    """The key that a request carries, in whichever header."""
    headers = request.headers
    found = request.bearer or headers.get("x-api-key") or headers.get("x-goog-api-key")
    return str(found)


def _used(up: Upstream) -> list[str]:
    return [_key(request) for request in up.requests]


def _per_key(**plays: Any) -> Callable[[Exchange], Any]:
    """Behave for each key as told, and well for any other."""
    by_key = {{"one": ONE, "two": TWO, "three": THREE}[name]: play for name, play in plays.items()}

    async def play(exchange: Exchange) -> None:
        await by_key.get(_key(exchange.request), answer_well)(exchange)

    return play


def _limited(seconds: float) -> Callable[[Exchange], Any]:
    async def play(exchange: Exchange) -> None:
        reply = exchange.endpoint.fail_with_status(429)
        await exchange.send(reply.with_headers(("retry-after", f"{seconds:g}")))

    return play


@ASK
@pytest.mark.parametrize("dialect", KEYED)
async def test_a_refused_key_is_set_aside(dialect: str, ask: Any, transport: Transport) -> None:
    """Whatever header carries it: the next key answers at once, and the bad one is left alone."""
    async with Upstream(dialect, keys={TWO}, answer="The disk is full.") as up:
        provider = _with(up, transport, ONE, TWO)
        answers = [await ask(provider) for _ in range(3)]

    assert answers == ["The disk is full."] * 3
    assert _used(up) == [ONE, TWO, TWO, TWO]


@ASK
async def test_requests_take_turns(ask: Any, transport: Transport) -> None:
    """Good keys share the requests evenly."""
    async with Upstream("openai", keys={ONE, TWO, THREE}) as up:
        provider = _with(up, transport, ONE, TWO, THREE)
        for _ in range(6):
            await ask(provider)

    assert _used(up) == [ONE, TWO, THREE] * 2


@ASK
@pytest.mark.parametrize(
    ("fault", "seconds"),
    [("status_401", 600), ("status_402", 300), ("rate_limit_seconds", 2)],
)
async def test_a_key_comes_back(fault: str, seconds: float, ask: Any, transport: Transport) -> None:
    """A key is left alone exactly as long as its failure asks for, then it has its turn again."""
    now = FakeTime()
    async with Upstream("openai", keys={ONE, TWO}) as up:
        provider = _with(up, transport, ONE, TWO, clock=now.clock)
        up.script(FAULTS[fault])
        await ask(provider)
        now.now += seconds - 0.1
        await ask(provider)
        await ask(provider)
        assert _used(up) == [ONE, TWO, TWO, TWO]
        now.now += 0.2
        await ask(provider)

    assert _used(up)[-1] == ONE


@ASK
async def test_one_key_is_asked_once(ask: Any, transport: Transport) -> None:
    """With a single key nothing is tried again and nothing remembered."""
    async with Upstream("openai", keys={TWO}) as up:
        provider = _with(up, transport, ONE)
        for _ in range(2):
            with pytest.raises(ProviderAuthError):
                await ask(provider)

    assert _used(up) == [ONE, ONE]


@ASK
@pytest.mark.parametrize("fault", ["status_429", "status_500", "status_400", "html_200"])
async def test_what_is_not_the_keys_fault_costs_one_request(
    fault: str, ask: Any, transport: Transport
) -> None:
    """A limit without a time, trouble, a wrong request, a broken answer: no other key is tried."""
    async with Upstream("openai", keys={ONE, TWO}) as up:
        up.script(FAULTS[fault])
        with pytest.raises(ProviderError):
            await ask(_with(up, transport, ONE, TWO))

    assert _used(up) == [ONE]


@ASK
async def test_all_refused_is_a_failure_and_the_first_back_is_next(
    ask: Any, transport: Transport
) -> None:
    """Each key is tried once, then one a request, never none: a key mended meanwhile is found."""
    now = FakeTime()
    async with Upstream("openai", keys={THREE}) as up:
        provider = _with(up, transport, ONE, TWO, clock=now.clock)
        for _ in range(3):
            with pytest.raises(ProviderAuthError) as caught:
                await ask(provider)
            now.now += 1
        assert _used(up) == [ONE, TWO, ONE, TWO]
        up.account = replace(up.account, keys=frozenset({ONE}))
        await ask(provider)

    assert _used(up)[4:] == [ONE]
    assert "VENDOR_API_KEY" in str(caught.value.hint)


@ASK
async def test_spent_provider_says_when_its_first_key_is_back(
    ask: Any, transport: Transport
) -> None:
    """The failure of the last key does not hide that another one is back before it."""
    now = FakeTime()
    async with Upstream("openai", keys={ONE, TWO}) as up:
        up.always(_per_key(one=_limited(5), two=FAULTS["status_402"]))
        with pytest.raises(QuotaExceededError) as caught:
            await ask(_with(up, transport, ONE, TWO, clock=now.clock))

    assert caught.value.retry_after == 5


@pytest.mark.parametrize("dialect", ["anthropic", "openai", "gemini"])
async def test_heard_answers_are_not_begun_anew(dialect: str, transport: Transport) -> None:
    """Once a piece was heard a failure ends the answer; the next request finds the other key."""
    async with Upstream(dialect, keys={ONE, TWO}, answer="The disk is full.") as up:
        up.script(streamed(told(half_told, _spent)))
        ear, provider = Ear(), _with(up, transport, ONE, TWO)
        with pytest.raises(QuotaExceededError) as caught:
            await provider.stream(_request(provider), ear)
        await _streamed(provider)
        await _streamed(provider)

    assert ear.text
    assert caught.value.retry_after == 0, "another key may be asked at once"
    assert _used(up) == [ONE, TWO, TWO]


@pytest.mark.parametrize("dialect", ["anthropic", "openai", "gemini"])
async def test_an_error_before_the_first_piece_moves_on(dialect: str, transport: Transport) -> None:
    """A stream that opens well and then says that the key is spent is nobody's answer yet."""
    async with Upstream(dialect, keys={ONE, TWO}, answer="The disk is full.") as up:
        up.script(streamed(told(before_content, _spent)))
        assert await _streamed(_with(up, transport, ONE, TWO)) == "The disk is full."

    assert _used(up) == [ONE, TWO]


async def _spent(exchange: Exchange) -> None:
    """Tell, under the 200 it began with, that the money is gone."""
    wording = exchange.endpoint.wordings[Problem.QUOTA]
    await exchange.tell([exchange.completing.error_event(wording)])
    await exchange.end_stream()


@ASK
async def test_all_keys_share_the_attempts_time(ask: Any, transport: Transport) -> None:
    """A second key does not get the time anew."""
    async with Upstream("openai", keys={TWO}) as up:
        up.always(FAULTS["stalled_headers"])
        started = time.monotonic()
        with pytest.raises((ProviderTimeoutError, TimeoutError)):
            await ask(_with(up, transport, ONE, TWO), 0.3)

    assert time.monotonic() - started < 3
    assert _used(up) == [ONE, TWO]


async def test_waiting_requests_agree(transport: Transport) -> None:
    """Fifty at once all get answers, and what one learns of a key the later ones know."""
    async with Upstream("openai", keys={TWO, THREE}) as up:
        provider = _with(up, transport, ONE, TWO, THREE)
        await asyncio.gather(*(_plain(provider) for _ in range(50)))
        first = len(up.requests)
        await asyncio.gather(*(_plain(provider) for _ in range(50)))

    assert len(up.requests) - first == 50
    assert ONE not in _used(up)[first:]
    assert {_used(up)[first:].count(key) for key in (TWO, THREE)} == {25}


async def test_it_is_said_once_and_without_the_key(
    transport: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning a key, with provider, number and reason."""
    caplog.set_level(logging.DEBUG)
    async with Upstream("openai", keys={TWO}) as up:
        provider = _with(up, transport, TWO, ONE, THREE)
        await asyncio.gather(*(_plain(provider) for _ in range(9)))
        await asyncio.gather(*(_plain(provider) for _ in range(9)))

    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert sorted(said) == [
        "Provider 'openai': key 2 of 3 is set aside for 600 s (auth)",
        "Provider 'openai': key 3 of 3 is set aside for 600 s (auth)",
    ]
    assert "canary" not in caplog.text


@ASK
@pytest.mark.parametrize("dialect", KEYED)
async def test_no_key_is_quoted(dialect: str, ask: Any, transport: Transport) -> None:
    """A server that quotes every key it has ever seen quotes none of ours to anybody."""
    told = {"error": {"message": f"neither {THREE} nor {TWO} nor {ONE}", "type": "x"}}
    async with Upstream(dialect, keys={ONE, TWO, THREE}) as up:
        provider = _with(up, transport, ONE, TWO, THREE)
        caught: list[ProviderError] = []
        for reply in (json_reply(500, told), json_reply(401, told), Reply(418, str(told).encode())):
            up.always(_replying(reply))
            with pytest.raises(ProviderError) as failure:
                await ask(provider)
            caught.append(failure.value)
        up.recover()
        up.answer = Answer(pieces=(f"It said {THREE}, {TWO} and {ONE}.",))
        answer = await ask(provider)

    seen = f"{caught!r} {[error.hint for error in caught]} {answer} {provider.config!r}"
    assert "canary" not in seen
    assert "-more" not in seen
    assert "[key removed]" in answer


def _replying(reply: Reply) -> Callable[[Exchange], Any]:
    async def play(exchange: Exchange) -> None:
        await exchange.send(reply)

    return play


async def test_vectors_rotate_too(transport: Transport) -> None:
    """Embeddings take turns, and each call of a long list may find another key."""
    async with Upstream("gemini", keys={TWO}) as up:
        provider = _with(up, transport, ONE, TWO)
        assert isinstance(provider, EmbeddingProvider)
        texts = tuple(f"text {n}" for n in range(150))
        model = "gemini-embedding-001"
        found = await provider.embed(EmbeddingRequest(model, texts), timeout=5)

    assert len(found.vectors) == 150
    assert _used(up)[0] == ONE
    assert set(_used(up)[1:]) == {TWO}


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini"])
async def test_a_check_finds_the_key_that_works(dialect: str, transport: Transport) -> None:
    """A provider with one good key is in order; each key can be checked on its own."""
    async with Upstream(dialect, keys={TWO}) as up:
        provider = _with(up, transport, ONE, TWO)
        whole = await provider.check(timeout=5)
        each = await provider.check_keys(timeout=5)
        await _plain(provider)

    assert whole.key_accepted is True
    assert [result.key_accepted for result in each] == [False, True]
    assert _used(up)[-2:] == [ONE, TWO], "a free call says nothing about answers"
    assert "canary" not in repr((whole, each))


async def test_a_check_of_bad_keys_fails(transport: Transport) -> None:
    """Where no key is accepted the check says so, in its own class."""
    async with Upstream("openai", keys={THREE}) as up:
        provider = _with(up, transport, ONE, TWO)
        refused = await provider.check(timeout=5)
        up.account = replace(up.account, keys=frozenset({ONE, TWO}))
        up.script_free("status_500")
        broken = await provider.check(timeout=5)

    assert refused.error_class is ErrorClass.AUTH
    assert broken.error_class is ErrorClass.OVERLOADED
    assert _used(up) == [ONE, TWO, ONE]


def test_keys_of_a_configuration() -> None:
    """The first key leads; a list that another key was put before is not that key's."""
    several = ProviderConfig("a", ONE, "http://h", ["m"], api_keys=(ONE, TWO))
    assert several.all_keys == (ONE, TWO)
    assert ProviderConfig("a", ONE, "http://h", ["m"]).all_keys == (ONE,)
    assert ProviderConfig("a", THREE, "http://h", ["m"], api_keys=(ONE, TWO)).all_keys == (THREE,)
    assert ProviderConfig("a", None, "http://h", ["m"], api_keys=(ONE, TWO)).all_keys == ()
    assert "canary" not in repr(several)
