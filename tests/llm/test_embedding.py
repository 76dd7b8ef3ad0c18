"""Vectors come from one provider, with the chain's patience and none of its alternatives."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from doubles import Fail, FakeTime, Say, Witness, row, schema, scripted, settings_of
from faultmaven.errors import (
    AllProvidersFailedError,
    InvalidInputError,
    ModelNotFoundError,
    ProviderConnectionError,
    ProviderOverloadedError,
    ProviderRequestError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    RequestRejectedError,
    UnsupportedRequestError,
)
from faultmaven.infrastructure.llm.embedding import EmbeddingRouter
from faultmaven.infrastructure.llm.providers.base import BaseLLMProvider
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.redaction import Redactor
from faultmaven.infrastructure.llm.resilience.gate import ProviderGate
from faultmaven.infrastructure.llm.resilience.retry import RetryPolicy
from faultmaven.infrastructure.llm.wire.embeddings import EmbeddingRequest, Embeddings
from faultmaven.models.attempt import Usage
from faultmaven.models.embedding import EmbeddingQuestion
from faultmaven.models.interfaces import LLMResponse

_SECRET = "sk-PLANTED0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Give:
    """A play: one vector a text, after a while."""

    seconds: float = 0.0


class ScriptedEmbedder(BaseLLMProvider):
    """A provider that gives vectors as its script says; subclassed by `embedder`."""

    script: ClassVar[Sequence[Give | Fail]]
    asked: ClassVar[list[EmbeddingRequest]]
    timeouts: ClassVar[list[float]]
    time: ClassVar[FakeTime]

    def is_available(self) -> bool:
        """Tell that it is configured."""
        return True

    def get_supported_models(self) -> list[str]:
        """List the configured models."""
        return self.config.models.copy()

    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        """Refuse: only vectors are asked for here."""
        raise AssertionError(f"nobody wants an answer to {prompt!r} {sorted(kwargs)}")

    async def embed(self, request: EmbeddingRequest, *, timeout: float) -> Embeddings:  # noqa: ASYNC109 - the seam passes a length
        """Play what is next, for as long as the timeout lets it."""
        play = self.script[min(len(self.asked), len(self.script) - 1)]
        self.asked.append(request)
        self.timeouts.append(timeout)
        self.time.now += min(play.seconds, timeout)
        if play.seconds > timeout:
            raise ProviderTimeoutError(f"no answer within {timeout:.1f} s")
        if isinstance(play, Fail):
            raise play.error()
        vectors = tuple((float(len(text)), 0.5) for text in request.inputs)
        return Embeddings(vectors, Usage(prompt=3), "embedder-1", ("user",))


@dataclass(frozen=True, slots=True)
class Setting:
    """A router over scripted embedders, with everything a test wants to look at."""

    router: EmbeddingRouter
    classes: Mapping[str, type[ScriptedEmbedder]]
    time: FakeTime
    witness: Witness
    gate: ProviderGate


def setting(
    *script: Give | Fail, settings: Mapping[str, str] | None = None, **fields: Any
) -> Setting:
    """Build two embedders, the first with a script, and a provider that gives no vectors."""
    time, witness = FakeTime(), Witness()
    classes = {"one": _embedder(script, time), "two": _embedder((Give(),), time)}
    rows = {name: row(class_, **fields) for name, class_ in classes.items()}
    with schema({**rows, "chat": row(scripted(Say()))}):
        registry = ProviderRegistry(settings_of({"CHAT_PROVIDER": "one", **(settings or {})}))
    gate = ProviderGate(clock=time.clock)
    router = EmbeddingRouter(
        registry,
        observers=[witness],
        retry=RetryPolicy(chance=lambda: 0.5),
        gate=gate,
        clock=time.clock,
        sleep=time.sleep,
    )
    return Setting(router, classes, time, witness, gate)


def _embedder(script: Sequence[Give | Fail], time: FakeTime) -> type[ScriptedEmbedder]:
    members = {"script": script, "asked": [], "timeouts": [], "time": time}
    return type("ScriptedEmbedder", (ScriptedEmbedder,), members)


def _question(**changes: Any) -> EmbeddingQuestion:
    return EmbeddingQuestion(**{"provider": "one", "model": "m", "inputs": ("a", "bc"), **changes})


async def test_the_named_provider_gives_the_vectors() -> None:
    """One vector a text, in order, with who gave them and what it took."""
    given = setting(Give(seconds=2))

    question = _question(dimensions=2, parameters={"user": "u"})
    answer = await given.router.embed(question)

    assert answer.vectors == ((1.0, 0.5), (2.0, 0.5))
    assert (answer.provider, answer.model) == ("one", "embedder-1")
    assert (answer.usage, answer.ignored) == (Usage(prompt=3), ("user",))
    (attempt,) = answer.attempts
    assert (attempt.provider, attempt.model, attempt.total_ms) == ("one", "m", 2000)
    assert attempt.usage == Usage(prompt=3)
    (asked,) = given.classes["one"].asked
    assert asked == EmbeddingRequest("m", ("a", "bc"), 2, {"user": "u"})
    assert given.witness.seen == [("start", "one"), ("attempt", "one", "ok")]


async def test_only_those_that_give_vectors_are_named() -> None:
    """Whoever only answers is no embedder."""
    assert setting(Give()).router.embedders() == ["one", "two"]


async def test_no_other_provider_is_asked() -> None:
    """A failure stays one: another vendor's vectors could not be compared with these."""
    given = setting(Fail(ProviderOverloadedError), max_retries=1)

    with pytest.raises(AllProvidersFailedError) as caught:
        await given.router.embed(_question())

    assert [attempt.provider for attempt in caught.value.attempts] == ["one", "one"]
    assert [attempt.next_because for attempt in caught.value.attempts] == ["retry", None]
    assert given.classes["two"].asked == []
    assert str(caught.value).startswith("All providers failed: one: overloaded (it went wrong)")


