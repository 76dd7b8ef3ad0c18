"""One question, from the request to the answer, with any provider."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from answering import Answering, RedactingChain
from doubles import FakeTime
from faultmaven.errors import (
    AllProvidersFailedError,
    ConfigurationError,
    LowConfidenceError,
    ProviderTimeoutError,
)
from faultmaven.knowledge.tool import RunbookSearch
from faultmaven.models.api import TroubleshootRequest
from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.confidence import Confidence, Signal
from faultmaven.models.examples import REQUEST
from faultmaven.models.interfaces import ILLMProvider, LLMResponse
from faultmaven.models.prompt import StructuredOutput, Target
from faultmaven.services.agent import AgentService
from faultmaven.services.sanitizer import Sanitizer

_ANSWER = json.dumps(
    {
        "evidence": ["Reason: OOMKilled", "-Xmx512m", "never said"],
        "summary": "The heap is larger than the container.",
        "root_cause": "-Xmx512m above 256Mi.",
        "status": "completed",
        "findings": [
            {"type": "memory", "message": "Killed.", "severity": "high", "evidence": "OOMKilled"}
        ],
        "next_steps": ["Raise the limit."],
        "commands": [{"command": "kubectl delete pod x", "description": "", "safety": "read_only"}],
        "recommendations": ["Size the heap by the container."],
        "missing_information": [],
    }
)


def _request(**fields: Any) -> TroubleshootRequest:
    return TroubleshootRequest.model_validate(
        {"session_id": "test-session", "query": "Test troubleshooting query", **fields}
    )


class TenLines(ILLMProvider):
    """The least a provider can be."""

    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        """Answer."""
        assert prompt
        assert kwargs
        return LLMResponse("Restart it.", 0.8, "ten", "lines", 5, 1)

    def is_available(self) -> bool:
        """Tell that it is."""
        return True

    def get_supported_models(self) -> list[str]:
        """List one."""
        return ["lines"]


async def test_ten_line_provider_is_enough() -> None:
    """Constructed by keyword from the interface alone, it answers (S57, S74)."""
    service = AgentService(
        llm_provider=TenLines(), tools=[RunbookSearch()], tracer=None, sanitizer=Sanitizer()
    )

    response = await service.troubleshoot(_request(), request_id="req-1")

    assert response.response == "Restart it."
    assert (response.provider, response.model, response.tokens_used) == ("ten", "lines", 5)
    assert (response.session_id, response.request_id) == ("test-session", "req-1")
    assert (response.status, response.confidence_score) == ("completed", 0.8)
    assert not response.confidence.below_threshold
    assert [attempt.outcome for attempt in response.attempts] == ["ok"]


async def test_structured_answer_becomes_the_documented_body() -> None:
    """Findings, cause, steps, commands with our safety, and evidence with source and line."""
    service = AgentService(Answering(_ANSWER))

    response = await service.troubleshoot(TroubleshootRequest.model_validate(REQUEST))

    assert response.root_cause == "-Xmx512m above 256Mi."
    assert [(e.quote, e.source, e.line, e.verified) for e in response.evidence] == [
        ("Reason: OOMKilled", "attachment:describe.txt", 4, True),
        ("-Xmx512m", "attachment:describe.txt", 9, True),
        ("never said", None, None, False),
        ("OOMKilled", "attachment:describe.txt", 4, True),
    ]
    assert response.findings[0].evidence == "OOMKilled"
    assert response.next_steps == ["Raise the limit."]
    assert response.recommendations == ["Size the heap by the container."]
    assert [(c.command, c.safety) for c in response.commands] == [
        ("kubectl delete pod x", "destructive")
    ]
    assert "## Root cause" in response.response
    assert "not found in the input" in response.response


async def test_unparseable_answer_is_served() -> None:
    """What has no form is still the response, never an error."""
    response = await AgentService(Answering("It is the disk.")).troubleshoot(_request())

    assert response.response == "It is the disk."
    assert response.findings == []
    assert response.root_cause is None


async def test_inconclusive_answer_says_what_to_collect() -> None:
    """Status and list follow from the model's honesty."""
    answer = json.dumps({"summary": "Cannot tell.", "status": "inconclusive"})
    response = await AgentService(Answering(answer)).troubleshoot(_request())

    assert response.status == "inconclusive"
    assert response.missing_information
    assert "## Missing information" in response.response


