"""Attempts, answers and requests as Prometheus sees them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context

import pytest
from prometheus_client.parser import text_string_to_metric_families

from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.observability.health import HealthTracker
from faultmaven.infrastructure.observability.metrics import Metrics
from faultmaven.infrastructure.observability.request import (
    RequestInFlight,
    begin_request,
    current_request,
    require_request,
)
from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.confidence import Confidence
from faultmaven.models.interfaces import LLMResponse
from observability.directory_of_tests import Directory, answered, failed

FOREIGN = ("process_", "python_")


class Measured:
    """Metrics as they come out of a scrape."""

    def __init__(self) -> None:
        self.health = HealthTracker(Directory())
        self.metrics = Metrics(Directory(), self.health)

    def samples(self) -> Mapping[tuple[str, frozenset[tuple[str, str]]], float]:
        """Every sample of a scrape, by name and labels."""
        text, _ = self.metrics.expose()
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text.decode())
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """One sample; the label ``from`` is written ``from_``."""
        wanted = frozenset((key.rstrip("_"), value) for key, value in labels.items())
        return self.samples()[name, wanted]


@pytest.fixture
def measured() -> Measured:
    """Metrics that were told nothing."""
    return Measured()


def response(provider: str, *, score: float) -> LLMResponse:
    """Make an answer that was to score 0.8."""
    return LLMResponse("text", score, provider, "m", 7, 100, assessment=Confidence(score, 0.8))


def test_every_provider_has_its_series_before_the_first_call(measured: Measured) -> None:
    """Dashboards and alerts work from the start, for providers without a key too (S85)."""
    samples = measured.samples()
    for provider in ("one", "two", "keyless"):
        own = {key for key in samples if ("provider", provider) in key[1]}
        counts = {key: samples[key] for key in own if key[0].endswith(("_total", "_in_flight"))}
        assert set(counts.values()) == {0}
        outcomes = {name_and_value for _, labels in counts for name_and_value in labels}
        assert {("outcome", str(kind)) for kind in ("ok", *ErrorClass)} <= outcomes
        durations = "faultmaven_attempt_duration_seconds_count"
        assert samples[durations, frozenset({("provider", provider), ("result", "ok")})] == 0
        availability = "faultmaven_provider_availability_ratio"
        assert math.isnan(samples[availability, frozenset({("provider", provider)})])


def test_names_are_ours_or_the_process_s(measured: Measured) -> None:
    """Every name begins with faultmaven_, but for the standard ones of the process (S85)."""
    names = {name for name, _ in measured.samples()}
    assert not {name for name in names if not name.startswith(("faultmaven_", *FOREIGN))}
    assert not {name for name in names if name.endswith("_created")}
    assert any(name.startswith("process_resident_memory_bytes") for name in names)


def test_an_attempt_is_counted_timed_and_charged(measured: Measured) -> None:
    """Outcome, duration, tokens, cost and confidence all come from the attempt (S85)."""
    measured.metrics.on_start("one")
    assert measured.value("faultmaven_attempts_in_flight", provider="one") == 1
    attempt = answered(total_ms=1500.0, usage=Usage(30, 4), cost_usd=0.25, confidence=0.85)
    measured.metrics.on_attempt(attempt)
    value = measured.value
    assert value("faultmaven_attempts_in_flight", provider="one") == 0
    assert value("faultmaven_attempts_total", provider="one", model="default", outcome="ok") == 1
    durations = "faultmaven_attempt_duration_seconds"
    assert value(f"{durations}_sum", provider="one", result="ok") == 1.5
    assert value(f"{durations}_bucket", provider="one", result="ok", le="1.0") == 0
    assert value(f"{durations}_bucket", provider="one", result="ok", le="2.0") == 1
    assert value("faultmaven_tokens_total", provider="one", direction="prompt") == 30
    assert value("faultmaven_tokens_total", provider="one", direction="completion") == 4
    assert value("faultmaven_cost_usd_total", provider="one") == 0.25
    assert value("faultmaven_answer_confidence_bucket", provider="one", le="0.8") == 0
    assert value("faultmaven_answer_confidence_bucket", provider="one", le="0.9") == 1
    assert value("faultmaven_retries_total", provider="one") == 0


def test_the_first_token_of_a_stream_is_timed(measured: Measured) -> None:
    """Streams alone have one; one that failed before it has none."""
    for first_token_ms in (None, 40.0, 900.0):
        measured.metrics.on_start("openai")
        measured.metrics.on_attempt(
            Attempt("openai", "gpt-4o", first_token_ms=first_token_ms, total_ms=2000.0)
        )
    name = "faultmaven_time_to_first_token_seconds"
    assert measured.value(f"{name}_count", provider="openai") == 2
    assert measured.value(f"{name}_sum", provider="openai") == pytest.approx(0.94)


def test_a_failure_and_its_retry_are_counted(measured: Measured) -> None:
    """The class of failure is the outcome; the second try is a retry; no confidence, no cost."""
    for number in (1, 2):
        measured.metrics.on_start("one")
        measured.metrics.on_attempt(failed(ErrorClass.OVERLOADED, number=number, total_ms=10.0))
    value = measured.value
    labels = {"provider": "one", "model": "default", "outcome": "overloaded"}
    assert value("faultmaven_attempts_total", **labels) == 2
    assert value("faultmaven_retries_total", provider="one") == 1
    name = "faultmaven_attempt_duration_seconds_count"
    assert value(name, provider="one", result="error") == 2
    assert value(name, provider="one", result="ok") == 0
    assert value("faultmaven_answer_confidence_count", provider="one") == 0
    assert value("faultmaven_cost_usd_total", provider="one") == 0


def test_a_model_that_a_caller_names_never_becomes_a_label(measured: Measured) -> None:
    """Whatever the model is called, there are two slots (S85)."""
    before = len(measured.samples())
    for n in range(20):
        measured.metrics.on_attempt(answered(model=f"made-up-{n}"))
    labels = {"provider": "one", "model": "other", "outcome": "ok"}
    assert measured.value("faultmaven_attempts_total", **labels) == 20
    assert len(measured.samples()) == before


def test_extra_calls_are_counted_by_what_came_of_them(measured: Measured) -> None:
    """They belong to the provider that was asked beside; each outcome is there from the start."""
    measured.metrics.on_hedge("one", "two", "won")
    for outcome, count in (("won", 1), ("lost", 0), ("neither", 0)):
        labels = {"provider": "two", "outcome": outcome}
        assert measured.value("faultmaven_hedges_total", **labels) == count
        labels["provider"] = "one"
        assert measured.value("faultmaven_hedges_total", **labels) == 0


def test_a_caller_who_leaves_is_counted_apart(measured: Measured) -> None:
    """A cancelled attempt is no outcome and is not in flight any more."""
    measured.metrics.on_start("two")
    measured.metrics.on_cancel("two")
    assert measured.value("faultmaven_attempts_in_flight", provider="two") == 0
    assert measured.value("faultmaven_attempts_cancelled_total", provider="two") == 1
    labels = {"provider": "two", "model": "default"}
    counts = [
        measured.value("faultmaven_attempts_total", **labels, outcome=str(c)) for c in ErrorClass
    ]
    assert sum(counts) == 0


def test_fallbacks_say_where_from_where_to_and_why(measured: Measured) -> None:
    """Reasons come from a closed set, whatever is passed."""
    measured.metrics.on_fallback("one", "two", "low_confidence")
    measured.metrics.on_fallback("one", "two", "a free text")
    name = "faultmaven_fallbacks_total"
    assert measured.value(name, from_="one", to="two", reason="low_confidence") == 1
    assert measured.value(name, from_="one", to="two", reason="other") == 1


def test_answers_below_the_threshold_are_counted(measured: Measured) -> None:
    """Every returned answer counts once, an unsure one in a second counter too."""
    measured.metrics.on_answer(response("one", score=0.8))
    measured.metrics.on_answer(response("one", score=0.79))
    assert measured.value("faultmaven_answers_total", provider="one") == 2
    assert measured.value("faultmaven_answers_below_threshold_total", provider="one") == 1


def test_redactions_are_counted_by_kind(measured: Measured) -> None:
    """The redactor's callback counts secrets, not texts."""
    measured.metrics.on_redaction("openai_key")
    measured.metrics.on_redaction("openai_key", 2)
    assert measured.value("faultmaven_redactions_total", kind="openai_key") == 3