async def test_a_passing_failure_is_retried() -> None:
    """Trouble that passes costs a wait, and the attempts say so."""
    given = setting(Fail(ProviderConnectionError), Give())

    answer = await given.router.embed(_question())

    assert [attempt.outcome for attempt in answer.attempts] == ["connection", "ok"]
    assert [attempt.number for attempt in answer.attempts] == [1, 2]
    assert given.time.slept == [0.125]
    assert answer.attempts[1].queue_ms == 125


@pytest.mark.parametrize("kind", [ModelNotFoundError, QuotaExceededError])
async def test_what_stays_is_not_retried(kind: Any) -> None:
    """What asking again cannot mend is asked once."""
    given = setting(Fail(kind))

    with pytest.raises(AllProvidersFailedError) as caught:
        await given.router.embed(_question())

    assert len(caught.value.attempts) == 1


@pytest.mark.parametrize("kind", [ProviderRequestError, UnsupportedRequestError])
async def test_a_wrong_request_is_rejected(kind: Any) -> None:
    """What the caller can mend is told as such."""
    with pytest.raises(RequestRejectedError, match="it went wrong"):
        await setting(Fail(kind)).router.embed(_question())


async def test_a_wrong_request_is_rejected_whatever_came_before() -> None:
    """A rejection stands, also behind trouble that had nothing to do with the request."""
    given = setting(Fail(ProviderOverloadedError), Fail(ProviderRequestError))

    with pytest.raises(RequestRejectedError) as caught:
        await given.router.embed(_question())

    assert [attempt.outcome for attempt in caught.value.attempts] == [
        "overloaded",
        "invalid_request",
    ]


async def test_the_deadline_bounds_everything() -> None:
    """Attempts and waits together take no longer than the caller allows."""
    given = setting(Fail(ProviderOverloadedError, seconds=4), max_retries=9, timeout=30)
    began = given.time.now

    with pytest.raises(AllProvidersFailedError):
        await given.router.embed(_question(timeout=10))

    assert given.time.now - began <= 10
    assert given.classes["one"].timeouts[0] == 10