async def test_chains_own_account_is_told() -> None:
    """Attempts, reason for stopping, score with its parts, usage and cost come from the chain."""
    attempts = (
        Attempt("fireworks", "m1", next_because="fallback: timeout"),
        Attempt("openai", "m2", confidence=0.7, usage=Usage(10, 5), cost_usd=0.02),
    )
    given = LLMResponse(
        content="x",
        confidence=0.7,
        provider="openai",
        model="m2",
        tokens_used=15,
        response_time_ms=9,
        cached=True,
        usage=Usage(10, 5),
        assessment=Confidence(0.7, 0.9, (Signal("prior", 0.7, "why"),)),
        attempts=attempts,
        stopped_because="exhausted",
        cost_usd=0.02,
    )
    response = await AgentService(RedactingChain(given)).troubleshoot(_request())

    assert [attempt.provider for attempt in response.attempts] == ["fireworks", "openai"]
    assert (response.stopped_because, response.cached) == ("exhausted", True)
    assert (response.confidence.threshold, response.confidence.below_threshold) == (0.9, True)
    assert response.confidence.signals[0].reason == "why"
    assert response.usage.model_dump() == {"prompt": 10, "completion": 5, "cost_usd": 0.02}


async def test_wishes_reach_the_provider_and_nothing_else_does() -> None:
    """Each field of the request becomes its option; what was not sent is not an option."""
    provider = Answering()
    service = AgentService(provider)
    await service.troubleshoot(
        _request(
            providers=["local", "openai"],
            model="gpt-4o",
            max_tokens=50,
            temperature=0.1,
            confidence_threshold=0.5,
            require_confidence=True,
            max_cost_usd=0.3,
        )
    )
    await service.troubleshoot(_request(provider="openai"))
    await service.troubleshoot(_request())

    full, single, least = (dict(options) for options in provider.options)
    always = {"render", "material_chars", "assess", "timeout"}
    assert {name: full[name] for name in full.keys() - always} == {
        "providers": ("local", "openai"),
        "model": "gpt-4o",
        "max_tokens": 50,
        "temperature": 0.1,
        "confidence_threshold": 0.5,
        "require_confidence": True,
        "max_cost_usd": 0.3,
    }
    assert single["providers"] == ("openai",)
    assert least.keys() == always


async def test_the_size_of_everything_sent_is_told() -> None:
    """Attachments count: the chain writes a large prompt without holding up others (S14)."""
    provider = Answering()
    attachments = [{"name": "a.log", "content": "x" * 150_000}]
    await AgentService(provider).troubleshoot(_request(attachments=attachments))
    assert provider.options[0]["material_chars"] > 150_000


async def test_render_and_assess_speak_of_this_question() -> None:
    """The chain can write the prompt for any target and judge any answer."""
    provider = RedactingChain(_ANSWER)
    service = AgentService(provider, [RunbookSearch()])
    await service.troubleshoot(TroubleshootRequest.model_validate(REQUEST))
    render, assess = provider.options[0]["render"], provider.options[0]["assess"]
    assert render is not None
    assert assess is not None
    large = Target("openai", "gpt-4o", 128_000, StructuredOutput.JSON_SCHEMA)

    prompt = render(large)

    assert "-Xmx512m" in prompt.messages[-1].text
    assert "OOMKilled, exit code 137" in prompt.messages[-1].text
    assert render(large) is prompt
    assert {signal.name: signal.delta for signal in assess(_ANSWER, large)} == {
        "structure": 0.05,
        "evidence": -0.05,
    }
    assert assess("words", large)[0].delta < 0


@pytest.mark.parametrize(
    ("fields", "header", "expected"),
    [
        ({}, None, 60.0),
        ({"deadline_ms": 5_000}, None, 5.0),
        ({"deadline_ms": 90_000}, None, 60.0),
        ({}, 7.0, 7.0),
        ({"deadline_ms": 5_000}, 7.0, 5.0),
        ({"deadline_ms": 8_000}, 7.0, 7.0),
    ],
)
async def test_shortest_limit_counts(
    fields: dict[str, Any], header: float | None, expected: float
) -> None:
    """Configuration caps what body and header ask for; what passed before is not given again."""
    time = FakeTime()
    provider = Answering()
    service = AgentService(provider, monotonic=time.clock, clock=lambda: 0.0)

    await service.troubleshoot(_request(**fields), received_at=time.now - 0.5, timeout=header)

    assert provider.options[0]["timeout"] == pytest.approx(expected - 0.5)


async def test_provider_that_hangs_is_ended_at_the_deadline() -> None:
    """A provider that knows no timeout cannot keep the caller waiting."""
    service = AgentService(Answering(hangs=True), request_timeout=0.05)

    with pytest.raises(AllProvidersFailedError, match=r"^All providers failed: no answer within"):
        await service.troubleshoot(_request())