def test_redactions_come_from_any_thread(measured: Measured) -> None:
    """Large prompts are masked beside the event loop, several at a time; each secret counts."""
    with ThreadPoolExecutor(4) as pool:
        for _ in range(400):
            pool.submit(measured.metrics.on_redaction, "openai_key", 2)
    measured.metrics.on_attempt(answered())
    measured.metrics.on_redaction("openai_key")
    measured.metrics.on_cancel("one")
    assert measured.value("faultmaven_redactions_total", kind="openai_key") == 801


def test_availability_and_up_follow_the_health(measured: Measured) -> None:
    """The gauges show at each scrape what the attempts show then (S85)."""
    for attempt in (answered(), answered(), answered(), failed(ErrorClass.OVERLOADED)):
        measured.health.on_attempt(attempt)
    for _ in range(3):
        measured.health.on_attempt(failed(ErrorClass.CONNECTION, "two"))
    value = measured.value
    assert value("faultmaven_provider_availability_ratio", provider="one") == 0.75
    assert value("faultmaven_provider_availability_ratio", provider="two") == 0
    up = {
        name: value("faultmaven_provider_up", provider=name) for name in ("one", "two", "keyless")
    }
    assert up == {"one": 1, "two": 0, "keyless": 0}
    assert value("faultmaven_provider_configured", provider="two") == 1
    assert value("faultmaven_provider_configured", provider="keyless") == 0


