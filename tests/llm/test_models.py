"""Which provider is asked for which model, and what it is sent."""

from typing import Any

import pytest

from doubles import Chain, Fail, Say, chain_of
from faultmaven.errors import (
    AllProvidersFailedError,
    InvalidInputError,
    ProviderAuthError,
)
from faultmaven.models.confidence import Signal
from faultmaven.models.prompt import Message, Prompt, Target

GOOD = Say()


def two_with_models() -> Chain:
    """Build a chain whose providers have different models."""
    rows = {
        "one": {"default_model": "one-a", "models": ("one-b",)},
        "two": {"default_model": "two-a", "models": ("two-b",)},
    }
    mapping = '{"one-b": {"two": "two-b"}, "gpt-x": {"one": "one-b"}}'
    return chain_of(
        {"one": [Fail(ProviderAuthError)], "two": [Fail(ProviderAuthError)]},
        rows=rows,
        settings={"MODEL_MAP": mapping},
    )


async def models_asked(chain: Chain, **options: Any) -> list[tuple[str, str]]:
    """Tell which models the chain asks for, in order."""
    with pytest.raises(AllProvidersFailedError) as caught:
        await chain.router.generate("Why?", **options)
    return [(attempt.provider, attempt.model) for attempt in caught.value.attempts]


async def test_each_provider_has_its_own_model() -> None:
    """Without a wish each provider is asked for its own model (S21)."""
    assert await models_asked(two_with_models()) == [("one", "one-a"), ("two", "two-a")]


async def test_named_model_goes_to_its_own_provider_first() -> None:
    """A named model's provider is asked first; others use their own models after it."""
    asked = await models_asked(two_with_models(), model="two-b")
    assert asked == [("two", "two-b"), ("one", "one-a")]


async def test_stand_in_models() -> None:
    """At fallback a provider uses the model that MODEL_MAP names for it."""
    asked = await models_asked(two_with_models(), model="one-b")
    assert asked == [("one", "one-b"), ("two", "two-b")]


async def test_foreign_name_with_a_stand_in() -> None:
    """A name nobody has is fine where MODEL_MAP says what stands in for it."""
    asked = await models_asked(two_with_models(), model="gpt-x")
    assert asked == [("one", "one-b"), ("two", "two-a")]


async def test_unknown_model_is_the_callers_error() -> None:
    """A model nobody has is rejected: it is never sent to a vendor it does not belong to."""
    chain = two_with_models()
    with pytest.raises(InvalidInputError) as caught:
        await chain.router.generate("Why?", model="gpt-unknown")
    assert caught.value.field == "model"
    assert "gpt-unknown" not in str(caught.value)
    assert chain.calls() == {"one": 0, "two": 0}


async def test_caller_who_names_the_provider_may_name_any_model() -> None:
    """With exactly one provider named, any model of that vendor may be asked for (S15, S17)."""
    asked = await models_asked(two_with_models(), model="brand-new", providers=["two"])
    assert asked == [("two", "brand-new")]


async def test_request_may_narrow_and_reorder() -> None:
    """A request may name the providers to ask, in its own order, also with a model of one."""
    chain = two_with_models()
    assert await models_asked(chain, providers=["two", "one", "two"]) == [
        ("two", "two-a"),
        ("one", "one-a"),
    ]
    assert await models_asked(chain, providers=["one", "two"], model="two-b") == [
        ("one", "one-a"),
        ("two", "two-b"),
    ]


async def test_provider_that_is_not_configured_is_the_callers_error() -> None:
    """A request cannot reach a provider that is not configured; it learns which ones are."""
    chain = chain_of({"one": [GOOD], "two": [GOOD]})
    with pytest.raises(InvalidInputError) as caught:
        await chain.router.generate("Why?", providers=["three"])
    assert caught.value.field == "provider"
    assert caught.value.hint == "Choose from: one, two."


async def test_request_cannot_reach_beyond_privacy() -> None:
    """Under PRIVACY_MODE a request that names another provider is rejected (S20)."""
    chain = chain_of(
        {"local": [GOOD], "cloud": [GOOD]},
        rows={"local": {"local": True}},
        settings={"PRIVACY_MODE": "local_only"},
    )
    with pytest.raises(InvalidInputError):
        await chain.router.generate("Why?", providers=["cloud"])
    assert (await chain.router.generate("Why?")).provider == "local"
    assert chain.calls() == {"local": 1, "cloud": 0}


async def test_prompt_system_and_history_are_sent_in_order() -> None:
    """System prompt, earlier turns and the question arrive in this order, with every option."""
    chain = chain_of({"one": [GOOD]})
    await chain.router.generate(
        "Why?",
        system="Be brief.",
        history=[Message("user", "Hi"), Message("assistant", "Hello")],
        max_tokens=77,
        temperature=0.5,
        stop=["END"],
    )
    (request,) = chain.classes["one"].asked
    said = [(message.role, message.text) for message in request.messages]
    assert said == [
        ("system", "Be brief."),
        ("user", "Hi"),
        ("assistant", "Hello"),
        ("user", "Why?"),
    ]
    assert (request.max_tokens, request.temperature, request.stop) == (77, 0.5, ("END",))


async def test_prompt_is_written_for_each_target() -> None:
    """A prompt writer is asked for each provider and knows whom it writes for."""

    def render(target: Target) -> Prompt:
        return Prompt((Message("user", f"for {target.provider}"),), {"type": "object"})

    chain = chain_of({"one": [Fail(ProviderAuthError)], "two": [GOOD]})
    await chain.router.generate("unused", render=render)
    for name in ("one", "two"):
        (request,) = chain.classes[name].asked
        assert request.messages[-1].text == f"for {name}"
        assert request.response_schema == {"type": "object"}


async def test_an_answer_is_judged_for_whom_it_was_asked_of() -> None:
    """What is learned of a provider while it answers does not change how that answer is read."""
    seen: list[Target] = []

    def render(target: Target) -> Prompt:
        seen.append(target)
        chain.registry.get_config("one").context_window = 1000  # it has turned out to be small
        return Prompt((Message("user", "Why?"),))

    def assess(_text: str, target: Target) -> tuple[Signal, ...]:
        seen.append(target)
        return ()

    chain = chain_of({"one": [GOOD]})
    await chain.router.generate("unused", render=render, assess=assess)
    written, judged = seen
    assert judged is written


@pytest.mark.parametrize(("asked", "sent"), [(None, 0.0), (0.7, 0.7)])
async def test_temperature_of_the_prompt_yields_to_the_callers(
    asked: float | None, sent: float
) -> None:
    """A prompt may say which temperature suits it; a caller who names one is obeyed."""
    prompt = Prompt((Message("user", "Why?"),), temperature=0.0)
    chain = chain_of({"one": [GOOD]})
    await chain.router.generate("Why?", render=lambda _target: prompt, temperature=asked)
    assert chain.classes["one"].asked[0].temperature == sent
