"""Those who asked not to be asked."""

import pytest

from doubles import Fail, Say, chain_of
from faultmaven.errors import (
    AllProvidersFailedError,
    ErrorClass,
    ProviderAuthError,
    RateLimitedError,
)

GOOD = Say()
UNSURE = {"confidence_score": 0.6}


async def test_limited_provider_is_left_alone_until_it_is_back() -> None:
    """Who said when to come back is not asked before that, and is asked again after it (S107)."""
    busy = Fail(RateLimitedError, fields={"retry_after": 30})
    chain = chain_of({"one": [busy, GOOD], "two": [GOOD]})
    assert (await chain.router.generate("first")).provider == "two"
    assert (await chain.router.generate("second")).provider == "two"
    assert chain.calls() == {"one": 1, "two": 2}
    chain.time.now += 30
    assert (await chain.router.generate("third")).provider == "one"


async def test_limited_provider_is_the_reserve() -> None:
    """Who is set aside is asked after all when everybody else fails: no instant failure."""
    busy = Fail(RateLimitedError, fields={"retry_after": 30})
    chain = chain_of({"one": [busy, GOOD], "two": [GOOD, Fail(ProviderAuthError)]})
    await chain.router.generate("first")
    response = await chain.router.generate("second")
    assert response.provider == "one"
    assert [attempt.provider for attempt in response.attempts] == ["two", "one"]
    third = await chain.router.generate("third")
    assert [attempt.provider for attempt in third.attempts] == ["one"]


async def test_reserve_is_not_bothered_for_a_better_answer() -> None:
    """Who is set aside is not asked merely because an answer could be surer."""
    busy = Fail(RateLimitedError, fields={"retry_after": 30})
    chain = chain_of({"one": [busy, GOOD], "two": [GOOD]}, rows={"two": UNSURE})
    await chain.router.generate("first")
    response = await chain.router.generate("second")
    assert (response.provider, response.stopped_because) == ("two", "exhausted")
    assert chain.calls() == {"one": 1, "two": 2}


async def test_all_set_aside_asks_who_is_due_first() -> None:
    """When everybody is set aside the one that is due first is asked, and only that one."""
    chain = chain_of(
        {
            "one": [Fail(RateLimitedError, fields={"retry_after": 90}), GOOD],
            "two": [Fail(RateLimitedError, fields={"retry_after": 70}), GOOD],
        }
    )
    with pytest.raises(AllProvidersFailedError):
        await chain.router.generate("first")
    assert (await chain.router.generate("second")).provider == "two"
    assert chain.calls() == {"one": 1, "two": 2}


async def test_only_one_of_those_set_aside_is_bothered() -> None:
    """When who is due first fails again, the others that asked for rest are left alone."""
    chain = chain_of(
        {
            "one": [Fail(RateLimitedError, fields={"retry_after": 90}), GOOD],
            "two": [Fail(RateLimitedError, fields={"retry_after": 70}), Fail(ProviderAuthError)],
        }
    )
    for _ in range(2):
        with pytest.raises(AllProvidersFailedError):
            await chain.router.generate("Why?")
    assert chain.calls() == {"one": 1, "two": 2}


async def test_provider_that_is_not_ready_is_passed_over() -> None:
    """A local model that is still loading says so, and the next provider is asked meanwhile."""
    chain = chain_of({"local": [GOOD], "two": [GOOD]}, rows={"local": {"local": True}})
    chain.registry.get_config("local").not_ready = lambda: "the model is still loading"
    response = await chain.router.generate("Why?")
    assert response.provider == "two"
    assert response.attempts[0].error_class is ErrorClass.OVERLOADED
    assert response.attempts[0].detail == "the model is still loading"
    assert response.attempts[0].cut_short  # nobody was asked, so nobody's health suffers
    assert chain.calls() == {"local": 0, "two": 1}