def test_the_configuration_is_told(measured: Measured) -> None:
    """The chain stands in an info metric."""
    assert measured.value("faultmaven_config_info", primary="two", chain="two,one") == 1


async def test_overhead_is_what_was_not_spent_on_providers(measured: Measured) -> None:
    """Attempts made in tasks of the request are charged to it, waits before them too."""
    request = begin_request("r-1")
    await asyncio.create_task(_attempts(measured.metrics))
    assert (request.attempts, request.provider_ms) == (2, 900.0)
    measured.metrics.request_began()
    measured.metrics.request_ended(request, route="/r", status=200, seconds=0.902)
    name = "faultmaven_gateway_overhead_seconds"
    assert measured.value(f"{name}_sum") == pytest.approx(0.002)
    assert measured.value(f"{name}_bucket", le="0.003") == 1


async def _attempts(metrics: Metrics) -> None:
    await asyncio.sleep(0)
    metrics.on_attempt(failed(ErrorClass.TIMEOUT, total_ms=300.0))
    metrics.on_attempt(answered(queue_ms=200.0, total_ms=400.0))


def test_requests_without_attempts_have_no_overhead(measured: Measured) -> None:
    """A health check says nothing about the gateway's own cost."""
    measured.metrics.request_began()
    assert measured.value("faultmaven_requests_in_flight") == 1
    request = RequestInFlight("r", 0.0)
    measured.metrics.request_ended(request, route="/health", status=200, seconds=0.5)
    assert measured.value("faultmaven_requests_in_flight") == 0
    assert measured.value("faultmaven_requests_total", route="/health", status="200") == 1
    name = "faultmaven_request_duration_seconds_sum"
    assert measured.value(name, route="/health", status="200") == 0.5
    assert measured.value("faultmaven_gateway_overhead_seconds_count") == 0


def test_attempts_outside_of_requests_are_nobody_s(measured: Measured) -> None:
    """The command line asks without a request; nothing breaks."""
    before = current_request()
    measured.metrics.on_attempt(answered("stranger"))
    assert current_request() is before
    labels = {"provider": "stranger", "model": "other", "outcome": "ok"}
    assert measured.value("faultmaven_attempts_total", **labels) == 1


def test_whoever_serves_nothing_is_told_so() -> None:
    """Code that needs the request it works for fails clearly outside of one."""
    with pytest.raises(LookupError):
        Context().run(require_request)


def test_two_of_them_do_not_clash() -> None:
    """Each has a registry of its own, so that a reset can build another."""
    first, second = Measured(), Measured()
    first.metrics.on_attempt(answered())
    labels = {"provider": "one", "model": "default", "outcome": "ok"}
    assert first.value("faultmaven_attempts_total", **labels) == 1
    assert second.value("faultmaven_attempts_total", **labels) == 0


def test_the_accept_header_chooses_the_format(measured: Measured) -> None:
    """OpenMetrics for whoever asks for it, the plain text format otherwise."""
    _, plain = measured.metrics.expose("*/*")
    body, open_metrics = measured.metrics.expose("application/openmetrics-text; version=1.0.0")
    assert plain.startswith("text/plain")
    assert open_metrics.startswith("application/openmetrics-text")
    assert body.rstrip().endswith(b"# EOF")
