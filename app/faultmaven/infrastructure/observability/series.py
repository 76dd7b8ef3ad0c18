"""The metric families: names, labels and buckets. Seconds, tokens and dollars; closed labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.observability.counts import Count, Distribution
from faultmaven.infrastructure.observability.families import (
    CounterFamily,
    GaugeFamily,
    HistogramFamily,
    Ledger,
)
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

    def __init__(self, ledger: Ledger) -> None:
        self.requests = CounterFamily(
            ledger,
            "faultmaven_requests",
            "Requests served, by route template and HTTP status.",
            ("route", "status"),
        )
        self.duration = HistogramFamily(
            ledger,
            "faultmaven_request_duration_seconds",
            "From a request's arrival to the end of its response.",
            ("route", "status"),
            bounds=_LATENCY,
        )
        self.in_flight = GaugeFamily(
            ledger,
            "faultmaven_requests_in_flight",
            "Requests being served now.",
            mode="livesum",
        ).labels()
        self.shed = CounterFamily(
            ledger,
            "faultmaven_requests_shed",
            "Requests refused because too many were in flight, by operation.",
            ("route",),
        )
        self.shared = CounterFamily(
            ledger,
            "faultmaven_requests_shared",
            "Requests that waited for the answer to an identical one instead of asking.",
        ).labels()
        self.overhead = HistogramFamily(
            ledger,
            "faultmaven_gateway_overhead_seconds",
            "Duration of requests that asked a provider, less the time spent on providers.",
            bounds=_OVERHEAD,
        ).labels()


class AttemptSeries:
    """What is measured of attempts at providers."""

    def __init__(self, ledger: Ledger) -> None:
        self.attempts = CounterFamily(
            ledger,
            "faultmaven_attempts",
            "Attempts that ended, by outcome; model says whether it is the configured one.",
            ("provider", "model", "outcome"),
        )
        self.duration = HistogramFamily(
            ledger,
            "faultmaven_attempt_duration_seconds",
            "From sending to the whole answer (result ok) or the failure (result error).",
            ("provider", "result"),
            bounds=_LATENCY,
        )
        self.first_token = HistogramFamily(
            ledger,
            "faultmaven_time_to_first_token_seconds",
            "From sending to the first content of a streamed answer.",
            ("provider",),
            bounds=_LATENCY,
        )
        self.in_flight = GaugeFamily(
            ledger,
            "faultmaven_attempts_in_flight",
            "Attempts being made now.",
            ("provider",),
            mode="livesum",
        )
        self.cancelled = CounterFamily(
            ledger,
            "faultmaven_attempts_cancelled",
            "Attempts given up: the caller left, or another provider answered first.",
            ("provider",),
        )
        self.retries = CounterFamily(
            ledger,
            "faultmaven_retries",
            "Attempts that repeat another at the same provider.",
            ("provider",),
        )
        self.hedges = CounterFamily(
            ledger,
            "faultmaven_hedges",
            "Extra attempts beside a slow provider, by provider: won, lost, or neither answered.",
            ("provider", "outcome"),
        )
        self.fallbacks = CounterFamily(
            ledger,
            "faultmaven_fallbacks",
            "Moves along the chain, by where from, where to and why.",
            ("from", "to", "reason"),
        )


class ProbeSeries:
    """What is measured of the free calls that see how providers are."""

    def __init__(self, ledger: Ledger) -> None:
        self.probes = CounterFamily(
            ledger,
            "faultmaven_probes",
            "Free calls that ended, by outcome; they spend no tokens.",
            ("provider", "outcome"),
        )


class AnswerSeries:
    """What is measured of answers, and of what they cost."""

    def __init__(self, ledger: Ledger) -> None:
        self.tokens = CounterFamily(
            ledger,
            "faultmaven_tokens",
            "Tokens read (prompt) and written (completion).",
            ("provider", "direction"),
        )
        self.cost = CounterFamily(
            ledger,
            "faultmaven_cost_usd",
            "Money spent in US dollars, as far as prices are known.",
            ("provider",),
        )
        self.confidence = HistogramFamily(
            ledger,
            "faultmaven_answer_confidence",
            "Confidence of each answer a provider gave, whether it was used or not.",
            ("provider",),
            bounds=_CONFIDENCE,
        )
        self.answers = CounterFamily(
            ledger, "faultmaven_answers", "Answers returned.", ("provider",)
        )
        self.below_threshold = CounterFamily(
            ledger,
            "faultmaven_answers_below_threshold",
            "Answers returned although less sure than was asked for.",
            ("provider",),
        )
        self.redactions = CounterFamily(
            ledger,
            "faultmaven_redactions",
            "Secrets removed from text before it left, by kind.",
            ("kind",),
        )


class ConfigSeries:
    """What is measured of the configuration."""

    def __init__(self, ledger: Ledger) -> None:
        self.reloads = CounterFamily(
            ledger,
            "faultmaven_config_reloads",
            "Readings of the configuration while the service ran, by what came of them.",
            ("result",),
        )
        for result in RELOAD_RESULTS:
            self.reloads.labels(result)
        self.last_reload = GaugeFamily(
            ledger,
            "faultmaven_config_last_reload_timestamp_seconds",
            "Unix time of the last reload that was not rejected; 0 before the first one.",
            mode="max",
        ).labels()


@dataclass(frozen=True, slots=True)
class Series:
    """Every family."""

    http: HTTPSeries
    attempt: AttemptSeries
    answer: AnswerSeries
    probe: ProbeSeries
    config: ConfigSeries

    @classmethod
    def in_ledger(cls, ledger: Ledger) -> Series:
        """Create the families where they belong."""
        return cls(
            HTTPSeries(ledger),
            AttemptSeries(ledger),
            AnswerSeries(ledger),
            ProbeSeries(ledger),
            ConfigSeries(ledger),
        )


class RouteSeries(dict[tuple[str, int], tuple[Count, Distribution]]):
    """How many requests ended and how long they took, by route and status: bound when needed."""

    def __init__(self, http: HTTPSeries) -> None:
        super().__init__()
        self._http = http

    def __missing__(self, ended: tuple[str, int]) -> tuple[Count, Distribution]:
        """Bind those of a route."""
        route, status = ended[0], str(ended[1])
        labelled = (
            self._http.requests.labels(route, status),
            self._http.duration.labels(route, status),
        )
        self[ended] = labelled
        return labelled


class ProvidersSeries(dict[str, "ProviderSeries"]):
    """The series of every provider, by name: bound when needed."""

    def __init__(self, series: Series) -> None:
        super().__init__()
        self._series = series

    def __missing__(self, provider: str) -> ProviderSeries:
        """Bind those of a provider."""
        self[provider] = bound = ProviderSeries(provider, self._series)
        return bound


class ProviderSeries:
    """One provider's series of every family, bound once: to look one up costs more than to count.

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