async def test_failures_of_the_chain_are_the_callers_to_see() -> None:
    """Errors pass unchanged, and nothing is kept of the question."""
    failure = ProviderTimeoutError("no answer")
    provider = Answering(failure, "ok")
    service = AgentService(provider)

    with pytest.raises(ProviderTimeoutError):
        await service.troubleshoot(_request(query="first"))
    await service.troubleshoot(_request(query="second"))

    assert "first" not in provider.prompts[1]


async def test_required_confidence_holds_for_a_single_provider_too() -> None:
    """A provider that does not know the option cannot get around it."""
    service = AgentService(Answering(confidence=0.6))

    assert (await service.troubleshoot(_request())).confidence.below_threshold
    with pytest.raises(LowConfidenceError):
        await service.troubleshoot(_request(require_confidence=True))
    kept = await service.troubleshoot(_request(require_confidence=True, confidence_threshold=0.6))
    assert kept.confidence_score == 0.6


async def test_times_are_those_of_the_clock() -> None:
    """Creation is when the request came in, completion when the answer was there."""
    time = FakeTime(now=500.0)
    service = AgentService(
        Answering(),
        clock=lambda: 1_700_000_010.0,
        monotonic=time.clock,
        new_id=lambda: "id-1",
    )
    response = await service.troubleshoot(_request(), received_at=498.5)

    assert response.investigation_id == "id-1"
    assert response.created_at == datetime.fromtimestamp(1_700_000_008.5, UTC)
    assert response.completed_at == datetime.fromtimestamp(1_700_000_010.0, UTC)
    assert response.response_time_ms == 1500


async def test_ids_differ_from_answer_to_answer() -> None:
    """Each answer has an id of its own."""
    service = AgentService(Answering())

    ids = {(await service.troubleshoot(_request())).investigation_id for _ in range(3)}

    assert len(ids) == 3


async def test_caller_is_told_what_was_ignored_shortened_or_small() -> None:
    """Nothing that changes the answer's worth happens silently."""
    small = Confidence(0.6, 0.8, (Signal("small_model", 0.0, "why"),))
    given = LLMResponse("x", 0.6, "answering", "model-1", 1, 1, assessment=small)
    log = {"name": "a.log", "content": "quiet\n" * 20_000}

    told = await AgentService(Answering(given)).troubleshoot(
        _request(attachments=[log], trace_id="7")
    )
    quiet = await AgentService(Answering()).troubleshoot(_request())

    assert [("ignored" in w, "longer" in w, "small" in w) for w in told.warnings] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
    assert quiet.warnings == []


class Broken:
    """A runbook tool whose files are wrong."""

    name = "runbooks"
    description = "Fails."

    async def run(self, query: str) -> Sequence[Any]:
        """Fail."""
        raise ConfigurationError(f"cannot look up {len(query)} characters")


class Other:
    """A tool that finds something else."""

    name = "weather"
    description = "Knows the weather."

    async def run(self, query: str) -> Sequence[Any]:
        """Fail the test if it is asked."""
        raise AssertionError(query)


@pytest.mark.parametrize("tool", [Broken(), Other()])
async def test_answer_does_not_depend_on_runbooks(tool: Broken | Other) -> None:
    """A tool that fails or is not ours costs nobody an answer."""
    response = await AgentService(Answering(), [tool]).troubleshoot(_request())

    assert response.response == "It is full."


class Steps:
    """A tracer that remembers the steps."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Remember begin and end."""
        self.seen.append(name)
        yield
        self.seen.append(f"/{name}")


async def test_steps_are_traced() -> None:
    """Each step of the work is timed by the tracer that was given."""
    steps = Steps()
    await AgentService(Answering(), tracer=steps).troubleshoot(_request())

    assert steps.seen == ["prepare", "/prepare", "generate", "/generate", "keep", "/keep"]


@pytest.mark.parametrize(("price", "told"), [(None, True), (0.01, False)])
async def test_a_limit_that_cannot_hold_is_told(price: float | None, *, told: bool) -> None:
    """Where no price is known a limit on money is no limit, and the caller hears of it."""
    attempt = Attempt("vendor", "m1", confidence=0.9, cost_usd=price)
    answer = LLMResponse("Full disk.", 0.9, "vendor", "m1", 3, 1, attempts=(attempt,))

    told_of = await AgentService(Answering(answer)).troubleshoot(_request(max_cost_usd=1.0))

    assert any("max_cost_usd" in warning for warning in told_of.warnings) is told
