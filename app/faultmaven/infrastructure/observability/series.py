"""The metric families: names, labels and buckets. Seconds, tokens and dollars; closed labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from faultmaven.errors import ErrorClass
from faultmaven.models.interfaces import HedgeOutcome

OUTCOMES = ("ok", *(error_class.value for error_class in ErrorClass))
MODEL_SLOTS = ("default", "other")
HEDGE_OUTCOMES: tuple[HedgeOutcome, ...] = get_args(HedgeOutcome)
RELOAD_RESULTS = ("applied", "unchanged", "rejected")
FALLBACK_REASONS = frozenset({*(error_class.value for error_class in ErrorClass), "low_confidence"})

_LATENCY = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 20, 30, 45, 60)
_OVERHEAD = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)
_CONFIDENCE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


class HTTPSeries:
    """What is measured of requests to the service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "faultmaven_requests",
            "Requests served, by route template and HTTP status.",
            ("route", "status"),
            registry=registry,
        )
        self.duration = Histogram(
            "faultmaven_request_duration_seconds",
            "From a request's arrival to the end of its response.",
            ("route", "status"),
            buckets=_LATENCY,
            registry=registry,
        )
        self.in_flight = Gauge(
            "faultmaven_requests_in_flight",
            "Requests being served now.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.shed = Counter(
            "faultmaven_requests_shed",
            "Requests refused because too many were in flight, by operation.",
            ("route",),
            registry=registry,
        )
        self.shared = Counter(
            "faultmaven_requests_shared",
            "Requests that waited for the answer to an identical one instead of asking.",
            registry=registry,
        )
        self.overhead = Histogram(
            "faultmaven_gateway_overhead_seconds",
            "Duration of requests that asked a provider, less the time spent on providers.",
            buckets=_OVERHEAD,
            registry=registry,
        )


class AttemptSeries:
    """What is measured of attempts at providers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.attempts = Counter(
            "faultmaven_attempts",
            "Attempts that ended, by outcome; model says whether it is the configured one.",
            ("provider", "model", "outcome"),
            registry=registry,
        )
        self.duration = Histogram(
            "faultmaven_attempt_duration_seconds",
            "From sending to the whole answer (result ok) or the failure (result error).",
            ("provider", "result"),
            buckets=_LATENCY,
            registry=registry,
        )
        self.first_token = Histogram(
            "faultmaven_time_to_first_token_seconds",
            "From sending to the first content of a streamed answer.",
            ("provider",),
            buckets=_LATENCY,
            registry=registry,
        )
        self.in_flight = Gauge(
            "faultmaven_attempts_in_flight",
            "Attempts being made now.",
            ("provider",),
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.cancelled = Counter(
            "faultmaven_attempts_cancelled",
            "Attempts given up: the caller left, or another provider answered first.",
            ("provider",),
            registry=registry,
        )
        self.retries = Counter(
            "faultmaven_retries",
            "Attempts that repeat another at the same provider.",
            ("provider",),
            registry=registry,
        )
        self.hedges = Counter(
            "faultmaven_hedges",
            "Extra attempts beside a slow provider, by provider: won, lost, or neither answered.",
            ("provider", "outcome"),
            registry=registry,
        )
        self.fallbacks = Counter(
            "faultmaven_fallbacks",
            "Moves along the chain, by where from, where to and why.",
            ("from", "to", "reason"),
            registry=registry,
        )


class ProbeSeries:
    """What is measured of the free calls that see how providers are."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.probes = Counter(
            "faultmaven_probes",
            "Free calls that ended, by outcome; they spend no tokens.",
            ("provider", "outcome"),
            registry=registry,
        )


class AnswerSeries:
    """What is measured of answers, and of what they cost."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.tokens = Counter(
            "faultmaven_tokens",
            "Tokens read (prompt) and written (completion).",
            ("provider", "direction"),
            registry=registry,
        )
        self.cost = Counter(
            "faultmaven_cost_usd",
            "Money spent in US dollars, as far as prices are known.",
            ("provider",),
            registry=registry,
        )
        self.confidence = Histogram(
            "faultmaven_answer_confidence",
            "Confidence of each answer a provider gave, whether it was used or not.",
            ("provider",),
            buckets=_CONFIDENCE,
            registry=registry,
        )
        self.answers = Counter(
            "faultmaven_answers", "Answers returned.", ("provider",), registry=registry
        )
        self.below_threshold = Counter(
            "faultmaven_answers_below_threshold",
            "Answers returned although less sure than was asked for.",
            ("provider",),
            registry=registry,
        )
        self.redactions = Counter(
            "faultmaven_redactions",
            "Secrets removed from text before it left, by kind.",
            ("kind",),
            registry=registry,
        )


class ConfigSeries:
    """What is measured of the configuration."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.reloads = Counter(
            "faultmaven_config_reloads",
            "Readings of the configuration while the service ran, by what came of them.",
            ("result",),
            registry=registry,
        )
        for result in RELOAD_RESULTS:
            self.reloads.labels(result)
        self.last_reload = Gauge(
            "faultmaven_config_last_reload_timestamp_seconds",
            "Unix time of the last reload that was not rejected; 0 before the first one.",
            registry=registry,
            multiprocess_mode="max",
        )


@dataclass(frozen=True, slots=True)
class Series:
    """Every family."""

    http: HTTPSeries
    attempt: AttemptSeries
    answer: AnswerSeries
    probe: ProbeSeries
    config: ConfigSeries

    @classmethod
    def in_registry(cls, registry: CollectorRegistry) -> Series:
        """Create the families in a registry of their own."""
        return cls(
            HTTPSeries(registry),
            AttemptSeries(registry),
            AnswerSeries(registry),
            ProbeSeries(registry),
            ConfigSeries(registry),
        )


class RouteChildren:
    """One route's children of the families of requests, for one status."""

    def __init__(self, route: str, status: int, http: HTTPSeries) -> None:
        self.requests = http.requests.labels(route, str(status))
        self.duration = http.duration.labels(route, str(status))


class ProviderChildren:
    """One provider's children of every family, bound once: a lookup costs more than an increment.

    All of them exist from the start, so that dashboards and alerts work before the first call.
    """

    def __init__(self, provider: str, series: Series) -> None:
        attempt, answer = series.attempt, series.answer
        self.probes = {
            outcome: series.probe.probes.labels(provider, outcome) for outcome in OUTCOMES
        }
        self.attempts = {
            (slot, outcome): attempt.attempts.labels(provider, slot, outcome)
            for slot, outcome in _slots_and_outcomes()
        }
        self.answered = attempt.duration.labels(provider, "ok")
        self.failed = attempt.duration.labels(provider, "error")
        self.first_token = attempt.first_token.labels(provider)
        self.in_flight = attempt.in_flight.labels(provider)
        self.cancelled = attempt.cancelled.labels(provider)
        self.retries = attempt.retries.labels(provider)
        self.hedges = {
            outcome: attempt.hedges.labels(provider, outcome) for outcome in HEDGE_OUTCOMES
        }
        self.prompt_tokens = answer.tokens.labels(provider, "prompt")
        self.completion_tokens = answer.tokens.labels(provider, "completion")
        self.cost = answer.cost.labels(provider)
        self.confidence = answer.confidence.labels(provider)
        self.answers = answer.answers.labels(provider)
        self.below_threshold = answer.below_threshold.labels(provider)


def _slots_and_outcomes() -> Iterator[tuple[str, str]]:
    return ((slot, outcome) for slot in MODEL_SLOTS for outcome in OUTCOMES)