async def test_a_provider_s_own_limit_holds() -> None:
    """No attempt is given more than the provider's own time."""
    given = setting(Give(seconds=40), timeout=20)

    with pytest.raises(AllProvidersFailedError) as caught:
        await given.router.embed(_question(timeout=60))

    assert given.classes["one"].timeouts == [20]
    assert not caught.value.attempts[0].cut_short


async def test_a_caller_in_haste_blames_nobody() -> None:
    """Too short a time says nothing of the provider."""
    given = setting(Give(seconds=5))

    with pytest.raises(AllProvidersFailedError) as caught:
        await given.router.embed(_question(timeout=1))

    assert caught.value.attempts[0].cut_short


async def test_the_gate_hears_of_it() -> None:
    """A provider that wants to be left alone is set aside for the chain as well."""
    given = setting(
        Fail(RateLimitedError, fields={"retry_after": 60.0}), settings={"REQUEST_TIMEOUT": "30"}
    )

    with pytest.raises(AllProvidersFailedError) as caught:
        await given.router.embed(_question())

    assert given.gate.wait("one", "m") == 60
    assert caught.value.retry_after == 60


async def test_a_model_still_loading_is_spared() -> None:
    """A provider that is not ready is not asked, and not blamed."""
    given = setting(Give(), max_retries=0)
    given.router._registry.get_config("one").not_ready = lambda: "the weights are being fetched"

    with pytest.raises(AllProvidersFailedError, match="being fetched") as caught:
        await given.router.embed(_question())

    assert caught.value.attempts[0].cut_short
    assert given.classes["one"].asked == []


async def test_secrets_stay_here() -> None:
    """Texts and further fields are masked for whoever is not on the operator's machines."""
    given = setting(Give())
    asked = _question(inputs=(f"key {_SECRET}",), parameters={"user": _SECRET})

    await given.router.embed(asked)

    assert _SECRET not in repr(given.classes["one"].asked)


async def test_a_local_provider_sees_the_text() -> None:
    """What stays on the operator's machines is not masked."""
    given = setting(Give(), local=True)

    await given.router.embed(_question(inputs=(f"key {_SECRET}",)))

    assert given.classes["one"].asked[0].inputs == (f"key {_SECRET}",)


async def test_nothing_leaves_unmasked() -> None:
    """Where masking fails nobody is asked."""

    def broken(text: str) -> str:
        raise RuntimeError(text)

    given = setting(Give())
    router = EmbeddingRouter(given.router._registry, redactor=Redactor(mask=broken))

    with pytest.raises(AllProvidersFailedError, match="could not be masked"):
        await router.embed(_question())

    assert given.classes["one"].asked == []


async def test_a_caller_who_leaves_is_told_of() -> None:
    """A cancelled attempt is nobody's failure, and its start is answered for."""
    begun = asyncio.Event()

    class Waits(ScriptedEmbedder):
        async def embed(self, request: EmbeddingRequest, *, timeout: float) -> Embeddings:  # noqa: ASYNC109 - the seam passes a length
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError(f"{request} {timeout}")

    witness = Witness()
    with schema({"one": row(Waits)}):
        registry = ProviderRegistry(settings_of({"CHAT_PROVIDER": "one"}))
    router = EmbeddingRouter(registry, observers=[witness])
    task = asyncio.create_task(router.embed(_question()))
    await begun.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert witness.seen == [("start", "one"), ("cancel", "one")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"provider": "nobody"}, "provider"),
        ({"provider": "chat"}, "provider"),
        ({"inputs": ()}, "input"),
        ({"inputs": ("a", "")}, "input.1"),
        ({"dimensions": 0}, "dimensions"),
        ({"timeout": 0.0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
    ],
)
async def test_senseless_questions_are_refused(changes: dict[str, Any], field: str) -> None:
    """What cannot be asked is refused by name of its field, and nobody is asked."""
    given = setting(Give())

    with pytest.raises(InvalidInputError) as caught:
        await given.router.embed(_question(**changes))

    assert caught.value.field == field
    assert given.witness.seen == []
